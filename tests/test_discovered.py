"""Spelling variants that nobody listed: what tells them from different words."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.language.homophones import are_homophones
from analysis.language.sounds import sound_key
from label_rules.apply import apply_rules
from label_rules.builtin import DISCOVERED_RULES
from label_rules.conventions.discovery import Variant, discover
from label_rules.corpus import Corpus


def clips(*texts_of_clip: tuple[str, ...]) -> pd.DataFrame:
    """Transcripts of clips, each text by another annotator."""
    rows = [
        (f"u{clip}", f"ann_{number}", text)
        for clip, texts in enumerate(texts_of_clip)
        for number, text in enumerate(texts)
    ]
    return pd.DataFrame(rows, columns=["utterance_id", "annotator", "text"])


def found(frame: pd.DataFrame) -> list[tuple[str, str]]:
    """The variants, the more frequent form first."""
    return [(one.form, one.other) for one in discover(Corpus(frame))]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("catherine", "katharine"), ("grey", "gray"), ("untill", "until"), ("recieve", "receive"), ("dont", "don't"),
        ("o clock", "o'clock"), ("any more", "anymore"), ("woodley", "woodly"), ("컨텐쯔", "컨탠쯔"),
        ("메쎄지를", "메씨지를"), ("콘트롤이", "컨트롤이"),
    ],
)  # fmt: skip
def test_two_forms_mixed_within_clips_are_one_word(one: str, other: str) -> None:
    frame = clips(
        (f"we saw {one} there", f"we saw {one} there", f"We saw {other} there."),
        (f"ask {other} now", f"Ask, {one} now", f"ask {one} now"),
    )
    assert found(frame) == [(one, other)]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("cat", "cap"), ("man", "men"), ("cat", "cats"), ("walk", "walked"), ("emperor's", "emperors"),
        ("flour", "flower"), ("princes", "princess"), ("breath", "breathe"), ("its", "it's"), ("crisis", "crises"),
        ("날씨가", "날짜가"), ("먹으면", "먹이면"), ("있어요", "없어요"),
    ],
)  # fmt: skip
def test_different_words_are_never_merged_however_they_are_mixed(one: str, other: str) -> None:
    frame = clips(
        (f"we saw {one} there", f"we saw {one} there", f"we saw {other} there"),
        (f"ask {other} now", f"ask {one} now", f"ask {one} now"),
    )
    assert found(frame) == []


def test_words_that_share_out_the_clips_are_different() -> None:
    # `Sara` and `Serra` sound alike to the key, but each clip has one of them, but for a slip.
    same = [(f"see {name} {n}", f"see {name} {n}", f"see {name} {n}") for n, name in enumerate(("sarah", "sara") * 4)]
    slips = [("so sarah went", "so sarah went", "so sara went"), ("is sara here", "is sara here", "is sarah here")]
    assert found(clips(*same, *slips)) == []
    assert found(clips(*slips)) == [("sara", "sarah")]


def test_with_one_transcript_a_clip_the_words_around_tell() -> None:
    contexts = ("my {} cat", "a {} sky", "the {} horse", "some {} stone", "two {} geese", "old {} hair")
    mixed = clips(*((one.format(form),) for one in contexts for form in ("grey", "gray")))
    assert found(mixed) == [("gray", "grey")]
    apart = clips(
        *((one.format(form),) for form, own in (("grey", contexts[:3]), ("gray", contexts[3:])) for one in own * 2)
    )
    assert found(apart) == []


def test_kappa_is_that_of_two_uses_in_one_place() -> None:
    # Two clips of 2 and 1: of the 6 ordered pairs of uses in each, 4 differ; p = q = 1/2.
    frame = clips(("see sarah go", "see sarah go", "see sara go"), ("is sara in", "is sara in", "is sarah in"))
    (one,) = discover(Corpus(frame))
    assert one == Variant("sara", "sarah", 3, 3, 2, pytest.approx(1 - (4 / 6) / (2 * 0.25)), True)


def test_what_another_rule_knows_is_not_listed_again() -> None:
    frame = clips(
        ("the colour is ok", "the color is okay", "the color is okay"),
        ("my colour is ok", "my color is okay", "my color is okay"),
    )
    assert set(found(frame)) == {("color", "colour")}
    assert apply_rules(frame, DISCOVERED_RULES).conventions.empty


def test_flags_suggest_the_form_of_the_majority_in_the_case_as_written() -> None:
    frame = clips(
        ("Kathrin came", "Kathrin came", "CATHRIN came"),
        ("ask kathrin now", "ask kathrin now", "ask cathrin now"),
    )
    flags = apply_rules(frame, DISCOVERED_RULES).flags
    assert flags[["utterance_id", "annotator", "suggestion"]].to_numpy().tolist() == [
        ["u0", "ann_2", "KATHRIN came"],
        ["u1", "ann_2", "ask kathrin now"],
    ]


def test_an_empty_corpus_has_no_variants() -> None:
    assert found(clips()) == []
    assert found(clips(("", "..."))) == []


@given(st.text(max_size=12))
def test_every_text_has_a_key_and_no_pair_is_a_homophone_of_itself(text: str) -> None:
    assert isinstance(sound_key(text.lower()), str)
    assert not are_homophones(text, text)


@pytest.mark.parametrize("split", ["dev-clean", "dev-other"])
def test_real_variants_among_crowd_workers(split: str, shared_data: Path) -> None:
    path = shared_data / "crowdspeech" / f"crowdspeech-{split}-crowd.tsv"
    frame = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False)
    frame.columns = ["utterance_id", "text", "annotator"]
    pairs = {frozenset(pair) for pair in found(frame.drop_duplicates(["utterance_id", "annotator"]))}
    assert {frozenset(("gray", "grey")), frozenset(("of course", "ofcourse")), frozenset(("don't", "dont"))} <= pairs
    for one, other in (("sea", "see"), ("know", "now"), ("man", "men"), ("wandering", "wondering"), ("then", "than")):
        assert frozenset((one, other)) not in pairs
