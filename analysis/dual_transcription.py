"""Dual transcription, Korea's way to write what was spelled and what was said: `(철자)/(발음)`.

The grammar, in EBNF:

    text    = { dual | character } ;
    dual    = side, space, slash, space, side ;          (* the spelled side, then the spoken side *)
    side    = open, content, close ;                     (* content is not blank *)
    content = { dual | group | character } ;
    group   = open, content, close ;                     (* parentheses that are no side stay in the text *)
    open    = "(" | "（" ;   close = ")" | "）" ;   slash = "/" | "／" ;   space = { white space } ;

A character is anything else: also a parenthesis without its partner, and one behind a backslash, which stays in the
text. Of `(a)/(b)/(c)` the first two sides are the dual. A dual inside a side is read on that side's behalf: its spelled
side in a spelled side. Where the spoken side is a tag of AIHub's meeting corpora (`(전사)/(idiom)`), the spelled side
is also what was said.

Duals and the text around them up to white space are one word: `약(3시)/(세 시)에` is `약3시에` or `약세 시에`. A word
with several duals is spelled or spoken as a whole. Only KsponSpeech's noise marks, `b/ l/ o/ n/ u/` (breath, laughter,
other speaker, noise, unintelligible), never belong to a word. Its other marks, `아/` (filler), `그+` (repetition) and
`뭐*` (unclear), are part of the word here; `normalizers.korean` removes them all.

The marks are those of ETRI's transcription rules for KsponSpeech (AIHub 123, rules 1.1 and 1.2, "한국어 음성 전사규칙
v1.0"), as Bang et al., "KsponSpeech", Applied Sciences 10 (2020) 6936, and ESPnet's `egs2/ksponspeech` read them.

Every function takes any text, in time linear in its length, however deep its parentheses are nested.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from analysis.marked import Choice, Marked

NOISE_MARK = r"(?<![^\W\u1100-\u11ff\u3130-\u318f\uac00-\ud7a3])(?:[blonu]/)+(?![A-Za-z0-9])"
"""KsponSpeech's noise marks: not inside a Latin word or number (`5 l/min`), but also where they touch Hangul."""
TAGS = "noise|bgm|idiom"
"""What AIHub's meeting corpora write in the place of a spoken side."""

_PARENTHESIS = re.compile(r"\\[\\()（）]|[(（)）]")
_OPEN = re.compile(r"[(（]")
_SLASH = re.compile(r"\s*+[/／]\s*+")
_SPACE = re.compile(r"\s*+")
_BREAK = re.compile(rf"\s++|{NOISE_MARK}")
_ONE_NOISE = re.compile(NOISE_MARK)
_TAG = re.compile(rf"[(（]\s*+(?:{TAGS})\s*+[)）]", re.IGNORECASE)


class Dual(NamedTuple):
    """A dual transcription: `text[start:end]`, and what its sides say."""

    start: int
    end: int
    spelled: str
    spoken: str


class Problem(NamedTuple):
    """What is wrong with `text[start:end]`."""

    start: int
    end: int
    reason: str


def find_duals(text: str) -> list[Dual]:
    """The dual transcriptions of the text, in order; those inside the side of another are part of it.

    >>> find_duals("(TV)/(티비) 켜 줘")
    [Dual(start=0, end=9, spelled='TV', spoken='티비')]
    """
    if not _may_hold_dual(text):
        return []
    syntax = _Syntax(text)
    return [syntax.dual(*sides) for sides in syntax.duals(0, len(text))]


def parse_dual(text: str) -> Marked:
    """The text with each word that holds a dual transcription as a choice named "dual": spelled first, then spoken.

    A text without duals is one run of text, as it stands.

    >>> parse_dual("내일 (3시)/(세 시)에 봐")
    ('내일', Choice(options=(('3시에',), ('세 시에',)), name='dual'), '봐')
    """
    duals = find_duals(text)
    if not duals:
        return (text,) if text else ()
    parts: list[str | Choice] = []
    for spelled, spoken in _words_and_runs(text, duals):
        if spelled == spoken:
            parts.append(spelled.strip())
        else:
            parts.append(Choice(((spelled,), (spoken,)), "dual"))
    return tuple(part for part in parts if part)


def views(text: str) -> tuple[str, str]:
    """The text as spelled and as spoken; equal where it holds no dual transcription.

    >>> views("내일 (3시)/(세 시)에 봐")
    ('내일 3시에 봐', '내일 세 시에 봐')
    """
    duals = find_duals(text)
    if not duals:
        return text, text
    spelled, spoken = zip(*_words_and_runs(text, duals), strict=True)
    return _joined(spelled), _joined(spoken)


def malformed(text: str) -> list[Problem]:
    """What keeps parts of the text from being read as dual transcriptions, in the order of their places.

    >>> malformed("(70%)/ 맞죠")
    [Problem(start=0, end=6, reason='no spoken side in parentheses follows the slash')]
    >>> malformed("(70%)/(칠십 퍼센트) 맞죠")
    []
    """
    if _PARENTHESIS.search(text) is None:
        return []
    syntax = _Syntax(text)
    problems = [Problem(at, at + 1, reason) for at, reason in syntax.lone.items()]
    sides: set[int] = set()
    for found in syntax.all_duals():
        sides.update(found)
        end = syntax.partner[found[1]] + 1
        third = syntax.open_behind_slash(end)
        if third is not None and syntax.sides_at(third) is None:
            problems.append(
                Problem(found[0], syntax.partner[third] + 1, "a dual transcription has two sides, not three")
            )
            sides.add(third)
    for start, close in sorted(syntax.partner.items()):
        if start not in sides and (problem := _group_problem(text, syntax, start, close, sides)):
            problems.append(problem)
    return sorted(problems)


