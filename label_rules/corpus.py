"""The transcripts as the rules see them: checked columns, every different text once, groups of the same audio."""

from __future__ import annotations

from functools import cached_property, partial
from itertools import combinations
from typing import NamedTuple

import numpy as np
import pandas as pd

from analysis.align import count_word_errors
from analysis.errors import InvalidInput
from label_rules.conflicts.group import Group
from label_rules.tokens import tokens

_REQUIRED = ["utterance_id", "annotator", "text"]
_TEXTS = ["audio_key", "hypothesis"]
_NUMBERS = [
    "duration",
    "speech_seconds",
    "confidence",
    "label_score",
    "clipped_share",
    "loudness",
    "snr",
    "silence_share",
    "speech_start",
    "speech_end",
    "speech_before",
    "speech_after",
]
_FURTHER_MODEL, _FURTHER_CONFIDENCE = "hypothesis_", "confidence_"
# Beyond it a medoid is sought among the first texts only: a pair of texts each would grow with the square.
_MOST_CANDIDATES = 20


class WordScore(NamedTuple):
    """A word of a transcript by its characters, and how well the audio carries it: a log probability, 0 at best."""

    start: int
    end: int
    score: float


class Model(NamedTuple):
    """What one recogniser heard, one value a row: its texts (None: no hypothesis) and confidences (NaN: not known)."""

    name: str
    hypotheses: list[str | None]
    confidence: np.ndarray


class Corpus:
    """Transcripts, one row an utterance and annotator; rows are addressed by their number, from 0.

    Raises:
        InvalidInput: a required column is missing or empty somewhere, a text is not text, or an utterance and
            annotator stand twice.
    """

    def __init__(self, transcripts: pd.DataFrame) -> None:
        _validate(transcripts)
        self.utterance_ids: list[str] = transcripts["utterance_id"].astype(str).tolist()
        self.annotators: list[str] = transcripts["annotator"].astype(str).tolist()
        codes, unique = pd.factorize(transcripts["text"].to_numpy(dtype=object))
        self.text_of_row: np.ndarray = codes
        self.texts: list[str] = unique.tolist()
        self._optional = {name: _text_column(transcripts, name) for name in _TEXTS}
        self._optional["audio_key"] = [key or None for key in self._optional["audio_key"]]
        self._numbers = {name: _number_column(transcripts, name) for name in _NUMBERS}
        self.models: list[Model] = _models(transcripts)
        self.word_scores: list[list[WordScore] | None] = _word_scores(transcripts)

    def __len__(self) -> int:
        return len(self.utterance_ids)

    @cached_property
    def rows_of_text(self) -> list[np.ndarray]:
        """For each different text the numbers of the rows that hold it."""
        return _members(self.text_of_row, len(self.texts))

    @cached_property
    def copies(self) -> list[int]:
        """For each different text in how many rows it stands."""
        return np.bincount(self.text_of_row, minlength=len(self.texts)).tolist()

    def text(self, row: int) -> str:
        """The text of a row."""
        return self.texts[self.text_of_row[row]]

    def number(self, name: str) -> np.ndarray:
        """A column of numbers, one value a row, NaN where it is not known; units as in `apply_rules`."""
        return self._numbers[name]

    @property
    def audio_keys(self) -> list[str | None]:
        """The audio of each row; None where it is not known."""
        return self._optional["audio_key"]

    @property
    def hypotheses(self) -> list[str | None]:
        """What a recogniser heard, for each row; None where there is no hypothesis."""
        return self._optional["hypothesis"]

    def name(self, row: int) -> str:
        """How messages name a row."""
        return f"utterance {self.utterance_ids[row]}, annotator {self.annotators[row]}"

    def name_of_text(self, number: int) -> str:
        """How messages name a text: by the first row that holds it."""
        return self.name(int(self.rows_of_text[number][0]))

    @cached_property
    def group_of_row(self) -> np.ndarray:
        """The number of each row's audio: rows of one utterance, or of utterances with one audio_key, share it."""
        frame = pd.DataFrame({"utterance": self.utterance_ids, "key": pd.array(self.audio_keys, dtype="str")})
        if not frame["key"].notna().any():
            return pd.factorize(frame["utterance"])[0]
        known = frame.groupby("utterance", sort=False)["key"].transform("first")
        name = np.where(known.notna(), "a" + known.fillna("").astype(object), "u" + frame["utterance"].astype(object))
        return pd.factorize(name)[0]

    @cached_property
    def groups(self) -> list[Group]:
        """The audio with several transcripts whose texts are not all the same, in order of appearance."""
        of_row = self.group_of_row
        groups = []
        sizes = np.bincount(of_row) if len(of_row) else np.zeros(0, int)
        pairs = pd.DataFrame({"group": of_row, "text": self.text_of_row}).drop_duplicates()
        different = np.bincount(pairs["group"], minlength=len(sizes)) if len(pairs) else sizes
        wanted = different > 1
        for number, rows in enumerate(_members(of_row, len(sizes))):
            if wanted[number]:
                groups.append(self._group(rows.tolist()))
        return self._with_pivots(groups)

    @cached_property
    def alone(self) -> np.ndarray:
        """The rows with no other transcript of the same audio."""
        return np.flatnonzero(np.bincount(self.group_of_row)[self.group_of_row] == 1) if len(self) else np.zeros(0, int)

    def _group(self, rows: list[int]) -> Group:
        holders: dict[str, list[int]] = {}
        for row in rows:
            holders.setdefault(self.text(row), []).append(row)
        ids = list(dict.fromkeys(self.utterance_ids[row] for row in rows))
        one = len(ids) == 1
        hypothesis = next((heard for row in rows if (heard := self.hypotheses[row])), None)
        return Group(
            name=f"utterance:{ids[0]}" if one else f"audio:{next(k for r in rows if (k := self.audio_keys[r]))}",
            why="same utterance" if one else f"same audio under {len(ids)} ids" if len(ids) > 2 else _TWO_IDS,
            holders={text: tuple(held) for text, held in holders.items()},
            hypothesis=hypothesis,
        )

    def _with_pivots(self, groups: list[Group]) -> list[Group]:
        """The groups, each with the text to compare with first: held by most, then nearest to all, then longest."""
        pairs = [
            (number, one, other)
            for number, group in enumerate(groups)
            for one, other in combinations(list(group.holders)[:_MOST_CANDIDATES], 2)
        ]
        counts = count_word_errors([_even(p[1]) for p in pairs], [_even(p[2]) for p in pairs])
        errors = counts[["substitutions", "deletions", "insertions"]].sum(axis=1).tolist()
        distance: list[dict[str, int]] = [dict.fromkeys(group.holders, 0) for group in groups]
        for (number, one, other), apart in zip(pairs, errors, strict=True):
            holders = groups[number].holders
            distance[number][one] += apart * len(holders[other])
            distance[number][other] += apart * len(holders[one])
        for group, apart_from_others in zip(groups, distance, strict=True):
            candidates = list(group.holders)[:_MOST_CANDIDATES]
            group.pivot = min(candidates, key=partial(_standing, group.holders, apart_from_others))
        return groups


