"""Files of transcripts alone, as `workbench check FILE` and `workbench score REF HYP` take them."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.errors import BadInput
from workbench.manifests.faults import Faults
from workbench.manifests.line_files import looks_like_kaldi, write_lines
from workbench.manifests.manifest import write_manifest
from workbench.manifests.matching import match_ids
from workbench.manifests.transcripts import read_hypotheses, read_references, read_transcripts
from workbench.manifests.trn import write_trn


def put(tmp_path: Path, name: str, content: str | bytes) -> Path:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return path


def pairs_of(
    tmp_path: Path, name: str, reference: str, hypothesis: str
) -> tuple[dict[str, tuple[str, str]], list[str]]:
    references = read_references(put(tmp_path, f"ref{name}", reference))
    pairs, report = match_ids(references, read_hypotheses(put(tmp_path, f"hyp{name}", hypothesis)))
    return {row.utterance_id: (row.reference, row.hypothesis) for row in pairs.itertuples()}, report


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
    content = ";; a comment\n<s> he was (not) a man </s> (a-1)\n;;x (y)\n네 (b_2) \t\n(c)\n \n"
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
        ("r.csv", "id,text\na,x\na,y\n", r"r\.csv:3: a: found utterance 'a' by 'reference' again, after .*r\.csv:2; "),
        ("r.csv", "id,words\na,x\n", "found no column of texts among 'id', 'words'; expected one named text, "),
        ("r.csv", "text\nx\n", "found no column of ids among 'text'"),
        ("r.csv", "id,text\na\n", r"r\.csv:2: line 2: found 1 cells"),
        ("r.csv", "id,text\n,x\n", r"r\.csv:2: line 2: found a row without an id"),
        ("r.jsonl", '{"id": "a", "text": "x"}\n{\n', r"r\.jsonl:2: .*not JSON"),
        ("r.trn", "x (a)\ny\n", r"r\.trn:2: line 2: found 'y'; expected `text \(id\)`"),
        ("text", "a x\n y\n", r"text:2: line 2: found no id"),
        ("r.trn", "x (a)\nx (um) y\n", r"r\.trn:2: line 2: found 'x \(um\) y'; expected `text \(id\)`"),
        ("r.trn", "x (a b)\n", "without spaces"),
        (
            "r.trn",
            "x (a)\ny (A)\n",
            r"found utterance 'A' by 'reference' again, after .*r\.trn:1, where it is 'a': sclite",
        ),
        ("r.txt", "a\0\n", "the character NUL"),
        ("r.csv", "id,text\nx,a\0\n", r"r\.csv:2: line 2: found the character NUL in the text"),
        ("r.csv", "id,text,text\nx,a,b\n", "2 columns are named 'text', the columns 2, 3; expected one; rename"),
        ("r.csv", "id,ID,text\nx,y,b\n", "2 columns are named 'id', the columns 1, 2"),
        ("r.jsonl", '{"id": "a", "text": "\\ud800"}\n', r"r\.jsonl:1: .*surrogates not allowed"),
        ("r.jsonl", '{"id": "a", "text": 7}\n', r"r\.jsonl:1: .*text '7', which is not text"),
        ("r.jsonl", '{"id": "a", "words": "x"}\n', "found no column of texts among 'id', 'words'"),
        ("r.jsonl", "\n{}\n", "found no column of texts among"),
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


def test_encodings(tmp_path: Path) -> None:
    expected = [("1", "네"), ("2", "둘")]
    for content in (b"\xef\xbb\xbf", b""):
        path = put(tmp_path, "r.trn", content + "네 (1)\r\n둘 (2)\r\n".encode())
        assert list(read_references(path)[["utterance_id", "reference"]].itertuples(index=False, name=None)) == expected
    for encoding, named in (("cp949", "CP949"), ("utf-16", "UTF-16")):
        for name, content in (("r.trn", "네 (1)\n"), ("r.csv", "id,text\n1,네\n"), ("r.txt", "네\n")):
            with pytest.raises(BadInput, match=f"which is not UTF-8; .*iconv -f {named} -t UTF-8"):
                read_references(put(tmp_path, name, content.encode(encoding)))


def test_a_huge_cell_and_a_formula_are_texts(tmp_path: Path) -> None:
    long = "네 " * 200_000
    path = put(tmp_path, "r.csv", f'id,text\n1,"{long}"\n2,"=cmd|\' /C calc\'!A0"\n3,"two\nlines, ""quoted"""\n')
    assert read_references(path)["reference"].tolist() == [long, "=cmd|' /C calc'!A0", 'two\nlines, "quoted"']


