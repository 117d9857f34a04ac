"""Words that the audio does not carry, and words that it carries and the label lacks, from forced alignment."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np
import pandas as pd

from label_rules.corpus import Corpus
from label_rules.evidence import quoted
from label_rules.model.put_words import with_words
from label_rules.model.word_evidence import LEAST_ROWS, Evidence, evidence
from label_rules.rule import Abstention, Example, Finding, Outcome, Rule
from label_rules.tokens import tokens

# Chosen where the constants of the evidence were: 88 to 99 % of the labels told were wrong, 75 to 100 % of the wrong
# ones were told.
_LEAST_UNUSUAL = 2.0
_MOST_WORDS_TOLD_SINGLY = 0.5
# The share of the label's nats that one place must account for to be told by itself where many words score low.
_LEAST_EXPLAINED = 0.8
_MOST_SHARED = 1.05


def _check(corpus: Corpus) -> Iterator[Outcome]:
    known = evidence(corpus)
    scored = np.isfinite(known.unusual)
    if scored.sum() < LEAST_ROWS:
        yield Abstention(list(range(len(corpus))))
        return
    yield Abstention(np.flatnonzero(~scored).tolist())
    forms = _forms(corpus)
    told = set(np.flatnonzero(scored & (known.unusual >= _LEAST_UNUSUAL)).tolist())
    pieces = known.pieces[known.pieces["row"].isin(told)]
    for row, own in pieces.groupby("row", sort=False):
        told.discard(int(row))
        yield from _told(corpus, int(row), own.reset_index(drop=True), forms)
    for row in sorted(told):  # scores of whole labels only
        yield _whole(corpus, row, known)


def _told(corpus: Corpus, row: int, pieces: pd.DataFrame, forms: dict[str, str]) -> Iterator[Finding]:
    text = corpus.text(row)
    words = pieces[~pieces["is_gap"]]
    low = int((words["unusual"] >= _LEAST_UNUSUAL).sum())
    place = int(np.flatnonzero(pieces["place"])[0])
    label_nats = -float(corpus.number("label_score")[row])
    explained = pieces["nats"].iloc[place] >= _LEAST_EXPLAINED * label_nats
    if len(words) > 1 and low > _MOST_WORDS_TOLD_SINGLY * len(words) and not explained:
        evidence = f"{low} of {len(words)} words score far below what is usual: the audio may say something else"
        yield Finding([row], 0, len(text), _sure(pieces["unusual"].max()), evidence)
        return
    for at in [place, *_others(pieces, place, label_nats)]:
        piece = pieces.iloc[at]
        start, end, nats = int(piece["start"]), int(piece["end"]), float(piece["nats"])
        heard = piece["heard"] if isinstance(piece["heard"], str) else None
        if piece["is_gap"]:
            what = "something" if heard is None else quoted(heard)
            evidence = f"the model hears {what} here, which the label lacks: it costs {nats:.0f} nats"
        else:
            what = "" if heard is None else f" and the model hears {quoted(heard)}"
            evidence = f"the audio does not carry {quoted(text[start:end])}{what}: it costs {nats:.0f} nats"
        evidence += f", and nine in ten {'gaps' if piece['is_gap'] else 'such words'} at most {piece['usual']:.1f}"
        # The place explains the label's worst piece, which may be a word beside it.
        sure = pieces["unusual"].max() if at == place else piece["unusual"]
        yield Finding([row], start, end, _sure(sure), evidence, _suggested(text, start, end, heard, forms))


def _others(pieces: pd.DataFrame, place: int, label_nats: float) -> Iterator[int]:
    """Further pieces that are far from usual for themselves: what two errors cost adds up to what the label costs.

    Pieces near the place score low with it, and so do those to which the label could be shifted.
    """
    told = float(pieces["nats"].iloc[place])
    far = (
        pieces[pieces["unusual"] >= _LEAST_UNUSUAL]
        .drop(index=place, errors="ignore")
        .sort_values("nats", ascending=False)
    )
    for at, nats in far["nats"].items():
        if told + nats <= _MOST_SHARED * label_nats:
            told += nats
            yield int(at)


def _whole(corpus: Corpus, row: int, known: Evidence) -> Finding:
    nats = -float(corpus.number("label_score")[row])
    evidence = f"the label is {nats:.0f} nats less likely than what the model hears, which is far from usual"
    return Finding([row], 0, len(corpus.text(row)), _sure(known.unusual[row]), evidence)


def _sure(unusual: float) -> float:
    return float(unusual / (unusual + _LEAST_UNUSUAL))


def _suggested(text: str, start: int, end: int, heard: str | None, forms: dict[str, str]) -> str | None:
    """The text with what was heard in the place; None where that is not known, or is no words of this corpus."""
    if heard is None:
        return None
    keys = [token.key for token in tokens(heard) if token.is_spoken]
    if len(keys) != len(heard.split()) or any(key not in forms for key in keys):
        return None
    suggested = with_words(text, start, end, " ".join(forms[key] for key in keys))
    return suggested if suggested and suggested != text else None


def _forms(corpus: Corpus) -> dict[str, str]:
    """Each word of the corpus as it is most often written."""
    forms: dict[str, Counter[str]] = {}
    for word, count in Counter(word for text in corpus.texts for word in text.split()).items():
        spoken = [token for token in tokens(word) if token.is_spoken]
        if len(spoken) == 1:
            forms.setdefault(spoken[0].key, Counter())[spoken[0].text] += count
    return {key: counted.most_common(1)[0][0] for key, counted in forms.items()}


_SUBJECTS = ("the dog", "my sister", "a teacher", "our neighbour", "the old man", "every child")
_ENDS = ("went home late", "reads a book", "likes green apples", "sings in the rain", "saw the ocean", "cooks fish")
_TEXTS = tuple(f"{subject} {end}" for subject in _SUBJECTS for end in _ENDS)


def _scored(text: str, *low: tuple[int, int, float, str]) -> list[tuple[int, int, float, str]]:
    """Scores as an alignment gives them: near 0 but for those given."""
    given = {(start, end) for start, end, *_ in low}
    words = [
        (token.start, token.end, -0.2, token.text) for token in tokens(text) if (token.start, token.end) not in given
    ]
    return [*words, *low]


_USUAL = tuple(_scored(text) for text in _TEXTS)
_RIGHT, _WRONG = "the dog saw the rain", "the dog saw the train"

NOT_IN_AUDIO_RULES = (
    Rule(
        "model.not_in_audio",
        "A word that scores far below the corpus's usual words is not in the audio, and one heard in a gap is missing.",
        "harmful",
        _check,
        fires=(
            Example(
                (*_TEXTS, _WRONG),
                (36,),
                columns={"word_scores": (*_USUAL, _scored(_WRONG, (16, 21, -25.0, "rain")))},
            ),
            Example(
                (*_TEXTS, "the dog the rain"),
                (36,),
                columns={
                    "word_scores": (
                        *_USUAL,
                        _scored("the dog the rain", (4, 7, -31.0, "dog saw"), (7, 7, -30.0, "saw")),
                    )
                },
            ),
            # A gap that is not far from usual itself explains best why the word beside it is.
            Example(
                (*_TEXTS, "the dog the rain"),
                (36,),
                columns={
                    "word_scores": (
                        *_USUAL,
                        _scored("the dog the rain", (4, 7, -18.0, "dog saw"), (7, 7, -11.5, "saw")),
                    )
                },
            ),
            Example((*_TEXTS, _RIGHT), (36,), columns={"label_score": (*(-1.0 for _ in _TEXTS), -90.0)}),
        ),
        passes=(
            Example((*_TEXTS, _RIGHT), columns={"word_scores": (*_USUAL, _scored(_RIGHT, (16, 20, -4.0, "ran")))}),
            # A word that the model always mishears scores low in labels that are right.
            Example(
                (_RIGHT,) * 40,
                columns={"word_scores": (_scored(_RIGHT, (16, 20, -25.0, "ran")),) * 40},
            ),
            Example(
                (_RIGHT, _WRONG), columns={"word_scores": (_scored(_RIGHT), _scored(_WRONG, (16, 21, -25.0, "rain")))}
            ),
            Example(_TEXTS),
        ),
    ),
)
