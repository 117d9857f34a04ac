"""CSV and TSV manifests, what every format shares, and which format a path is taken for."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workbench.errors import BadInput
from workbench.manifests.manifest import Manifest, detect_format, read_manifest
from workbench.manifests.transcripts import read_transcripts
from workbench.tables import FAULTS, UTTERANCES

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a manifest beside the audio files a.wav, b.wav and 네.wav."""
    for name in ("a.wav", "b.wav", "네.wav"):
        (tmp_path / name).touch()

    def written(content: str | bytes, name: str = "m.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
        return path

    return written


def present(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows, without missing values and sources."""
    rows = [{str(key): value for key, value in row.items() if not pd.isna(value)} for _, row in frame.iterrows()]
    return [{key: value for key, value in row.items() if key not in ("source", "source_detail")} for row in rows]


def only_fault(manifest: Manifest) -> dict[str, str]:
    assert len(manifest.faults) == 1, manifest.faults
    return manifest.faults[0]


def test_every_recognised_column(write: Write, tmp_path: Path) -> None:
    manifest = read_manifest(
        write(
            "utterance_id,audio,start,end,sampling_rate,speaker,split,annotator,text,age\n"
            "007,a.wav,0.5,2.25,16000,nan,train,ann_a,네,42\n"
        )
    )
    assert present(manifest.utterances) == [
        {"utterance_id": "007", "recording": str(tmp_path / "a.wav"), "start": 0.5, "end": 2.25, "sampling_rate": 16000,
         "duration": 1.75, "speaker": "nan", "split": "train", "age": "42"}
    ]  # fmt: skip
    assert present(manifest.transcripts) == [{"utterance_id": "007", "annotator": "ann_a", "text": "네"}]
    assert manifest.utterances["source"].tolist() == manifest.transcripts["source_detail"].tolist()
    assert manifest.transcripts["source_detail"].tolist() == [f"{tmp_path}/m.csv:2"]
    assert list(manifest.utterances.columns) == [*UTTERANCES.names, "age"]
    assert manifest.faults == []


@pytest.mark.parametrize("audio", ["recording", "audio_filepath", "PATH", "filename", "files", "paths", "wav_filename"])
@pytest.mark.parametrize("text", ["text", "Transcript", "sentence", "transcription", "reference", "actual"])
def test_other_names_of_columns(write: Write, audio: str, text: str) -> None:
    path = write(f"utt_id,{audio},{text},speaker_id,offset,duration\nx,a.wav,hi,s,1,2\n")
    manifest = read_manifest(path, strict=True)
    (row,) = present(manifest.utterances)
    assert (row["speaker"], row["start"], row["end"], row["duration"]) == ("s", 1.0, 3.0, 2.0)
    assert manifest.transcripts["text"].tolist() == ["hi"]


def test_the_first_name_of_a_field_wins_and_the_others_are_tags(write: Write) -> None:
    manifest = read_manifest(write("id,utterance_id,audio,path,text,sentence\n1,x,a.wav,p,hi,ho\n"), strict=True)
    (row,) = present(manifest.utterances)
    assert (row["utterance_id"], row["id"], row["path"], row["sentence"]) == ("x", "1", "p", "ho")


def test_missing_is_missing_and_words_for_it_are_text(write: Write) -> None:
    manifest = read_manifest(write("id,audio,text,speaker,accent\nnan,a.wav,null,,NA\nNA,b.wav,,null,\n"), strict=True)
    assert manifest.utterances["utterance_id"].tolist() == ["nan", "NA"]
    assert manifest.transcripts["text"].tolist() == ["null", ""]
    assert manifest.utterances["speaker"].isna().tolist() == [True, False]
    assert manifest.utterances["accent"].isna().tolist() == [False, True]
    assert math.isnan(manifest.utterances["start"][0])


def test_transcripts_are_verbatim(write: Write) -> None:
    content = 'id,audio,text\r\n1,a.wav,"  two\nlines, ""quoted""\r\n"\r\n2,b.wav,\t가\u1100 \r\n'
    manifest = read_manifest(write(content), strict=True)
    assert manifest.transcripts["text"].tolist() == ['  two\nlines, "quoted"\r\n', "\t가\u1100 "]
    assert [where.rpartition(":")[2] for where in manifest.utterances["source"]] == ["2", "5"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("m.csv", "id;audio;text\n1;a.wav;well, yes\n"),
        ("m.csv", "id\taudio\ttext\n1\ta.wav\twell, yes\n"),
        ("m.csv", '\ufeffid,audio,text\n1,a.wav,"well, yes"\n'),
        ("m.tsv", 'id\taudio\ttext\n1\ta.wav\t"well, yes"\n'),
        ("m.tsv", "INPUT:id\tINPUT:audio\tOUTPUT:transcription\n1\ta.wav\twell, yes\n"),
    ],
)
def test_delimiters_byte_order_mark_and_toloka_headers(write: Write, name: str, content: str) -> None:
    manifest = read_manifest(write(content, name), strict=True)
    assert present(manifest.transcripts) == [{"utterance_id": "1", "annotator": "reference", "text": "well, yes"}]


def test_several_annotators_make_one_utterance(write: Write) -> None:
    manifest = read_manifest(
        write("id,audio,age,annotator,text\nx,a.wav,,ann_a,Um\ny,b.wav,,ann_a,b\nx,a.wav,7,ann_b,\nz,네.wav,,,\n"),
        strict=True,
    )
    assert [(row["utterance_id"], row.get("age")) for row in present(manifest.utterances)] == [
        ("x", "7"), ("y", None), ("z", None)
    ]  # fmt: skip
    assert list(manifest.transcripts[["utterance_id", "annotator", "text"]].itertuples(index=False, name=None)) == [
        ("x", "ann_a", "Um"), ("x", "ann_b", ""), ("y", "ann_a", "b")
    ]  # fmt: skip


def test_rows_of_one_utterance_must_agree(write: Write, tmp_path: Path) -> None:
    path = write("id,audio,age,annotator,text\nx,a.wav,7,ann_a,a\nx,a.wav,8,ann_b,b\n")
    manifest = read_manifest(path)
    assert only_fault(manifest) == {
        "stage": "import",
        "item": "x",
        "location": f"{path}:3",
        "reason": f"found age '8', but '7' in {path}:2; expected the same in every row of the utterance; correct one "
        "of them, or give the rows ids of their own",
    }
    assert manifest.transcripts["text"].tolist() == ["a"]
    with pytest.raises(BadInput, match=r"m\.csv:3: x: found age '8'"):
        read_manifest(path, strict=True)


@pytest.mark.parametrize(
    ("row", "item", "reason"),
    [
        ("x,missing.wav,t,,", "x", "found no file"),
        ("x,,t,,", "x", "found no audio file"),
        ("x,https://example.org/a.wav,t,,", "x", "download it first"),
        (",a.wav,t,,", "line 3", "found an empty utterance_id"),
        ('"x\ny",a.wav,t,,', "line 3", "control characters or line breaks"),
        ("x\0,a.wav,t,,", "line 3", "control characters or line breaks"),
        ("x,a.wav,t\0,,", "x", "the character NUL in the text"),
        ("ok,a.wav,again,,", "ok", "found the utterance again, by 'reference', after"),
        ("x,a.wav,t,abc,", "x", "found start 'abc'; expected seconds"),
        ("x,a.wav,t,-1,", "x", "found start '-1'; expected seconds"),
        ("x,a.wav,t,nan,", "x", "found start 'nan'; expected seconds"),
        ("x,a.wav,t,1_0,", "x", "found start '1_0'; expected seconds"),
        ("x,a.wav,t,2,1.5", "x", "expected an end after the start"),
        ("x,a.wav,t,", "line 3", "found 4 cells, the first 'x'; expected 5"),
        ('x,"a.wav"x,t,,', "line 3", "broken quoting from line 3 to line 3"),
    ],
)
def test_a_row_that_cannot_be_used_is_a_fault_and_the_rest_is_kept(
    write: Write, row: str, item: str, reason: str
) -> None:
    path = write(f"id,audio,text,start,end\nok,a.wav,kept,,\n{row}\nlast,b.wav,kept,,\n")
    manifest = read_manifest(path)
    fault = only_fault(manifest)
    assert (fault["item"], fault["location"]) == (item, f"{path}:3")
    assert reason in fault["reason"]
    assert manifest.utterances["utterance_id"].tolist() == ["ok", "last"]
    FAULTS.to_arrow(pd.DataFrame(manifest.faults))
    with pytest.raises(BadInput, match=r"m\.csv:3"):
        read_manifest(path, strict=True)


def test_contradicting_duration(write: Write) -> None:
    manifest = read_manifest(write("id,audio,start,end,duration\nx,a.wav,1,2,1.04\ny,a.wav,1,2,1.06\n"))
    assert manifest.utterances["duration"].tolist() == [1.04]
    assert "expected duration = end - start" in only_fault(manifest)["reason"]


@pytest.mark.parametrize(
    ("header", "tags", "faults"),
    [
        ("id,audio,source", ["tag_source"], ["column 3"]),
        ("id,audio,", ["tag_column_3"], ["column 3"]),
        ("id,audio,age,age", ["age", "age_2"], ["column 4"]),
        ("id,audio,text,text", ["tag_text"], ["column 4"]),
        ('id,audio,"a\nb"', ["tag_column_3"], ["column 3"]),
        ("id,audio, age ", ["age"], []),
    ],
)
def test_tag_names(write: Write, header: str, tags: list[str], faults: list[str]) -> None:
    cells = ",".join(["x", "a.wav", "1", "2"][: header.count(",") + 1])
    manifest = read_manifest(write(f"{header}\n{cells}\n"))
    assert list(manifest.utterances.columns)[len(UTTERANCES.names) :] == tags
    assert [fault["item"] for fault in manifest.faults] == faults
    UTTERANCES.to_arrow(manifest.utterances)


def test_ids_come_from_the_recording_and_do_not_depend_on_the_order(write: Write, tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a.wav").touch()
    rows = ["a.wav,,x", "a.wav,1.5,y", "sub/a.wav,,z", "네.wav,,네"]
    first = read_manifest(write("\n".join(["audio,start,text", *rows])), strict=True)
    again = read_manifest(write("\n".join(["audio,start,text", *reversed(rows)])), strict=True)
    assert first.utterances["utterance_id"].tolist() == ["a-a97b7da4", "a-1.5", "a-b51cfbff", "네"]
    assert again.utterances["utterance_id"].tolist() == first.utterances["utterance_id"].tolist()[::-1]


def test_a_decomposed_hangul_file_name_is_found(write: Write, tmp_path: Path) -> None:
    import unicodedata

    (tmp_path / unicodedata.normalize("NFD", "한국.wav")).touch()
    manifest = read_manifest(write("id,audio\nx,한국.wav\n"), strict=True)
    assert Path(manifest.utterances["recording"][0]).is_file()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"\n \n", "is empty"),
        (b"id,audio\n", "has no rows below its header"),
        ("id,text,age\n1,네,7\n".encode(), "no column of audio files among 'id', 'text', 'age'; expected one"),
        ("id,audio,text\n1,a.wav,네\n".encode("cp949"), r"m\.csv:2: found byte 0xb3 at byte offset 22, .* CP949"),
        ("id,audio,text\n1,a.wav,네\n".encode("utf-16"), r"m\.csv:1: .*iconv -f UTF-16"),
        (b'"i"d,audio\n1,a.wav\n', "the header cannot be read"),
    ],
)
def test_a_file_that_is_no_manifest(write: Write, content: bytes, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        read_manifest(write(content))


def test_detected_formats(tmp_path: Path) -> None:
    for name in ("m.csv", "m.TSV", "m.jsonl", "m.json", "m.mp3", "kaldi/wav.scp", "cv/clips/a.mp3"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "cv" / "train.tsv").write_text("client_id\tpath\tsentence\n")
    names = ["m.csv", "m.TSV", "m.jsonl", "m.json", "kaldi", "cv/train.tsv"]
    assert [detect_format(tmp_path / name) for name in names] == ["csv", "tsv", "nemo", "nemo", "kaldi", "common_voice"]
    for name, message in (
        ("m.mp3", "has no known format; expected .csv, .tsv, .jsonl"),
        ("absent.csv", "is not there"),
        ("kaldi/wav.scp", "name the directory"),
        ("cv", "name one of its files: train.tsv"),
    ):
        with pytest.raises(BadInput, match=message):
            detect_format(tmp_path / name)
    with pytest.raises(BadInput, match="format 'xml' is not known; expected one of csv"):
        read_manifest(tmp_path / "m.csv", format="xml")


HOSTILE = st.one_of(
    st.binary(max_size=60),
    st.lists(
        st.sampled_from(
            [b"id", b"audio", b"text", b"a.wav", b",", b"\t", b"\n", b"\r", b'"', b"\0", b" ", b"{", b"}", b"[", b":",
             b'"audio_filepath"', b'"a.wav"', b'"id"', b"1e999", b"NaN", b'"\\ud800"', b"9" * 5000, b"[" * 5000,
             b"\xff", "네".encode(), b"<s>", b"(x)", b"|", b"-1"]
        ),
        max_size=25,
    ).map(b"".join),
)  # fmt: skip


@given(content=HOSTILE, name=st.sampled_from(["m.csv", "m.tsv", "m.jsonl", "m.trn", "m.txt", "text"]))
@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_bytes_give_rows_faults_or_bad_input(write: Write, content: bytes, name: str) -> None:
    path = write(content, name)
    for read in (read_manifest, read_transcripts):
        try:
            read(path)
        except BadInput as problem:
            assert "m." in str(problem) or "text" in str(problem)


@given(content=HOSTILE, name=st.sampled_from(["wav.scp", "segments", "text", "utt2spk", "spk2age", "annotators"]))
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_bytes_in_a_kaldi_directory(write: Write, tmp_path: Path, content: bytes, name: str) -> None:
    directory = tmp_path / "kaldi"
    directory.mkdir(exist_ok=True)
    for old in directory.iterdir():
        old.unlink()
    write(b"id ../a.wav\n", "kaldi/wav.scp")
    write(content, f"kaldi/{name}")
    try:
        manifest = read_manifest(directory)
    except BadInput as problem:
        assert name in str(problem)
    else:
        UTTERANCES.to_arrow(manifest.utterances)
