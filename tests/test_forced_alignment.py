"""Labels aligned with a CTC model: the sums over alignments, what a wrong label scores, and the stage that keeps it."""

from __future__ import annotations

import itertools
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from scripts.corrupted_digits import KINDS, corrupted_strings, wrong_places
from scripts.train_tiny_ctc import Digit
from tests.tiny_ctc import spoken_digit_strings, trained_tiny_ctc
from tests.tiny_whisper import build_tiny_whisper
from workbench.asr.backend import Clip, Failure
from workbench.asr.ctc_lattice import lattices
from workbench.asr.forced_alignment import ALIGNED, EMPTY, TOO_LONG, Alignment, Spoken, align_labels, forced_path
from workbench.asr.label_aligner import LabelAligner, LabelAlignment, load_aligner
from workbench.asr.label_tokens import ANYTHING, Alphabet, LabelTokens, LabelWord
from workbench.config import config_text
from workbench.errors import BadInput
from workbench.stages.check import check, checked_transcripts
from workbench.stages.import_manifest import import_manifest
from workbench.stages.label_scores import align_labels as align_workspace
from workbench.stages.label_scores import aligned_labels
from workbench.transcripts import edit
from workbench.workspace import Workspace

BLANK, SPACE = 0, 1
LETTERS = "_ abc"


def label(text: str) -> LabelTokens:
    """A label of the letters a, b and c, with spaces between its words; `*` is a word that may be anything."""
    words: list[LabelWord] = []
    tokens: list[int] = []
    at = 0
    for word in text.split():
        own = (ANYTHING,) if word == "*" else tuple(LETTERS.index(letter) for letter in word)
        if tokens and ANYTHING not in (tokens[-1], own[0]):
            tokens.append(SPACE)
        words.append(LabelWord(at, at + len(word), own, len(tokens)))
        tokens += own
        at += len(word) + 1
    return LabelTokens(tuple(words), tuple(tokens))


def random_frames(seed: int, count: int) -> np.ndarray:
    logits = np.random.default_rng(seed).normal(0, 2, (count, len(LETTERS)))
    return (logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))).astype(np.float32)


def spelled(text: str, sure: float = 0.97) -> np.ndarray:
    """Frames in which a model hears the text's letters, one frame each, `_` for the blank."""
    rest = np.log((1 - sure) / (len(LETTERS) - 1))
    frames = np.full((len(text), len(LETTERS)), rest, dtype=np.float32)
    frames[np.arange(len(text)), [LETTERS.index(letter) for letter in text]] = np.log(sure)
    return frames


def text_of(ids: list[int]) -> str:
    return "".join(LETTERS[i] for i in ids).strip()


def align(frames: np.ndarray, text: str) -> Alignment:
    return align_labels([Spoken(frames, len(frames) / 10)], [label(text)], BLANK, 0.1, text_of)[0]


