"""Import then export is lossless: what is read back from a written manifest is what was read at first."""

from __future__ import annotations

import csv
import json
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from workbench.errors import BadInput
from workbench.manifests.manifest import Manifest, read_manifest, write_manifest
from workbench.tables import UTTERANCES

FILES = {"csv": "m.csv", "tsv": "m.tsv", "nemo": "m.jsonl", "kaldi": "data"}
AUDIO = ["a.wav", "b.wav", "sub/a.wav", "소리 파일.wav", "semi;colon, comma.wav", 'quo"te.wav']

IDS = st.sampled_from(["nan", "007", "NA", "u1", "u2", "네", "a b", "é", "-", "x" * 100, "(u)", "=1+1", "'"])
LABELS = st.sampled_from(["", "null", "ann_a", "김 민지", "s1", "7", "x,y", 'q"', "../../etc", "reference"])
TEXTS = st.one_of(
    st.sampled_from(["", " ", "네", "Um, today's", "  two  spaces ", "nan", "=1+1", 'say "so"', "(70%)/(칠십 퍼센트)"]),
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12),
)
TAG_NAMES = st.lists(
    st.sampled_from(
        ["age", "age group", "성별", "dur", "spk", "tag_1", "sample_rate", "speaker_id", "reference", "worker_id", "id",
         "a/b", "../x", "Text", "split", "source", "", "x" * 90]
    ),
    unique=True, max_size=5,
)  # fmt: skip
TIMES = st.sampled_from(["", "0", "0.0", "0.1", "1", "1.25", "2e0", "3.3333333333333335"])


@pytest.fixture(scope="module")
def audio(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with (empty) audio files: a manifest's reader only looks whether they are there."""
    directory = tmp_path_factory.mktemp("audio")
    for name in AUDIO:
        (directory / name).parent.mkdir(exist_ok=True)
        (directory / name).touch()
    return directory


def trip(manifest: Manifest, format: str) -> Manifest:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / FILES[format]
        write_manifest(path, format, manifest.utterances, manifest.transcripts)
        return read_manifest(path, strict=True)


def assert_same(got: Manifest, expected: Manifest) -> None:
    pd.testing.assert_frame_equal(got.utterances.drop(columns="source"), expected.utterances.drop(columns="source"))
    pd.testing.assert_frame_equal(
        got.transcripts.drop(columns="source_detail"), expected.transcripts.drop(columns="source_detail")
    )


def as_kaldi_orders(manifest: Manifest) -> Manifest:
    """The same, sorted as in a Kaldi directory: by id; tags by name; transcripts with `reference` first."""
    fixed = [name for name in manifest.utterances.columns if name in UTTERANCES.names]
    tags = sorted(name for name in manifest.utterances.columns if name not in UTTERANCES.names)
    transcripts = manifest.transcripts.assign(other=manifest.transcripts["annotator"] != "reference")
    return Manifest(
        manifest.utterances[fixed + tags].sort_values("utterance_id", ignore_index=True),
        transcripts.sort_values(["utterance_id", "other", "annotator"], ignore_index=True).drop(columns="other"),
    )


def trip_through_kaldi(manifest: Manifest) -> Manifest | None:
    """None where a Kaldi directory cannot hold the manifest, and the error says so."""
    try:
        return trip(manifest, "kaldi")
    except BadInput as problem:
        assert "a Kaldi directory cannot hold it" in str(problem)
        unholdable = manifest.utterances.to_csv() + manifest.transcripts.to_csv()
        assert " " in unholdable or "\n" in unholdable
        return None


def read_rows(path: Path) -> Manifest:
    """The rows that can be used; examples without any are of no use here."""
    try:
        manifest = read_manifest(path)
    except BadInput:
        assume(False)
        raise
    assume(len(manifest.utterances) > 0)
    return manifest


@st.composite
def csv_rows(draw: st.DrawFn) -> list[list[str]]:
    fields = {
        "utterance_id": IDS,
        "audio": st.sampled_from(AUDIO),
        "start": TIMES,
        "end": TIMES,
        "duration": TIMES,
        "sampling_rate": st.sampled_from(["", "8000", "16000"]),
        "speaker": LABELS,
        "split": LABELS,
        "annotator": LABELS,
        "text": TEXTS,
    }
    chosen = ["audio", *draw(st.lists(st.sampled_from([name for name in fields if name != "audio"]), unique=True))]
    tags = draw(TAG_NAMES)
    row = st.tuples(*(fields[name] for name in chosen), *(TEXTS for _ in tags))
    return [chosen + tags, *map(list, draw(st.lists(row, min_size=2, max_size=5)))]


@given(rows=csv_rows())
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_csv_comes_back_from_every_format(audio: Path, rows: list[list[str]]) -> None:
    path = audio / "m.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL).writerows(rows)
    manifest = read_rows(path)
    UTTERANCES.to_arrow(manifest.utterances)
    for format in ("csv", "tsv", "nemo"):
        assert_same(trip(manifest, format), manifest)
    kaldi = trip_through_kaldi(manifest)
    if kaldi is not None:
        assert_same(kaldi, as_kaldi_orders(manifest))


JSON_VALUES = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(allow_nan=False, allow_infinity=False),
        TEXTS, st.sampled_from(["[1, 2]", "[1,2]", '{"a": 1}', "{}", "[", '{"a": 1e999}', "true", "1"]),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from("abc"), inner, max_size=2)),
    max_leaves=4,
)  # fmt: skip


