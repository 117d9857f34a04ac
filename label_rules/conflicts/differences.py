"""Where two transcripts differ, in what kind, with the characters on both sides."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from analysis.align import align
from analysis.language.fillers import AMBIGUOUS
from label_rules.conflicts.cut_off import mark_cut_off
from label_rules.conflicts.dual import dual_kind, fold_duals
from label_rules.conflicts.explanations import Piece, decompose
from label_rules.tokens import HYPHENS, Token, plain_apostrophes, tokens

KINDS = ("cut_off", "content", "filler", "number", "contraction", "spelling", "spacing", "casing", "punctuation")
"All kinds, from what changes what was said to what hardly matters."

_STARTS_SENTENCE = frozenset('.!?:"“”«»「『(')
_QUOTES = frozenset('"“”„«»「」『』')
_NO, _PERHAPS, _YES = 0, 1, 2
_CLOCK = frozenset({"am", "pm"})


class Difference(NamedTuple):
    """A stretch of text a stands against a stretch of text b; where one side has nothing, its span is empty.

    Spans count characters of the original texts: `a[a_start:a_end] == a_text`.
    """

    kind: str
    a_start: int
    a_end: int
    b_start: int
    b_end: int
    a_text: str
    b_text: str


def differences(a: str, b: str) -> tuple[Difference, ...]:
    """The differences between two transcripts of the same audio, in order; none where they differ in spaces only.

    The kinds are filler, punctuation, casing, number, contraction, spelling, spacing, cut_off (one text lacks the
    start or the end that the other has) and content. Marks that come and go with a word left out belong to that
    difference; a capital that follows from where a sentence starts is none. Fillers and markup such as `[noise]` that
    stand on one side are fillers. A dual transcription against one of its sides is one spelling, or one number; spaces
    next to a number written in two ways belong to it.

    >>> [d.kind for d in differences("Um, today's weather", "Um... today’s weather")]
    ['punctuation', 'punctuation']
    >>> [(d.kind, d.a_text) for d in differences("Um, today's weather", "Today's weather")]
    [('filler', 'Um,')]
    >>> [(d.kind, d.a_text, d.b_text) for d in differences("at three p.m.", "at 3pm")]
    [('number', 'three p.m.', '3pm')]
    """
    return tuple(_merged(word_differences(a, b), a, b, ("content", "casing")))


@lru_cache(maxsize=100_000)
def word_differences(a: str, b: str) -> tuple[Difference, ...]:
    """The differences as in `differences`, but content and casing of neighbouring words each for itself."""
    if b < a:
        return tuple(_mirrored(each) for each in word_differences(b, a))
    if a == b:
        return ()
    comparison = _Comparison(a, b)
    found = sorted(comparison.all(), key=lambda d: (d.a_start, d.b_start))
    found = mark_cut_off(found, a, comparison.a_tokens, b, comparison.b_tokens)
    return tuple(_merged(found, a, b, ("number",)))


def _mirrored(d: Difference) -> Difference:
    return Difference(d.kind, d.b_start, d.b_end, d.a_start, d.a_end, d.b_text, d.a_text)


def _merged(found: Sequence[Difference], a: str, b: str, kinds: Sequence[str]) -> list[Difference]:
    """The differences, with neighbours of these kinds made one."""
    merged: list[Difference] = []
    for each in found:
        if merged and each.kind in kinds and are_neighbours(merged[-1], each, a, b):
            merged[-1] = joined(merged[-1], each, a, b)
        else:
            merged.append(each)
    return merged


def are_neighbours(one: Difference, other: Difference, a: str, b: str) -> bool:
    """Whether two differences of the texts a and b are of one kind, with nothing but spaces in between."""
    return (
        one.kind == other.kind
        and one.a_end <= other.a_start
        and one.b_end <= other.b_start
        and not a[one.a_end : other.a_start].strip()
        and not b[one.b_end : other.b_start].strip()
    )


def joined(one: Difference, other: Difference, a: str, b: str) -> Difference:
    """Two neighbouring differences of the texts a and b as one."""
    return _difference(one.kind, a, b, one.a_start, other.a_end, one.b_start, other.b_end)


def _difference(kind: str, a: str, b: str, a_start: int, a_end: int, b_start: int, b_end: int) -> Difference:
    return Difference(kind, a_start, a_end, b_start, b_end, a[a_start:a_end], b[b_start:b_end])


class _Side(NamedTuple):
    """A stretch of one side's tokens between two points that are matched."""

    text: str
    tokens: Sequence[Token]
    "All tokens of the text."
    start: int
    end: int

    @property
    def loose(self) -> list[int]:
        """The positions of its tokens that are no marks."""
        return [i for i in range(self.start, self.end) if self.tokens[i].kind != "mark"]

    @property
    def marks(self) -> list[str]:
        return [t.text for t in self.tokens[self.start : self.end] if t.kind == "mark"]

    @property
    def marks_span(self) -> tuple[int, int]:
        """From the first mark to the last; where there is none, an empty span behind the token before."""
        inside = [t for t in self.tokens[self.start : self.end] if t.kind == "mark"]
        if inside:
            return inside[0].start, inside[-1].end
        return (self.before, self.before)

    @property
    def before(self) -> int:
        """The character behind the token before."""
        if self.start:
            return self.tokens[self.start - 1].end
        return self.tokens[0].start if self.tokens else 0

    @property
    def after(self) -> int:
        """The first character of the token behind; at the end of the text the one behind the last token."""
        if self.end < len(self.tokens):
            return self.tokens[self.end].start
        return self.tokens[-1].end if self.tokens else 0

    def between(self, start: int, end: int) -> _Side:
        return self._replace(start=start, end=end)

    def span(self, positions: Sequence[int]) -> tuple[int, int]:
        return self.tokens[positions[0]].start, self.tokens[positions[-1]].end


