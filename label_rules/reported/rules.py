"""Audio that labellers call bad, and transcripts that they are not sure of."""

from __future__ import annotations

from collections.abc import Iterator

from label_rules.corpus import Corpus
from label_rules.rule import Abstention, Example, Finding, Outcome, Rule

BAD_AUDIO, UNSURE = "bad_audio", "unsure"
_WRONG = 0.2
"""How often somebody who calls audio bad stands alone with it: a choice, as nothing has been measured."""
_UNSURE = 0.5


def said_of(remarks: str | None) -> list[str]:
    """The remarks in a value of the column.

    >>> said_of("bad_audio, unsure"), said_of(None)
    (['bad_audio', 'unsure'], [])
    """
    return [remark.strip() for remark in (remarks or "").split(",") if remark.strip()]


def _bad_audio(corpus: Corpus) -> Iterator[Outcome]:
    if _is_silent(corpus):
        yield Abstention(range(len(corpus)))
        return
    who: dict[str, list[str]] = {}
    first: dict[str, int] = {}
    for row, (remarks, others) in enumerate(zip(corpus.remarks, corpus.called_bad_by, strict=True)):
        utterance = corpus.utterance_ids[row]
        names = [name for name in (others or "").split("\n") if name]
        names += [corpus.annotators[row]] if BAD_AUDIO in said_of(remarks) else []
        if names:
            first.setdefault(utterance, row)
            who.setdefault(utterance, []).extend(names)
    for utterance, row in first.items():
        several = list(dict.fromkeys(who[utterance]))
        evidence = f"{' and '.join(several)} {'calls' if len(several) == 1 else 'call'} the audio bad"
        yield Finding([row], 0, 0, 1 - _WRONG ** len(several), evidence)


def _unsure(corpus: Corpus) -> Iterator[Outcome]:
    if _is_silent(corpus):
        yield Abstention(range(len(corpus)))
        return
    for row, remarks in enumerate(corpus.remarks):
        if remarks and UNSURE in said_of(remarks):
            name = corpus.annotators[row]
            yield Finding([row], 0, len(corpus.text(row)), _UNSURE, f"{name} is not sure of this transcript")


def _is_silent(corpus: Corpus) -> bool:
    return not any(corpus.remarks) and not any(corpus.called_bad_by)


REPORTED_RULES = (
    Rule(
        "reported.bad_audio",
        "Audio that a listener cannot make out cannot be labelled with care, nor learnt.",
        "harmful",
        _bad_audio,
        fires=(
            Example(("yes", "no"), (0,), columns={"remarks": ("bad_audio, unsure", None)}),
            Example(("yes", "no"), (1,), columns={"called_bad_by": (None, "ann_b\nann_c")}),
        ),
        passes=(
            Example(("yes", "bad_audio"), columns={"remarks": ("unsure", "")}),
            Example(("yes",), columns={"remarks": ("not bad_audio at all",)}),
            Example(("yes",)),
        ),
        about="audio",
    ),
    Rule(
        "reported.unsure",
        "What its own annotator doubts is worth a second pair of ears before a model learns it.",
        "harmful",
        _unsure,
        fires=(
            Example(("yes", "no"), (1,), columns={"remarks": (None, "unsure")}),
            Example(("", "yes"), (0,), same_audio=True, columns={"remarks": ("bad_audio, unsure", None)}),
        ),
        passes=(
            Example(("yes",), columns={"remarks": ("bad_audio",)}),
            Example(("yes",), columns={"called_bad_by": ("ann_b",)}),
            Example(("yes",)),
        ),
    ),
)