@st.composite
def nemo_objects(draw: st.DrawFn) -> list[dict[str, Any]]:
    optional: dict[str, st.SearchStrategy[Any]] = {
        "id": IDS,
        "offset": st.sampled_from([0, 0.1, 2.5]),
        "duration": st.sampled_from([0.2, 1, 3.3]),
        "speaker": st.one_of(LABELS, st.integers(0, 9)),
        "text": st.one_of(TEXTS, st.none()),
        "annotator": LABELS,
    }
    kinds = st.sampled_from([JSON_VALUES, st.integers(0, 9), st.booleans(), TEXTS])
    optional |= {tag: draw(kinds) for tag in draw(TAG_NAMES)}
    line = st.fixed_dictionaries({"audio_filepath": st.sampled_from(AUDIO)}, optional=optional)
    return draw(st.lists(line, min_size=1, max_size=5))


@given(objects=nemo_objects())
@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
def test_nemo_comes_back_with_its_types(audio: Path, objects: list[dict[str, Any]]) -> None:
    path = audio / "m.jsonl"
    path.write_text("".join(json.dumps(values) + "\n" for values in objects), encoding="utf-8")
    manifest = read_rows(path)
    UTTERANCES.to_arrow(manifest.utterances)
    assert_same(trip(manifest, "nemo"), manifest)
    as_text = trip(manifest, "csv")
    assert_same(trip(as_text, "csv"), as_text)


KALDI_IDS = st.sampled_from(["007", "nan", "u1", "u2", "네", "(u)", "=1", "a/b"])
KALDI_VALUES = st.text(st.characters(exclude_characters="\0\n\r", exclude_categories=["Cs"]), max_size=8)


@st.composite
def kaldi_files(draw: st.DrawFn) -> dict[str, dict[str, str]]:
    utterances = draw(st.lists(KALDI_IDS, unique=True, min_size=1))

    def some(keys: list[str], values: st.SearchStrategy[str]) -> dict[str, str]:
        chosen = draw(st.lists(st.sampled_from(keys), unique=True)) if keys else []
        return {key: draw(values) for key in chosen}

    utt2spk = some(utterances, st.sampled_from(["s1", "s2", "u1"]))
    files = {"text": some(utterances, KALDI_VALUES), "utt2spk": utt2spk, "utt2lang": some(utterances, KALDI_VALUES)}
    files["spk2age"] = some(sorted(set(utt2spk.values())), st.sampled_from(["6", " 43", "006"]))
    files["utt2age"] = some(utterances, st.sampled_from(["7", ""]))
    if draw(st.booleans()):
        files["wav.scp"] = {"r1": "a.wav", "r2": "소리 파일.wav"}
        spans = st.sampled_from(["r1 0 1.5", "r1 0.1 0.3", "r2 0 -1", "r2 2.5 -1", "r2 1e-1 7"])
        files["segments"] = {key: draw(spans) for key in utterances}
    else:
        files["wav.scp"] = {key: draw(st.sampled_from(AUDIO)) for key in utterances}
        files["utt2dur"] = some(utterances, st.sampled_from(["1.5", "0.333"]))
    return files


@given(files=kaldi_files())
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_kaldi_comes_back_from_every_format(audio: Path, files: dict[str, dict[str, str]]) -> None:
    with tempfile.TemporaryDirectory(dir=audio) as name:
        directory = Path(name)
        (directory / "sub").symlink_to(audio / "sub")
        for recording in AUDIO:
            if "/" not in recording:
                (directory / recording).symlink_to(audio / recording)
        for file, lines in files.items():
            content = "".join(f"{key} {lines[key]}\n" for key in sorted(lines))
            (directory / file).write_text(content, encoding="utf-8", newline="")
        manifest = read_manifest(directory, strict=True)
        UTTERANCES.to_arrow(manifest.utterances)
        for format in ("kaldi", "csv", "tsv"):
            assert_same(trip(manifest, format), manifest)


def test_speechocean762_as_a_kaldi_directory_is_what_it_was(shared_data: Path, tmp_path: Path) -> None:
    original = shared_data / "speechocean762"
    manifest = read_manifest(original)
    assert (len(manifest.utterances), len(manifest.transcripts), manifest.faults) == (250, 250, [])
    write_manifest(tmp_path / "kaldi", "kaldi", manifest.utterances, manifest.transcripts)

    texts = ["spk2age", "spk2gender", "spk2utt", "text", "utt2spk"]
    assert sorted(path.name for path in (tmp_path / "kaldi").iterdir()) == [*texts, "wav.scp"]
    for name in texts:
        assert (tmp_path / "kaldi" / name).read_bytes() == (original / name).read_bytes()
    scp = (tmp_path / "kaldi" / "wav.scp").read_text(encoding="utf-8")
    assert scp.replace(f"{original}/", "") == (original / "wav.scp").read_text(encoding="utf-8")