class _Comparison:
    def __init__(self, a: str, b: str) -> None:
        self.a, self.b = a, b
        self.a_tokens, self.b_tokens = fold_duals(a, tokens(a), b, tokens(b))

    def all(self) -> Iterator[Difference]:
        a_spoken = [i for i, token in enumerate(self.a_tokens) if token.is_spoken]
        b_spoken = [i for i, token in enumerate(self.b_tokens) if token.is_spoken]
        a_done, b_done, behind_number = 0, 0, False
        for piece in self._pieces(a_spoken, b_spoken):
            if piece.kind is None:
                run_a, run_b = a_spoken[piece.a_start : piece.a_end], b_spoken[piece.b_start : piece.b_end]
                for a_at, b_at in zip(run_a, run_b, strict=True):
                    follows = a_done == a_at and b_done == b_at
                    # Most words are alike, and this is quicker than to look for what there may be.
                    if not (follows and self._alike(a_at, b_at)):
                        if not (behind_number and follows):
                            yield from self._gap(a_done, a_at, b_done, b_at)
                        yield from self._matched(None, a_at, a_at, b_at, b_at)
                    behind_number = False
                    a_done, b_done = a_at + 1, b_at + 1
                continue
            a_at, a_last = a_spoken[piece.a_start], a_spoken[piece.a_end - 1]
            b_at, b_last = b_spoken[piece.b_start], b_spoken[piece.b_end - 1]
            number = piece.kind == "number"
            if not ((number or behind_number) and a_done == a_at and b_done == b_at):
                yield from self._gap(a_done, a_at, b_done, b_at)
            yield from self._matched(piece.kind, a_at, a_last, b_at, b_last)
            behind_number, a_done, b_done = number, a_last + 1, b_last + 1
        yield from self._gap(a_done, len(self.a_tokens), b_done, len(self.b_tokens))

    def _alike(self, a_at: int, b_at: int) -> bool:
        """Whether two tokens are written alike, and stand alike to the tokens before them."""
        a, b = self.a_tokens[a_at], self.b_tokens[b_at]
        before = a_at and self.a_tokens[a_at - 1].end == a.start, b_at and self.b_tokens[b_at - 1].end == b.start
        return a.text == b.text and (not a_at or not b_at or before[0] == before[1])

    def _pieces(self, a_spoken: list[int], b_spoken: list[int]) -> Iterator[Piece]:
        """The spoken words of both sides, in positions among the spoken words; without a kind, a run of equal words."""
        a_keys = [self.a_tokens[i].key for i in a_spoken]
        b_keys = [self.b_tokens[i].key for i in b_spoken]
        start, a_end, b_end = 0, len(a_keys), len(b_keys)
        while start < a_end and start < b_end and a_keys[start] == b_keys[start]:
            start += 1
        while start < a_end and start < b_end and a_keys[a_end - 1] == b_keys[b_end - 1]:
            a_end, b_end = a_end - 1, b_end - 1
        if start:
            yield Piece(0, start, 0, start, None)
        # What is equal at the start and the end is so in the alignment of the whole, too.
        if a_end > start and b_end > start:
            yield from self._pieces_between(a_keys, b_keys, start, a_end, b_end)
        if a_end < len(a_keys):
            yield Piece(a_end, len(a_keys), b_end, len(b_keys), None)

    def _pieces_between(
        self, a_keys: list[str], b_keys: list[str], start: int, a_end: int, b_end: int
    ) -> Iterator[Piece]:
        i = j = from_i = from_j = start
        for op, *_ in [*align(a_keys[start:a_end], b_keys[start:b_end]), ("equal",)]:
            if op == "equal":
                between = i > from_i and j > from_j
                for piece in decompose(tuple(a_keys[from_i:i]), tuple(b_keys[from_j:j])) if between else ():
                    yield Piece(
                        piece.a_start + from_i, piece.a_end + from_i, piece.b_start + from_j, piece.b_end + from_j,
                        piece.kind,
                    )  # fmt: skip
                if i < a_end and j < b_end:
                    yield Piece(i, i + 1, j, j + 1, None)
                i, j = i + 1, j + 1
                from_i, from_j = i, j
            else:
                i += op != "insert"
                j += op != "delete"

    def _matched(self, kind: str | None, a_at: int, a_last: int, b_at: int, b_last: int) -> Iterator[Difference]:
        kind = kind or self._surface_kind(a_at, b_at)
        if kind:
            yield _difference(
                kind, self.a, self.b, self.a_tokens[a_at].start, self.a_tokens[a_last].end,
                self.b_tokens[b_at].start, self.b_tokens[b_last].end,
            )  # fmt: skip

    def _surface_kind(self, a_at: int, b_at: int) -> str | None:
        """The kind by which two tokens of the same key are written differently, None when they are not."""
        a, b = self.a_tokens[a_at], self.b_tokens[b_at]
        if a.text == b.text:
            return None
        one, other = unicodedata.normalize("NFC", a.text), unicodedata.normalize("NFC", b.text)
        if one == other:
            return None
        if dual := dual_kind(a.text, b.text):
            return dual
        if a.kind == "number":
            return "number"
        clock = a.key in _CLOCK and a_at > 0 and self.a_tokens[a_at - 1].kind != "mark"
        plain, others = plain_apostrophes(one).replace(".", ""), plain_apostrophes(other).replace(".", "")
        if plain == others:
            return "number" if clock else "punctuation"
        a_starts, b_starts = _starts_sentence(self.a_tokens, a_at), _starts_sentence(self.b_tokens, b_at)
        if a_starts != b_starts:
            first, inner = (plain, others) if a_starts > b_starts else (others, plain)
            if first == inner[0].upper() + inner[1:]:
                same_glyphs = one[1:] == other[1:]
                return None if same_glyphs else "punctuation"
        return "number" if clock else "casing"

    def _gap(self, a_start: int, a_end: int, b_start: int, b_end: int) -> Iterator[Difference]:
        """The differences between two matched points, where no spoken words match."""
        if a_start == a_end and b_start == b_end:
            yield from self._white_space(a_start, b_start)
            return
        if a_end - a_start == b_end - b_start and all(
            one.kind == other.kind == "mark" and one.text == other.text
            for one, other in zip(self.a_tokens[a_start:a_end], self.b_tokens[b_start:b_end], strict=True)
        ):
            return
        a = _Side(self.a, self.a_tokens, a_start, a_end)
        b = _Side(self.b, self.b_tokens, b_start, b_end)
        a_loose, b_loose = a.loose, b.loose
        if not a_loose and not b_loose:
            yield from self._marks(a, b)
            return
        a_done, b_done = a_start, b_start
        for kind, i, j in _paired(a, a_loose, b, b_loose):
            yield from self._one_sided(a.between(a_done, i), b.between(b_done, j))
            yield from self._matched(kind, i, i, j, j)
            a_done, b_done = i + 1, j + 1
        yield from self._one_sided(a.between(a_done, a_end), b.between(b_done, b_end))

    def _one_sided(self, a: _Side, b: _Side) -> Iterator[Difference]:
        """The differences where one side at least has no words; its marks may come and go with the other's words."""
        a_loose, b_loose = a.loose, b.loose
        if a_loose and b_loose:
            for side, other in ((a, b), (b, a)):
                yield from self._alone(side, other, side.loose, [], other.after if side is a else other.before)
        elif a_loose:
            yield from self._words_alone(a, b)
        elif b_loose:
            yield from self._words_alone(b, a)
        else:
            yield from self._marks(a, b)

    def _words_alone(self, side: _Side, other: _Side) -> Iterator[Difference]:
        loose = side.loose
        swallowed: Sequence[int]
        before, after = side.between(side.start, loose[0]), side.between(loose[-1] + 1, side.end)
        at = other.after
        if other.marks == before.marks:
            swallowed = range(loose[-1] + 1, side.end)
        elif other.marks == after.marks:
            swallowed = range(side.start, loose[0])
            at = other.before
        elif other.marks == before.marks + after.marks:
            swallowed = range(0)
        elif not other.marks:
            quotes = [i for i in range(side.start, side.end) if side.tokens[i].text in _QUOTES]
            first = max((i + 1 for i in quotes if i < loose[0]), default=side.start)
            last = min((i for i in quotes if i > loose[-1]), default=side.end)
            swallowed = range(first, last)
            for i in (*range(side.start, first), *range(last, side.end)):
                single = side.between(i, i + 1)
                yield self._punctuation(*((single, other) if side.text is self.a else (other, single)))
        else:
            swallowed = range(loose[-1] + 1, side.end)
            pair = (before, other) if side.text is self.a else (other, before)
            yield self._punctuation(*pair)
        yield from self._alone(side, other, loose, swallowed, at)

    def _alone(
        self, side: _Side, other: _Side, loose: list[int], swallowed: Sequence[int], at: int
    ) -> Iterator[Difference]:
        """One difference for each run of fillers and each run of words; swallowed marks go with their neighbours."""
        runs: list[list[int]] = []
        for i in loose:
            if runs and side.tokens[i].is_spoken == side.tokens[runs[-1][-1]].is_spoken:
                runs[-1].append(i)
            else:
                runs.append([i])
        for number, run in enumerate(runs):
            kind = "content" if side.tokens[run[0]].is_spoken else "filler"
            positions = list(run)
            if number == 0:
                positions = [i for i in swallowed if i < run[0]] + positions
            next_run = runs[number + 1][0] if number + 1 < len(runs) else side.end
            positions += [i for i in swallowed if run[-1] < i < next_run]
            start, end = side.span(positions)
            if side.text is self.a:
                yield _difference(kind, self.a, self.b, start, end, at, at)
            else:
                yield _difference(kind, self.a, self.b, at, at, start, end)

    def _marks(self, a: _Side, b: _Side) -> Iterator[Difference]:
        if a.marks != b.marks:
            yield self._punctuation(a, b)
        elif not a.marks:
            yield from self._white_space(a.start, b.start)

    def _white_space(self, a_at: int, b_at: int) -> Iterator[Difference]:
        """The difference where two matched tokens touch on one side and stand apart on the other."""
        if not (0 < a_at < len(self.a_tokens) and 0 < b_at < len(self.b_tokens)):
            return
        a_end, a_start = self.a_tokens[a_at - 1].end, self.a_tokens[a_at].start
        b_end, b_start = self.b_tokens[b_at - 1].end, self.b_tokens[b_at].start
        if (a_end == a_start) != (b_end == b_start):
            kind = "spacing" if _is_hangul(self.a_tokens[a_at].text) else "number"
            yield _difference(kind, self.a, self.b, a_end, a_start, b_end, b_start)

    def _punctuation(self, a: _Side, b: _Side) -> Difference:
        gaps = [side.text[side.before : side.after] for side in (a, b)]
        hyphen, other = (gaps if gaps[0] in HYPHENS else gaps[::-1]) if a.start and b.start else ("", "")
        if hyphen in HYPHENS and not other.strip():
            return _difference("spacing", self.a, self.b, a.before, a.after, b.before, b.after)
        return _difference("punctuation", self.a, self.b, *a.marks_span, *b.marks_span)