# -- which column -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "reference", "hypothesis"),
    [
        ("files,actual,transcription_en-US,word_error_rate,scores", "actual", "transcription_en-US"),
        ("filename,text,azure_transcription,azure_word_error_rate", "text", "azure_transcription"),
        ("path,reference,predicted", "reference", "predicted"),
        ("id,sentence,hyp,wer", "sentence", "hyp"),
        ("id,actual,transcription", "actual", "transcription"),
        ("audio_filepath,duration,text,pred_text", "text", "pred_text"),
        ("id,text,reference,hypothesis", "reference", "hypothesis"),
        ("id,raw_transcription,transcription", "transcription", None),
        ("id,text,transcript", None, None),
        ("id,reference,actual,hyp,pred", None, None),
        ("id,reference", "reference", None),
        ("id,text,azure_text", "text", None),
        ("id,text,google_transcription,azure_transcription", "text", None),
        ("id,text,normalized_text", "text", None),
        ("id,text,transcript_source,asr_confidence", "text", "text"),
        ("id,hypothesis", None, "hypothesis"),
        ("INPUT:id,OUTPUT:transcription", "transcription", "transcription"),
    ],
)
def test_the_text_is_the_column_that_is_meant_or_none_is_taken(
    tmp_path: Path, header: str, reference: str | None, hypothesis: str | None
) -> None:
    names = [name.rpartition(":")[2] for name in header.split(",")]
    path = put(
        tmp_path, "m.csv", f"{header}\n" + ",".join(name if name != "duration" else "1" for name in names) + "\n"
    )
    for read_file, role, expected in (
        (read_references, "reference", reference),
        (read_hypotheses, "hypothesis", hypothesis),
    ):
        if expected is not None:
            assert read_file(path)[role].tolist() == [expected]
        else:
            with pytest.raises(
                BadInput, match=r"columns may hold .*; name the one that is meant, as .*m\.csv:|no column"
            ):
                read_file(path)


def test_a_column_is_named_behind_the_file(tmp_path: Path) -> None:
    path = put(tmp_path, "m.csv", "id,text,azure_text,google_text,reference\n1,a,b,c,d\n")
    assert read_hypotheses(f"{path}:azure_text")["hypothesis"].tolist() == ["b"]
    assert read_hypotheses(path, column="GOOGLE_TEXT")["hypothesis"].tolist() == ["c"]
    again = read_references(f"{path}:text")
    assert again[["reference", "tag_reference"]].values.tolist() == [["a", "d"]]
    lines = put(tmp_path, "m.jsonl", '{"id": "1", "text": "a", "asr:1": "b"}\n')
    assert read_hypotheses(f"{lines}:asr:1")["hypothesis"].tolist() == ["b"]
    put(tmp_path, "m.csv:azure_text", "1 x\n").rename(tmp_path / "text.csv:azure_text")
    assert read_references(tmp_path / "text.csv:azure_text")["reference"].tolist() == ["x"]
    for given_path, message in (
        (f"{path}:azure", r"m\.csv:1: found no column 'azure' among 'id', 'text', 'azure_text'"),
        (f"{path}:id", "found no column of ids"),
        (f"{put(tmp_path, 'r.trn', 'x (a)')}:text", r"r\.trn has no columns, so none named 'text'"),
        (f"{tmp_path / 'absent.csv'}:text", "absent.csv:text"),
    ):
        with pytest.raises(BadInput, match=message):
            read_references(given_path)


# -- rows that cannot be used -----------------------------------------------------------------------------------------


