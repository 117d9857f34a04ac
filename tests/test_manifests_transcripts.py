"""Files of transcripts alone, as `workbench check FILE` and `workbench score REF HYP` take them."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench.errors import BadInput
from workbench.manifests.transcripts import read_transcripts


def read(tmp_path: Path, name: str, content: str) -> list[tuple[str, str, str]]:
    path = tmp_path / name
    path.write_text(content, encoding="utf-8", newline="")
    frame = read_transcripts(path)
    assert list(frame.columns)[:4] == ["utterance_id", "annotator", "text", "source_detail"]
    return list(frame[["utterance_id", "annotator", "text"]].itertuples(index=False, name=None))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("r.csv", "utterance_id,text\nnan,네\n007, Um \n"),
        ("r.csv", "utterance_id;hypothesis\nnan;네\n007; Um \n"),
        ("r.tsv", "audio\ttranscription\nx/nan.wav\t네\nhttps://example.org/007.mp3\t Um \n"),
        ("r.jsonl", '{"id": "nan", "pred_text": "네"}\n{"audio_filepath": "x/007.wav", "pred_text": " Um "}\n'),
        ("text", "nan 네\n007  Um \n"),
        ("text.hyp", "nan 네\n007  Um \n"),
        ("hypotheses", "nan\t네\n007\t Um \n"),
    ],
)
def test_every_kind_of_file(tmp_path: Path, name: str, content: str) -> None:
    assert read(tmp_path, name, content) == [("nan", "reference", "네"), ("007", "reference", " Um ")]


@pytest.mark.parametrize("name", ["r.trn", "transcription", "hypotheses"])
def test_trn(tmp_path: Path, name: str) -> None:
    content = "<s> he was (not) a man </s> (a-1)\n네 (b_2)\n(c)\n\n"
    assert read(tmp_path, name, content) == [
        ("a-1", "reference", "he was (not) a man"), ("b_2", "reference", "네"), ("c", "reference", "")
    ]  # fmt: skip


def test_lines_of_txt_are_numbered_and_blank_ones_are_empty_transcripts(tmp_path: Path) -> None:
    content = "네\r\n\r\n  b\u2028c \n"
    assert read(tmp_path, "r.txt", content) == [
        ("1", "reference", "네"), ("2", "reference", ""), ("3", "reference", "  b\u2028c ")
    ]  # fmt: skip


def test_other_columns_and_unlabelled_rows(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_text("id,annotator,text,duration,age\na,ann_a,x,1.5,7\na,ann_b,,2,\nb,,,,\n")
    frame = read_transcripts(path)
    assert list(frame.columns) == ["utterance_id", "annotator", "text", "source_detail", "duration", "age"]
    assert frame["source_detail"].tolist() == [f"{path}:2", f"{path}:3"]
    assert (frame["duration"].tolist(), frame["text"].tolist()) == ([1.5, 2.0], ["x", ""])


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("r.csv", "id,text\na,x\na,y\n", r"r\.csv:3: found utterance 'a' by 'reference' again, after .*r\.csv:2; "),
        ("r.csv", "id,words\na,x\n", "found no column of texts among 'id', 'words'; expected one named text, "),
        ("r.csv", "text\nx\n", "found no column of ids among 'text'"),
        ("r.csv", "id,text\na\n", r"r\.csv:2: line 2: found 1 cells"),
        ("r.csv", "id,text\n,x\n", r"r\.csv:2: line 2: found a row without an id"),
        ("r.jsonl", '{"id": "a", "text": "x"}\n{\n', r"r\.jsonl:2: .*not JSON"),
        ("r.trn", "x (a)\ny\n", r"r\.trn:2: line 2: found 'y'; expected `text \(id\)`"),
        ("text", "a x\n y\n", r"text:2: line 2: found no id"),
        ("r.txt", "a\0\n", "the character NUL"),
        ("r.txt", "", "is empty"),
        ("r.docx", "x", "is of no known kind; expected .csv"),
    ],
)
def test_what_cannot_be_read(tmp_path: Path, name: str, content: str, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        read(tmp_path, name, content)


def test_crowdspeech_has_a_quoted_text_over_lines(shared_data: Path) -> None:
    frame = read_transcripts(shared_data / "crowdspeech" / "crowdspeech-dev-clean-crowd.tsv")
    assert (len(frame), frame["utterance_id"].nunique(), frame["annotator"].nunique()) == (18921, 2703, 748)
    assert frame["text"].str.contains("\n").sum() > 100
    assert frame.loc[0, ["utterance_id", "annotator"]].tolist() == ["76", "1612"]


def test_librivox_transcription(shared_data: Path) -> None:
    frame = read_transcripts(shared_data / "librivox" / "transcription")
    assert frame["utterance_id"].str.endswith(("0870", "0880", "0890", "0920", "0930")).all()
    assert frame["text"][1] == "he was not an ill disposed young man"