def _paired(a: _Side, a_loose: list[int], b: _Side, b_loose: list[int]) -> Iterator[tuple[str | None, int, int]]:
    """The loose tokens of both sides that stand against one another: equal, two fillers, or a word and a filler."""
    at_a = at_b = 0
    for op, *_ in align([a.tokens[i].key for i in a_loose], [b.tokens[i].key for i in b_loose]):
        if op in ("equal", "substitute"):
            one, other = a.tokens[a_loose[at_a]], b.tokens[b_loose[at_b]]
            if op == "equal":
                yield None, a_loose[at_a], b_loose[at_b]
            elif one.is_spoken == other.is_spoken:
                yield ("content" if one.is_spoken else "filler"), a_loose[at_a], b_loose[at_b]
            elif (other if one.is_spoken else one).key in AMBIGUOUS:
                yield "content", a_loose[at_a], b_loose[at_b]
        at_a += op != "insert"
        at_b += op != "delete"


def _starts_sentence(all_tokens: Sequence[Token], at: int) -> int:
    """Whether a sentence starts here; behind an ellipsis it may or may not."""
    i = at - 1
    while i >= 0 and all_tokens[i].kind in ("mark", "markup"):
        mark = all_tokens[i].text
        if mark in _STARTS_SENTENCE:
            return _YES
        if mark == "…" or mark.startswith(".."):
            return _PERHAPS if i else _YES
        i -= 1
    return _YES if i < 0 else _NO


def _is_hangul(text: str) -> bool:
    return "가" <= unicodedata.normalize("NFC", text)[0] <= "힣"