def test_bad_rows_stop_with_one_report_or_are_left_out(tmp_path: Path) -> None:
    bad = "".join(f",{n}\n" for n in range(7))
    path = put(tmp_path, "m.csv", f"id,text\nok,a\n{bad}x,1,2\nlast,b\n")
    with pytest.raises(BadInput) as caught:
        read_references(path)
    lines = str(caught.value).split("\n")
    reason = "found a row without an id; expected an id, or the name of an audio file; fill it in or remove the row"
    assert lines == [
        f"{path}: found 8 problems; 2 rows can be used:",
        *(f"  {path}:{n}: line {n}: {reason}" for n in range(3, 8)),
        "  … and 3 more",
        "correct or remove them; score and compare leave them out with --partial",
    ]
    faults = Faults()
    assert read_references(path, faults=faults)["utterance_id"].tolist() == ["ok", "last"]
    assert [row["location"] for row in faults.rows] == [f"{path}:{n}" for n in range(3, 11)]
    with pytest.raises(BadInput, match="found 1 problem; 0 rows can be used"):
        read_references(put(tmp_path, "none.csv", "id,text\n,a\n"), faults=Faults())


def test_repeated_ids_are_counted_and_none_of_their_texts_is_taken(tmp_path: Path) -> None:
    path = put(
        tmp_path, "r.trn", "".join(f"{text} (u_{n})\n" for text in ("x", "y", "z") for n in range(6)) + "ok (v)\n"
    )
    with pytest.raises(BadInput) as caught:
        read_hypotheses(path)
    message = str(caught.value)
    assert "found 6 problems; 1 rows can be used" in message
    assert f"{path}:7: u_0: found utterance 'u_0' again, after {path}:1; expected one text of each utterance" in message
    assert "u_4" in message and "u_5" not in message and "… and 1 more" in message
    faults = Faults()
    assert read_hypotheses(path, faults=faults)["utterance_id"].tolist() == ["v"]
    assert [row["item"] for row in faults.rows] == [f"u_{n}" for n in range(6)]


# -- ids --------------------------------------------------------------------------------------------------------------


def test_ids_from_audio_paths_join_without_directory_and_suffix(tmp_path: Path) -> None:
    matched, report = pairs_of(
        tmp_path, ".csv", "files,actual\n/mnt/c/clips/a1.mp3,x\n./b2.,y\n", "path,predicted\nen/b2.wav,Y\na1.,X\n"
    )
    assert (matched, report) == ({"a1": ("x", "X"), "b2": ("y", "Y")}, [])


def test_clips_of_one_name_in_several_directories_are_kept_apart(tmp_path: Path) -> None:
    rows = "files,text\none/a.wav,x\ntwo/a.wav,y\nb.wav,z\n"
    matched, report = pairs_of(tmp_path, ".csv", rows, rows)
    assert (sorted(text for text, _ in matched.values()), report) == (["x", "y", "z"], [])
    assert len(matched) == 3 and all(reference == hypothesis for reference, hypothesis in matched.values())
    _, report = pairs_of(tmp_path, ".csv", rows, "files,text\na.wav,x\nb.wav,z\n")
    assert report[0].startswith("2 references have no hypothesis in")


def test_what_has_no_counterpart_is_reported(tmp_path: Path) -> None:
    reference = "".join(f"x (r{n})\n" for n in range(7)) + "y (Both)\nz (c_1)\n"
    matched, report = pairs_of(tmp_path, ".trn", reference, "y (Both)\nz (C_1)\n")
    assert matched == {"Both": ("y", "y")}
    assert report == [
        f"8 references have no hypothesis in {tmp_path}/hyp.trn, of 9 ('r0', 'r1', 'r2', 'r3', 'r4', …)",
        f"1 hypothesis of {tmp_path}/hyp.trn has no reference in {tmp_path}/ref.trn, of 2 ('C_1')",
        "1 id differs only in upper and lower case or in Unicode form, as 'c_1' and 'C_1': unlike sclite, ids are "
        "compared as written; write them alike",
        "texts are matched by id as written, and one without its counterpart counts neither as deleted nor as "
        "inserted: correct the ids, or score the 1 that matches with --partial",
    ]
    with pytest.raises(BadInput, match=r"no utterance stands in both .*ref.trn \(its ids are 'a'\) and .* \('b'\)"):
        pairs_of(tmp_path, ".trn", "x (a)\n", "x (b)\n")