def collapsed(path: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(token for token, _ in itertools.groupby(path) if token != BLANK)


def all_paths(frames: np.ndarray, tokens: tuple[int, ...]) -> list[tuple[tuple[int, ...], float]]:
    """Every path of tokens over the frames that collapses to these, with its log-probability: by trying all."""
    paths = itertools.product(range(frames.shape[1]), repeat=len(frames))
    rows = np.arange(len(frames))
    return [(path, float(frames[rows, path].sum())) for path in paths if collapsed(path) == tokens]


@pytest.mark.parametrize("text", ["a", "ab", "aa", "a b", "b ac", ""])
@pytest.mark.parametrize("seed", [1, 2])
def test_sums_and_the_best_path_equal_those_of_trying_every_path(text: str, seed: int) -> None:
    frames, tokens = random_frames(seed, 6), label(text)
    paths = all_paths(frames, tokens.tokens)
    lattice = lattices([frames], [tokens], BLANK)[0]
    assert lattice.log_likelihood == pytest.approx(np.logaddexp.reduce([value for _, value in paths]), abs=1e-5)
    best, value = max(paths, key=lambda pair: pair[1])
    places, scores = forced_path(frames, tokens.tokens, BLANK)
    assert float(scores.sum()) == pytest.approx(value, abs=1e-5)
    assert [tokens.tokens[place] if place >= 0 else BLANK for place in places] == list(best)


def test_leaving_a_word_open_equals_trying_every_way_to_do_so() -> None:
    frames, tokens = random_frames(3, 6), label("b c a")
    lattice = lattices([frames], [tokens], BLANK)[0]
    best = frames.max(axis=1)
    for left, right in [(-1, 1), (0, 2), (1, 3), (-1, 0), (0, 1), (1, 2), (2, 3)]:
        before = tokens.tokens[: tokens.words[left].first + len(tokens.words[left].tokens)] if left >= 0 else ()
        after = tokens.tokens[tokens.words[right].first :] if right < 3 else ()
        values = []
        for start, end in itertools.combinations_with_replacement(range(7), 2):
            # The beginning ends in its last token, the ending begins with its first: no blanks at the open stretch.
            begins = [v for path, v in all_paths(frames[:start], before) if not before or path[-1:] == before[-1:]]
            ends = [v for path, v in all_paths(frames[end:], after) if not after or path[:1] == after[:1]]
            at_edge = (bool(before) or start == 0) and (bool(after) or end == 6)
            if begins and ends and at_edge:
                values.append(np.logaddexp.reduce(begins) + best[start:end].sum() + np.logaddexp.reduce(ends))
        opened = lattice.opened(left, right)
        assert opened.log_likelihood == pytest.approx(max(values), abs=1e-5)
        assert 0 <= opened.start <= opened.end <= 6


def test_likelihoods_equal_torchs_ctc_loss_and_batches_equal_one_by_one() -> None:
    import torch

    rng = np.random.default_rng(4)
    items = []
    for seed in range(25):
        words = ["".join(rng.choice(list("abc"), size=rng.integers(1, 4))) for _ in range(rng.integers(0, 6))]
        items.append((random_frames(seed, int(rng.integers(1, 60))), label(" ".join(words))))
    together = lattices([frames for frames, _ in items], [tokens for _, tokens in items], BLANK)
    for (frames, tokens), lattice in zip(items, together, strict=True):
        loss = torch.nn.functional.ctc_loss(
            torch.from_numpy(frames)[:, None].double(), torch.tensor([tokens.tokens]).long().reshape(1, -1),
            torch.tensor([len(frames)]), torch.tensor([len(tokens.tokens)]), blank=BLANK, reduction="sum",
        )  # fmt: skip
        assert lattice.log_likelihood == pytest.approx(-float(loss), rel=1e-9)
        alone = lattices([frames], [tokens], BLANK)[0]
        assert alone.log_likelihood == lattice.log_likelihood
        assert np.array_equal(alone.before, lattice.before)
        assert np.array_equal(alone.after, lattice.after)


def test_a_right_label_costs_nothing_and_its_words_stand_where_they_sound() -> None:
    found = align(spelled("__aab__ _cc_c__"), "ab cc")
    assert found.outcome == ALIGNED
    assert found.score > -0.5
    assert found.heard == "ab cc"
    assert [(word.start, word.end) for word in found.words] == [(0, 2), (3, 5)]
    assert [word.start_seconds for word in found.words] == pytest.approx([0.2, 0.9], abs=0.11)
    assert [word.end_seconds for word in found.words] == pytest.approx([0.5, 1.3], abs=0.11)
    assert min(word.score or 0 for word in found.words) > -0.5
    assert found.gaps == ()


def test_a_substituted_word_scores_low_and_says_what_was_heard() -> None:
    found = align(spelled("_ab_ _ca_ _bb_"), "ab ba b")
    assert [round(word.score or 0) for word in found.words] == [0, -5, 0]
    assert found.words[1].heard == "ca"
    assert found.score == pytest.approx(found.words[1].score, abs=0.5)


@pytest.mark.parametrize(
    ("text", "at", "heard"), [("ab cc", 2, "ba"), ("ba cc", 0, "ab"), ("ab ba", 5, "cc"), ("", 0, "ab ba cc")]
)
def test_a_deleted_word_shows_in_the_gap_where_it_stood(text: str, at: int, heard: str) -> None:
    found = align(spelled("_ab_ _ba_ _cc_c__"), text)
    gap = min(found.gaps, key=lambda gap: gap.score)
    assert (gap.at, gap.heard) == (at, heard)
    assert gap.score < -5
    assert found.outcome == (ALIGNED if text else EMPTY)


def test_a_word_that_the_model_cannot_write_is_not_scored_and_spoils_no_other() -> None:
    found = align(spelled("_ab_ _ba_ _cc_c__"), "ab * cc")
    assert found.words[1].score is None
    assert found.words[1].heard == "ba"
    assert min(found.words[0].score or 0, found.words[2].score or 0, found.score) > -0.5
    assert found.gaps == ()


def test_a_label_with_more_letters_than_frames_gets_a_score_and_says_so() -> None:
    found = align(spelled("ab"), "abc abc")
    assert found.outcome == TOO_LONG
    assert found.score < -5
    assert all(0 <= word.start_seconds <= word.end_seconds <= 0.2 for word in found.words)


class Letters:
    """A tokenizer as the transformers library has them, of single characters or of pieces that begin words."""

    all_special_ids = (0,)

    def __init__(self, pieces: str | list[str], delimiter: str | None) -> None:
        self.pieces = ["<pad>", *pieces]
        if delimiter is not None:
            self.word_delimiter_token = delimiter

    def get_vocab(self) -> dict[str, int]:
        return {piece: i for i, piece in enumerate(self.pieces)}

    def convert_tokens_to_ids(self, piece: str) -> int:
        return self.pieces.index(piece)

    def encode(self, text: str, add_special_tokens: bool) -> list[int]:
        assert not add_special_tokens
        return [self.pieces.index(piece) for word in text.split() for piece in ("▁" + word[0], *word[1:])]


def folded(alphabet: Alphabet, tokenizer: Letters, text: str) -> list[str]:
    return [
        "?" if not word.is_known else "".join(tokenizer.pieces[i] for i in word.tokens)
        for word in alphabet.tokens(text).words
    ]


@pytest.mark.parametrize(
    ("pieces", "text", "words"),
    [
        ("|abcdeft'", "Bad, CAFÉ... it’d", ["bad", "cafe", "?"]),
        ("|ABCDEF'", "bad “cafe” d’ac", ["BAD", "CAFE", "D'AC"]),
        ("|abcdef", "bad-ace 42 — a/b [cab] (dead)", ["bad|ace", "?", "a|b", "?", "dead"]),
        ("|가나다", "가나 다. 라", ["가나", "다", "?"]),
        ("|ᄀ나", "가나", ["가나"]),
        ("|abc", "", []),
        ("|abc", " ?! ", []),
        ("|straße", "Straße", ["straße"]),
    ],
)
def test_labels_are_folded_to_the_models_alphabet(pieces: str, text: str, words: list[str]) -> None:
    import unicodedata

    tokenizer = Letters(pieces, "|")
    found = folded(Alphabet(tokenizer), tokenizer, text)
    assert [unicodedata.normalize("NFC", word) for word in found] == words


def test_words_are_split_into_the_pieces_of_a_model_without_spaces() -> None:
    tokenizer = Letters(["▁b", "▁a", "a", "d", "c", "e"], None)
    assert folded(Alphabet(tokenizer), tokenizer, "Bad, b-ace! 3") == ["▁bad", "▁b▁ace", "?"]


def test_words_know_where_they_stand_in_the_text() -> None:
    text = "  Bad,\n— [cab] cafe"
    found = Alphabet(Letters("|abcdef", "|")).tokens(text)
    assert [text[word.start : word.end] for word in found.words] == ["Bad,", "[cab]", "cafe"]
    assert [found.tokens[word.first : word.first + len(word.tokens)] for word in found.words] == [
        word.tokens for word in found.words
    ]


@pytest.fixture(scope="session")
def aligner(shared_data: Path) -> LabelAligner:
    return load(trained_tiny_ctc(shared_data))


@pytest.fixture(scope="session")
def strings(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Clip, str]]:
    """Strings by speakers that the model knows."""
    return spoken_digit_strings(shared_data, tmp_path_factory.mktemp("aligned"), 160)[:80]


