"""Results of Label Studio, which predictions and annotations are made of: written from a hypothesis, and read."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from workbench.label_studio.records import (
    AUDIO,
    BAD_AUDIO,
    REMARKS,
    SEGMENT,
    SEGMENT_TEXT,
    TRANSCRIPT,
    UNSURE,
)

SPEECH = "Speech"
"""The one label of regions."""

PAUSE_SECONDS = 0.5
SEGMENT_SECONDS = 15.0
_SHORTEST = 0.01  # seconds; a region of no duration cannot be seen or clicked
_LATEST = 1e9  # seconds; a time beyond is a number that somebody made up
_LINE_BREAKS = re.compile(r"\s*[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]\s*")
_NO_CHARACTERS = re.compile("[\0\ud800-\udfff]")


class Segment(NamedTuple):
    """A region with its text; the times (s) are None where the server's record has none that can be read."""

    start: float | None
    end: float | None
    text: str


@dataclass(frozen=True)
class Reading:
    """What a labeller said.

    Attributes:
        text: the whole text; where that is empty, the regions' texts in order of time.
        remarks: of bad_audio and unsure, in this order.
        segments: the regions in order of time, also those without text.
        problems: what was not understood, each in a few words.
    """

    text: str
    remarks: tuple[str, ...] = ()
    segments: tuple[Segment, ...] = ()
    problems: tuple[str, ...] = ()


class _Word(NamedTuple):
    text: str
    start: float
    end: float


def prediction_result(
    text: str,
    words: Sequence[Mapping[str, Any]] | None = None,
    regions: str = "none",
    duration: float | None = None,
) -> list[dict[str, Any]]:
    """A hypothesis as the result of a prediction; an empty list where nothing was heard.

    With `segments` the text stands in regions only, split at pauses of half a second and after 15 s, so that the
    labeller corrects it there; with `words` there is the whole text and a region for each word. Without words whose
    times are known, or with `none`, there is the whole text.

    Args:
        words: with word, start and end (s); one whose times are not known goes with the one before it.
        duration: of the utterance (s), which no region goes beyond.

    >>> prediction_result("so it is")
    [{'id': 'text', 'from_name': 'transcript', 'to_name': 'audio', 'type': 'textarea', 'value': {'text': ['so it is']}}]
    """
    text = one_line(text)
    if not text:
        return []
    timed = _timed(text, words or (), duration) if regions != "none" else []
    whole = {"id": "text", "from_name": TRANSCRIPT, "to_name": AUDIO, "type": "textarea", "value": {"text": [text]}}
    if not timed:
        return [whole]
    if regions == "words":
        return [whole, *_regions("word", timed, duration)]
    return _regions("segment", _segments(timed), duration)


def _timed(text: str, words: Sequence[Mapping[str, Any]], duration: float | None) -> list[_Word]:
    """The words in order of time, as the text writes them; none where no time is known."""
    written: list[Any] = [one_line(word.get("word")) for word in words]
    tokens = text.split()
    # Recognisers often give words without the punctuation and the capitals of the text.
    written = tokens if len(tokens) == len(written) else written
    if "".join(written) != "".join(tokens):
        # The words are not the text: regions made of them would lose some of it.
        return []
    timed: list[_Word] = []
    waiting = ""
    for token, word in zip(written, words, strict=True):
        start, end = _seconds(word.get("start"), duration), _seconds(word.get("end"), duration)
        if start is not None and end is not None:
            timed.append(_Word(f"{waiting} {token}".strip(), start, max(start, end)))
            waiting = ""
        elif timed:
            timed[-1] = timed[-1]._replace(text=f"{timed[-1].text} {token}".strip())
        else:
            waiting = f"{waiting} {token}".strip()
    return sorted(timed, key=lambda word: word.start)


