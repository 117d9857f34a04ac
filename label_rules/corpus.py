"""The transcripts as the rules see them: checked columns, every different text once, groups of the same audio."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pandas as pd

from analysis.errors import InvalidInput
from label_rules.conflicts.compared import Comparing, Conflicts, Spread
from label_rules.conflicts.group import Group, choose_pivots
from label_rules.words import Integers, Trigger, Words

_REQUIRED = ["utterance_id", "annotator", "text"]
_TEXTS = ["audio_key", "hypothesis", "remarks", "called_bad_by"]
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
    "start_level",
    "end_level",
]
_FURTHER_MODEL, _FURTHER_CONFIDENCE = "hypothesis_", "confidence_"


class WordScore(NamedTuple):
    """A word of a transcript by its characters, and how well the audio carries it: a log probability, 0 at best."""

    start: int
    end: int
    score: float
    heard: str | None = None
    "What the model heard in its place, where that is known."


class Model(NamedTuple):
    """What one recogniser heard, one value a row: its texts (None: no hypothesis) and confidences (NaN: not known)."""

    name: str
    hypotheses: list[str | None]
    confidence: np.ndarray


class Members(Sequence[np.ndarray]):
    """For each number of some codes the places in which it stands, ascending."""

    def __init__(self, codes: np.ndarray, several: int) -> None:
        self._order = np.argsort(codes, kind="stable")
        self._counts = np.bincount(codes, minlength=several)
        self._ends = np.cumsum(self._counts)

    def __len__(self) -> int:
        return len(self._ends)

    def __getitem__(self, number: int) -> np.ndarray:  # type: ignore[override]
        end = self._ends[number]
        return self._order[end - self._counts[number] : end]

    def of(self, numbers: Integers) -> tuple[Integers, Integers]:
        """The places of all these numbers, one number after the other, and how many each has.

        >>> places, counts = Members(np.array([0, 1, 0]), 2).of(np.array([1, 0, 0]))
        >>> places.tolist(), counts.tolist()
        ([1, 0, 2, 0, 2], [1, 2, 2])
        """
        counts = self._counts[numbers]
        before = np.cumsum(counts) - counts
        first = self._ends[numbers] - counts
        return self._order[np.repeat(first - before, counts) + np.arange(counts.sum())], counts


class Corpus:
    """Transcripts, one row an utterance and annotator; rows are addressed by their number, from 0.

    Args:
        spread: the map that compares groups of transcripts, perhaps in several processes.

    Raises:
        InvalidInput: a required column is missing or empty somewhere, a text is not text, or an utterance and
            annotator stand twice.
    """

    def __init__(self, transcripts: pd.DataFrame, spread: Spread = map) -> None:
        _validate(transcripts)
        self._spread = spread
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
    def rows_of_text(self) -> Members:
        """For each different text the numbers of the rows that hold it."""
        return Members(self.text_of_row, len(self.texts))

    @cached_property
    def copies(self) -> list[int]:
        """For each different text in how many rows it stands."""
        return np.bincount(self.text_of_row, minlength=len(self.texts)).tolist()

    @cached_property
    def annotator_codes(self) -> tuple[np.ndarray, list[str]]:
        """The number of each row's annotator, and the names that the numbers stand for."""
        codes, names = pd.factorize(np.array(self.annotators, dtype=object))
        return codes, names.tolist()

    @cached_property
    def words(self) -> Words:
        """The words of the different texts."""
        return Words(self.texts)

    def texts_with(self, trigger: Trigger | None) -> Sequence[int]:
        """The numbers of the different texts with a word (a piece between white space) that the trigger fires on.

        All of them where there is no trigger.
        """
        if trigger is None:
            return range(len(self.texts))
        return self.words.texts_with(self.words.that(trigger)).tolist()

    def summed(self, value: Callable[[str], float]) -> np.ndarray:
        """The value of each different text, for a function that adds up over the tokens of a text.

        It is asked about each different word once, and about the texts whose tokens are not those of their words.
        """
        words = self.words
        sums = words.summed(np.fromiter(map(value, words.vocabulary), float, len(words.vocabulary)))
        for number in words.with_brackets.tolist():
            sums[number] = value(self.texts[number])
        return sums

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

    @property
    def remarks(self) -> list[str | None]:
        """What each row's annotator said beside the text: bad_audio, unsure, joined by `, `."""
        return self._optional["remarks"]

    @property
    def called_bad_by(self) -> list[str | None]:
        """Who called the audio of each row bad, by lines, with or without a transcript of their own."""
        return self._optional["called_bad_by"]

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
        if not len(of_row):
            return []
        pairs = np.unique(of_row.astype(np.int64) * len(self.texts) + self.text_of_row) // len(self.texts)
        different = np.bincount(pairs)
        rows_of_group = Members(of_row, len(different))
        groups = [self._group(rows_of_group[number].tolist()) for number in np.flatnonzero(different > 1).tolist()]
        choose_pivots(groups)
        return groups

    @cached_property
    def conflicts(self) -> Conflicts:
        """What the groups come to when their texts are compared."""
        return self.comparing.result()

    @cached_property
    def comparing(self) -> Comparing:
        """The comparison of the groups, which begins when it is first asked for."""
        return Comparing(self.groups, self._spread)

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


_TWO_IDS = "same audio under two ids"


def _validate(transcripts: pd.DataFrame) -> None:
    for name in _REQUIRED:
        if name not in transcripts.columns:
            raise InvalidInput(f"the transcripts have no column {name!r}; they need {', '.join(_REQUIRED)}")
        empty = transcripts[name].isna().to_numpy()
        if empty.any():
            row = int(empty.argmax())
            raise InvalidInput(f"row {row} of the transcripts has no {name}; fill it in, or leave the row out")
    texts = transcripts["text"].tolist()
    if any(not issubclass(kind, str) for kind in set(map(type, texts))):
        row, text = next((row, text) for row, text in enumerate(texts) if not isinstance(text, str))
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
        [WordScore(int(start), int(end), float(score), *heard) for start, end, score, *heard in words]
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
