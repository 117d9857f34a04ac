"""The marks of Korean transcription rules, noises `b/ l/ o/ n/ u/` and fillers `아/ 음/ 그/`, and near misses of them.

The marks are those of ETRI's rules for KsponSpeech, which AIHub's corpora share: b breath, l laughter, o another
speaker, n noise, u unintelligible; a word with a slash behind it is a filler.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from label_rules.conventions.convention import Use, Writing, each_replaced, prepared_check
from label_rules.corpus import Corpus
from label_rules.rule import Abstention, Example, Fault, Finding, Outcome, Rule, attempt

_NOISE = "blonu"
_RIGHT = re.compile(rf"(?<![\w/])(?:[{_NOISE}]/)+(?![A-Za-z0-9/])")
_FILLERS = ("아", "음", "어", "그", "저", "뭐", "에", "으", "응", "이", "으음", "흠", "막", "이제", "인제")
_FILLER_MARK = re.compile(rf"(?<![\w/])(?:{'|'.join(sorted(_FILLERS, key=len, reverse=True))})/(?!/)(?=\s|[가-힣(]|$)")
# Without a mark the others are words of their own: 그 that, 저 I, 뭐 what.
_BARE_FILLER = re.compile(r"(?<![\w/])(?P<word>음+|으음|어+|흠|아)(?P<mark>/?)(?=\s|$|[,.…])(?P<comma>,?)")
_WRONG = (
    (re.compile(rf"(?<![\w/])([{_NOISE.upper()}])/(?![A-Za-z0-9/])"), "{0}/ is written with a small letter"),
    (re.compile(rf"(?<![\w/])([{_NOISE}]) /(?![A-Za-z0-9/])"), "{0} and its slash stand apart"),
    (re.compile(rf"(?<![\w/\\])([{_NOISE}])[\\|](?![A-Za-z0-9/])"), "the slash behind {0} is another sign"),
    (re.compile(rf"(?<![\w/])/([{_NOISE}])(?![A-Za-z0-9/])"), "the slash stands before {0}"),
    (re.compile(rf"(?<![\w/])([{_NOISE}])//+(?![A-Za-z0-9/])"), "{0} has more than one slash"),
)
_UNKNOWN = re.compile(rf"(?<![\w/])(?![{_NOISE}]/|[{_NOISE.upper()}]/)[A-Za-z]/(?=\s|$)")
_TOUCHING = re.compile(rf"(?<=[가-힣])(?:[{_NOISE}]/)(?![A-Za-z0-9/])|(?<![\w/])[{_NOISE}]/(?=[가-힣])")
_SPACED_FILLER = re.compile(r"(?<![\w/])(음+|으음|어|아|그|저) /(?=\s|$)")
_HANGUL = re.compile("[가-힣]")
_LEAST_MARKED = 3


def _wrong_marks(corpus: Corpus) -> Iterator[Outcome]:
    """Near misses of the marks, in a corpus that uses the marks."""
    candidates = corpus.texts_with(re.compile(r"[/\\|]"))
    marked = sum(bool(_RIGHT.search(corpus.texts[n]) or _FILLER_MARK.search(corpus.texts[n])) for n in candidates)
    if marked < _LEAST_MARKED:
        yield Abstention(corpus.rows_of_text.of(np.asarray(candidates, dtype=np.int64))[0].tolist())
        return

    def found(number: int) -> list[tuple[int, int, float, str, str | None]]:
        return list(_near_misses(corpus.texts[number]))

    for number, outcome in attempt(found, candidates, corpus.name_of_text):
        if isinstance(outcome, Fault):
            yield outcome
            continue
        for start, end, score, evidence, suggestion in outcome:
            yield Finding(corpus.rows_of_text[number].tolist(), start, end, score, evidence, suggestion)


def _near_misses(text: str) -> Iterator[tuple[int, int, float, str, str | None]]:
    if not _HANGUL.search(text):
        return
    tidy = text
    for pattern, _ in _WRONG:
        tidy = pattern.sub(lambda found: f"{found.group(1).lower()}/", tidy)
    tidy = _SPACED_FILLER.sub(r"\1/", tidy)
    tidy = _TOUCHING.sub(_apart, tidy)
    suggestion = tidy if tidy != text else None
    for pattern, why in _WRONG:
        for found in pattern.finditer(text):
            yield *found.span(), 0.9, why.format(found.group(1).lower()), suggestion
    for found in _SPACED_FILLER.finditer(text):
        yield *found.span(), 0.9, f"{found.group(1)} and its slash stand apart", suggestion
    for found in _TOUCHING.finditer(text):
        yield *found.span(), 0.5, f"the mark {found.group()} touches a word", suggestion
    for found in _UNKNOWN.finditer(text):
        yield *found.span(), 0.7, f"{found.group()} is none of the marks b/ l/ o/ n/ u/", None


def _apart(found: re.Match[str]) -> str:
    before = found.string[found.start() - 1 : found.start()]
    behind = found.string[found.end() : found.end() + 1]
    left = " " if "가" <= before <= "힣" else ""
    return f"{left}{found.group()}{' ' if '가' <= behind <= '힣' else ''}"


def _filler_writing(corpus: Corpus) -> Writing:
    """Fillers with their mark, with a comma and bare, in a corpus that marks some of them."""
    with_slash = corpus.texts_with(re.compile("/"))
    if sum(bool(_FILLER_MARK.search(corpus.texts[number])) for number in with_slash) < _LEAST_MARKED:
        return Writing(lambda text: (), None, re.compile("/"))
    return Writing(_fillers, each_replaced(_as_wanted), re.compile("[음어흠아]"))


def _fillers(text: str) -> Iterator[Use]:
    for found in _BARE_FILLER.finditer(text):
        word = found["word"] if found["word"] in ("아", "흠", "으음") else found["word"][0]
        form = "음/" if found["mark"] else "음," if found["comma"] else "음"
        if word in ("아", "어") and form == "음":
            # Without any mark these may be the answer yes or a part of a phrase.
            continue
        yield Use(f"filler_mark.{word}", form.replace("음", word), *found.span())


def _as_wanted(written: str, form: str) -> str:
    mark = form[-1] if form[-1] in "/," else ""
    return f"{written.rstrip('/,')}{mark}"


_MARKED = ("b/ 네 그래요", "그래서 n/ 갔어요", "음/ 그렇죠")

KOREAN_MARK_RULES = (
    Rule(
        "convention.korean_mark",
        "A noise mark that is not written as the rules have it is read as a word.",
        "style",
        _wrong_marks,
        fires=(
            Example((*_MARKED, "B/ 네", "네 l / 좋아요", "네 /n 아니", "k/ 네", "네b/ 좋아"), (3, 4, 5, 6, 7)),
            Example((*_MARKED, "음 / 좋아", "u// 좋아"), (3, 4)),
        ),
        passes=(
            Example((*_MARKED, "아/ 음/ 좋아요", "(3시)/(세 시)에", "o/n/ 네", "5 l/min 이에요", "A/S 센터")),
            Example(("B/ 네", "네 l / 좋아요")),
        ),
    ),
    Rule(
        "convention.korean_filler_mark",
        "A filler with its mark in some transcripts only is removed from some and learnt from others.",
        "style",
        prepared_check(_filler_writing),
        fires=(Example(("음/ 네", "음/ 그래", "아니 음/ 글쎄", "음 좋아요"), (3,)),),
        passes=(
            Example(("음/ 네", "음/ 그래", "아니 음/ 글쎄", "그 사람", "음악", "마음 좋아")),
            Example(("음 네", "음, 그래", "음 글쎄", "음, 좋아")),
        ),
    ),
)
