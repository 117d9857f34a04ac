"""NIST's stm and ctm files, and which words fall to which segment: the same as in sclite."""

from __future__ import annotations

from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sclite_program import (
    sclite_segments,
    sclite_stm,
    sclite_stm_alignments,
    sclite_trn,
    sclite_trn_alignments,
)
from workbench.errors import BadInput
from workbench.manifests.ctm import read_ctm
from workbench.manifests.stm import read_stm
from workbench.manifests.time_mediated import Unpaired, pair_by_time

IGNORED = "IGNORE_TIME_SEGMENT_IN_SCORING"


def written(tmp_path: Path, name: str, text: str) -> Path:
    path = tmp_path / name
    path.write_bytes(text.encode())
    return path


def paired(tmp_path: Path, stm: str, ctm: str) -> tuple[pd.DataFrame, Unpaired]:
    return pair_by_time(read_stm(written(tmp_path, "r.stm", stm)), read_ctm(written(tmp_path, "h.ctm", ctm)))


def texts(pairs: pd.DataFrame) -> list[tuple[str, str, str]]:
    return list(pairs[["utterance_id", "reference", "hypothesis"]].itertuples(index=False, name=None))


def rows(frame: pd.DataFrame) -> list[tuple[object, ...]]:
    return list(frame.astype(object).where(frame.notna(), None).itertuples(index=False, name=None))


# Reading


def test_segments_as_they_are_written(tmp_path: Path) -> None:
    stm = (
        '\ufeff;; CATEGORY "0" "" ""\r\n'
        ';; CATEGORY "1" "Speaker//Sex" ""\r\n'
        ';; LABEL "O" "Overall" "Overall"\r\n'
        ';; LABEL "F" "Female" "Female Talkers"\r\n'
        "\r\n"
        "call_1 A spk1 0.5 2 <O,F,x> i've { um / uh / @ }  (seen) it\r\n"
        "call_1\tA  spk2 2.00 3.1\r\n"
        "call_1 B spk1 0 9 <O,,x>\r\n"
        f"call_2 1 spk3 0 1 {IGNORED.lower()}\r\n"
        "call_2 1 spk3 1 2 네 <F>"
    )
    frame = read_stm(written(tmp_path, "r.stm", stm))
    assert list(frame.columns) == [
        "recording", "channel", "speaker", "start", "end", "labels", "text", "ignored", "line",
        "label_1", "Speaker Sex", "label_3",
    ]  # fmt: skip
    assert rows(frame) == [
        ("call_1", "A", "spk1", 0.5, 2.0, ["O", "F", "x"], "i've { um / uh / @ }  (seen) it", False, 6,
         "Overall", "Female", "x"),
        ("call_1", "A", "spk2", 2.0, 3.1, [], "", False, 7, None, None, None),
        ("call_1", "B", "spk1", 0.0, 9.0, ["O", "", "x"], "", False, 8, "Overall", None, "x"),
        ("call_2", "1", "spk3", 0.0, 1.0, [], IGNORED.lower(), True, 9, None, None, None),
        ("call_2", "1", "spk3", 1.0, 2.0, [], "네 <F>", False, 10, None, None, None),
    ]  # fmt: skip


def test_a_category_cannot_take_the_name_of_another_column(tmp_path: Path) -> None:
    stm = ';; CATEGORY "0" "speaker" ""\n;; CATEGORY "1" "sex" ""\n;; CATEGORY "2" "sex" "again"\nf A s 0 1 <a,b,c>\n'
    assert list(read_stm(written(tmp_path, "r.stm", stm)).columns[9:]) == ["tag_speaker", "sex", "sex_2"]


def test_labels_that_share_a_title_stay_apart(tmp_path: Path) -> None:
    stm = ';; LABEL "a" "Noise" ""\n;; LABEL "b" "Noise" ""\n;; LABEL "a" "Later" ""\nf A s 0 1 <a>\nf A s 1 2 <b>\n'
    assert read_stm(written(tmp_path, "r.stm", stm))["label_1"].tolist() == ["a", "b"]


def test_words_as_they_are_written(tmp_path: Path) -> None:
    ctm = (
        "; comment\n;; another\n\nf A 11.34 0.2  YES -6.763\r\nf A 12 .5 네 NA\nf B 1e1 0 (uh) 0.5 lex spk1\nf B 1 1 x"
    )
    frame = read_ctm(written(tmp_path, "h.ctm", ctm))
    assert list(frame.columns) == ["recording", "channel", "start", "duration", "word", "confidence", "line"]
    assert rows(frame) == [
        ("f", "A", 11.34, 0.2, "YES", -6.763, 4),
        ("f", "A", 12.0, 0.5, "네", None, 5),
        ("f", "B", 10.0, 0.0, "(uh)", 0.5, 6),
        ("f", "B", 1.0, 1.0, "x", None, 7),
    ]