def _group_problem(text: str, syntax: _Syntax, start: int, close: int, sides: set[int]) -> Problem | None:
    """What is wrong with parentheses that are no side; those that it covers too are added to `sides`."""
    end = close + 1
    if slash := _SLASH.match(text, end):
        other = slash.end()
        if other in syntax.partner:
            sides.add(other)
            return Problem(start, syntax.partner[other] + 1, "a side is empty")
        if other in syntax.lone:
            return None
        return Problem(start, end + len(slash.group().rstrip()), "no spoken side in parentheses follows the slash")
    if end in syntax.partner and end not in sides:
        sides.add(end)
        return Problem(start, syntax.partner[end] + 1, "there is no slash between the sides")
    before = text[max(start - 2, 0) : start]
    if before[1:] in ("/", "／") and not before[0].isspace() and before[0] not in "/／":
        marked = _ONE_NOISE.match(text, start - 2, start) or _TAG.match(text, start)
        if not marked:
            return Problem(start - 1, end, "no spelled side in parentheses stands before the slash")
    return None


def _may_hold_dual(text: str) -> bool:
    return ("/" in text or "／" in text) and (")" in text or "）" in text)


class _Syntax:
    """The parentheses of a text: `partner` of each one that is closed, and why each of the others is `lone`."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.partner: dict[int, int] = {}
        self.lone: dict[int, str] = {}
        opened: list[int] = []
        for found in _PARENTHESIS.finditer(text):
            if found.group() in ("(", "（"):
                opened.append(found.start())
            elif found.group() in (")", "）"):
                if opened:
                    self.partner[opened.pop()] = found.start()
                else:
                    self.lone[found.start()] = "the parenthesis closes what was never opened"
        self.lone |= dict.fromkeys(opened, "the parenthesis is never closed")

    def sides_at(self, start: int) -> tuple[int, int] | None:
        """Where the two sides open, if a dual transcription stands at `start`."""
        close = self.partner.get(start)
        if close is None:
            return None
        other = self.open_behind_slash(close + 1)
        if other is None or self._blank(start) or self._blank(other):
            return None
        return start, other

    def open_behind_slash(self, at: int) -> int | None:
        """Where the parentheses open that follow a slash at `at`."""
        slash = _SLASH.match(self.text, at)
        return slash.end() if slash and slash.end() in self.partner else None

    def _blank(self, start: int) -> bool:
        space = _SPACE.match(self.text, start + 1)
        return space is not None and space.end() == self.partner[start]

    def duals(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """Where the sides open of each outermost dual transcription in this part of the text."""
        while found := _OPEN.search(self.text, start, end):
            sides = self.sides_at(found.start())
            start = self.partner[sides[1]] + 1 if sides else found.end()
            if sides:
                yield sides

    def all_duals(self) -> Iterator[tuple[int, int]]:
        """Where the sides open of each dual transcription, however deep it is nested."""
        parts = [(0, len(self.text))]
        while parts:
            for sides in self.duals(*parts.pop()):
                yield sides
                parts += [(side + 1, self.partner[side]) for side in sides]

    def dual(self, spelled: int, spoken: int) -> Dual:
        end = self.partner[spoken] + 1
        as_spelled = self._side(spelled, 0)
        as_spoken = as_spelled if _TAG.match(self.text, spoken) else self._side(spoken, 1)
        return Dual(spelled, end, as_spelled, as_spoken)

    def _side(self, at: int, which: int) -> str:
        """What the side that opens at `at` says, with the duals in it read as this side (0 spelled, 1 spoken)."""
        pieces: list[str] = []
        parts = [(at + 1, self.partner[at])]
        while parts:
            start, end = parts.pop()
            sides = next(self.duals(start, end), None)
            if sides is None:
                pieces.append(self.text[start:end])
                continue
            pieces.append(self.text[start : sides[0]])
            tagged = _TAG.match(self.text, sides[1]) is not None
            chosen = sides[0 if tagged else which]
            # The last part pushed is read first: the side, then what follows the dual.
            parts += [(self.partner[sides[1]] + 1, end), (chosen + 1, self.partner[chosen])]
        return "".join(pieces).strip()


def _words_and_runs(text: str, duals: Sequence[Dual]) -> Iterator[tuple[str, str]]:
    """The text in pieces, each spelled and spoken: words with duals, and what stands between them, in turn."""
    word: list[tuple[str, str]] = []
    at = 0
    for dual in (*duals, None):
        end = dual.start if dual else len(text)
        breaks = [found.span() for found in _BREAK.finditer(text, at, end)]
        if breaks or not word:
            ending = breaks[0][0] if word else at
            beginning = at if dual else end
            if breaks and dual:
                beginning = breaks[-1][1]
            if word:
                yield _put_together([*word, _both(text[at:ending])])
            if ending < beginning:
                yield _both(text[ending:beginning])
            word, at = [], beginning
        word.append(_both(text[at:end]))
        if dual:
            word.append((dual.spelled, dual.spoken))
            at = dual.end
    if any(spelled for spelled, _ in word):
        yield _put_together(word)


def _both(text: str) -> tuple[str, str]:
    return text, text


def _put_together(word: Sequence[tuple[str, str]]) -> tuple[str, str]:
    spelled, spoken = zip(*word, strict=True)
    return "".join(spelled), "".join(spoken)


def _joined(pieces: Sequence[str]) -> str:
    """The pieces in one text; a noise mark that touched a word is parted from it."""
    made: list[str] = []
    for piece in pieces:
        if made and not made[-1][-1].isspace() and not piece[0].isspace():
            made.append(" ")
        made.append(piece)
    return "".join(made)