def _standing(holders: dict[str, tuple[int, ...]], apart: dict[str, int], text: str) -> tuple[int, int, int]:
    return -len(holders[text]), apart[text], -len(tokens(text))


_TWO_IDS = "same audio under two ids"


def _even(text: str) -> str:
    return " ".join(text.split())


def _members(codes: np.ndarray, several: int) -> list[np.ndarray]:
    order = np.argsort(codes, kind="stable")
    return np.split(order, np.cumsum(np.bincount(codes, minlength=several))[:-1]) if several else []


def _validate(transcripts: pd.DataFrame) -> None:
    for name in _REQUIRED:
        if name not in transcripts.columns:
            raise InvalidInput(f"the transcripts have no column {name!r}; they need {', '.join(_REQUIRED)}")
        empty = transcripts[name].isna().to_numpy()
        if empty.any():
            row = int(empty.argmax())
            raise InvalidInput(f"row {row} of the transcripts has no {name}; fill it in, or leave the row out")
    for row, text in enumerate(transcripts["text"].tolist()):
        if not isinstance(text, str):
            raise InvalidInput(f"row {row} of the transcripts holds {text!r}, which is not text; convert it first")
    repeated = transcripts.duplicated(["utterance_id", "annotator"]).to_numpy()
    if repeated.any():
        first = transcripts.iloc[int(repeated.argmax())]
        raise InvalidInput(
            f"utterance {first['utterance_id']!r} by {first['annotator']!r} stands twice in the transcripts;"
            " give the current revision only"
        )


def _models(transcripts: pd.DataFrame) -> list[Model]:
    """The main recogniser, which the columns hypothesis and confidence are of, and then the further ones."""
    names = [str(name) for name in transcripts.columns]
    further = [name.removeprefix(_FURTHER_MODEL) for name in names if name.startswith(_FURTHER_MODEL)]
    columns = [("", "hypothesis", "confidence")] if "hypothesis" in names else []
    columns += [(name, _FURTHER_MODEL + name, _FURTHER_CONFIDENCE + name) for name in further]
    return [
        Model(name, _text_column(transcripts, text), _number_column(transcripts, sure)) for name, text, sure in columns
    ]


def _word_scores(transcripts: pd.DataFrame) -> list[list[WordScore] | None]:
    if "word_scores" not in transcripts.columns:
        return [None] * len(transcripts)
    return [
        [WordScore(int(start), int(end), float(score)) for start, end, score in words]
        if isinstance(words, list | tuple | np.ndarray)
        else None
        for words in transcripts["word_scores"].tolist()
    ]


def _text_column(transcripts: pd.DataFrame, name: str) -> list[str | None]:
    if name not in transcripts.columns:
        return [None] * len(transcripts)
    missing = transcripts[name].isna().tolist()
    values = transcripts[name].tolist()
    return [None if gone else str(value) for value, gone in zip(values, missing, strict=True)]


def _number_column(transcripts: pd.DataFrame, name: str) -> np.ndarray:
    if name not in transcripts.columns:
        return np.full(len(transcripts), np.nan)
    values = pd.to_numeric(transcripts[name], errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    return np.where(np.isfinite(values), values, np.nan)