def test_bad_lines_of_an_stm_are_named_together(tmp_path: Path) -> None:
    path = written(
        tmp_path, "r.stm",
        "f A s 0\nf A s 0 1 fine\nf A s x 1 a\nf A s 2 1 a\nf A s 0 1 <O,F a\nf A s -1 1 a\n"
        "f A s 0 nan a\nf A \x07 0 1\n",
    )  # fmt: skip
    with pytest.raises(BadInput) as raised:
        read_stm(path)
    assert str(raised.value) == (
        f"{path}: 7 of 8 lines cannot be used:\n"
        f"  {path}:1: found 'f A s 0'; expected `recording channel speaker start end text`; "
        "correct or remove the line\n"
        f"  {path}:3: found start 'x'; expected seconds from 0 on, as 1.25; correct the line\n"
        f"  {path}:4: found end 1 s, start 2 s; expected an end after the start; correct one of them\n"
        f"  {path}:5: found the labels '<O,F'; expected a list in angle brackets, as <O,F,00>; "
        "close it, or begin the text otherwise\n"
        f"  {path}:6: found start '-1'; expected seconds from 0 on, as 1.25; correct the line\n"
        "  … and 2 more"
    )


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("f A 0 1", "found 'f A 0 1'; expected `recording channel start duration word"),
        ("f A 0 1 w 1 lex spk1 more", "expected `recording channel start duration word"),
        ("f A 0 -1 w", "found duration '-1'; expected seconds"),
        (
            "f A 0 1 new york",
            "found confidence 'york'; expected a number or NA; correct it; a word cannot hold a blank",
        ),
        ("f A 0 1 w inf", "found confidence 'inf'"),
        ("f A * * <ALT_BEGIN>", "found the mark '<ALT_BEGIN>' of an alternation; expected one sequence of words"),
        ("f A 0 1 a\0b", "found the character NUL"),
    ],
)
def test_bad_lines_of_a_ctm_are_named(tmp_path: Path, line: str, reason: str) -> None:
    path = written(tmp_path, "h.ctm", f"f A 0 1 w\n{line}\n")
    with pytest.raises(BadInput) as raised:
        read_ctm(path)
    assert f"{path}: 1 of 2 lines cannot be used:\n  {path}:2: " in str(raised.value)
    assert reason in str(raised.value)


def test_an_stm_without_segments_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"r\.stm holds no segment"):
        read_stm(written(tmp_path, "r.stm", ";; nothing\n"))


# Pairing


def test_a_word_falls_to_the_segment_that_its_middle_lies_in(tmp_path: Path) -> None:
    stm = "f A spk1 0 1 a\nf A spk2 1 2 b\nf A spk1 3 4 <x> c\n"
    ctm = "f A 0.8 0.3 in1\nf A 0.9 0.2 in2\nf A 2.2 0.1 gap\nf A 3.5 0.1 in3\nf A 7 1 after\n"
    pairs, left = paired(tmp_path, stm, ctm)
    assert list(pairs.columns) == [
        "utterance_id", "reference", "hypothesis", "recording", "channel", "speaker", "start", "end", "label_1"
    ]  # fmt: skip
    assert rows(pairs) == [
        ("spk1-000", "a", "in1", "f", "A", "spk1", 0.0, 1.0, None),
        ("spk2-000", "b", "in2", "f", "A", "spk2", 1.0, 2.0, None),
        ("spk1-001", "c", "gap in3 after", "f", "A", "spk1", 3.0, 4.0, "x"),
    ]
    assert left.facts() == [
        "2 words lie outside of their segment, the next or the last one, which counts them as in sclite "
        "('gap' at 2.20 s of 'f A', 'after' at 7.00 s of 'f A')"
    ]


def test_ignored_segments_take_their_words_out(tmp_path: Path) -> None:
    stm = f"f A s 0 1 a\nf A s 1 2 {IGNORED}\nf A s 2 3 b\nf B s 0 1 {IGNORED}\n"
    ctm = "f A .1 .1 one\nf A 1.1 .1 two\nf A 2.1 .1 three\n"
    pairs, left = paired(tmp_path, stm, ctm)
    assert texts(pairs) == [("s-000", "a", "one"), ("s-001", "b", "three")]
    assert left.ignored["word"].tolist() == ["two"]
    assert left.facts() == ["1 word falls to ignored segments and is left out ('two' at 1.10 s of 'f A')"]


def test_the_order_of_the_lines_does_not_matter(tmp_path: Path) -> None:
    stm, ctm = ["f A s 0 1 a", "f A t 1 2 b", "f B u 0 1 c"], ["f A .1 .1 a", "f A 1.1 .1 b", "f B .1 .1 c"]
    pairs, _ = paired(tmp_path, "\n".join(stm), "\n".join(ctm))
    turned, _ = paired(tmp_path, "\n".join(stm[::-1]), "\n".join(ctm[::-1]))
    assert texts(turned) == texts(pairs)[::-1]