def test_frames_from_elsewhere_are_matched_too() -> None:
    references = pd.DataFrame({"utterance_id": ["a", "b"], "reference": ["x", "y"], "hypothesis": ["no", "no"]})
    hypotheses = pd.DataFrame({"utterance_id": ["b", "c"], "hypothesis": ["Y", "Z"], "confidence": [0.5, 0.6]})
    pairs, report = match_ids(references, hypotheses)
    assert pairs.to_dict("records") == [{"utterance_id": "b", "reference": "y", "hypothesis": "Y", "confidence": 0.5}]
    assert report[0] == "1 reference has no hypothesis in the hypotheses, of 2 ('a')"
    with pytest.raises(BadInput, match="the hypotheses: 1 utterances stand more than once: 'b'"):
        match_ids(references, pd.concat([hypotheses, hypotheses[:1]]))


# -- lines without ids ------------------------------------------------------------------------------------------------


def test_lines_of_txt_are_matched_by_number_and_blank_ones_stay(tmp_path: Path) -> None:
    assert pairs_of(tmp_path, ".txt", "네\n\n아니\n", "\n\n아니요\n") == (
        {"1": ("네", ""), "2": ("", ""), "3": ("아니", "아니요")}, []
    )  # fmt: skip
    assert pairs_of(tmp_path, ".txt", "네\n", "\n")[0] == {"1": ("네", "")}
    with pytest.raises(BadInput, match=r"ref\.txt has 3 lines and .*hyp\.txt has 2; expected as many"):
        pairs_of(tmp_path, ".txt", "a\nb\nc\n", "a\nc\n")


@pytest.mark.parametrize(
    ("reference", "hypothesis", "remedy"),
    [
        ("utt_1 a b\nutt_2 c\n", "utt_2 c\nutt_1 a d\n", "name it `text`, as Kaldi does"),
        ("utt_1 a b\nutt_2 c\n", "utt_1 a b\n", "expected as many"),
        ("84-121-0 a b\n84-121-1\n", "84-121-0 a\n84-121-1 b\n", "name it `text`"),
        ("1 a\n2 b\n3 c\n", "1 a\n2 d\n3 c\n", "name it `text`"),
        ("".join(f"u{n} a\n" for n in range(5)), "a\n" * 5, "name it `text`"),
        ("a b (u_1)\nc (u_2)\n", "a (u_1)\nc (u_2)\n", r"name it with the suffix \.trn"),
    ],
)
def test_a_txt_whose_lines_hold_ids_is_not_scored_with_them(
    tmp_path: Path, reference: str, hypothesis: str, remedy: str
) -> None:
    with pytest.raises(BadInput, match=remedy):
        pairs_of(tmp_path, ".txt", reference, hypothesis)


def test_a_txt_against_a_file_with_its_ids(tmp_path: Path) -> None:
    references = read_references(put(tmp_path, "text", "utt_1 a\nutt_2 b\n"))
    hypotheses = read_hypotheses(put(tmp_path, "hyp.txt", "utt_1 a\nutt_2 b\n"))
    with pytest.raises(
        BadInput, match=r"hyp\.txt: every line seems to hold its id, as 'utt_1 a', but .*name it `text`"
    ):
        match_ids(references, hypotheses)


@pytest.mark.parametrize(
    "lines",
    [
        ["4 o'clock", "5 o'clock"],
        ["utt_1 a"],
        ["utt_1", "utt_2"],
        ["utt_1 a", "utt_1 b"],
        ["utt_1 a", "b c"],
        ["7 3 1", "0 4", "9 9 2"],
        ["10월 5일", "11월 5일"],
        ["the cat", "a dog"],
        [],
    ],
)
def test_words_are_not_taken_for_ids(lines: list[str]) -> None:
    assert not looks_like_kaldi(lines)