def load(directory: Path, **parameters: object) -> LabelAligner:
    import torch

    torch.set_num_threads(1)
    return load_aligner("transformers", str(directory), {"device": "cpu", **parameters})


def alignments(aligner: LabelAligner, labelled: list[tuple[Clip, str]]) -> list[Alignment]:
    found = {}
    for outcome in aligner.align(
        [clip for clip, _ in labelled], {clip.utterance_id: [text] for clip, text in labelled}
    ):
        assert isinstance(outcome, LabelAlignment), outcome
        assert outcome.alignment is not None
        found[outcome.utterance_id] = outcome.alignment
    return [found[clip.utterance_id] for clip, _ in labelled]


def test_clips_in_batches_align_as_they_do_one_by_one(aligner: LabelAligner, strings: list[tuple[Clip, str]]) -> None:
    together = alignments(aligner, strings[:30])
    alone = load(Path(aligner.backend.model), batch_seconds=0.01)
    for pair, one in zip(strings[:30], together, strict=True):
        again = alignments(alone, [pair])[0]
        assert again.heard == one.heard
        assert again.score == pytest.approx(one.score, abs=0.02)
        assert [word[:4] for word in again.words] == [word[:4] for word in one.words]
        assert [word.score for word in again.words] == pytest.approx([word.score for word in one.words], abs=0.02)


