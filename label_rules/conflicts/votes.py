"""Several transcripts of the same audio: where they differ, what most of them write there, and who departs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from label_rules.conflicts.cut_off import is_at_start
from label_rules.conflicts.differences import KINDS, Difference, are_neighbours, joined, word_differences
from label_rules.conflicts.dual import has_dual
from label_rules.evidence import quoted
from label_rules.tokens import tokens

_RANK = {kind: rank for rank, kind in enumerate(KINDS)}
# With no majority anybody may be right, so no transcript is more likely wrong than not.
_UNDECIDED = 0.5
_DECIDED_BY_MODEL = 0.6
# People leave words out at the ends far more often than they make them up. Among crowd workers on 5,600 clips, where
# one of two transcripts lacked a start or an end the truth had words there in 236 of 241 cases, where one of three did
# in 393 of 403, and where two of three did still in 19 of 23. One against six was never right, in 8 cases.
_CUT_OFF = 0.95


_LONGEST_EVIDENCE = 240


class Departure(NamedTuple):
    """A stretch of a text that departs from the other transcripts, or, without a majority, one that is disputed.

    `change` has the text that shows how the others write it as side a, and the departing text as side b; `toward`
    is that other text where there is a basis for following it; `model` is it in any case.
    """

    text: str
    kind: str
    change: Difference
    score: float
    evidence: str
    model: str
    toward: str | None


@dataclass
class Comparison:
    """What a group of transcripts shows: the kinds in which each text differs from others, and the departures."""

    kinds: dict[str, set[str]] = field(default_factory=dict)
    departures: list[Departure] = field(default_factory=list)


class _Ballot(NamedTuple):
    """A place where texts differ in one kind: who writes which form there, first the pivot's."""

    kind: str
    pivot: str
    forms: list[tuple[str, ...]]
    "The texts of each form."
    changes: dict[str, Difference]
    "For each text that differs here, its difference from the pivot."


def compare(pivot: str, copies: dict[str, int], hypothesis: str | None = None) -> Comparison:
    """What the texts of one audio show, given in how many transcripts each stands, and what a recogniser heard.

    Every text is compared with the pivot, and every place where one differs is put to the vote: a text votes for
    what it has there, and has no vote where a graver difference covers the place.
    """
    found = Comparison(kinds={text: set() for text in copies})
    against_pivot = {text: word_differences(pivot, text) for text in copies if text != pivot}
    _vote(pivot, copies, against_pivot, hypothesis, found)
    found.departures = _joined(found.departures)
    return found


def _joined(departures: Sequence[Departure]) -> list[Departure]:
    """The departures with those of neighbouring words, decided alike, made one."""
    made: list[Departure] = []
    latest: dict[tuple[str, str], int] = {}
    for each in departures:
        place = each.text, each.kind
        last = made[latest[place]] if place in latest else None
        other = each.model
        if (
            last
            and (last.model, last.toward) == (other, each.toward)
            and are_neighbours(last.change, each.change, other, each.text)
        ):
            change = joined(last.change, each.change, other, each.text)
            evidence = _together(last.evidence, each.evidence)
            score = min(last.score, each.score)
            made[latest[place]] = last._replace(change=change, score=score, evidence=evidence)
            continue
        latest[place] = len(made)
        made.append(each)
    return made


def _together(one: str, other: str) -> str:
    if one == other or one.endswith("; …"):
        return one
    return f"{one}; {other}" if len(one) + len(other) < _LONGEST_EVIDENCE else f"{one}; …"


def _vote(
    pivot: str,
    copies: dict[str, int],
    against_pivot: dict[str, tuple[Difference, ...]],
    hypothesis: str | None,
    found: Comparison,
) -> None:
    for ballot in _ballots(pivot, against_pivot):
        for text in (text for form in ballot.forms for text in form):
            found.kinds[text].add(ballot.kind)
        found.departures += _decide(ballot, copies, hypothesis)
        for form in ballot.forms[1:]:
            _vote_within(form, ballot, copies, found)


def _vote_within(texts: Sequence[str], ballot: _Ballot, copies: dict[str, int], found: Comparison) -> None:
    """Texts that have the same words where the pivot has none may write them differently: `um,` and `um...`."""
    texts = [text for text in texts if text not in ballot.changes or not has_dual(ballot.changes[text].b_text)]
    if not all(text in ballot.changes for text in texts):
        return
    if len({ballot.changes[text].b_text for text in texts}) <= 1:
        return
    pivot = max(texts, key=lambda text: copies[text])
    at = ballot.changes[pivot]
    against = {
        text: tuple(d for d in word_differences(pivot, text) if d.a_start >= at.b_start and d.a_end <= at.b_end)
        for text in texts
        if text != pivot
    }
    _vote(pivot, {text: copies[text] for text in texts}, against, None, found)


