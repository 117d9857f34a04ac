"""The bundled corpus is what its tables say it is, and the script that made it makes it again."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import numpy as np
import pandas as pd
import pytest

from scripts.demo_audio import Recording, active_level, missing_packages, record
from scripts.demo_voices import RATE, SPEAKERS, Speaker
from scripts.make_demo_corpus import (
    QUERIES,
    SEED,
    Clip,
    Query,
    manifest_rows,
    plan,
    planted_rows,
    read_queries,
    truth_rows,
)
from workbench.audio.decode import Audio, read_audio
from workbench.audio.loudness import integrated_loudness
from workbench.audio.quality import measure
from workbench.demo.corpus import CORPUS
from workbench.demo.planted import FINDS, read_planted

TAGS = ["speaker", "age_group", "gender", "environment", "device"]
AUDIO_KINDS = {"too_quiet", "clipped", "noisy"}


def table(name: str) -> pd.DataFrame:
    return pd.read_csv(CORPUS / name, keep_default_na=False)


def utterances() -> pd.DataFrame:
    return table("manifest.csv").drop_duplicates("utterance_id").set_index("utterance_id")


def label_plantings() -> pd.DataFrame:
    planted = read_planted(CORPUS / "planted.csv")
    return planted[~planted["kind"].isin(AUDIO_KINDS)]


@pytest.fixture(scope="module")
def recordings() -> dict[str, Audio]:
    return {str(utterance): read_audio(CORPUS / path) for utterance, path in utterances()["audio"].items()}


def of_kind(kind: str) -> set[str]:
    planted = read_planted(CORPUS / "planted.csv")
    return set(planted.loc[planted["kind"] == kind, "utterance_id"])


def test_it_is_small_and_whole() -> None:
    audio = utterances()["audio"]
    assert sorted(audio) == sorted(f"audio/{path.name}" for path in (CORPUS / "audio").iterdir())
    assert sum(path.stat().st_size for path in CORPUS.rglob("*") if path.is_file()) < 6_000_000


def test_every_recording_is_short_speech_at_16_khz(recordings: dict[str, Audio]) -> None:
    assert {(audio.sampling_rate, audio.channels) for audio in recordings.values()} == {(16_000, 1)}
    assert all(1.0 < audio.duration < 6.0 for audio in recordings.values())


def test_the_tags_of_an_utterance_agree() -> None:
    manifest = table("manifest.csv")
    assert (manifest.groupby("utterance_id")[["audio", *TAGS]].nunique() == 1).all(axis=None)
    assert not manifest.duplicated(["utterance_id", "annotator"]).any()
    assert (manifest != "").all(axis=None)
    assert set(table("truth.csv")["utterance_id"]) == set(manifest["utterance_id"])


def test_every_label_departs_from_the_truth_exactly_where_something_is_planted() -> None:
    texts = table("manifest.csv").set_index(["utterance_id", "annotator"])["text"]
    truth = table("truth.csv").set_index("utterance_id")["text"]
    departing = set(texts.index[texts.to_numpy() != truth[texts.index.get_level_values(0)].to_numpy()])
    planted = label_plantings()
    assert departing == set(zip(planted["utterance_id"], planted["annotator"], strict=True))
    every = read_planted(CORPUS / "planted.csv")
    assert (every["true_text"] == every["utterance_id"].map(truth)).all()


def test_every_kind_is_planted_and_listed_in_the_readme() -> None:
    counts = read_planted(CORPUS / "planted.csv")["kind"].value_counts().to_dict()
    readme = (CORPUS / "README.md").read_text(encoding="utf-8")
    listed = {kind: int(count) for kind, count in re.findall(r"^\| (\w+) \| (\d+) \|", readme, flags=re.MULTILINE)}
    assert set(counts) == set(FINDS)
    assert {kind: listed[kind] for kind in counts} == counts
    for tag in ("age_group", "environment"):
        recorded = utterances()[tag].value_counts().to_dict()
        assert {value: listed[value] for value in recorded} == recorded


def test_children_are_about_a_tenth_and_digits_a_minority() -> None:
    assert 0.10 <= (utterances()["age_group"] == "child").mean() <= 0.15
    manifest = table("manifest.csv")
    alone = manifest[manifest.groupby("utterance_id")["annotator"].transform("count") == 1]
    number_places = {query.text() for query in read_queries(QUERIES) if "number" in query.kinds()}
    with_numbers = alone[
        alone["utterance_id"].map(table("truth.csv").set_index("utterance_id")["text"]).isin(number_places)
    ]
    assert 0.1 < with_numbers["text"].str.contains(r"\d").mean() < 0.25


def test_levels_are_as_planted(recordings: dict[str, Audio]) -> None:
    too_quiet, clipped = of_kind("too_quiet"), of_kind("clipped")
    for utterance, audio in recordings.items():
        loudness = integrated_loudness(audio.samples, audio.sampling_rate).value
        assert loudness is not None
        at_full_scale = float(np.mean(np.abs(audio.samples) >= 32767 / 32768))
        if utterance in too_quiet:
            assert loudness == pytest.approx(-50, abs=0.2)
        elif utterance in clipped:
            assert at_full_scale > 0.001
        else:
            assert -30 < loudness < -19.5
            assert np.abs(audio.samples).max() < 0.9
        assert (at_full_scale > 0) == (utterance in clipped)


def test_noise_is_as_planted(recordings: dict[str, Audio]) -> None:
    truth = table("truth.csv").set_index("utterance_id")["snr_db"].astype(float)
    clipped = of_kind("clipped")
    measured = pd.Series({name: measure(audio.samples, audio.sampling_rate).snr for name, audio in recordings.items()})
    sound = [name for name in truth.index if name not in clipped]
    # Measured over the whole clip, planted over the speech, and the kitchen is not steady: some dB apart.
    assert (measured[sound].astype(float) - truth[sound]).abs().max() < 7
    assert set(truth[truth <= 8].index) == of_kind("noisy")
    assert (utterances()["environment"] == "quiet").equals(truth.reindex(utterances().index).eq(40))


def test_duplicates_are_the_same_samples_with_other_texts(recordings: dict[str, Audio]) -> None:
    planted = read_planted(CORPUS / "planted.csv")
    texts = table("manifest.csv").groupby("utterance_id")["text"].agg(set)
    duplicates = planted[planted["kind"] == "duplicate"]
    for utterance, detail in zip(duplicates["utterance_id"], duplicates["detail"], strict=True):
        twin = detail.split(";")[0].removeprefix("twin=")
        np.testing.assert_array_equal(recordings[utterance].samples, recordings[twin].samples)
        assert texts[utterance].isdisjoint(texts[twin])
        assert utterances().loc[utterance, TAGS].equals(utterances().loc[twin, TAGS])
    distinct = {audio.samples.tobytes() for audio in recordings.values()}
    assert len(recordings) - len(distinct) == len(duplicates)


def test_several_annotators_differ_only_where_planted() -> None:
    manifest = table("manifest.csv")
    several = manifest.groupby("utterance_id").filter(lambda rows: len(rows) > 1)
    differ = several.groupby("utterance_id")["text"].nunique() > 1
    assert several["utterance_id"].nunique() == 50
    assert set(differ[differ].index) == set(several["utterance_id"]) & set(label_plantings()["utterance_id"])


def test_the_noise_is_attributed() -> None:
    licences = (CORPUS / "LICENSES.md").read_text(encoding="utf-8")
    assert "Picovoice/speech-to-intent-benchmark" in licences and "Apache License 2.0" in licences
    assert "Version 2.0, January 2004" in (CORPUS / "LICENSE-Apache-2.0.txt").read_text(encoding="utf-8")
    assert "**This corpus is synthetic.**" in (CORPUS / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "rows"), [("manifest.csv", manifest_rows), ("planted.csv", planted_rows), ("truth.csv", truth_rows)]
)
def test_the_script_plans_the_bundled_tables(name: str, rows: Callable[[list[Clip]], Iterator[list[str]]]) -> None:
    made = rows(plan(read_queries(QUERIES), Random(SEED)))
    with (CORPUS / name).open(encoding="utf-8", newline="") as file:
        assert list(made) == list(csv.reader(file))


@pytest.mark.parametrize("speaker", [SPEAKERS[0], SPEAKERS[8], SPEAKERS[-1]], ids=lambda speaker: speaker.voice)
def test_the_same_recording_is_made_twice(tmp_path: Path, speaker: Speaker) -> None:
    if missing := missing_packages():
        pytest.skip(f"not installed: {', '.join(missing)}")
    spoken = Recording(7, "Um, play some jazz", speaker, "car", 8.0, -23.0)
    for name in ("a", "b"):
        record(spoken, np.zeros(RATE, dtype=np.float32), tmp_path / name, SEED)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert integrated_loudness(read_audio(tmp_path / "a").samples, RATE).value == pytest.approx(-23, abs=0.1)


def test_a_query_can_be_written_the_other_way() -> None:
    query = Query("[f:Um|Umm] [c:what's|what is] [n:two|2] times [n:two|2]")
    assert query.text() == "Um, what's two times two"
    assert query.text(other="number") == "Um, what's 2 times 2"
    assert query.text(other="contraction", filler="dropped") == "What is two times two"
    assert query.text(filler="respelled") == "Umm, what's two times two"
    assert query.text(filler="trails off") == "Um... what's two times two"
    assert query.kinds() == {"filler", "contraction", "number"}


def test_pauses_do_not_count_in_the_speech_level() -> None:
    tone = np.sin(np.arange(RATE) * 0.3).astype(np.float32)
    assert active_level(np.concatenate([tone, np.zeros(RATE, dtype=np.float32)])) == pytest.approx(
        active_level(tone), rel=1e-3
    )