@pytest.mark.parametrize("format", ["csv", "tsv", "nemo", "kaldi"])
def test_speechocean762_comes_back(shared_data: Path, format: str) -> None:
    manifest = read_manifest(shared_data / "speechocean762")
    assert_same(trip(manifest, format), manifest)


def test_several_annotators_and_unlabelled_utterances_come_back_from_kaldi(audio: Path, tmp_path: Path) -> None:
    (audio / "several.csv").write_text(
        "id,audio,annotator,text,native language\n"
        "u1,a.wav,김 민지,네,한국어\n"
        "u1,a.wav,,네.,한국어\n"
        "u1,a.wav,../../x,아니요,한국어\n"
        "u2,b.wav,,,\n",
        encoding="utf-8",
    )
    manifest = read_manifest(audio / "several.csv", strict=True)
    write_manifest(tmp_path / "kaldi", "kaldi", manifest.utterances, manifest.transcripts)
    written = {path.name: path.read_text(encoding="utf-8") for path in (tmp_path / "kaldi").iterdir()}
    assert written == {
        "annotators": "text.1 ../../x\ntext.2 김 민지\n",
        "tag_names": "tag_1 native language\n",
        "text": "u1 네.\n",
        "text.1": "u1 아니요\n",
        "text.2": "u1 네\n",
        "utt2tag_1": "u1 한국어\n",
        "spk2utt": "u1 u1\nu2 u2\n",
        "unknown_speakers": "u1 \nu2 \n",
        "utt2spk": "u1 u1\nu2 u2\n",
        "wav.scp": f"u1 {audio}/a.wav\nu2 {audio}/b.wav\n",
    }
    assert_same(read_manifest(tmp_path / "kaldi", strict=True), as_kaldi_orders(manifest))


def test_nothing_is_overwritten_and_a_failed_write_leaves_nothing(audio: Path, tmp_path: Path) -> None:
    (audio / "one.csv").write_text('id,audio,text\nu1,a.wav,"two\nlines"\n', encoding="utf-8")
    manifest = read_manifest(audio / "one.csv", strict=True)
    (tmp_path / "there.csv").write_text("kept")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").write_text("kept")
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadInput, match="is there already"):
        write_manifest(tmp_path / "there.csv", "csv", manifest.utterances, manifest.transcripts)
    with pytest.raises(BadInput, match="'text' has a line break; a Kaldi directory cannot hold it"):
        write_manifest(tmp_path / "empty", "kaldi", manifest.utterances, manifest.transcripts)
    with pytest.raises(BadInput, match="is not empty"):
        write_manifest(tmp_path / "full", "kaldi", manifest.utterances, manifest.transcripts.assign(text="one line"))
    broken = manifest.transcripts.assign(text=pd.Series(["\ud800"], dtype="object"))
    with pytest.raises(BadInput, match="half a surrogate pair"):
        write_manifest(tmp_path / "new.csv", "csv", manifest.utterances, broken)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["empty", "file", "full", "there.csv"]
    assert (tmp_path / "there.csv").read_text() == "kept"


@pytest.mark.parametrize(
    ("utterances", "transcripts", "message"),
    [
        ({"recording": "relative.wav"}, {}, "found recording 'relative.wav'; expected an absolute path"),
        ({"utterance_id": "a\nb"}, {"utterance_id": "a\nb"}, "control characters or line breaks in the utterance_id"),
        ({}, {"utterance_id": "other"}, "utterance 'other', which is not among the utterances"),
        ({}, {"text": None}, "by 'reference' is None; expected text"),
        ({"offset": "x"}, {}, "'offset' cannot name a tag"),
        ({"tag": float("inf")}, {}, "expected a finite number"),
        ({"tag": pd.Timestamp(0)}, {}, "of type Timestamp"),
    ],
)
def test_what_cannot_be_written(
    tmp_path: Path, utterances: dict[str, Any], transcripts: dict[str, Any], message: str
) -> None:
    one = pd.DataFrame([{"utterance_id": "u", "recording": "/a.wav"} | utterances])
    text = pd.DataFrame([{"utterance_id": "u", "annotator": "reference", "text": "x"} | transcripts])
    with pytest.raises(BadInput, match=message):
        write_manifest(tmp_path / "m.csv", "csv", one, text)


def test_two_revisions_are_refused(tmp_path: Path) -> None:
    one = pd.DataFrame([{"utterance_id": "u", "recording": "/a.wav"}])
    text = pd.DataFrame([{"utterance_id": "u", "annotator": "ann_a", "text": text} for text in ("a", "b")])
    with pytest.raises(BadInput, match="two transcripts by 'ann_a'; keep the newest revision"):
        write_manifest(tmp_path / "m.csv", "csv", one, text)
