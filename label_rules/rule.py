"""What a rule is: an id, a reason, a severity, examples, and a check with three possible outcomes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import pandas as pd

if TYPE_CHECKING:
    from label_rules.corpus import Corpus
    from label_rules.words import Trigger

Severity = Literal["harmful", "style"]


class Finding(NamedTuple):
    """A flag: the rows of the corpus that it holds for, the characters, how sure the rule is, and what it saw."""

    rows: Sequence[int]
    start: int
    end: int
    score: float
    evidence: str
    suggestion: str | None = None
    group: str | None = None


class Abstention(NamedTuple):
    """Rows of the corpus that the rule has no opinion on, for want of data."""

    rows: Sequence[int]


class Fault(NamedTuple):
    """A crash: what was being checked, and the exception, which is kept."""

    item: str
    exception: Exception


class Tally(NamedTuple):
    """How often one form of a convention was found, and who writes it, most often first."""

    convention: str
    form: str
    uses: int
    share: float
    majority: bool
    annotators: tuple[str, ...]
    counts: tuple[int, ...] = ()
    "How often each of them does."


Outcome = Finding | Abstention | Fault | Tally
Check = Callable[["Corpus"], Iterable[Outcome]]


@dataclass(frozen=True)
class Example:
    """A small corpus that a rule must flag, or must let pass.

    Every text is an utterance of its own, or, with `same_audio`, the same utterance by another annotator.
    `annotators` names who wrote each text; `columns` holds further columns, one value a text; `flagged` lists
    the positions of the texts that the rule must flag, all others must pass.
    """

    texts: tuple[str, ...]
    flagged: tuple[int, ...] = ()
    same_audio: bool = False
    annotators: tuple[str, ...] = ()
    columns: dict[str, tuple[object, ...]] = field(default_factory=dict)

    def transcripts(self) -> pd.DataFrame:
        """The example as a frame of transcripts, one row a text.

        >>> Example(("yes", "Yes"), same_audio=True).transcripts()["utterance_id"].tolist()
        ['u0', 'u0']
        """
        several = range(len(self.texts))
        utterances = ["u0" if self.same_audio else f"u{i}" for i in several]
        annotators = list(self.annotators) or [f"annotator{i}" if self.same_audio else "annotator" for i in several]
        frame = {"utterance_id": utterances, "annotator": annotators, "text": list(self.texts)}
        return pd.DataFrame(frame | {name: list(values) for name, values in self.columns.items()})


@dataclass(frozen=True)
class Rule:
    """A rule, which carries its own specification: the tests of a rule are its examples.

    The check sees the whole corpus and yields outcomes. What it raises becomes a fault of the rule as a whole, and
    what it yielded until then stands; work on single texts goes through `attempt`, so that a crash costs one text.
    """

    rule_id: str
    reason: str
    severity: Severity
    check: Check
    fires: tuple[Example, ...]
    passes: tuple[Example, ...]
    about: Literal["transcript", "audio"] = "transcript"
    "What a flag is about: a transcript, or the audio of an utterance, whoever wrote what of it."
    needs: tuple[str, ...] = ("transcripts",)
    "The tables that it looks at, as `label_rules.needs` names them."
    compares: bool = False
    "Whether it looks at all transcripts of the same audio, which takes longest to compare: it is asked last."
    where: str = ""
    "Where it is written, as FILE:LINE, for a rule made with the decorator."


def attempt(
    function: Callable[[Any], Any], items: Iterable[Any], name: Callable[[Any], str]
) -> Iterator[tuple[Any, Any]]:
    """Each item with the function's result for it; or, where the function raises, with a Fault."""
    for item in items:
        try:
            result = function(item)
        except Exception as problem:
            result = Fault(name(item), problem)
        yield item, result


def each_text(
    function: Callable[[str], Iterable[tuple[int, int, float, str, str | None]]], trigger: Trigger | None = None
) -> Check:
    """The check that asks the function about each different text, once.

    The function returns what it found: start, end, score, evidence and suggestion. `trigger` is a pattern that is found
    in at least one word (a piece between white space, looked at by itself and once for the whole corpus) of every text
    in which the function finds something, or a function that says so of a word; texts without it are not looked at.
    """

    def check(corpus: Corpus) -> Iterator[Outcome]:
        for number in corpus.texts_with(trigger):
            try:
                found = list(function(corpus.texts[number]))
            except Exception as problem:
                yield Fault(corpus.name_of_text(number), problem)
                continue
            for start, end, score, evidence, suggestion in found:
                yield Finding(corpus.rows_of_text[number].tolist(), start, end, score, evidence, suggestion)

    return check