# -- round trips ------------------------------------------------------------------------------------------------------

TEXTS = st.text(
    st.characters(exclude_categories=["Cs"]) | st.sampled_from(list("\n\r\t \"';,()<>\ufeff\u2028")), max_size=12
)
IDS = st.text(st.sampled_from([*"aZ0_-.네é;()= ,\"'", "\t", "\u3000"]), min_size=1, max_size=6)
ROWS = st.dictionaries(IDS, TEXTS, min_size=1, max_size=4)


def texts_of(path: Path) -> dict[str, str]:
    frame = read_references(path)
    return dict(zip(frame["utterance_id"], frame["reference"], strict=True))


@given(rows=ROWS)
@settings(max_examples=300, deadline=None)
def test_what_trn_can_hold_comes_back(tmp_path_factory: pytest.TempPathFactory, rows: dict[str, str]) -> None:
    path = tmp_path_factory.mktemp("trn") / "r.trn"
    try:
        write_trn(path, list(rows.items()))
    except BadInput as problem:
        assert "cannot hold" in str(problem) or "for one" in str(problem)
        assert not path.exists()
        return
    assert texts_of(path) == rows


@given(texts=st.lists(TEXTS, min_size=1, max_size=5))
@settings(max_examples=300, deadline=None)
def test_what_txt_can_hold_comes_back(tmp_path_factory: pytest.TempPathFactory, texts: list[str]) -> None:
    path = tmp_path_factory.mktemp("txt") / "r.txt"
    try:
        write_lines(path, texts)
    except BadInput as problem:
        assert "cannot hold the text" in str(problem)
        return
    assert list(texts_of(path).values()) == texts


@given(rows=ROWS)
@settings(max_examples=200, deadline=None)
@pytest.mark.parametrize(("format", "name"), [("csv", "r.csv"), ("tsv", "r.tsv"), ("nemo", "r.jsonl")])
def test_what_csv_and_jsonl_can_hold_comes_back(
    tmp_path_factory: pytest.TempPathFactory, format: str, name: str, rows: dict[str, str]
) -> None:
    path = tmp_path_factory.mktemp("columns") / name
    utterances = pd.DataFrame({"utterance_id": list(rows), "recording": "/a.wav"}).astype("str")
    transcripts = pd.DataFrame({"utterance_id": list(rows), "annotator": "reference", "text": list(rows.values())})
    try:
        write_manifest(path, format, utterances, transcripts)
    except BadInput as problem:
        assert "utterance_id" in str(problem) or "NUL" in str(problem)
        return
    assert texts_of(path) == rows


