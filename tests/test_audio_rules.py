"""What is measured at the edges of a recording, and the rules on audio and timing that use it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from label_rules.apply import apply_rules
from label_rules.builtin import BUILTIN_RULES
from workbench.audio.decode import read_audio, read_with_margin
from workbench.audio.loudness import block_powers
from workbench.audio.normalize import Settings, normalize_file
from workbench.audio.quality import measure, quality_tags
from workbench.config import config_text
from workbench.demo.planted import evaluate
from workbench.stages.check import check
from workbench.stages.import_manifest import import_manifest
from workbench.stages.normalize import normalize
from workbench.workspace import Workspace

RATE = 16_000
RULES = [rule for rule in BUILTIN_RULES if rule.rule_id.startswith(("audio.", "timing."))]


def recording(seconds: float, *speech: tuple[float, float], seed: int = 0) -> np.ndarray:
    """Quiet noise with bursts of loud noise, from and to (s); float32, shape (1, samples)."""
    rng = np.random.default_rng(seed)
    level = np.full(round(seconds * RATE), 0.0003)
    for start, end in speech:
        level[round(start * RATE) : round(end * RATE)] = 0.1
    return (level * rng.standard_normal(len(level)))[None].astype(np.float32)


def saved(path: Path, samples: np.ndarray) -> Path:
    soundfile.write(path, samples.T, RATE)
    return path


def row(samples: np.ndarray, text: str, utterance: str = "u1", annotator: str = "ann_a") -> dict[str, object]:
    """What the rules see of a recording and its label."""
    return {
        "utterance_id": utterance,
        "annotator": annotator,
        "text": text,
        "duration": samples.shape[1] / RATE,
        "loudness": block_powers(samples, RATE).loudness().value,
        **vars(measure(samples, RATE)),
    }


def flagged(*rows: dict[str, object]) -> list[tuple[str, str, str]]:
    applied = apply_rules(pd.DataFrame(list(rows)), RULES)
    assert applied.exceptions == ()
    return sorted(zip(applied.flags["utterance_id"], applied.flags["annotator"], applied.flags["rule_id"], strict=True))


# -- measures ---------------------------------------------------------------------------------------------------------


def test_speech_is_measured_from_its_first_to_its_last_frame() -> None:
    found = measure(recording(5, (1, 2), (3, 4)), RATE)
    assert (found.speech_start, found.speech_end) == pytest.approx((1, 4), abs=0.035)
    assert (found.speech_before, found.speech_after) == (None, None)
    assert found.start_level is not None and found.start_level < -40
    assert found.end_level is not None and found.end_level < -40


def test_silence_has_no_edges_of_speech() -> None:
    found = measure(np.zeros((1, RATE), np.float32), RATE)
    assert (found.speech_start, found.speech_end, found.start_level, found.end_level) == (None,) * 4


def test_a_cut_shows_in_the_level_of_the_edge() -> None:
    whole = recording(4, (1, 3))
    start, end = (measure(part, RATE) for part in (whole[:, 2 * RATE :], whole[:, : 2 * RATE]))
    assert start.start_level == pytest.approx(0, abs=2)
    assert start.speech_start == 0
    assert end.end_level == pytest.approx(0, abs=2)
    assert start.end_level is not None and start.end_level < -40


@pytest.mark.parametrize(
    ("span", "expected"),
    [
        ((0.7, 2.3), (0.0, 0.0)),
        ((1.3, 2.3), (0.3, 0.0)),
        ((0.7, 1.8), (0.0, 0.2)),
        ((1.4, 3.2), (0.4, 0.3)),
        ((0.0, 2.3), (None, 0.0)),
        ((2.7, 4.0), (0.0, None)),
        ((None, None), (None, None)),
    ],
)
def test_speech_that_goes_on_outside_the_span(
    tmp_path: Path, span: tuple[float | None, float | None], expected: tuple[float | None, float | None]
) -> None:
    path = saved(tmp_path / "long.wav", recording(4, (1, 2), (3, 3.5)))
    found = normalize_file(path, *span, tmp_path / "out.flac", Settings())
    for name, value in zip(("speech_before", "speech_after"), expected, strict=True):
        assert found[name] == (None if value is None else pytest.approx(value, abs=0.035)), name


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "mp3"])
@pytest.mark.parametrize("span", [(None, None), (0.0, 1.0), (0.2, 2.9), (1.5, 1.6), (2.0, 3.04), (2.5, None)])
def test_the_margin_changes_nothing_of_the_clip(
    tmp_path: Path, suffix: str, span: tuple[float | None, float | None]
) -> None:
    whole = recording(3, (0.5, 2.5))
    path = saved(tmp_path / f"long.{suffix}", whole)
    before, clip, after = read_with_margin(path, *span, 0.5)
    assert clip.samples.shape == read_audio(path, *span).samples.shape
    np.testing.assert_array_equal(clip.samples, read_audio(path, *span).samples)
    start = span[0] or 0.0
    assert before.duration == pytest.approx(min(0.5, start), abs=1e-3)
    assert after.duration == pytest.approx(min(0.5, max(0.0, 3 - (span[1] or 3))), abs=1e-3)
    assert before.duration + clip.duration + after.duration <= 3 + 1e-9


def test_damage_outside_the_span_costs_the_margin_only(tmp_path: Path) -> None:
    samples = recording(3, (0.5, 2.5))
    samples[0, -100] = np.nan
    path = tmp_path / "damaged.wav"
    soundfile.write(path, samples.T, RATE, subtype="FLOAT")
    found = normalize_file(path, 1.0, 2.7, tmp_path / "out.flac", Settings())
    assert (found["speech_before"], found["speech_after"]) == (None, None)
    assert found["speech_seconds"] == pytest.approx(1.5, abs=0.1)


# -- rules ------------------------------------------------------------------------------------------------------------


def test_audio_is_flagged_once_however_many_have_transcribed_it() -> None:
    cut = recording(2, (0, 1))
    rows = [row(cut, text, annotator=name) for name, text in (("ann_a", "turn it on"), ("ann_b", "turn it off"))]
    assert flagged(*rows) == [("u1", "", "audio.truncated")]


def test_a_label_on_silence_is_flagged_for_each_who_wrote_one() -> None:
    quiet = recording(2)
    rows = [row(quiet, text, annotator=name) for name, text in (("ann_a", "turn it on"), ("ann_b", "[noise]"))]
    assert ("u1", "ann_a", "timing.silence") in flagged(*rows)
    assert {who for _, who, rule in flagged(*rows) if rule.startswith("timing.")} == {"ann_a"}


def test_the_mirror_image_is_left_to_its_own_rule() -> None:
    assert [rule for *_, rule in flagged(row(recording(3, (0.5, 2.5)), ""))] == ["timing.empty"]


def test_digital_silence_is_empty() -> None:
    assert flagged(row(np.zeros((1, RATE), np.float32), "")) == [("u1", "", "audio.empty")]


def test_a_corpus_trimmed_close_says_less_of_each() -> None:
    rows = [row(recording(2, (0, 1), seed=n), "turn it on", f"u{n}") for n in range(30)]
    rows += [row(recording(2, (0.5, 1), seed=n), "turn it on", f"w{n}") for n in range(10)]
    often = apply_rules(pd.DataFrame(rows), RULES).flags
    alone = apply_rules(pd.DataFrame([rows[0], *rows[30:]]), RULES).flags
    assert set(often["rule_id"]) == set(alone["rule_id"]) == {"audio.truncated"}
    assert often["score"].max() < 0.25 < 0.5 < alone["score"].min()


@pytest.mark.parametrize(
    ("rule", "tag", "measures"),
    [
        ("audio.too_quiet", "too_quiet", {"loudness": [-40.1, -40.0]}),
        ("audio.clipped", "clipped", {"clipped_share": [1e-4, 0.99e-4]}),
        ("audio.noisy", "noisy (<10 dB)", {"snr": [9.9, 10.0]}),
    ],
)
def test_a_rule_and_its_tag_have_one_threshold(rule: str, tag: str, measures: dict[str, list[float]]) -> None:
    quality = {"loudness": -23.0, "clipped_share": 0.0, "snr": 40.0, "silence_share": 0.3, "bandwidth": 8000.0}
    frame = pd.DataFrame({"utterance_id": ["bad", "good"], **quality, "duration": 3.0, **measures})
    tags = quality_tags(frame)
    assert tags.index[tags.eq(tag).any(axis=1)].tolist() == ["bad"]
    transcripts = frame.assign(annotator="ann_a", text="turn it on")
    flags = apply_rules(transcripts, RULES).flags
    assert list(zip(flags["utterance_id"], flags["rule_id"], strict=True)) == [("bad", rule)]


def test_real_recordings_cut_short_are_told_from_whole_ones(shared_data: Path) -> None:
    """Cut 0.1 s into what was found as speech; that is a breath or a room in many a recording, which none can tell."""
    whole, cut = [], []
    for path in sorted((shared_data / "speechocean762").rglob("*.flac"), key=lambda path: path.name)[::2]:
        samples = read_audio(path).samples
        found = measure(samples, RATE)
        assert found.speech_start is not None
        whole.append(row(samples, "a text of some length", path.stem))
        cut.append(row(samples[:, round((found.speech_start + 0.1) * RATE) :], "a text of some length", path.stem))
    assert len(whole) >= 100
    truncated = [sum(rule == "audio.truncated" for *_, rule in flagged(*rows)) / len(rows) for rows in (whole, cut)]
    assert truncated[0] <= 0.02
    assert truncated[1] >= 0.4
    assert not any(rule.startswith("timing.") for *_, rule in flagged(*whole))


# -- stages -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def shifted(tmp_path: Path) -> Workspace:
    """Two utterances of a long recording, one of them with its times half a second late."""
    saved(tmp_path / "long.wav", recording(8, (1, 2), (3, 4), (5.0, 6.5)))
    manifest = tmp_path / "manifest.csv"
    manifest.write_text(
        "utterance_id,audio,start,end,annotator,text\n"
        "good,long.wav,0.8,2.2,ann_a,turn it on\n"
        "late,long.wav,5.5,6.8,ann_a,turn it off\n"
        "late,long.wav,5.5,6.8,ann_b,turn it off\n",
        encoding="utf-8",
    )
    workspace = Workspace.create(tmp_path / "ws", config_text("test", "en", 0.2))
    import_manifest(workspace, manifest)
    return workspace


def test_the_rules_see_the_measures_of_the_workspace_also_of_an_older_version(shifted: Workspace) -> None:
    normalize(shifted, workers=1)
    check(shifted)
    flags = shifted.read("flags")
    outside = flags[flags["rule_id"] == "timing.speech_outside"]
    assert list(zip(outside["utterance_id"], outside["annotator"], outside["text"], strict=True)) == [("late", "", "")]
    assert outside["evidence"].tolist() == ["speech goes on outside the span: 0.5 s before its start"]

    new = shifted.read("audio_quality")
    edges = [
        name for name in new.columns if name.startswith(("speech_", "start_", "end_")) and name != "speech_seconds"
    ]
    assert len(edges) == 6
    for part in (shifted.root / "tables" / "audio_quality").iterdir():
        pd.read_parquet(part).drop(columns=edges).to_parquet(part)
    check(shifted)
    assert not shifted.read("flags")["rule_id"].eq("timing.speech_outside").any()
    assert normalize(shifted, workers=1).counts["normalised"] == 2
    again = shifted.read("audio_quality").set_index("utterance_id").loc[new["utterance_id"]].reset_index()
    pd.testing.assert_frame_equal(again[new.columns], new)
    assert normalize(shifted, workers=1).counts["unchanged"] == 2


def test_a_rule_and_a_tag_on_the_same_audio_count_once() -> None:
    planted = pd.DataFrame(
        [("u1", "", "too_quiet", "", ""), ("u2", "", "too_quiet", "", "")],
        columns=["utterance_id", "annotator", "kind", "detail", "true_text"],
    )
    tags = pd.DataFrame(
        {"loudness_band": ["too_quiet", "too_quiet", "too_quiet"], "clipping": "clean", "snr_band": None},
        index=pd.Index(["u1", "u2", "u3"], name="utterance_id"),
    )
    flags = pd.DataFrame(
        [("u1", "", "audio.too_quiet", None), ("u3", "", "audio.too_quiet", None)],
        columns=["utterance_id", "annotator", "rule_id", "group"],
    )
    found = evaluate(planted, flags, tags).rules
    assert found[["rule_id", "flags", "hits", "false_flags"]].to_numpy().tolist() == [["audio.too_quiet", 3, 2, 1]]