def _seconds(value: Any, duration: float | None = None) -> float | None:
    """A time, not before the beginning and not after the end; None where it is no number."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) < _LATEST:
        return None
    latest = duration if duration is not None and math.isfinite(duration) else math.inf
    return min(max(float(value), 0.0), latest)


def _segments(words: Sequence[_Word]) -> list[_Word]:
    segments: list[_Word] = []
    for word in words:
        last = segments[-1] if segments else None
        if last and word.start - last.end < PAUSE_SECONDS and word.end - last.start <= SEGMENT_SECONDS:
            segments[-1] = _Word(f"{last.text} {word.text}", last.start, max(last.end, word.end))
        else:
            segments.append(word)
    return segments


def _regions(kind: str, words: Sequence[_Word], duration: float | None) -> list[dict[str, Any]]:
    result = []
    for number, word in enumerate(words, start=1):
        start = max(0.0, min(word.start, (duration or math.inf) - _SHORTEST))
        span = {"start": round(start, 3), "end": round(max(word.end, start + _SHORTEST), 3)}
        common: dict[str, Any] = {"id": f"{kind}-{number}", "to_name": AUDIO}
        if duration is not None and math.isfinite(duration):
            common["original_length"] = duration
        result.append(common | {"from_name": SEGMENT, "type": "labels", "value": span | {"labels": [SPEECH]}})
        result.append(common | {"from_name": SEGMENT_TEXT, "type": "textarea", "value": span | {"text": [word.text]}})
    return result


def one_line(text: Any) -> str:
    """A text as a transcript holds it: as typed, on one line, with no space around it.

    Line breaks, and the spaces around them, become one space: a transcript is one line in every manifest. Half of a
    character outside Unicode's first plane, which no table can hold, and a NUL, which PostgreSQL does not take, become
    the replacement character.

    >>> one_line(" two  spaces\\nand a line ")
    'two  spaces and a line'
    """
    if not isinstance(text, str):
        return ""
    return _NO_CHARACTERS.sub("\N{REPLACEMENT CHARACTER}", _LINE_BREAKS.sub(" ", text)).strip()


def read_result(result: Any) -> Reading:
    """What a result says; whatever it holds, what is not understood is named among the problems.

    Several texts of one field are joined by a space, in their order.

    >>> read_result([{"from_name": "transcript", "type": "textarea", "value": {"text": ["so", "it is"]}}]).text
    'so it is'
    """
    if not isinstance(result, list):
        return Reading("", problems=(f"the result is {_kind(result)}, not a list",))
    whole: list[str] = []
    remarks: set[str] = set()
    regions: dict[str, _Region] = {}
    problems: dict[str, None] = {}
    for number, part in enumerate(result):
        if not isinstance(part, dict) or not isinstance(part.get("value"), dict):
            problems[f"part {number + 1} of the result has no value"] = None
            continue
        name, value = part.get("from_name"), part["value"]
        if name == TRANSCRIPT:
            whole += _texts(value.get("text"), TRANSCRIPT, problems)
        elif name == REMARKS:
            remarks |= _remarks(value.get("choices"), problems)
        elif name in (SEGMENT, SEGMENT_TEXT):
            known = part.get("id")
            region = regions.setdefault(known if isinstance(known, str) and known else f"\0{number}", _Region())
            region.take(value, name, problems)
        else:
            problems[f"the field {_shown(name)} is not one of the workbench's"] = None
    segments = _in_order(regions.values(), problems)
    text = " ".join(whole) or " ".join(segment.text for segment in segments if segment.text)
    ordered = tuple(remark for remark in (BAD_AUDIO, UNSURE) if remark in remarks)
    return Reading(text, ordered, segments, tuple(problems))


class _Region:
    """What the parts of a result say of one region."""

    def __init__(self) -> None:
        self.start: float | None = None
        self.end: float | None = None
        self.texts: list[str] = []

    def take(self, value: Mapping[str, Any], name: str, problems: dict[str, None]) -> None:
        start, end = _seconds(value.get("start")), _seconds(value.get("end"))
        if start is not None and end is not None:
            self.start, self.end = min(start, end), max(start, end)
        if name == SEGMENT_TEXT:
            self.texts += _texts(value.get("text"), SEGMENT_TEXT, problems)
            return
        labels = value.get("labels")
        for label in labels if isinstance(labels, list) else []:
            if label != SPEECH:
                problems[f"the label {_shown(label)} of a region is not known"] = None


def _in_order(regions: Any, problems: dict[str, None]) -> tuple[Segment, ...]:
    segments = [Segment(region.start, region.end, " ".join(region.texts)) for region in regions]
    if any(segment.start is None for segment in segments):
        problems["a region has no start and end"] = None
    # Text whose place is not known is text all the same: it stands at the end.
    ordered = sorted(segments, key=lambda s: (s.start is None, s.start or 0.0, s.end or 0.0))
    return tuple(ordered)


def _texts(given: Any, field: str, problems: dict[str, None]) -> list[str]:
    texts = [given] if isinstance(given, str) else given
    if not isinstance(texts, list):
        problems[f"{field} has no text but {_kind(given)}"] = None
        return []
    if any(not isinstance(text, str) for text in texts):
        problems[f"{field} holds something that is no text"] = None
    return [made for made in map(one_line, texts) if made]


def _remarks(given: Any, problems: dict[str, None]) -> set[str]:
    choices = [given] if isinstance(given, str) else given
    if not isinstance(choices, list):
        problems[f"{REMARKS} has no choices but {_kind(given)}"] = None
        return set()
    known = {choice for choice in choices if choice in (BAD_AUDIO, UNSURE)}
    for choice in choices:
        if choice not in (BAD_AUDIO, UNSURE):
            problems[f"the choice {_shown(choice)} is not known"] = None
    return known


def _shown(value: Any) -> str:
    return repr(value)[:40]


def _kind(value: Any) -> str:
    return "nothing" if value is None else f"a value of type {type(value).__name__}"
