"""What counts as found, as beside the point, and as a false flag, when planted faults are evaluated."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from workbench.demo.planted import FINDS, PlantedResult, evaluate, read_planted
from workbench.errors import BadInput
from workbench.tables import FLAGS


def planted(*rows: tuple[str, str, str] | tuple[str, str, str, str]) -> pd.DataFrame:
    """Rows of utterance_id, annotator, kind, and perhaps detail."""
    filled = [(*row, "", "")[:4] for row in rows]
    frame = pd.DataFrame(filled, columns=["utterance_id", "annotator", "kind", "detail"])
    return frame.assign(true_text="Play some jazz")


def flags(*rows: tuple[str, str, str] | tuple[str, str, str, str]) -> pd.DataFrame:
    """Rows of utterance_id, annotator, rule_id, and perhaps group, as table `flags`."""
    frame = FLAGS.empty()
    for number, row in enumerate(rows):
        utterance, annotator, rule, group = (*row, None)[:4]
        frame.loc[number] = [utterance, annotator, rule, 0, 4, "harmful", 0.9, "seen", None, group, "text", None]
    FLAGS.to_arrow(frame)
    return frame


def tags(**columns: dict[str, str]) -> pd.DataFrame:
    frame = pd.DataFrame(
        {name: pd.Series(columns.get(name, {}), dtype=object) for name in ("loudness_band", "clipping", "snr_band")}
    )
    return frame.rename_axis("utterance_id")


def counts(result: PlantedResult, kind: str) -> tuple[int, int, int, int]:
    row = result.table.set_index("kind").loc[kind]
    return (int(row["planted"]), int(row["found"]), int(row["missed"]), int(row["other_flags"]))


def test_counts_by_kind_rule_and_family() -> None:
    result = evaluate(
        planted(
            ("q1", "ann_a", "number"), ("q2", "ann_a", "swapped"), ("q3", "ann_b", "truncated"), ("q4", "", "noisy")
        ),
        flags(
            ("q1", "ann_a", "convention.number"),
            ("q1", "ann_a", "convention.casing"),
            ("q2", "ann_a", "model.swapped"),
            ("q5", "ann_c", "model.disagrees"),
        ),
        tags(snr_band={"q4": "noisy (<10 dB)", "q5": "clean"}, clipping={"q5": "clipped"}),
    )
    assert result.table.to_string(index=False) == (
        "             kind  planted  found  missed  other_flags\n"
        "           casing        0      0       0            1\n"
        "           number        1      1       0            0\n"
        "          content        0      0       0            1\n"
        "          swapped        1      1       0            1\n"
        "    deleted_words        0      0       0            1\n"
        "substituted_words        0      0       0            1\n"
        "        truncated        1      0       1            1\n"
        "          clipped        0      0       0            1\n"
        "            noisy        1      1       0            0\n"
        "              all        4      3       1            3"
    )
    assert result.rules.to_string(index=False) == (
        "    family           rule_id  flags  hits  beside  false_flags\n"
        "     audio     audio.clipped      1     0       0            1\n"
        "     audio       audio.noisy      1     1       0            0\n"
        "convention convention.casing      1     0       1            0\n"
        "convention convention.number      1     1       0            0\n"
        "     model   model.disagrees      1     0       0            1\n"
        "     model     model.swapped      1     1       0            0"
    )
    assert result.families().to_string(index=False) == (
        "    family  flags  hits  beside  false_flags\n"
        "     audio      2     1       0            1\n"
        "convention      2     1       1            0\n"
        "     model      2     1       0            1\n"
        "       all      6     3       1            2"
    )
    assert result.note.startswith(
        "6 flags and audio tags: 3 found something planted, 1 stand where something of another"
    )
    assert result.false_flags["utterance_id"].tolist() == ["q5", "q5"]
    assert result.planted["by"].tolist() == ["convention.number", "model.swapped", "", "audio.noisy"]


def test_a_conflict_flag_on_the_other_transcript_finds_the_departing_one() -> None:
    result = evaluate(planted(("q1", "ann_c", "filler")), flags(("q1", "ann_a", "conflict.filler", "g1")), tags())
    assert counts(result, "filler") == (1, 1, 0, 0)
    assert result.false_flags.empty


def test_a_conflict_of_another_kind_does_not_find_it() -> None:
    result = evaluate(planted(("q1", "ann_c", "filler")), flags(("q1", "ann_c", "conflict.casing", "g1")), tags())
    assert counts(result, "filler") == (1, 0, 1, 0)
    assert counts(result, "casing") == (0, 0, 0, 1)
    assert result.rules[["beside", "false_flags"]].to_numpy().tolist() == [[1, 0]]


def test_a_flag_that_is_no_conflict_must_be_on_the_transcript_itself() -> None:
    result = evaluate(planted(("q1", "ann_c", "number")), flags(("q1", "ann_a", "convention.number")), tags())
    assert counts(result, "number") == (1, 0, 1, 1)
    assert len(result.false_flags) == 1


@pytest.mark.parametrize("flagged", ["q1", "q9"])
def test_a_duplicate_is_found_through_either_of_its_ids(flagged: str) -> None:
    rows = planted(("q9", "ann_b", "duplicate", "twin=q1; differs=number"), ("q9", "ann_b", "number", "twin=q1"))
    result = evaluate(rows, flags((flagged, "ann_a", "conflict.number", "g1")), tags())
    assert counts(result, "duplicate") == counts(result, "number") == (1, 1, 0, 0)


def test_flags_that_share_a_group_are_about_the_same_audio() -> None:
    raised = flags(("q1", "ann_a", "conflict.content", "g1"), ("q2", "ann_b", "conflict.content", "g1"))
    result = evaluate(planted(("q2", "ann_b", "content")), raised, tags())
    assert result.rules[["flags", "hits"]].to_numpy().tolist() == [[2, 2]]


def test_a_planting_found_twice_is_found_once() -> None:
    raised = flags(("q1", "ann_a", "conflict.content", "g1"), ("q1", "ann_a", "model.disagrees"))
    result = evaluate(planted(("q1", "ann_a", "content")), raised, tags())
    assert counts(result, "all") == (1, 1, 0, 0)
    assert result.planted["by"].tolist() == ["conflict.content, model.disagrees"]


def test_audio_is_found_by_its_own_tag_only() -> None:
    rows = planted(("q1", "", "too_quiet"), ("q2", "", "clipped"), ("q3", "", "noisy"))
    result = evaluate(
        rows,
        flags(("q3", "ann_a", "model.disagrees")),
        tags(
            loudness_band={"q1": "too_quiet", "q2": "quiet"},
            clipping={"q1": "clean"},
            snr_band={"q3": "fair (10-20 dB)"},
        ),
    )
    assert [counts(result, kind)[1] for kind in ("too_quiet", "clipped", "noisy")] == [1, 0, 0]
    assert result.false_flags["rule_id"].tolist() == ["model.disagrees"], (
        "noise is no reason to call a right label wrong"
    )


def test_nothing_raised_finds_nothing() -> None:
    result = evaluate(planted(("q1", "ann_a", "number")), flags(), tags())
    assert counts(result, "all") == (1, 0, 1, 0)
    assert result.rules.empty and result.false_flags.empty
    assert result.families().to_numpy().tolist() == [["all", 0, 0, 0, 0]]


def test_hits_beside_and_false_flags_are_all_flags() -> None:
    raised = flags(
        *[
            (f"q{n % 4}", "ann_a", rule, "g")
            for n, rule in enumerate(["conflict.number", "model.disagrees", "timing.short"] * 4)
        ]
    )
    result = evaluate(
        planted(("q1", "ann_a", "number"), ("q2", "ann_a", "truncated")), raised.drop_duplicates(), tags()
    )
    assert (result.rules[["hits", "beside", "false_flags"]].sum(axis=1) == result.rules["flags"]).all()


def test_evaluate_leaves_its_input_as_it_was() -> None:
    rows, raised = planted(("q1", "ann_a", "number")), flags(("q1", "ann_a", "convention.number"))
    before = rows.copy(), raised.copy()
    evaluate(rows, raised, tags())
    pd.testing.assert_frame_equal(rows, before[0])
    pd.testing.assert_frame_equal(raised, before[1])


def test_unknown_kinds_and_missing_columns_are_named() -> None:
    with pytest.raises(BadInput, match="kind 'mumbling' is not one of filler, "):
        evaluate(planted(("q1", "ann_a", "mumbling")), flags(), tags())
    with pytest.raises(BadInput, match="'detail' is missing"):
        evaluate(planted(("q1", "ann_a", "number")).drop(columns="detail"), flags(), tags())
    with pytest.raises(BadInput, match="flags: column 'rule_id' is missing"):
        evaluate(planted(("q1", "ann_a", "number")), flags().drop(columns="rule_id"), tags())
    with pytest.raises(BadInput, match="quality tags: column 'snr_band' is missing"):
        evaluate(planted(("q1", "ann_a", "number")), flags(), tags().drop(columns="snr_band"))


def test_every_kind_can_be_found() -> None:
    for kind, rules in FINDS.items():
        rows = planted(("q1", "" if rules[0].startswith("audio") else "ann_a", kind))
        for rule in rules:
            raised = (
                flags() if rule.startswith("audio") else flags(("q1", "ann_a", rule if "." in rule else f"{rule}.any"))
            )
            heard = tags(loudness_band={"q1": "too_quiet"}, clipping={"q1": "clipped"}, snr_band={"q1": "noisy"})
            assert counts(evaluate(rows, raised, heard if rule.startswith("audio") else tags()), kind)[1] == 1, (
                kind,
                rule,
            )


def test_read_planted_keeps_the_audios_annotator_as_empty_text(tmp_path: Path) -> None:
    path = tmp_path / "planted.csv"
    path.write_text("utterance_id,annotator,kind,detail,true_text\nq1,,noisy,snr_db=4,Nan\n", encoding="utf-8")
    assert read_planted(path).to_numpy().tolist() == [["q1", "", "noisy", "snr_db=4", "Nan"]]
