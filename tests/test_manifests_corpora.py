"""Corpora in their published form: LibriSpeech trees and Common Voice TSVs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from workbench.errors import BadInput
from workbench.manifests.manifest import detect_format, read_manifest, write_manifest

SPEAKERS = """\
;ID  |SEX| SUBSET           |MINUTES| NAME
84   | F | dev-clean        | 8.02  | Somebody
1272 | M | dev-clean        | 8.03  | A|B
"""


@pytest.fixture
def librispeech(tmp_path: Path) -> Path:
    for speaker, chapter, texts in (("84", "1", ["ONE", "TWO"]), ("1272", "7", ["네"])):
        chapter_directory = tmp_path / "LibriSpeech" / "dev-clean" / speaker / chapter
        chapter_directory.mkdir(parents=True)
        ids = [f"{speaker}-{chapter}-{number:04}" for number in range(len(texts))]
        for utterance_id in ids:
            (chapter_directory / f"{utterance_id}.flac").touch()
        lines = [f"{utterance_id} {text}\n" for utterance_id, text in zip(ids, texts, strict=True)]
        (chapter_directory / f"{speaker}-{chapter}.trans.txt").write_text("".join(lines), encoding="utf-8")
    (tmp_path / "LibriSpeech" / "SPEAKERS.TXT").write_text(SPEAKERS)
    return tmp_path / "LibriSpeech"


@pytest.mark.parametrize("root", [".", "dev-clean"])
def test_a_librispeech_tree(librispeech: Path, root: str) -> None:
    assert detect_format(librispeech / root) == "librispeech"
    manifest = read_manifest(librispeech / root, strict=True)
    columns = ["utterance_id", "speaker", "split", "sex"]
    assert list(manifest.utterances[columns].itertuples(index=False, name=None)) == [
        ("1272-7-0000", "1272", "dev-clean", "M"),
        ("84-1-0000", "84", "dev-clean", "F"),
        ("84-1-0001", "84", "dev-clean", "F"),
    ]
    assert manifest.transcripts["text"].tolist() == ["네", "ONE", "TWO"]
    assert manifest.utterances["recording"][0] == f"{librispeech}/dev-clean/1272/7/1272-7-0000.flac"
    assert manifest.transcripts["source_detail"][2].endswith("dev-clean/84/1/84-1.trans.txt:2")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("../../../etc/passwd A", "expected one that begins with '84-1-'"),
        ("84-1-../x A", "expected one that begins with '84-1-'"),
        ("84-2-0000 A", "expected one that begins with '84-1-'"),
        ("84-1-0009 A", "found no file"),
        ("84-1-0000 A", "found the utterance again"),
    ],
)
def test_a_librispeech_line_that_cannot_be_used(librispeech: Path, line: str, reason: str) -> None:
    path = librispeech / "dev-clean" / "84" / "1" / "84-1.trans.txt"
    path.write_text(path.read_text() + line + "\n")
    manifest = read_manifest(librispeech)
    (fault,) = manifest.faults
    assert fault["location"] == f"{path}:3"
    assert reason in fault["reason"]
    assert len(manifest.utterances) == 3


def test_a_directory_that_is_no_librispeech_tree(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"has no \*/\*/\*\.trans\.txt"):
        read_manifest(tmp_path, format="librispeech")
    with pytest.raises(BadInput, match="is a directory of no known format"):
        read_manifest(tmp_path)


def common_voice(tmp_path: Path, *rows: str, name: str = "train.tsv") -> Path:
    (tmp_path / "clips").mkdir()
    for clip in ("c1.mp3", "c2.mp3"):
        (tmp_path / "clips" / clip).touch()
    header = "client_id\tpath\tsentence\tup_votes\tdown_votes\tage\tgender\taccents"
    (tmp_path / name).write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return tmp_path / name


def test_common_voice(tmp_path: Path) -> None:
    path = common_voice(
        tmp_path, 's1\tc1.mp3\t"No."\t2\t0\tteens\tfemale\t', 's1\tc2\t"""No,"" he said."\t3\t1\t\t\tBusan, Korea'
    )
    assert detect_format(path) == "common_voice"
    manifest = read_manifest(path, strict=True)
    assert [
        {str(key): value for key, value in row.items() if not pd.isna(value)}
        for row in manifest.utterances.drop(columns="source").to_dict("records")
    ] == [
        {"utterance_id": "c1", "recording": f"{tmp_path}/clips/c1.mp3", "speaker": "s1", "split": "train",
         "up_votes": "2", "down_votes": "0", "age": "teens", "gender": "female"},
        {"utterance_id": "c2", "recording": f"{tmp_path}/clips/c2.mp3", "speaker": "s1", "split": "train",
         "up_votes": "3", "down_votes": "1", "accents": "Busan, Korea"},
    ]  # fmt: skip
    assert manifest.transcripts["text"].tolist() == ['"No."', '"No," he said.']


def test_a_quote_in_common_voice_does_not_swallow_rows(tmp_path: Path) -> None:
    path = common_voice(tmp_path, 's1\tc1.mp3\t"Open\t\t\t\t\t', "s1\tc2.mp3\tb\t\t\t\t\t", name="validated.tsv")
    manifest = read_manifest(path, strict=True)
    assert manifest.transcripts["text"].tolist() == ['"Open', "b"]
    assert manifest.utterances["split"].isna().all()


@pytest.mark.parametrize(
    ("row", "item", "reason"),
    [
        ("s1\tgone.mp3\ta\t\t\t\t\t", "gone", "found no file"),
        ("s1\t\ta\t\t\t\t\t", "line 3", "found an empty path"),
        ("s1\tc2.mp3\ta", "line 3", "found 3 cells"),
    ],
)
def test_a_common_voice_row_that_cannot_be_used(tmp_path: Path, row: str, item: str, reason: str) -> None:
    manifest = read_manifest(common_voice(tmp_path, "s1\tc1.mp3\ta\t\t\t\t\t", row))
    (fault,) = manifest.faults
    assert (fault["item"], fault["location"]) == (item, f"{tmp_path}/train.tsv:3")
    assert reason in fault["reason"]
    assert manifest.utterances["utterance_id"].tolist() == ["c1"]


def test_what_is_no_common_voice(tmp_path: Path) -> None:
    (tmp_path / "m.tsv").write_text("id\taudio\n1\ta.wav\n")
    with pytest.raises(BadInput, match="found the columns 'id', 'audio'; expected path and sentence"):
        read_manifest(tmp_path / "m.tsv", format="common_voice")


@pytest.mark.parametrize("format", ["librispeech", "common_voice"])
def test_corpora_are_not_written(tmp_path: Path, format: str) -> None:
    nothing: dict[str, Any] = {"utterances": pd.DataFrame(), "transcripts": pd.DataFrame()}
    with pytest.raises(BadInput, match="cannot be written; expected one of csv, tsv, nemo, kaldi"):
        write_manifest(tmp_path / "x", format, **nothing)