def _ballots(pivot: str, against_pivot: dict[str, tuple[Difference, ...]]) -> list[_Ballot]:
    places: dict[tuple[int, int, str], dict[str, Difference]] = {}
    for text, found in against_pivot.items():
        for difference in found:
            if difference.kind == "cut_off":
                continue
            place = (difference.a_start, difference.a_end, difference.kind)
            places.setdefault(place, {}).setdefault(text, difference)
    ballots = _cut_ballots(pivot, against_pivot)
    for (start, end, kind), changes in sorted(places.items(), key=lambda item: item[0]):
        same: list[str] = [pivot]
        others: list[tuple[str, ...]] = []
        for text, found in against_pivot.items():
            if text in changes:
                continue
            stands = _stands(found, start, end, kind)
            if stands == "same":
                same.append(text)
            elif stands == "other":
                others.append((text,))
        written = _forms(kind, pivot[start:end], same, changes)
        # Texts that differ here over another stretch vote against every form; they get a ballot of their own.
        ballots.append(_Ballot(kind, pivot, written + others, changes))
    return ballots


def _cut_ballots(pivot: str, against_pivot: dict[str, tuple[Difference, ...]]) -> list[_Ballot]:
    """The ballots on whether the start, and the end, is missing: texts cut at different words vote alike."""
    edges: dict[tuple[bool, bool], dict[str, Difference]] = {}
    for text, found in against_pivot.items():
        for difference in found:
            if difference.kind == "cut_off":
                place = (is_at_start(difference, pivot), len(difference.b_text) > len(difference.a_text))
                edges.setdefault(place, {}).setdefault(text, difference)
    return [
        _Ballot("cut_off", pivot, [(pivot, *(t for t in against_pivot if t not in cut)), tuple(cut)], cut)
        for cut in edges.values()
    ]


def _forms(kind: str, at_pivot: str, same: list[str], changes: dict[str, Difference]) -> list[tuple[str, ...]]:
    """The texts by the form that they write, those that write what the pivot has first.

    A dual transcription is a form of its own; where others write the number in two ways, it is one more vote for
    its spelled side.
    """
    forms: dict[object, list[str]] = {}
    dual: dict[object, list[str]] = {}
    for text, change in changes.items():
        (dual if has_dual(change.b_text) else forms).setdefault(_form(kind, change.b_text), []).append(text)
    form_of_pivot = _form(kind, at_pivot)
    if kind == "number" and has_dual(at_pivot):
        # A plain text comes first, for the others to follow.
        same = [*(forms.pop(form_of_pivot, []) if len(forms) > 1 else []), *same]
    elif kind == "number" and forms:
        same = [*same, *dual.pop(form_of_pivot, [])]
        for form in forms:
            forms[form] += dual.pop(form, [])
    return [tuple(texts) for texts in (same, *forms.values(), *dual.values())]


def _stands(found: Sequence[Difference], start: int, end: int, kind: str) -> str:
    for difference in found:
        if difference.a_start > end:
            break
        # How a number is written goes with the spaces beside it.
        meet = _touch if kind == "spacing" and difference.kind == "number" else _meet
        if not meet(difference.a_start, difference.a_end, start, end):
            continue
        if difference.kind == kind:
            return "other"
        if _RANK[difference.kind] < _RANK[kind]:
            return "none"
    return "same"


def _meet(start: int, end: int, other_start: int, other_end: int) -> bool:
    if start == end or other_start == other_end:
        return (
            (start, end) == (other_start, other_end) or (start < other_start < end) or (other_start < start < other_end)
        )
    return start < other_end and other_start < end


def _form(kind: str, written: str) -> object:
    if kind in ("casing", "punctuation", "spacing"):
        return written
    return tuple(token.key for token in tokens(written) if token.kind != "mark")


def _decide(ballot: _Ballot, copies: dict[str, int], hypothesis: str | None) -> list[Departure]:
    votes = [sum(copies[text] for text in form) for form in ballot.forms]
    voters = sum(votes)
    winner = max(range(len(votes)), key=votes.__getitem__)
    if ballot.kind == "cut_off":
        whole = int(next(len(change.b_text) > len(change.a_text) for change in ballot.changes.values()))
        if votes[whole] * 2 >= voters:
            said = f"{votes[whole]} of {voters} transcripts of this audio have {{}} here"
            return _toward(ballot, whole, _CUT_OFF, said)
        if votes[whole] * 3 >= voters:
            return _disputed(ballot, votes, [text for form in ballot.forms for text in form], _UNDECIDED, "")
    if votes[winner] * 2 > voters:
        # The rule of succession: what one more transcript of this audio would most likely say.
        score = (votes[winner] + 1) / (voters + 2)
        return _toward(ballot, winner, score, f"{votes[winner]} of {voters} transcripts of this audio write {{}} here")
    heard = _heard(ballot, hypothesis) if hypothesis and ballot.kind == "content" else None
    if heard is not None:
        said = "transcripts of this audio disagree, and the model heard {}"
        losers = _toward(ballot, heard, _DECIDED_BY_MODEL, said)
        rest = ballot.forms[heard]
        return losers + _disputed(ballot, votes, rest, _UNDECIDED / 2, "; the model heard the same as here")
    everybody = [text for form in ballot.forms for text in form]
    return _disputed(ballot, votes, everybody, _UNDECIDED, "")


