"""The script that counts disagreements with the field's tools: it finds none, and would find one."""

from __future__ import annotations

import re
from pathlib import Path
from random import Random

import pytest

from analysis.align import align_words
from scripts import agreement
from scripts.agreement import main, random_pairs, sclite_can_read

ARGUMENTS = ["--data", "absent", "--random", "300"]


def figures(printed: str) -> list[tuple[str, int, int]]:
    """What is compared with what, how many utterances, and how many differ, of each row of the table."""
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in printed.splitlines() if line.startswith("| ")]
    return [(f"{how} / {against}", int(count), int(differ)) for _, how, against, count, _, differ in rows[1:]]


def test_nothing_differs_and_every_comparison_has_utterances(capsys: pytest.CaptureFixture[str]) -> None:
    status = main(ARGUMENTS)
    printed = capsys.readouterr().out
    found = figures(printed)
    assert ("none, unit / jiwer: counts", 100, 0) in found
    assert all(count > 0 and differ == 0 for _, count, differ in found)
    assert status == 0
    assert "Not compared: absent is not there: no real pairs." in printed


def test_one_wrong_count_is_found_and_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(*arguments: object) -> object:
        counts, alignments = align_words(*arguments)  # type: ignore[arg-type]
        counts.loc[7, "insertions"] += 1
        return counts, alignments

    monkeypatch.setattr(agreement, "align_words", wrong)
    assert main(ARGUMENTS) == 1
    printed = capsys.readouterr().out
    assert [differ for what, _, differ in figures(printed) if what == "none, unit / jiwer: counts"] == [1, 1, 1]
    assert re.search(r"Differs: random, 2 different words, none, unit, jiwer: counts: the first is \('", printed)


def test_one_wrong_step_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = [[("equal", "a", "a")], [("substitute", "a", "b")]]
    monkeypatch.setattr(agreement, "sclite_steps", lambda pairs: steps)
    assert agreement.against_sclite("", "", [("a", "a"), ("a", "b")]).differing == 0
    assert agreement.against_sclite("", "", [("a", "b"), ("a", "b")]).differing == 1


@pytest.mark.parametrize(
    ("text", "readable"),
    [("a (b c-d e@f", False), ("a b) c", False), ("half- way", False), ("a;b", False), ("{", False),
     ("a\u00a0b", False), ("a c-d e@f g*h don't", True), ("", True)],
)  # fmt: skip
def test_texts_are_left_out_whose_words_sclite_reads_otherwise(text: str, readable: bool) -> None:
    assert sclite_can_read((text, "")) == sclite_can_read(("", text)) == readable


def test_random_pairs_are_the_same_again() -> None:
    assert random_pairs(20, 3, Random(1)) == random_pairs(20, 3, Random(1))


def test_real_pairs_are_read_and_do_not_differ(shared_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agreement, "SYSTEMS", ("watson",))
    monkeypatch.setattr(agreement, "SPLITS", ())
    rows = list(agreement.real_pairs(shared_data, with_sclite=False))
    assert [(row.how, row.compared, row.differing) for row in rows] == [
        ("none, unit", 7016, 0), ("basic, unit", 7016, 0)
    ]  # fmt: skip
