"""What a corpus writes in several ways: its forms counted, its majority found, its departures flagged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from math import sqrt
from typing import NamedTuple

from label_rules.corpus import Corpus
from label_rules.rule import Abstention, Check, Fault, Finding, Outcome, Tally, attempt

# Below three in five there is no convention to follow, only a decision to make: the table shows it, nobody is
# flagged. Where it is reached, at most two of five uses are asked to change, and the score says how sure it is.
CLEAR_SHARE = 0.6
LEAST_MAJORITY = 3
# An annotator has a habit of their own from so many uses on, when nearly all of them go one way.
_HABIT_SHARE = 0.8
_LEAST_HABIT = 5


class Use(NamedTuple):
    """One use of a form of a convention in a text, with its characters."""

    convention: str
    form: str
    start: int
    end: int


Observe = Callable[[str], Iterable[Use]]
Rewrite = Callable[[str, Sequence[tuple[Use, str]]], str | None]


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
        return form if own[form] >= max(_LEAST_HABIT, _HABIT_SHARE * sum(own.values())) else None

    def tallies(self) -> Iterator[Tally]:
        """The rows of the table of conventions, for what is written in several ways."""
        for convention in sorted(name for name, forms in self.by_form.items() if len(forms) > 1):
            shares = self.shares(convention)
            for number, (form, share) in enumerate(shares.items()):
                counts = self.by_form[convention][form]
                writers = tuple(sorted(counts, key=lambda name: (-counts[name], name)))
                yield Tally(convention, form, counts.total(), share, number == 0, writers)


def convention_check(observe: Observe, rewrite: Rewrite | None = None, habits_only: bool = False) -> Check:
    """The check that counts the uses that `observe` finds in each text, and flags those against a clear majority.

    `rewrite` gives the text with the given uses in the given forms, None where that is not safe. With `habits_only`
    both forms may be right in a single transcript, so only annotators whose habit is against the majority are flagged.
    """

    def check(corpus: Corpus) -> Iterator[Outcome]:
        used: list[tuple[int, list[Use]]] = []
        majorities = Majorities()
        for number, uses in attempt(
            lambda n: list(observe(corpus.texts[n])), range(len(corpus.texts)), corpus.name_of_text
        ):
            if isinstance(uses, Fault):
                yield uses
            elif uses:
                used.append((number, uses))
                writers = [corpus.annotators[row] for row in corpus.rows_of_text[number]]
                for use in uses:
                    majorities.count(use.convention, use.form, writers)
        yield from majorities.tallies()
        several = [name for name, forms in majorities.by_form.items() if len(forms) > 1]
        clear = {name: majorities.clear(name) for name in several}
        against = {
            (name, writer)
            for name in (several if habits_only else [])
            for writer in {w for counts in majorities.by_form[name].values() for w in counts}
            if majorities.habit(name, writer) not in (None, clear[name])
        }
        yield Abstention(
            [
                row
                for number, uses in used
                if any(use.convention in clear and clear[use.convention] is None for use in uses)
                for row in corpus.rows_of_text[number].tolist()
            ]
        )
        scores = {name: majorities.score(name) for name in several}
        for number, uses in used:
            departing = [
                (use, form) for use in uses if (form := clear.get(use.convention)) is not None and use.form != form
            ]
            if not departing:
                continue
            rows = corpus.rows_of_text[number].tolist()
            if habits_only:
                names = {use.convention for use, _ in departing}
                rows = [row for row in rows if any((name, corpus.annotators[row]) in against for name in names)]
                if not rows:
                    continue
            text = corpus.texts[number]
            suggestion = rewrite(text, departing) if rewrite else None
            for use, form in departing:
                evidence = _evidence(majorities, use, form)
                kept = suggestion if suggestion != text else None
                yield Finding(rows, use.start, use.end, scores[use.convention], evidence, kept)

    return check


def _evidence(majorities: Majorities, use: Use, form: str) -> str:
    counts = majorities.by_form[use.convention]
    total = sum(count.total() for count in counts.values())
    line = f"{use.convention}: {majorities.total(use.convention, form)} of {total} in the corpus are {form!r}"
    return f"{line}; this one is {use.form!r}"


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
    """The rewrite that puts, for every use, what `new` makes of the characters as written and the wanted form."""

    def rewrite(text: str, uses: Sequence[tuple[Use, str]]) -> str:
        return replaced(text, [(use.start, use.end, new(text[use.start : use.end], form)) for use, form in uses])

    return rewrite