def test_what_cannot_be_written_says_so(tmp_path: Path) -> None:
    for rows, message in (
        ([("a", "two\nlines")], "a line of trn cannot hold the id 'a' with the text"),
        ([("a b", "x")], "an id without spaces and parentheses"),
        ([("a", "x ")], "without spaces at its end"),
        ([("a", ";; x")], "cannot hold"),
        ([("a", "x"), ("A", "y")], "sclite takes the ids 'a' and 'A' for one"),
        ([("a", "\ud800")], "half a surrogate pair"),
        ([], "there are no texts to write"),
    ):
        with pytest.raises(BadInput, match=message):
            write_trn(tmp_path / "r.trn", rows)
    for texts, message in ((["a\nb"], "line 1 cannot hold"), (["a", "b\r"], "line 2 cannot hold"), ([], "no texts")):
        with pytest.raises(BadInput, match=message):
            write_lines(tmp_path / "r.txt", texts)
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(shutil.which("sctk") is None, reason="sclite is not installed (package sctk)")
def test_sclite_reads_the_same_utterances_of_trn(tmp_path: Path) -> None:
    content = ";; x (no)\nhello (um) world (s_1)\n\n(s_2)\n;;y (no)\nx(s_3)\na (b) c (s_4) \t\n"
    path = put(tmp_path, "r.trn", content)
    done = subprocess.run(
        ["sctk", "sclite", "-r", path, "trn", "-h", path, "trn", "-i", "spu_id", "-o", "pralign", "stdout"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    blocks = [block.splitlines() for block in done.stdout.split("id: (")[1:]]
    heard = {
        block[0].rstrip(")"): [word for line in block if line.startswith("REF:") for word in line.split()[1:]]
        for block in blocks
    }
    assert heard == {key: text.split() for key, text in texts_of(path).items()}
    assert list(heard) == ["s_1", "s_2", "s_3", "s_4"]


# -- real files -------------------------------------------------------------------------------------------------------

FOUR = "asr_outputs/common-voice-four-systems"
TAGGED = "asr_outputs/common-voice-tagged"


@pytest.mark.parametrize(
    ("system", "matched", "other_references"),
    [("azure", 7016, 0), ("deepspeech", 7016, 57), ("watson", 7016, 0), ("google", 7015, 1)],
)
def test_four_systems_join_on_the_clips(shared_data: Path, system: str, matched: int, other_references: int) -> None:
    path = shared_data / FOUR / f"{system}.csv"
    pairs, report = match_ids(read_references(shared_data / FOUR / "azure.csv"), read_hypotheses(path))
    assert (len(pairs), len(report)) == (matched, 0 if matched == 7016 else 3)
    # In azure.csv and watson.csv the quotes of 57 references are encoded twice; one of Google's was edited.
    both = pairs.merge(read_references(path)[["utterance_id", "reference"]], on="utterance_id", suffixes=("", "_own"))
    assert (len(both), int((both["reference"] != both["reference_own"]).sum())) == (matched, other_references)
    assert pairs["word_error_rate"].str.fullmatch(r"-?[0-9.eE-]+").all()
    assert not pairs["utterance_id"].str.contains("[/.]").any()


@pytest.mark.parametrize(
    ("name", "faults", "matched"),
    [
        ("azur.csv", 1, 4076),
        ("deepspeech.csv", 0, 4075),
        ("google.csv:google_transcriptionUS", 0, 4076),
        ("combined.csv:azure_transcription", 1, 4076),
    ],
)
def test_tagged_clips_keep_their_tags(shared_data: Path, name: str, faults: int, matched: int) -> None:
    with pytest.raises(BadInput, match=r"combined\.csv: found 1 problem; 4076 rows can be used:\n"):
        read_references(shared_data / TAGGED / "combined.csv")
    left_out = Faults()
    references = read_references(shared_data / TAGGED / "combined.csv", faults=left_out)
    hypotheses = read_hypotheses(f"{shared_data / TAGGED}/{name}", faults=left_out)
    pairs, report = match_ids(references, hypotheses)
    assert (len(left_out.rows), len(pairs)) == (1 + faults, matched)
    assert pairs[["gender", "age", "accent"]].notna().sum().tolist() == [1540, 1528, 1350]
    assert ("as 'sample-000000' and 'Sample-000000'" in " ".join(report)) == (matched == 4075)


@pytest.mark.parametrize("name", ["combined.csv", "google.csv"])
def test_a_file_of_several_systems_asks_which(shared_data: Path, name: str) -> None:
    with pytest.raises(BadInput, match="4 columns may hold a recogniser's texts: 'google_transcriptionUS', "):
        read_hypotheses(shared_data / TAGGED / name)


def test_jsonl_with_both_texts(tmp_path: Path) -> None:
    rows = [("a", "x", "X"), ("b", "y", None), ("c", None, "Z")]
    lines = [{"audio_filepath": f"wav/{i}.wav", "duration": 1.5, "text": t, "pred_text": p} for i, t, p in rows]
    path = put(tmp_path, "m.jsonl", "".join(json.dumps(line) + "\n" for line in lines))
    pairs, report = match_ids(read_references(path), read_hypotheses(path))
    assert pairs[["utterance_id", "reference", "hypothesis"]].values.tolist() == [["a", "x", "X"]]
    assert pairs["duration"].tolist() == [1.5]
    assert [sentence[:16] for sentence in report[:2]] == ["1 reference has ", "1 hypothesis of "]
