"""Whether a transcript lacks the start or the end that another one of the same audio has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from analysis.dual_transcription import malformed
from label_rules.tokens import Token, tokens

if TYPE_CHECKING:
    from label_rules.conflicts.differences import Difference

# One word at an edge goes missing as often as one inside: among 38,900 transcripts by crowd workers 1.1 to 1.2 times
# as often at a given edge as at a given place inside. Runs of two are missing 1.6 to 2.1 times as often at an edge,
# of three 3.2 to 3.7, of six over ten times. So a run of two is where stopping too early begins to show.
_FEWEST_WORDS = 2
# One letter begins too many words to tell that it is one of them broken off.
_FEWEST_LETTERS = 2
# Who stops early often mishears the last words: one or two of them against many do not make it another end.
_MOST_MISHEARD, _FEWEST_WITH_MISHEARD = 3, 3
# Of the words of the shorter transcript, and of both where neither is cut; below, they are other words throughout.
_ALIKE = 0.5
_LOST = ("content", "filler")


def mark_cut_off(
    found: Sequence[Difference], a: str, a_tokens: Sequence[Token], b: str, b_tokens: Sequence[Token]
) -> list[Difference]:
    """The differences, in order, with words of one side alone at an edge made one of the kind `cut_off`.

    It takes a run of at least two words, and the rest of both texts nearly equal. A word broken off (`kit` for
    `kitchen please`) belongs to the run, and so do fillers that are lost with it, and up to three words that stand for
    others where many more are lost. A text may lack a start and an end.
    """
    result = list(found)
    if not (result and (_touches_start(result[0], a_tokens, b_tokens) or _touches_end(result[-1], a_tokens, b_tokens))):
        return result  # nearly always, and told before anything is counted
    if any(malformed(text) for text in (a, b) if ")/" in text or "/(" in text):
        return result  # what a broken dual transcription lacks is a bracket
    a_words = [token for token in a_tokens if token.is_spoken]
    b_words = [token for token in b_tokens if token.is_spoken]
    if abs(len(a_words) - len(b_words)) < _FEWEST_WORDS and not _shifted(result):
        return result
    first = _run_at_start(result, a_words, b_words)
    last = _run_at_end(result[first:], a_words, b_words)
    starts, ends = _without_other_fillers(result[:first]), _without_other_fillers(result[len(result) - last :])
    cut = [starts] if _is_cut(starts, a_words, b_words, at_start=True) else []
    cut += [ends] if last and _is_cut(ends, a_words, b_words, at_start=False) else []
    if not cut or not _nearly_equal(result, cut, a_words, b_words):
        return result
    for run in cut:
        at = result.index(run[0])
        whole = _together(run, a, b)
        result[at : at + len(run)] = [whole]
    return result


def _touches_start(first: Difference, a_tokens: Sequence[Token], b_tokens: Sequence[Token]) -> bool:
    """Whether no words stand before the first difference."""
    return first.kind in _LOST and all(
        next((token.start for token in words if token.is_spoken), start) >= start
        for words, start in ((a_tokens, first.a_start), (b_tokens, first.b_start))
    )


def _touches_end(last: Difference, a_tokens: Sequence[Token], b_tokens: Sequence[Token]) -> bool:
    """Whether no words stand behind the last difference."""
    return last.kind in _LOST and all(
        next((token.end for token in reversed(words) if token.is_spoken), end) <= end
        for words, end in ((a_tokens, last.a_end), (b_tokens, last.b_end))
    )


def is_at_start(cut: Difference, a: str) -> bool:
    """Whether a difference of the kind `cut_off` from the text a is at the start, and not at the end."""
    return not any(token.is_spoken for token in tokens(a[: cut.a_start]))


def _shifted(found: Sequence[Difference]) -> bool:
    """Whether words stand on one side alone at both ends, so that texts of one length may each lack an end."""
    return len(found) > 1 and found[0].kind in _LOST and found[-1].kind in _LOST


def _run_at_start(found: Sequence[Difference], a_words: Sequence[Token], b_words: Sequence[Token]) -> int:
    """How many differences, from the first, stand before the first words that both sides have."""
    a_done = b_done = count = 0
    for each in found:
        if each.kind not in _LOST or _next(a_words, a_done) < each.a_start or _next(b_words, b_done) < each.b_start:
            break
        a_done, b_done, count = each.a_end, each.b_end, count + 1
    return count


def _run_at_end(found: Sequence[Difference], a_words: Sequence[Token], b_words: Sequence[Token]) -> int:
    """How many differences, up to the last, stand behind the last words that both sides have."""
    a_done, b_done = a_words[-1].end if a_words else 0, b_words[-1].end if b_words else 0
    count = 0
    for each in reversed(found):
        if each.kind not in _LOST or _previous(a_words, a_done) > each.a_end or _previous(b_words, b_done) > each.b_end:
            break
        a_done, b_done, count = min(a_done, each.a_start), min(b_done, each.b_start), count + 1
    return count


def _next(words: Sequence[Token], done: int) -> int:
    """Where the first word at or behind a character starts."""
    return next((word.start for word in words if word.start >= done), words[-1].end if words else 0)


def _previous(words: Sequence[Token], done: int) -> int:
    """Where the last word before a character ends."""
    return next((word.end for word in reversed(words) if word.end <= done), 0)


def _without_other_fillers(run: Sequence[Difference]) -> list[Difference]:
    """The run without the fillers at its ends that the side with fewer words has: they stand for nothing lost."""
    words = [each for each in run if each.kind == "content"]
    if not words:
        return []
    a_is_longer = sum(len(each.a_text) - len(each.b_text) for each in words) > 0
    kept = [each for each in run if each.kind == "content" or not (each.b_text if a_is_longer else each.a_text)]
    return list(run[run.index(kept[0]) : run.index(kept[-1]) + 1])


def _is_cut(run: Sequence[Difference], a_words: Sequence[Token], b_words: Sequence[Token], at_start: bool) -> bool:
    """Whether the run has words on one side only, but for a word broken off, or misheard before much is lost."""
    if not run:
        return False
    a = _within(a_words, run[0].a_start, run[-1].a_end)
    b = _within(b_words, run[0].b_start, run[-1].b_end)
    short, long = sorted((a, b), key=len)
    if len(long) < _FEWEST_WORDS:
        return False
    if not short or (len(short) <= _MOST_MISHEARD and len(long) >= _FEWEST_WITH_MISHEARD + 3 * len(short)):
        return True
    if len(short) > 1:
        return False
    broken = short[0].key
    if len(broken) < _FEWEST_LETTERS:
        return False
    return long[-1].key.endswith(broken) if at_start else long[0].key.startswith(broken)


def _nearly_equal(
    found: Sequence[Difference], cut: Sequence[Sequence[Difference]], a_words: Sequence[Token], b_words: Sequence[Token]
) -> bool:
    """Whether most of what is left of both sides is alike, and that is most of the shorter text."""
    edges = {id(each) for run in cut for each in run}
    inner = [each for each in found if each.kind == "content" and id(each) not in edges]
    alike, kept = [], []
    for words, side in ((a_words, 0), (b_words, 1)):
        lost = sum(len(_within(words, *_span(run, side))) for run in cut)
        other = sum(len(_within(words, *_span([each], side))) for each in inner)
        kept.append(len(words) - lost)
        alike.append(len(words) - lost - other)
    shorter = min(len(a_words), len(b_words))
    return min(alike) > 0 and all(
        same >= _ALIKE * max(rest, shorter if len(words) == shorter else 0)
        for same, rest, words in zip(alike, kept, (a_words, b_words), strict=True)
    )


def _span(run: Sequence[Difference], side: int) -> tuple[int, int]:
    return (run[0].b_start, run[-1].b_end) if side else (run[0].a_start, run[-1].a_end)


def _within(words: Sequence[Token], start: int, end: int) -> list[Token]:
    return [word for word in words if start <= word.start and word.end <= end]


def _together(run: Sequence[Difference], a: str, b: str) -> Difference:
    one, other = run[0], run[-1]
    a_start, a_end, b_start, b_end = one.a_start, other.a_end, one.b_start, other.b_end
    return one._replace(kind="cut_off", a_end=a_end, b_end=b_end, a_text=a[a_start:a_end], b_text=b[b_start:b_end])
