"""Kaldi data directories."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from workbench.errors import BadInput
from workbench.manifests.manifest import Manifest, read_manifest, write_manifest


def read(tmp_path: Path, strict: bool = False, **files: str) -> Manifest:
    for name in ("a.wav", "b c.wav"):
        (tmp_path / name).touch()
    names = {"wav_scp": "wav.scp", "text_1": "text.1"}
    for name, content in ({"wav_scp": "u1 a.wav\nu2 b c.wav\n"} | files).items():
        (tmp_path / names.get(name, name)).write_text(content, encoding="utf-8", newline="")
    return read_manifest(tmp_path, strict=strict)


def column(manifest: Manifest, name: str) -> list[Any]:
    return [None if pd.isna(value) else value for value in manifest.utterances[name]]


def test_every_file(tmp_path: Path) -> None:
    manifest = read(
        tmp_path, strict=True,
        text="u1  네  네 \n", utt2spk="u1 s1\nu2 s1\n", spk2age="s1 06\n", utt2lang="u2 ko KR\n", utt2age="u2 7\n",
        utt2dur="u1 1.5\n", utt2split="u1 dev\n", utt2sampling_rate="u2 8000\n", **{"feats.scp": "u1 x.ark:3\n"},
    )  # fmt: skip
    assert column(manifest, "recording") == [f"{tmp_path}/a.wav", f"{tmp_path}/b c.wav"]
    assert column(manifest, "speaker") == ["s1", "s1"]
    assert column(manifest, "duration") == [1.5, None]
    assert column(manifest, "split") == ["dev", None]
    assert column(manifest, "sampling_rate") == [None, 8000]
    assert column(manifest, "age") == ["06", "7"]
    assert column(manifest, "lang") == [None, "ko KR"]
    assert list(manifest.utterances.columns)[9:] == ["age", "lang"]
    assert manifest.transcripts.to_dict("records") == [
        {"utterance_id": "u1", "annotator": "reference", "text": " 네  네 ", "source_detail": f"{tmp_path}/text:1"}
    ]


def test_segments_are_the_utterances(tmp_path: Path) -> None:
    manifest = read(tmp_path, strict=True, segments="x u1 0.5 2.0\ny u2 1 -1\nz u2 0.0 -1\n", text="y hi\n")
    assert column(manifest, "utterance_id") == ["x", "y", "z"]
    assert column(manifest, "start") == [0.5, 1.0, None]
    assert column(manifest, "end") == [2.0, None, None]
    assert column(manifest, "duration") == [1.5, None, None]
    assert column(manifest, "source") == [f"{tmp_path}/segments:{line}" for line in (1, 2, 3)]


def test_a_whole_recording_among_segments_stays_whole_when_its_duration_is_known(tmp_path: Path) -> None:
    manifest = read(tmp_path, strict=True, segments="x u1 0.5 2.0\nz u2 0.0 -1\n", utt2dur="z 3.5\n")
    assert (column(manifest, "end"), column(manifest, "duration")) == ([2.0, None], [1.5, 3.5])


def test_speakers_from_spk2utt_where_there_is_no_utt2spk(tmp_path: Path) -> None:
    assert column(read(tmp_path, strict=True, spk2utt="s1 u1 u2\n"), "speaker") == ["s1", "s1"]


def test_text_bak_is_nobodys_transcript(tmp_path: Path) -> None:
    assert read(tmp_path, strict=True, text="u1 a\n", **{"text.bak": "u1 b\n"}).transcripts["text"].tolist() == ["a"]


def test_a_command_is_never_run(tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    manifest = read(
        tmp_path,
        wav_scp=f"r1 touch {ran} |\nr2 a.wav\n",
        segments="u1 r1 0 1\nu2 r2 0 1\nu3 r1 1 2\n",
        text="u1 a\nu2 b\n",
    )
    assert not ran.exists()
    assert column(manifest, "utterance_id") == ["u2"]
    (fault,) = manifest.faults
    assert (fault["item"], fault["location"]) == ("r1", f"{tmp_path}/wav.scp:1")
    assert fault["reason"].endswith(
        "expected the path of an audio file (commands are never run); run it yourself and name its file; utterances "
        "left out: 2"
    )


@pytest.mark.parametrize(
    ("files", "item", "where", "reason"),
    [
        ({"text": "u1 a\nu1 b\n"}, "u1", "text:2", "found the id a second time, after line 1"),
        ({"text": "u2 a\nu1 b\n"}, "u1", "text:2", "found the id after 'u2'; expected lines sorted by id; sort"),
        ({"text": "u1 a\nu9 b\n"}, "u9", "text:2", "found an utterance without audio; expected one of wav.scp"),
        ({"text": "u1 a\n b\n"}, "line 2", "text:2", "found no id in ' b'"),
        ({"text": "u1 a\0\n"}, "u1", "text:1", "the character NUL"),
        ({"utt2spk": "u1 s1\nu2 a\x07\n"}, "u2", "utt2spk:2", "control characters"),
        ({"utt2spk": "u1 s1\nu2 s1\n", "spk2age": "s1 6\ns2 7\n"}, "s2", "spk2age:2", "a speaker without utterances"),
        ({"utt2dur": "u1 x\n"}, "u1", "utt2dur:1", "found duration 'x'"),
        ({"wav_scp": "u1 a.wav\nu2 b c.wav\nu3 c.wav\n"}, "u3", "wav.scp:3", "found no file"),
        ({"segments": "u1 u1 0 1\nu2 u2 0 1\nu3 u9 0 1\n", "text": "u3 x\n"}, "u3", "segments:3", "recording 'u9'"),
        ({"segments": "u1 u1 0 1\nu2 u2 0 1\nu3 u1 0\n"}, "u3", "segments:3", "found 'u1 0'; expected rec"),
        ({"annotators": "../x ann_a\n"}, "../x", "annotators:1", "expected text.NUMBER"),
    ],
)
def test_faults_name_file_and_line(tmp_path: Path, files: dict[str, str], item: str, where: str, reason: str) -> None:
    manifest = read(tmp_path, **files)
    (fault,) = manifest.faults
    assert (fault["item"], fault["location"]) == (item, f"{tmp_path}/{where}")
    assert reason in fault["reason"]
    assert column(manifest, "utterance_id") == ["u1", "u2"]


def test_unsorted_files_are_used_as_they_are(tmp_path: Path) -> None:
    manifest = read(tmp_path, wav_scp="u2 a.wav\nu1 a.wav\n", utt2spk="u2 s2\nu1 s1\n")
    assert column(manifest, "speaker") == ["s2", "s1"]
    assert [fault["location"].rpartition("/")[2] for fault in manifest.faults] == ["wav.scp:2", "utt2spk:2"]


def test_a_reserved_tag_name(tmp_path: Path) -> None:
    manifest = read(tmp_path, utt2source="u1 radio\n")
    assert column(manifest, "tag_source") == ["radio", None]
    assert "kept as the tag 'tag_source'" in manifest.faults[0]["reason"]


def test_a_directory_without_recordings(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"wav\.scp is empty"):
        read(tmp_path, wav_scp="")
    (tmp_path / "wav.scp").unlink()
    with pytest.raises(BadInput, match=r"wav\.scp is not there"):
        read_manifest(tmp_path, format="kaldi")


def utterances(tmp_path: Path, **columns: list[Any]) -> pd.DataFrame:
    path = str(tmp_path / "a.wav")
    return pd.DataFrame({"utterance_id": ["u1", "u2"], "recording": [path, path]} | columns)


def written(tmp_path: Path, frame: pd.DataFrame) -> dict[str, str]:
    no_transcripts = pd.DataFrame(columns=["utterance_id", "annotator", "text"])
    write_manifest(tmp_path / "out", "kaldi", frame, no_transcripts)
    return {path.name: path.read_text(encoding="utf-8") for path in (tmp_path / "out").iterdir()}


def test_a_tag_that_is_constant_for_each_speaker_is_the_speakers(tmp_path: Path) -> None:
    frame = utterances(tmp_path, speaker=["s", "s"], age=[7, 7], noise=["low", "high"], room=["kitchen", None])
    files = written(tmp_path, frame)
    assert files["spk2age"] == "s 7\n"
    assert files["utt2noise"] == "u1 low\nu2 high\n"
    assert files["utt2room"] == "u1 kitchen\n"


def test_spans_become_segments(tmp_path: Path) -> None:
    files = written(tmp_path, utterances(tmp_path, start=[0.5, None], end=[1.25, None]))
    assert files["wav.scp"] == f"a {tmp_path}/a.wav\n"
    assert files["segments"] == "u1 a 0.5 1.25\nu2 a 0.0 -1\n"


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"utterance_id": ["u 1", "u2"]}, "utterance 'u 1': the utterance id 'u 1' has a space; a Kaldi dir"),
        ({"speaker": ["s 1", "s 1"]}, "the speaker 's 1' has a space"),
        ({"note": ["a\nb", "c"]}, "'note' has a line break"),
        ({"recording": ["/x/rm |", "/a"]}, "reads as a command"),
    ],
)
def test_what_a_kaldi_directory_cannot_hold(tmp_path: Path, columns: dict[str, list[Any]], message: str) -> None:
    with pytest.raises(BadInput, match=message.replace("|", r"\|")):
        written(tmp_path, utterances(tmp_path, **columns))
    assert not (tmp_path / "out").exists()
