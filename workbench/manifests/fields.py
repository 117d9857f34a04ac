"""Which column of a manifest means what, and its value as the field's type.

A column is recognised by its name, whatever its case in CSV; where several names of one field are there, the first of
the list wins and the others are tags. Every column that is not recognised is a tag under its own name, but

- a name that the tables use themselves (`source`, `text`, …) becomes `tag_<name>`,
- an empty name, or one with control characters, becomes `tag_column_<position>`,
- a name that stands a second time gets `_2`, `_3`, …,

and each of these is a fault of the header, because a later stage will not find the tag under the name expected.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from workbench.manifests.faults import Faults, UnusableRow, shown
from workbench.tables import UTTERANCES

FIELD_NAMES: dict[str, tuple[str, ...]] = {
    "utterance_id": ("utterance_id", "utt_id", "id", "uttid"),
    "recording": (
        "recording", "audio_filepath", "audio", "path", "file", "filename", "wav",
        "files", "paths", "file_name", "file_path", "filepath", "audio_path", "audio_file", "wav_filename",
    ),
    "start": ("start", "offset"),
    "end": ("end",),
    "sampling_rate": ("sampling_rate", "sample_rate"),
    "duration": ("duration",),
    "speaker": ("speaker", "speaker_id", "client_id"),
    "split": ("split",),
    "annotator": ("annotator", "worker_id"),
    "text": ("text", "transcript", "sentence", "transcription", "reference", "actual", "ground_truth"),
}  # fmt: skip
UTTERANCE_FIELDS = ("recording", "start", "end", "sampling_rate", "duration", "speaker", "split")
# NeMo writes the recording and the start under names of its own, so no tag may have them either.
RESERVED_NAMES = frozenset(UTTERANCES.names) | {"annotator", "text", "source_detail", "audio_filepath", "offset"}

# Control characters, line and paragraph separators, byte order mark, half surrogate pairs.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff]")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_TOLOKA = re.compile(r"(?:INPUT|OUTPUT|GOLDEN|HINT|ASSIGNMENT):(.+)", re.DOTALL)
# Far beyond any recording, and far within what a 64-bit number of seconds holds exactly enough.
_LONGEST = 1e9
INTEGERS = range(-(2**63), 2**63)


@dataclass(frozen=True)
class Columns:
    """Where each recognised field stands, and which positions are tags under which names."""

    fields: dict[str, int] = field(default_factory=dict)
    tags: dict[int, str] = field(default_factory=dict)


def recognise(
    names: Sequence[str], path: Path, faults: Faults, fields: Mapping[str, Sequence[str]] = FIELD_NAMES,
    exact: bool = False, line: int = 1,
) -> Columns:  # fmt: skip
    """The columns of a header; `exact` also tells upper from lower case, as JSON keys do."""
    cleaned = cleaned_names(names, exact)
    found: dict[str, int] = {}
    for name, accepted in fields.items():
        position = _position(cleaned, accepted, exact, set(found.values()))
        if position is not None:
            found[name] = position
    tags: dict[int, str] = {}
    for position, name in enumerate(cleaned):
        if position not in found.values():
            tags[position] = _tag_name(name, position, tags, path, line, faults)
    return Columns(found, tags)


def cleaned_names(names: Sequence[str], exact: bool = False) -> list[str]:
    """The names without spaces around them, and without Toloka's `INPUT:` and the like where every one has it.

    >>> cleaned_names(["INPUT:audio ", "OUTPUT:transcription"])
    ['audio', 'transcription']
    """
    cleaned = [name.strip() for name in names]
    toloka = [_TOLOKA.fullmatch(name) for name in cleaned]
    return [match.group(1) for match in toloka if match] if not exact and all(toloka) else cleaned


def _position(names: list[str], accepted: Sequence[str], exact: bool, taken: set[int]) -> int | None:
    for wanted in accepted:
        candidates = [i for i, name in enumerate(names) if name == wanted and i not in taken]
        if not candidates and not exact:
            candidates = [i for i, name in enumerate(names) if name.casefold() == wanted and i not in taken]
        if candidates:
            return candidates[0]
    return None


def _tag_name(name: str, position: int, taken: Mapping[int, str], path: Path, line: int, faults: Faults) -> str:
    kept = name
    if not name or has_unprintable(name):
        kept = f"tag_column_{position + 1}"
    elif name in RESERVED_NAMES:
        kept = f"tag_{name}"
    base, number = kept, 1
    while kept in taken.values():
        number += 1
        kept = f"{base}_{number}"
    if kept != name:
        reason = UnusableRow(
            f"a column named {shown(name)}",
            "a name of its own that the tables do not use",
            f"it is kept as the tag {kept!r}; rename it in the manifest",
        )
        faults.add(f"column {position + 1}", path, line, reason)
    return kept


def has_unprintable(text: str) -> bool:
    """Whether the text holds control characters, line separators, a byte order mark or half a surrogate pair."""
    return _UNPRINTABLE.search(text) is not None


def as_label(name: str, value: object) -> str | None:
    """An id or a name without the spaces around it; None when empty.

    >>> as_label("speaker", " 007 "), as_label("speaker", 7), as_label("utterance_id", "nan"), as_label("split", "")
    ('007', '7', 'nan', None)

    Raises:
        UnusableRow: it is neither text nor a whole number, or holds control characters.
    """
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise UnusableRow(f"{name} {shown(value)}", "text", "write it in quotes")
    value = value.strip(" ")
    if _UNPRINTABLE.search(value):
        raise UnusableRow(
            f"control characters or line breaks in the {name} {shown(value)}", "printable text", "remove them"
        )
    return value or None


def as_text(name: str, value: object) -> str | None:
    """A transcript, exactly as written.

    Raises:
        UnusableRow: it is not text, or holds NUL.
    """
    if value is None:
        return None
    if not isinstance(value, str):
        raise UnusableRow(f"{name} {shown(value)}, which is not text", "text", "write it in quotes")
    if "\0" in value:
        raise UnusableRow(f"the character NUL in the {name}", "text without it", "remove it")
    return value


def as_tag(name: str, value: object) -> object:
    """A tag's value: text without spaces and tabs around it, None when empty; other JSON values as they are."""
    if not isinstance(value, str):
        return value
    text = as_text(name, value)
    return (text.strip(" \t") or None) if text else None


def as_seconds(name: str, value: object) -> float | None:
    """A time in seconds; None when empty.

    >>> as_seconds("start", "1.50"), as_seconds("end", 3), as_seconds("duration", "")
    (1.5, 3.0, None)

    Raises:
        UnusableRow: it is not a number, negative, or longer than any recording.
    """
    if isinstance(value, str):
        value = value.strip(" ")
    if value is None or value == "":
        return None
    written = isinstance(value, str) and _NUMBER.fullmatch(value)
    number = float(value) if isinstance(value, str) and written else value
    if not isinstance(number, int | float) or isinstance(number, bool) or not 0 <= number < _LONGEST:
        raise UnusableRow(f"{name} {shown(value)}", "seconds from 0 on, as 1.25", "correct it or leave it empty")
    return float(number) or 0.0  # never -0.0, which is written differently and means the same


def as_rate(name: str, value: object) -> int | None:
    """A sampling rate in Hz; None when empty.

    Raises:
        UnusableRow: it is not a whole number above 0.
    """
    number = as_seconds(name, value)
    if number is None:
        return None
    if number < 1 or number != int(number):
        raise UnusableRow(f"{name} {shown(value)}", "a whole number of Hz, as 16000", "correct it or leave it empty")
    return int(number)