def test_recordings_on_one_side_only_are_counted_and_named(tmp_path: Path) -> None:
    stm = "f A s 0 1 a\n" + "".join(f"r{i} A s 0 1 a\n" for i in range(6))
    ctm = "f A .1 .1 a\nf B .1 .1 b\n" + "".join(f"h{i} A .1 .1 a\n" for i in range(6))
    pairs, left = paired(tmp_path, stm, ctm)
    assert texts(pairs)[:2] == [("s-000", "a", "a"), ("s-001", "a", "")]
    assert left.silent == [(f"r{i}", "A") for i in range(6)]
    assert left.facts() == [
        "6 channels have references and no word in the hypothesis ('r0 A', 'r1 A', 'r2 A', 'r3 A', 'r4 A', …); "
        "every reference word there counts as deleted",
        "7 words are of 7 channels without a reference ('f B', 'h0 A', 'h1 A', 'h2 A', 'h3 A', …) and left out",
    ]


def test_files_without_a_common_channel_are_refused(tmp_path: Path) -> None:
    with pytest.raises(
        BadInput, match=r"no channel stands in both the references \('f 1'\) and the hypothesis \('f A'"
    ):
        paired(tmp_path, "f 1 s 0 1 a\n", "f A 0 1 a\n")
    with pytest.raises(BadInput, match=r"the hypothesis \(no word\)"):
        paired(tmp_path, "f 1 s 0 1 a\n", ";; nothing was heard\n")


def test_the_case_of_names_matters_where_a_file_tells_them_apart_by_it(tmp_path: Path) -> None:
    assert texts(paired(tmp_path, "F a s 0 1 a\n", "f A 0 1 w\n")[0]) == [("s-000", "a", "w")]
    pairs, left = paired(tmp_path, "f A s 0 1 a\nF A s 0 1 b\n", "F A 0 1 w\n")
    assert texts(pairs) == [("s-000", "a", ""), ("s-001", "b", "w")]
    assert left.silent == [("f", "A")]


# Against sclite


def random_files(random: Random, strangers: bool = False) -> tuple[str, str]:
    """Sorted stm and ctm texts: gaps, overlaps, words on and across boundaries, ignored and empty segments, labels.

    Words stand for their number, so that no two of a channel are the same; with `strangers`, some of the words are of
    a recording that the stm does not have.
    """
    stm, ctm = [';; LABEL "O" "Overall" ""', ';; CATEGORY "0" "" ""'], [";; heard"]
    for recording in range(random.randint(1, 4)):
        for channel in random.choice(["1", "AB", "AB"]):
            segments, words = random_channel(random)
            stm += [f"rec{recording} {channel} {segment}" for segment in segments]
            ctm += [f"rec{recording} {channel} {word}" for word in words]
        if strangers and random.random() < 0.5:
            ctm.append(f"rec{recording} X 0 1 w")
    return "\n".join(stm) + "\n", "\n".join(ctm) + "\n"