def test_real_labels_made_wrong_score_lower_and_a_deleted_word_is_found(
    aligner: LabelAligner, strings: list[tuple[Clip, str]]
) -> None:
    long = [(clip, text) for clip, text in strings if len(text.split()) > 2]
    right = [one.score for one in alignments(aligner, long)]
    cut = [(clip, " ".join([*text.split()[:1], *text.split()[2:]])) for clip, text in long]
    found = alignments(aligner, cut)
    assert np.mean([wrong.score < score for wrong, score in zip(found, right, strict=True)]) > 0.97
    places = []
    for (_, label_text), one in zip(cut, found, strict=True):
        gap = min(one.gaps, key=lambda gap: gap.score, default=None)
        places.append(gap is not None and gap.at == len(label_text.split()[0]))
    assert np.mean(places) > 0.8
    elsewhere = [(clip, long[i - 1][1]) for i, (clip, _) in enumerate(long)]
    assert np.median([one.score for one in alignments(aligner, elsewhere)]) < 5 * np.median(right) - 20


def test_odd_labels_and_clips_have_outcomes_of_their_own(
    aligner: LabelAligner, strings: list[tuple[Clip, str]], tmp_path: Path
) -> None:
    from workbench.audio.encode import write_audio

    clip, text = strings[0]
    odd = ["", " … ", "42", "[noise]", text.upper() + "!", "one two three " * 60, "일 이 삼"]
    found = {
        outcome.text: outcome.alignment
        for outcome in aligner.align([clip], {clip.utterance_id: odd})
        if isinstance(outcome, LabelAlignment) and outcome.alignment is not None
    }
    outcomes = [EMPTY, EMPTY, EMPTY, EMPTY, ALIGNED, TOO_LONG, EMPTY]
    assert [found[label].outcome for label in odd] == outcomes
    assert found[odd[4]].score > -20 > found[""].score > found[odd[5]].score
    assert [word.score for word in found["42"].words] == [None]
    write_audio(tmp_path / "silence.wav", np.zeros((1, 8000), np.float32), 8000, "wav")
    clips = [Clip("silence", tmp_path / "silence.wav"), Clip("absent", tmp_path / "absent.wav")]
    silent, absent = sorted(
        aligner.align(clips, {"silence": ["one"], "absent": ["one"]}), key=lambda outcome: isinstance(outcome, Failure)
    )
    assert isinstance(silent, LabelAlignment)
    assert silent.alignment is None
    assert isinstance(absent, Failure)
    assert "absent.wav" in absent.location