def _toward(ballot: _Ballot, winner: int, score: float, evidence: str) -> list[Departure]:
    departures = []
    model = ballot.forms[winner][0]
    for number, form in enumerate(ballot.forms):
        if number == winner:
            continue
        for text in form:
            if winner == 0 and text not in ballot.changes:
                continue
            for change in _changes(ballot, model, text):
                line = f"{evidence.format(quoted(change.a_text))}; this one {quoted(change.b_text)}"
                departures.append(Departure(text, ballot.kind, change, score, line, model, model))
    return departures


def _disputed(ballot: _Ballot, votes: list[int], texts: Sequence[str], most: float, addition: str) -> list[Departure]:
    voters = sum(votes)
    written = [_written(ballot, form[0]) for form in ballot.forms]
    counted = [f"{quoted(form)} ({count})" for form, count in zip(written, votes, strict=True) if form is not None]
    elsewhere = sum(count for form, count in zip(written, votes, strict=True) if form is None)
    counted += [f"something else ({elsewhere})"] if elsewhere else []
    own = {text: count for form, count in zip(ballot.forms, votes, strict=True) for text in form}
    departures = []
    for text in texts:
        other = next(t for t in ballot.changes if t != text) if text not in ballot.changes else ballot.pivot
        if text not in ballot.changes and _stands_apart(ballot, text):
            continue
        score = min(most, 1 - own[text] / voters)
        for change in _changes(ballot, other, text):
            line = f"transcripts of this audio disagree: {', '.join(counted)}{addition}"
            departures.append(Departure(text, ballot.kind, change, score, line, other, None))
    return departures


def _stands_apart(ballot: _Ballot, text: str) -> bool:
    return text not in ballot.forms[0]


def _written(ballot: _Ballot, text: str) -> str | None:
    if text in ballot.changes:
        return ballot.changes[text].b_text
    if text in ballot.forms[0]:
        return next(iter(ballot.changes.values())).a_text
    return None


def _changes(ballot: _Ballot, other: str, text: str) -> list[Difference]:
    """The differences between the two texts (sides a and b) at the place of the ballot."""
    if other == ballot.pivot and text in ballot.changes:
        return [ballot.changes[text]]
    if other in ballot.changes:
        at = ballot.changes[other]
        start, end = at.b_start, at.b_end
    else:
        one = next(iter(ballot.changes.values()))
        start, end = _carried(ballot.pivot, other, one.a_start, one.a_end)
    found = word_differences(other, text)
    return [d for d in found if d.kind == ballot.kind and _touch(d.a_start, d.a_end, start, end)]


def _carried(pivot: str, text: str, start: int, end: int) -> tuple[int, int]:
    """Where a stretch of the pivot stands in a text that has it unchanged."""
    shift = 0
    for difference in word_differences(pivot, text):
        if difference.a_start >= end:
            break
        shift += len(difference.b_text) - len(difference.a_text)
    return start + shift, end + shift


def _touch(start: int, end: int, other_start: int, other_end: int) -> bool:
    return start <= other_end and other_start <= end


def _heard(ballot: _Ballot, hypothesis: str | None) -> int | None:
    """The one form that the hypothesis has, with a word next to it; None where it has none, or several."""
    said = f" {' '.join(_keys(hypothesis or ''))} "
    held = []
    for number, form in enumerate(ballot.forms):
        change = ballot.changes.get(form[0]) or next(iter(ballot.changes.values()))
        text, start, end = (
            (form[0], change.b_start, change.b_end)
            if form[0] in ballot.changes
            else (ballot.pivot, change.a_start, change.a_end)
        )
        words = _keys(text[start:end])
        before, after = _keys(text[:start])[-1:], _keys(text[end:])[:1]
        if not words or (number and form[0] not in ballot.changes):
            continue
        around = [run for run in (before + words if before else [], words + after if after else []) if run]
        if any(f" {' '.join(run)} " in said for run in around or [words]):
            held.append(number)
    return held[0] if len(held) == 1 else None


def _keys(text: str) -> list[str]:
    return [token.key for token in tokens(text) if token.is_spoken]