def random_channel(random: Random) -> tuple[list[str], list[str]]:
    # Quarters, so that middles lie on boundaries; centi- and milliseconds, whose late ones 32 bits do not hold.
    unit = random.choice([4, 100, 1000])
    first = at = random.choice([0, 0, 7, 300 * unit, 4321 * unit])
    segments = []
    for _ in range(random.randint(1, 7)):
        at += random.choice([0, 0, random.randint(0, unit), -random.randint(0, unit // 4)])
        start = at = max(at, first)
        at += random.randint(0, 2 * unit)
        first = start
        labels = random.choice(["", "", " <O,F>", " <O,M,00>", " <>"])
        text = random.choice([IGNORED, "", *["a b", "(uh) the cat", "he- sat on <noise>", "네 그 그럼"] * 2])
        segments.append(f"spk{random.randint(1, 3)} {start / unit} {at / unit}{labels} {text}")
    words, start = [], max(0, int(float(segments[0].split()[1]) * unit) - unit)
    for number in range(random.choice([0, 1, random.randint(0, 30), random.randint(0, 30)])):
        duration = random.choice([0, random.randint(0, unit), 2 * random.randint(0, unit // 4)])
        words.append(f"{start / unit} {duration / unit} w{number}{random.choice(['', ' 0.5', ' NA'])}")
        start += random.choice([0, duration, random.randint(0, unit)])
    return segments, words


def read(stm: str, ctm: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    with TemporaryDirectory() as place:
        return read_stm(written(Path(place), "r.stm", stm)), read_ctm(written(Path(place), "h.ctm", ctm))


@given(seed=st.integers(0, 2**32))
def test_every_word_is_paired_once_or_named_as_left_out(seed: int) -> None:
    stm, ctm = read(*random_files(Random(seed), strangers=True))
    if not set(zip(stm["recording"], stm["channel"], strict=True)) & set(
        zip(ctm["recording"], ctm["channel"], strict=True)
    ):
        return
    pairs, left = pair_by_time(stm, ctm)
    heard = sum(len(text.split()) for text in pairs["hypothesis"])
    assert heard + len(left.unknown) + len(left.ignored) == len(ctm)
    assert len(pairs) == (~stm["ignored"]).sum()
    assert pairs["utterance_id"].is_unique


def test_words_fall_to_the_segments_that_sclite_gives_them_to() -> None:
    segments, words, files = 0, 0, 0
    for seed in range(300):
        stm_text, ctm_text = random_files(Random(seed))
        stm, ctm = read(stm_text, ctm_text)
        if not len(ctm) or stm["ignored"].all():
            continue
        pairs, left = pair_by_time(stm, ctm)
        expected = sclite_segments(stm_text, ctm_text)
        ours = {
            row.utterance_id: (row.recording, row.channel, row.reference.split(), row.hypothesis.split())
            for row in pairs.itertuples()
        }
        theirs = {
            key: (
                aligned.recording,
                aligned.channel,
                [reference for _, reference, _ in aligned.steps if reference],
                [hypothesis for _, _, hypothesis in aligned.steps if hypothesis],
            )
            for key, aligned in expected.items()
        }
        assert ours == theirs, f"seed {seed}"
        assert not len(left.unknown)
        files, segments, words = files + 1, segments + len(ours), words + len(ctm)
    assert (files > 250, segments > 2000, words > 5000) == (True, True, True)


def test_a_middle_on_a_boundary_is_decided_in_32_bits_as_sclite_does(tmp_path: Path) -> None:
    # 0.1 is a little more than itself in 32 bits and 0.3 in 64 bits less: the two boundaries go different ways.
    stm = "f A s 0 0.1 a\nf A t 0.1 0.7 b\nf A u 0.7 1 c\n"
    ctm = "f A 0.1 0 x\nf A 0.7 0 y\n"
    assert texts(paired(tmp_path, stm, ctm)[0]) == [("s-000", "a", "x"), ("t-000", "b", ""), ("u-000", "c", "y")]
    assert {key: [h for _, _, h in aligned.steps if h] for key, aligned in sclite_segments(stm, ctm).items()} == {
        "s-000": ["x"], "t-000": [], "u-000": ["y"]
    }  # fmt: skip


# The program itself


def test_sclite_counts_texts_of_any_kind_by_any_id() -> None:
    references = {"a b": 'Hello wörld a:b "q" 안녕', "x": "", "y)": ";; com (x)", "z": ""}
    hypotheses = {"a b": 'hello wörld a:b "q" 안녕 n', "x": "i", "y)": "com (x", "z": ""}
    assert sclite_trn(references, hypotheses) == {
        "a b": (4, 1, 0, 1), "x": (0, 0, 0, 1), "y)": (1, 1, 1, 0), "z": (0, 0, 0, 0)
    }  # fmt: skip
    assert sclite_trn_alignments(references, hypotheses)["a b"] == [
        ("substitute", "Hello", "hello"), ("equal", "wörld", "wörld"), ("equal", "a:b", "a:b"), ("equal", '"q"', '"q"'),
        ("equal", "안녕", "안녕"), ("insert", "", "n"),
    ]  # fmt: skip
    optional = sclite_trn_alignments({"a": "(uh) he- is"}, {"a": "hear is"}, "-D", "-F")
    assert optional == {"a": [("equal", "(uh)", ""), ("equal", "he-", "hear"), ("equal", "is", "is")]}


def test_sclite_counts_segments_by_its_own_ids() -> None:
    stm = f"f A s 0 1 <O,M> a b\nf A s 1 2 {IGNORED}\nf A s 2 3\n"
    ctm = "f A .1 .1 a 0.5\nf A 1.1 .1 x\nf A 2.1 .1 y\n"
    assert sclite_stm(stm, ctm) == {"s-000": (1, 0, 1, 0), "s-001": (0, 0, 0, 1)}
    assert sclite_stm_alignments(stm, ctm)["s-000"] == [("equal", "a", "a"), ("delete", "b", "")]
    assert sclite_segments(stm, ctm)["s-000"][1:] == ("f", "A", "<O,M>", 0.0, 1.0, 0)


def test_what_sclite_could_not_read_is_not_given_to_it() -> None:
    with pytest.raises(ValueError, match="line break"):
        sclite_trn({"a": "x\ny"}, {"a": ""})
    with pytest.raises(ValueError, match="one side only"):
        sclite_trn({"a": ""}, {"b": ""})
