"""Dual transcriptions `(철자)/(발음)`: well formed, the spoken side spoken, and the same over the whole corpus."""

from __future__ import annotations

import re
from collections.abc import Iterator

from analysis.dual_transcription import Dual, find_duals, malformed
from label_rules.conventions.convention import Use, Writing, each_replaced, prepared_check
from label_rules.corpus import Corpus
from label_rules.rule import Example, Rule, each_text

_HANGUL = re.compile("[가-힣]")
_LOOSE = re.compile(r"[(（]([^()（）]+)[)）]\s*[/／|]?\s*[(（]([^()（）]+)[)）]")
_NOT_SPOKEN = re.compile("[0-9A-Za-zＡ-Ｚａ-ｚ%$€£℃㎏㎝]")
_READ_IN_HANGUL = re.compile("[0-9A-Za-z%$]")
_PARENTHESIS = re.compile("[()（）]")
_DIGIT = re.compile("[0-9]")


def _malformed(text: str) -> Iterator[tuple[int, int, float, str, str | None]]:
    """What is malformed, in a text with Hangul; lone parentheses say nothing where no dual transcription is near."""
    if not _HANGUL.search(text):
        return
    problems = malformed(text)
    tidy = _LOOSE.sub(r"(\1)/(\2)", text)
    suggestion = tidy if tidy != text and not malformed(tidy) else None
    for start, end, reason in problems:
        lone = end - start == 1
        if lone and "/" not in text and "／" not in text:
            continue
        yield start, end, 0.7 if lone else 0.9, f"a dual transcription is (spelled)/(spoken): {reason}", suggestion
    if not problems and suggestion and (found := _LOOSE.search(text)):
        # It can be read, but no other program need be as patient.
        yield *found.span(), 0.5, "a dual transcription is written (spelled)/(spoken), with nothing between", suggestion


def _spoken_sides(text: str) -> Iterator[tuple[int, int, float, str, str | None]]:
    for dual in find_duals(text):
        unread = _NOT_SPOKEN.search(dual.spoken)
        if not unread:
            continue
        if _HANGUL.search(dual.spelled) and not _NOT_SPOKEN.search(dual.spelled):
            swapped = f"({dual.spoken})/({dual.spelled})"
            made = text[: dual.start] + swapped + text[dual.end :]
            yield dual.start, dual.end, 0.8, "the sides have changed places: the spoken side comes second", made
        else:
            reason = f"the spoken side still holds {unread.group()!r}, which is written and not said"
            yield dual.start, dual.end, 0.8, reason, None


def _consistency(corpus: Corpus) -> Writing:
    """What each spelling is spoken as, and each spoken word spelled, where the corpus has it as a dual somewhere."""
    spellings: dict[str, str] = {}
    of_text = [_duals(corpus.texts[number]) for number in corpus.texts_with(_PARENTHESIS)]
    for duals in of_text:
        for dual in duals:
            if _READ_IN_HANGUL.search(dual.spelled):
                spellings[_key(dual.spelled)] = dual.spelled
    if not any(of_text):
        return Writing(lambda text: (), None, _PARENTHESIS)
    # Digits are read in many ways, each right in its place, so that only words are looked for outside of duals.
    words = sorted((spelling for spelling in spellings.values() if not _DIGIT.search(spelling)), key=len, reverse=True)
    bare = re.compile(rf"(?<![\w(（])(?:{'|'.join(map(re.escape, words))})(?![A-Za-z0-9)）])") if words else None

    def observe(text: str) -> Iterator[Use]:
        duals = _duals(text)
        for dual in duals:
            if not _DIGIT.search(dual.spelled):
                yield Use(f"dual.spoken.{_key(dual.spelled)}", dual.spoken, dual.start, dual.end)
            if _READ_IN_HANGUL.search(dual.spelled) and not _NOT_SPOKEN.search(dual.spoken):
                yield Use(f"dual.spelled.{_key(dual.spoken)}", dual.spelled, dual.start, dual.end)
                if not _DIGIT.search(dual.spelled):
                    yield Use(f"dual.kept.{_key(dual.spelled)}", _BOTH, dual.start, dual.end)
        if bare and not text.isascii():
            for found in bare.finditer(text):
                if not any(dual.start <= found.start() < dual.end for dual in duals):
                    yield Use(f"dual.kept.{_key(found.group())}", _ALONE, *found.span())

    trigger = re.compile(f"{_PARENTHESIS.pattern}|{bare.pattern}") if bare else _PARENTHESIS
    return Writing(observe, each_replaced(_as_wanted), trigger)


_BOTH, _ALONE = "(spelled)/(spoken)", "spelled alone"


def _duals(text: str) -> list[Dual]:
    if ")/(" not in text and not (("/" in text or "／" in text) and (")" in text or "）" in text)):
        return []
    return [dual for dual in find_duals(text) if dual.spelled != dual.spoken]


def _key(side: str) -> str:
    return "".join(side.split()).casefold()


def _as_wanted(written: str, form: str) -> str:
    """The dual with its spelled side as wanted; which spoken side is right, only the audio says."""
    duals = find_duals(written)
    if form == _ALONE and duals:
        return duals[0].spelled
    if form in (_BOTH, _ALONE) or not duals or not _READ_IN_HANGUL.search(form):
        return written
    return f"({form})/({duals[0].spoken})"


KOREAN_DUAL_RULES = (
    Rule(
        "convention.dual_transcription",
        "A dual transcription that is not written (spelled)/(spoken) is read as both.",
        "style",
        each_text(_malformed, _PARENTHESIS),
        fires=(
            Example(("(70%)(칠십 퍼센트) 맞죠", "(70%) / (칠십 퍼센트)"), (0, 1)),
            Example(("(70%)/칠십 퍼센트", "70%/(칠십 퍼센트)"), (0, 1)),
            Example(("(70%)/(칠십 퍼센트 맞죠", "(70%)/() 맞죠", "(a)/(에이)/(비이"), (0, 1, 2)),
        ),
        passes=(Example(("(70%)/(칠십 퍼센트) 맞죠", "그 (사람) 맞죠", "(a)(b)", "1/2 맞죠", "그렇죠 :)")),),
    ),
    Rule(
        "convention.dual_spoken",
        "The spoken side of a dual transcription is what was said, so that it holds no digits and no Latin letters.",
        "harmful",
        each_text(_spoken_sides, _PARENTHESIS),
        fires=(Example(("(70%)/(70퍼센트) 맞죠", "(칠십 퍼센트)/(70%) 맞죠", "(KBS)/(KBS)"), (0, 1, 2)),),
        passes=(Example(("(70%)/(칠십 퍼센트) 맞죠", "(KBS)/(케이비에스)", "(전사)/(idiom)", "(70%)")),),
    ),
    Rule(
        "convention.dual_consistent",
        "One word with several sides over the corpus is several words to whatever reads one side only.",
        "style",
        prepared_check(_consistency),
        fires=(
            Example(("(TV)/(티비) 켜", "(TV)/(티비) 꺼", "(TV)/(티비)가", "(TV)/(티브이) 봐"), (3,)),
            Example(("(TV)/(티비) 켜", "(TV)/(티비) 꺼", "(TV)/(티비)가", "(T.V)/(티비) 봐"), (3,)),
            Example(("(TV)/(티비) 켜", "(TV)/(티비) 꺼", "(TV)/(티비)가", "TV 켜"), (3,)),
        ),
        passes=(
            Example(("(3시)/(세 시)에", "(3)/(삼) 번", "(3)/(세) 명", "(TV)/(티비)")),
            Example(("TV 켜", "TV 꺼", "티비 켜")),
        ),
    ),
)
