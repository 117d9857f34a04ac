"""Tables as terminals show them: side by side where they fit, long texts below their rows where they do not."""

from __future__ import annotations

import pandas as pd
import pytest
from rich.cells import cell_len
from rich.console import Console

from workbench.cli import output
from workbench.cli.output import Format, print_frame
from workbench.cli.stacked import ShownColumn, broken_width, least_width

FLAGS = pd.DataFrame(
    {
        "utterance_id": ["clip-0001", "clip-0002"],
        "rule_id": ["convention.final_punctuation", "conflict.content"],
        "score": [0.5, 1.0],
        "evidence": [
            "most of the corpus has no mark at the end, this one has",
            "2 of 3 transcripts write “켜” here, this one “꺼”",
        ],
        "suggestion": ["오늘 날씨 어때 그리고 내일은 어떻게 될 것 같아", None],
    }
)


def printed(frame: pd.DataFrame, width: int, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    console = Console(width=width, record=True, color_system=None)
    monkeypatch.setattr(output, "_console", lambda: console)
    print_frame(frame, Format.table, "flags")
    return [line.rstrip() for line in console.export_text().splitlines() if line.strip()]


def test_a_wide_terminal_shows_a_row_on_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = printed(FLAGS, 200, monkeypatch)
    assert lines[1].split() == ["utterance", "id", "rule", "id", "score", "evidence", "suggestion"]
    assert lines[-1].split()[:3] == ["clip-0002", "conflict.content", "1.000"]
    assert len(lines) == 5


def test_a_narrow_terminal_shows_names_whole_and_long_texts_below(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = printed(FLAGS, 60, monkeypatch)
    assert all(cell_len(line) <= 60 for line in lines)
    assert lines[:3] == [
        "flags",
        "utterance id   rule id                        score",
        "clip-0001      convention.final_punctuation   0.500",
    ]
    text = " ".join(" ".join(lines).split())
    assert "evidence: most of the corpus has no mark at the end, this one has" in text
    assert "suggestion: 오늘 날씨 어때 그리고 내일은 어떻게 될 것 같아" in text
    assert text.count("suggestion:") == 1, "an empty one takes no line"


def test_what_no_longer_fits_goes_below_too(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = printed(FLAGS, 44, monkeypatch)
    assert lines[1].split() == ["utterance", "id", "rule", "id"]
    assert "    score: 0.500" in lines


def test_columns_are_measured_in_terminal_columns() -> None:
    hangul = ShownColumn("form", ["콘텐츠", "컨텐츠"])
    assert (hangul.width, hangul.longest_word) == (6, 6)
    names = ShownColumn("annotators", ["ann_a, ann_b", "ann_c"])
    assert least_width([hangul, names]) == 6 + 12 + 2 * 3
    assert broken_width([hangul, names]) == 6 + 10 + 2 * 3


def test_times_are_shown_to_the_second() -> None:
    assert output.shown("created_at", "2026-03-14T08:10:00.123456+00:00") == "2026-03-14 08:10:00"
    assert output.shown("created_at", "<nobody knows>") == "<nobody knows>"
