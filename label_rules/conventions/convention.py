"""What a corpus writes in several ways: its forms counted, its majority found, its departures flagged."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import groupby
from math import sqrt
from typing import NamedTuple

import numpy as np

from label_rules.corpus import Corpus
from label_rules.rule import Abstention, Check, Fault, Finding, Outcome, Tally
from label_rules.words import Trigger

# Below three in five there is no convention to follow, only a decision to make: the table shows it, nobody is
# flagged. Where it is reached, at most two of five uses are asked to change, and the score says how sure it is.
CLEAR_SHARE = 0.6
LEAST_MAJORITY = 3
# An annotator has a habit of their own from so many uses on, when nearly all of them go one way.
HABIT_SHARE = 0.8
LEAST_HABIT = 5


class Use(NamedTuple):
    """One use of a form of a convention in a text, with its characters."""

    convention: str
    form: str
    start: int
    end: int


Observe = Callable[[str], Iterable[Use]]
Rewrite = Callable[[str, Sequence[tuple[Use, str]]], str | None]


class Writing(NamedTuple):
    """How the uses of conventions are found in a text, and how a text is rewritten towards a form, if it can be."""

    observe: Observe
    rewrite: Rewrite | None = None
    trigger: Trigger | None = None
    "Fires on a word of every text that has a use; see `convention_check`."
    texts: Sequence[int] | None = None
    "The numbers of the texts to look at, ascending, where they are known better than by a trigger."


@dataclass(frozen=True)
class ConventionCheck:
    """A check of conventions, which also tells how it finds and rewrites them, so that any form can be applied."""

    check: Check
    writing: Callable[[Corpus], Writing]
    "How this corpus is read; what is looked for may depend on it."
    habits_only: bool = False
    "Whether both forms may be right in a single transcript, so that only the audio says which one is."

    def __call__(self, corpus: Corpus) -> Iterable[Outcome]:
        return self.check(corpus)


class Majorities:
    """The counts of every form of every convention, by annotator."""

    def __init__(self) -> None:
        self.by_form: dict[str, dict[str, Counter[str]]] = {}

    def count(self, convention: str, form: str, annotators: Iterable[str]) -> None:
        """Count one use by each of the annotators."""
        self.by_form.setdefault(convention, {}).setdefault(form, Counter()).update(annotators)

    def total(self, convention: str, form: str) -> int:
        """How often a form is used."""
        return self.by_form[convention][form].total()

    def shares(self, convention: str) -> dict[str, float]:
        """The forms of a convention with their shares, the most frequent first, equals by name."""
        totals = {form: counts.total() for form, counts in self.by_form[convention].items()}
        everything = sum(totals.values())
        ordered = sorted(totals.items(), key=lambda item: (-item[1], item[0]))
        return {form: total / everything for form, total in ordered}

    def clear(self, convention: str) -> str | None:
        """The form of a clear majority, None where there is none."""
        form, share = next(iter(self.shares(convention).items()))
        return form if share >= CLEAR_SHARE and self.total(convention, form) >= LEAST_MAJORITY else None

    def score(self, convention: str) -> float:
        """How sure the majority is: the lower end of the 95 % Wilson interval of its share."""
        share = next(iter(self.shares(convention).values()))
        several = sum(counts.total() for counts in self.by_form[convention].values())
        z = 1.96
        middle = share + z * z / (2 * several)
        spread = z * sqrt(share * (1 - share) / several + z * z / (4 * several * several))
        return (middle - spread) / (1 + z * z / several)

    def habit(self, convention: str, annotator: str) -> str | None:
        """The form that an annotator nearly always uses, None where there is none."""
        own = {form: counts[annotator] for form, counts in self.by_form[convention].items()}
        form = max(own, key=own.__getitem__)
        return form if own[form] >= max(LEAST_HABIT, HABIT_SHARE * sum(own.values())) else None

    def against(self, clear: Mapping[str, str | None]) -> dict[str, set[str]]:
        """For each convention the annotators with a habit that is not the given form."""
        return {
            name: {
                writer
                for writer in {writer for counts in self.by_form[name].values() for writer in counts}
                if self.habit(name, writer) not in (None, form)
            }
            for name, form in clear.items()
        }

    def tallies(self) -> Iterator[Tally]:
        """The rows of the table of conventions, for what is written in several ways."""
        for convention in sorted(name for name, forms in self.by_form.items() if len(forms) > 1):
            shares = self.shares(convention)
            for number, (form, share) in enumerate(shares.items()):
                counts = self.by_form[convention][form]
                writers = tuple(sorted(counts, key=lambda name: (-counts[name], name)))
                uses = tuple(counts[name] for name in writers)
                yield Tally(convention, form, sum(uses), share, number == 0, writers, uses)


def convention_check(
    observe: Observe,
    rewrite: Rewrite | None = None,
    habits_only: bool = False,
    trigger: Trigger | None = None,
) -> ConventionCheck:
    """The check that counts the uses that `observe` finds in each text, and flags those against a clear majority.

    `rewrite` gives the text with the given uses in the given forms, None where that is not safe. With `habits_only`
    both forms may be right in a single transcript, so only annotators whose habit is against the majority are flagged.

    Most texts hold nothing that a convention is about. `trigger` tells them apart quickly: a pattern that is found in
    at least one word (a piece between white space, looked at by itself and once for the whole corpus) of every text in
    which `observe` finds a use, or a function that says so of a word. It may fire on others too. Texts without it are
    not looked at.
    """

    writing = Writing(observe, rewrite, trigger)
    return ConventionCheck(lambda corpus: _outcomes(corpus, writing, habits_only), lambda _: writing, habits_only)


def prepared_check(prepare: Callable[[Corpus], Writing], habits_only: bool = False) -> ConventionCheck:
    """The check of conventions that are only known once the corpus is seen: `prepare` says what to look for in it."""

    def check(corpus: Corpus) -> Iterator[Outcome]:
        yield from _outcomes(corpus, prepare(corpus), habits_only)

    return ConventionCheck(check, prepare, habits_only)


def _outcomes(corpus: Corpus, writing: Writing, habits_only: bool) -> Iterator[Outcome]:
    seen = _Seen()
    for number in corpus.texts_with(writing.trigger) if writing.texts is None else writing.texts:
        try:
            uses = list(writing.observe(corpus.texts[number]))
        except Exception as problem:
            yield Fault(corpus.name_of_text(number), problem)
            continue
        if uses:
            seen.add(number, uses)
    majorities = seen.majorities(corpus)
    yield from majorities.tallies()
    several = [name for name, forms in majorities.by_form.items() if len(forms) > 1]
    clear = {name: majorities.clear(name) for name in several}
    undecided = {name for name, form in clear.items() if form is None}
    yield Abstention(corpus.rows_of_text.of(seen.texts_that_use(undecided))[0].tolist())
    scores = {name: majorities.score(name) for name in several}
    against = majorities.against(clear) if habits_only else {}
    said = {
        (name, form): _evidence(majorities, name, form, wanted)
        for name, wanted in clear.items()
        if wanted is not None
        for form in majorities.by_form[name]
    }
    for text_number, uses in seen.against(clear):
        rows = corpus.rows_of_text[text_number].tolist()
        if habits_only:
            names = {use.convention for use in uses}
            rows = [row for row in rows if any(corpus.annotators[row] in against[name] for name in names)]
            if not rows:
                continue
        text = corpus.texts[text_number]
        departing = [(use, clear[use.convention] or "") for use in uses]
        try:
            suggestion = writing.rewrite(text, departing) if writing.rewrite else None
        except Exception as problem:
            yield Fault(corpus.name_of_text(text_number), problem)
            continue
        kept = suggestion if suggestion != text else None
        for use in uses:
            evidence = said[use.convention, use.form]
            yield Finding(rows, use.start, use.end, scores[use.convention], evidence, kept)


class _Seen:
    """All uses in a corpus, text after text, in arrays: of a million texts each may have one."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[str, str], int] = {}
        self._texts, self._forms = array("q"), array("q")
        self._starts, self._ends = array("q"), array("q")

    def add(self, text: int, uses: Iterable[Use]) -> None:
        """Note the uses in a text; texts are to come in ascending order."""
        for convention, form, start, end in uses:
            self._texts.append(text)
            self._forms.append(self._numbers.setdefault((convention, form), len(self._numbers)))
            self._starts.append(start)
            self._ends.append(end)

    def majorities(self, corpus: Corpus) -> Majorities:
        """The uses counted in every transcript that holds their text."""
        codes, names = corpus.annotator_codes
        rows, copies = corpus.rows_of_text.of(np.array(self._texts, dtype=np.int64))
        writers = np.repeat(np.array(self._forms, dtype=np.int64), copies) * len(names) + codes[rows]
        majorities = Majorities()
        forms = list(self._numbers)
        for code, uses in zip(*(values.tolist() for values in np.unique(writers, return_counts=True)), strict=True):
            convention, form = forms[code // len(names)]
            majorities.by_form.setdefault(convention, {}).setdefault(form, Counter())[names[code % len(names)]] = uses
        return majorities

    def texts_that_use(self, conventions: Set[str]) -> np.ndarray:
        """The texts with a use of one of the conventions."""
        wanted = np.array([name in conventions for name, _ in self._numbers], dtype=bool)
        return np.unique(np.array(self._texts, dtype=np.int64)[wanted[np.array(self._forms, dtype=np.int64)]])

    def against(self, clear: Mapping[str, str | None]) -> Iterator[tuple[int, list[Use]]]:
        """The texts with their uses of other forms than these of their conventions."""
        forms = list(self._numbers)
        departing = np.array([clear.get(name) not in (None, form) for name, form in forms], dtype=bool)
        chosen = np.flatnonzero(departing[np.array(self._forms, dtype=np.int64)]).tolist()
        for text, places in groupby(chosen, self._texts.__getitem__):
            yield text, [Use(*forms[self._forms[at]], self._starts[at], self._ends[at]) for at in places]


def _evidence(majorities: Majorities, convention: str, form: str, wanted: str) -> str:
    total = sum(count.total() for count in majorities.by_form[convention].values())
    line = f"{convention}: {majorities.total(convention, wanted)} of {total} in the corpus are {wanted!r}"
    return f"{line}; this one is {form!r}"


def replaced(text: str, changes: Iterable[tuple[int, int, str]]) -> str:
    """The text with each stretch, given by its first character and the one past its last, put as given.

    >>> replaced("um well", [(0, 2, "uh"), (3, 7, "yes")])
    'uh yes'
    """
    done, pieces = 0, []
    for start, end, new in sorted(changes):
        pieces += [text[done:start], new]
        done = end
    return "".join(pieces) + text[done:]


def in_case_of(written: str, word: str) -> str:
    """The word in the case in which something else was written.

    >>> in_case_of("Colour", "color"), in_case_of("OK", "okay"), in_case_of("um", "uh")
    ('Color', 'OKAY', 'uh')
    """
    if written.isupper() and (len(written) > 1):
        return word.upper()
    return word[:1].upper() + word[1:] if written[:1].isupper() else word


def each_replaced(new: Callable[[str, str], str]) -> Rewrite:
    """The rewrite that puts, for every use, what `new` makes of the characters as written and the wanted form.

    Of uses within one another the inner one is put first, and the outer one sees it done; a use that another one only
    reaches into stays.
    """

    def rewrite(text: str, uses: Sequence[tuple[Use, str]]) -> str:
        made: list[tuple[int, int, str]] = []
        for use, form in sorted(uses, key=lambda pair: pair[0].end - pair[0].start):
            start, end = use.start, use.end
            inner = [one for one in made if one[0] < end and one[1] > start]
            if any(one[0] < start or one[1] > end for one in inner):
                continue
            written = replaced(text[start:end], [(one[0] - start, one[1] - start, one[2]) for one in inner])
            made = [one for one in made if one not in inner]
            made.append((start, end, new(written, form)))
        return replaced(text, made)

    return rewrite
