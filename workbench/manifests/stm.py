"""NIST's segment time marks (stm), the references of a recording's segments.

    recording channel speaker start end [<label,label,…>] text

Fields are parted by blanks, times are seconds. A text that holds IGNORE_TIME_SEGMENT_IN_SCORING takes the segment out
of scoring. A first word of the text that begins with `<` is the list of labels, as in sclite, so that a text cannot
begin with a word like `<noise>` unless labels stand before it. The comments

    ;; CATEGORY "0" "Sex" "Sex of the speaker"
    ;; LABEL "M" "Male" "Male speakers"

name the labels: the first CATEGORY is that of each list's first label, and so on.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from workbench.errors import BadInput
from workbench.manifests.faults import UnusableRow, shown
from workbench.manifests.fields import RESERVED_NAMES, has_unprintable
from workbench.manifests.nist_lines import fields_of, name, parsed_lines, seconds
from workbench.manifests.text_file import read_lines

COLUMNS = ("recording", "channel", "speaker", "start", "end", "labels", "text", "ignored", "line")
_IGNORED = re.compile("IGNORE_TIME_SEGMENT_IN_SCORING|IGNORETIMESEGMENTINSCORING", re.IGNORECASE)
_DEFINITION = re.compile(r';; (LABEL|CATEGORY) [^"]*"([^"]*)"[^"]*"([^"]*)"[^"]*"([^"]*)".*')
_LINE_FEED = re.compile(r"\s*(?://|\\\\)\s*")
_TAKEN = RESERVED_NAMES | set(COLUMNS) | {"reference", "hypothesis"}


def read_stm(path: Path | str) -> pd.DataFrame:
    """The segments of an stm file in its order: COLUMNS, then a text column for each position in the lists of labels.

    `start` and `end` are seconds, `labels` is a list of ids, `text` is as written, NIST's notation left in, `ignored`
    says that the segment is not to be scored, `line` counts from 1. The columns of labels are named by the titles of
    their categories, `label_1`, `label_2`, … where there are none, and hold the titles of the labels, or their ids
    where they have none of their own.

    Raises:
        BadInput: the file cannot be read or holds no segment, or lines of it cannot be used: how many, and the first
            five with what was expected.
    """
    path = Path(path)
    lines = read_lines(path)
    rows = [(*segment, number) for number, segment in parsed_lines(path, lines, _segment)]
    if not rows:
        raise BadInput(f"{path} holds no segment; expected lines `recording channel speaker start end text`")
    frame = pd.DataFrame(rows, columns=list(COLUMNS)).astype(
        dict.fromkeys(("recording", "channel", "speaker", "text"), "str")
    )
    return pd.concat([frame, _tags(rows, _definitions(lines))], axis=1)


def _segment(line: str) -> tuple[str, str, str, float, float, list[str], str, bool]:
    fields = fields_of(line, 6)
    if len(fields) < 5:
        raise UnusableRow(shown(line), "`recording channel speaker start end text`", "correct or remove the line")
    recording, channel, speaker = (name(*pair) for pair in zip(COLUMNS, fields[:3], strict=False))
    start, end = seconds("start", fields[3]), seconds("end", fields[4])
    if end < start:
        raise UnusableRow(f"end {fields[4]} s, start {fields[3]} s", "an end after the start", "correct one of them")
    text = fields[5] if len(fields) == 6 else ""
    if "\0" in text:
        raise UnusableRow("the character NUL in the text", "text without it", "remove it")
    labels: list[str] = []
    if text.startswith("<"):
        listed, *rest = fields_of(text, 2)
        text = rest[0] if rest else ""
        if not listed.endswith(">"):
            raise UnusableRow(
                f"the labels {shown(listed)}",
                "a list in angle brackets, as <O,F,00>",
                "close it, or begin the text otherwise",
            )
        labels = [name("label", label) for label in listed[1:-1].split(",")] if listed != "<>" else []
    return recording, channel, speaker, start, end, labels, text, _IGNORED.search(text) is not None


@dataclass
class _Definitions:
    """The titles of the categories by position, and of the labels by id."""

    categories: list[str] = field(default_factory=list)
    labels: dict[str, str] = field(default_factory=dict)


def _definitions(lines: Sequence[str]) -> _Definitions:
    found = _Definitions()
    seen = set()
    for line in lines:
        match = _DEFINITION.fullmatch(line)
        # Files that were put together repeat their definitions; like sclite, take one for each, and the first.
        if match is None or match.groups() in seen:
            continue
        seen.add(match.groups())
        kind, key, title, _ = match.groups()
        title = _LINE_FEED.sub(" ", title).strip()
        if kind == "CATEGORY":
            found.categories.append("" if has_unprintable(title) else title)
        else:
            found.labels.setdefault(key, title)
    titles = Counter(found.labels.values())
    found.labels = {key: title if titles[title] == 1 and title else key for key, title in found.labels.items()}
    return found


def _tags(rows: Sequence[tuple[object, ...]], definitions: _Definitions) -> pd.DataFrame:
    lists = [row[COLUMNS.index("labels")] for row in rows]
    columns: dict[str, pd.Series] = {}
    for position in range(max((len(labels) for labels in lists if isinstance(labels, list)), default=0)):
        title = definitions.categories[position] if position < len(definitions.categories) else ""
        column = _free_name(title or f"label_{position + 1}", columns)
        ids = [labels[position] if isinstance(labels, list) and position < len(labels) else "" for labels in lists]
        columns[column] = pd.Series([definitions.labels.get(key, key) or None for key in ids], dtype="str")
    return pd.DataFrame(columns)


def _free_name(wanted: str, columns: dict[str, pd.Series]) -> str:
    base = kept = f"tag_{wanted}" if wanted in _TAKEN else wanted
    number = 1
    while kept in columns:
        number += 1
        kept = f"{base}_{number}"
    return kept
