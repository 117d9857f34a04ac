"""How likely each transcript is wrong."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from label_rules.corpus import Corpus
from label_rules.suspects.peers import peer_evidence
from scripts.crowdspeech import auroc, consensus, corpus_of, distance_to_peers, rates, read_split


def scores(*texts: str, **columns: object) -> list[float]:
    frame = pd.DataFrame({"utterance_id": "u", "annotator": [f"ann_{n}" for n in range(len(texts))], "text": texts})
    return peer_evidence(Corpus(frame.assign(**columns)))["score"].tolist()


def test_who_departs_is_more_suspect_than_those_who_agree() -> None:
    agree, departs, again = scores("turn the light on", "turn the lid on", "turn the light on")
    assert departs > 2 * agree
    assert agree == again


@pytest.mark.parametrize(
    "other",
    ["Um, it's 20 colours, okay.", "it is twenty colors ok", "IT'S TWENTY COLOURS OK", "uh it's [noise] 20 colours OK"],
)
def test_another_convention_weighs_less_than_another_word(other: str) -> None:
    one, same, written = scores("it's 20 colours okay", "it's 20 colours okay", other)
    *_, misheard = scores("it's 20 colours okay", "it's 20 colours okay", "it's 12 colours okay")
    assert written < 0.25
    assert misheard > 2 * written
    assert one == same


def test_an_empty_transcript_among_full_ones_is_suspect() -> None:
    first, empty, _ = scores("turn the light on", "", "turn the light on")
    assert empty > first


def test_who_has_no_peers_is_judged_by_their_other_clips_or_not_at_all() -> None:
    text = "the old man went home late in the evening of the day"
    rows = [(f"u{n}", name, text) for n in range(20) for name in ("ann_a", "ann_c")]
    rows += [(f"u{n}", "ann_b", "quite another text that nobody has said") for n in range(20)]
    rows += [("alone_a", "ann_a", text), ("alone_b", "ann_b", text), ("alone_d", "ann_d", text)]
    frame = pd.DataFrame(rows, columns=["utterance_id", "annotator", "text"])
    found = peer_evidence(Corpus(frame)).set_index(frame["utterance_id"])
    assert found["basis"].tail(3).tolist() == ["annotator", "annotator", "none"]
    assert found["score"]["alone_a"] < found["score"]["alone_b"]
    assert pd.isna(found["score"]["alone_d"])


def test_on_real_transcripts_it_beats_the_distance_to_peers_and_the_published_rover(shared_data: Path) -> None:
    frame, truth = read_split(shared_data / "crowdspeech", "dev-clean")
    frame = frame[frame["utterance_id"].isin(sorted(truth)[:600])].reset_index(drop=True)
    wrong, corpus = (frame["wer"] > 0.1).to_numpy(), corpus_of(frame)
    ours, peers = auroc(wrong, peer_evidence(corpus)["score"].to_numpy()), auroc(wrong, distance_to_peers(frame))
    assert ours > peers + 0.03
    merged = consensus(corpus)
    assert rates(dict(zip(merged["utterance_id"], merged["text"], strict=True)), truth)[0] < 7.0