def test_an_utterance_too_long_to_align_is_a_failure_and_the_others_go_on(
    aligner: LabelAligner, strings: list[tuple[Clip, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workbench.asr.forced_alignment._MOST_CELLS", 1000)
    (one, text), (other, _) = strings[:2]
    outcomes = list(aligner.align([one, other], {one.utterance_id: [text], other.utterance_id: ["one " * 90]}))
    failed = [outcome for outcome in outcomes if isinstance(outcome, Failure)]
    assert [failure.utterance_id for failure in failed] == [other.utterance_id]
    assert "cut the recording into utterances" in failed[0].reason
    assert len(outcomes) == 2


@pytest.fixture
def workspace(strings: list[tuple[Clip, str]], tmp_path: Path) -> Workspace:
    """Forty strings with their labels; those of the first two were made wrong, the second by a second annotator."""
    rows = [(clip.utterance_id, str(clip.path), "ann_a", text) for clip, text in strings[:40]]
    rows[0] = (*rows[0][:3], "nine nine nine nine nine nine")
    rows.append((*rows[1][:2], "ann_b", rows[1][3] + " six six"))
    names = ["utterance_id", "audio", "annotator", "text"]
    pd.DataFrame(rows, columns=names).to_csv(tmp_path / "m.csv", index=False)
    made = Workspace.create(tmp_path / "w", config_text("test", "en", 0.2))
    import_manifest(made, tmp_path / "m.csv")
    return made


def test_the_stage_goes_on_where_it_was_killed_and_scores_changed_labels_anew(
    workspace: Workspace, aligner: LabelAligner, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(done: int, total: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("workbench.stages.label_scores._PART_ROWS", 8)
    model = aligner.backend.model
    with pytest.raises(KeyboardInterrupt):
        align_workspace(workspace, model=model, parameters={"device": "cpu"}, progress=killed)
    assert len(workspace.read("label_scores")) == 8
    seen: list[tuple[int, int]] = []
    outcome = align_workspace(
        workspace, model=model, parameters={"device": "cpu"}, progress=lambda done, total: seen.append((done, total))
    )
    assert outcome.counts["aligned"] == 33
    assert outcome.counts["unchanged"] == 8
    assert seen[-1] == (33, 33)
    assert align_workspace(workspace, model=model, parameters={"device": "cpu"}).counts["aligned"] == 0
    name = workspace.read("utterances")["utterance_id"].iloc[5]
    before = workspace.read("label_scores").set_index(["utterance_id", "annotator"])["label_score"][name, "ann_a"]
    revision = edit(workspace.read("transcripts"), name, "ann_a", "zero zero zero zero", "ann_b", "to see")
    workspace.append("transcripts", pd.DataFrame([revision]))
    again = align_workspace(workspace, model=model, parameters={"device": "cpu"})
    assert again.counts["aligned"] == 1
    scores = aligned_labels(workspace)
    changed = scores[(scores["utterance_id"] == name) & (scores["text"] == "zero zero zero zero")]
    assert changed["label_score"].item() < before


def test_check_tells_the_labels_and_words_that_the_audio_does_not_carry(
    workspace: Workspace, aligner: LabelAligner
) -> None:
    assert "label_score" in checked_transcripts(workspace, None)
    assert checked_transcripts(workspace, None)["label_score"].isna().all()
    align_workspace(workspace, model=aligner.backend.model, parameters={"device": "cpu"})
    seen = checked_transcripts(workspace, None)
    assert seen["label_score"].notna().all()
    assert len(seen["word_scores"].iloc[0]) >= 6
    check(workspace)
    flags = workspace.read("flags")
    flags = flags[flags["rule_id"] == "model.not_in_audio"]
    ids = workspace.read("utterances")["utterance_id"]
    told = set(zip(flags["utterance_id"], flags["annotator"], strict=True))
    assert {(ids[0], "ann_a"), (ids[1], "ann_b")} <= told
    assert (ids[1], "ann_a") not in told


def test_models_without_frames_are_refused_with_what_to_do(workspace: Workspace, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="pocketsphinx hears no frames") as problem:
        align_workspace(workspace)
    assert "--backend transformers --model" in str(problem.value)
    with pytest.raises(BadInput, match=r"is an encoder-decoder, .* choose a CTC model"):
        align_workspace(workspace, model=str(build_tiny_whisper(tmp_path)), parameters={"device": "cpu"})


def test_labels_are_made_wrong_in_the_ways_and_places_that_they_say() -> None:
    noise = np.ones(80, np.float32)
    digits = [Digit(speaker, digit, 0, noise) for speaker in ("spk1", "spk2") for digit in range(10)]
    strings = corrupted_strings(digits, 400, seed=1)
    assert Counter(string.kind for string in strings) == {"": 360, **dict.fromkeys(KINDS, 10)}
    for string in strings:
        assert (string.label == string.truth) == (string.kind == "")
        words = string.label.split()
        for place in wrong_places(string):
            mended = {
                "substituted": [*words[:place], *string.truth.split()[place : place + 1], *words[place + 1 :]],
                "inserted": [*words[:place], *words[place + 1 :]],
                "deleted": [*words[:place], *string.truth.split()[place : place + 1], *words[place:]],
            }[string.kind]
            assert mended == string.truth.split()
        assert bool(wrong_places(string)) == (string.kind in KINDS[:3])
