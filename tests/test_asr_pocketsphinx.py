"""The embedded recogniser: real speech, whatever the order and the number of processes, and one bad clip among many."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import jiwer
import numpy as np
import pytest

from workbench.asr.backend import Clip, Failure, Hypothesis, load_backend
from workbench.asr.pocketsphinx_backend import checked_parameters
from workbench.audio.encode import write_audio
from workbench.errors import BackendUnavailable, BadInput
from workbench.jobs.processes import ProcessDied, map_in_processes


@pytest.fixture(scope="module")
def sentences(shared_data: Path) -> dict[str, tuple[Clip, str]]:
    """Five sentences of a native reader, with their texts."""
    found = {}
    for line in (shared_data / "librivox" / "transcription").read_text(encoding="utf-8").splitlines():
        text, name = line.removeprefix("<s> ").rstrip(")").split(" </s> (")
        found[name] = (Clip(name, shared_data / "librivox" / f"{name}.wav"), text)
    return found


@pytest.fixture(scope="module")
def heard(sentences: dict[str, tuple[Clip, str]]) -> dict[str, Hypothesis]:
    backend = load_backend("pocketsphinx", workers=2)
    outcomes = list(backend.transcribe([clip for clip, _ in sentences.values()]))
    assert all(isinstance(outcome, Hypothesis) for outcome in outcomes)
    return {outcome.utterance_id: outcome for outcome in outcomes if isinstance(outcome, Hypothesis)}


def test_it_reads_english_tolerably(sentences: dict, heard: dict[str, Hypothesis]) -> None:
    texts = [text for _, text in sentences.values()]
    assert jiwer.wer(texts, [heard[name].text for name in sentences]) < 0.35
    assert heard["sense_and_sensibility_01_austen_64kb-0930"].text == "he might even have been made the amiable himself"


def test_texts_hold_words_only(heard: dict[str, Hypothesis]) -> None:
    for hypothesis in heard.values():
        assert hypothesis.text == " ".join(word.word for word in hypothesis.words or ())
        assert not set("<>[]()+0123456789") & set(hypothesis.text)


def test_words_have_times_and_confidences(heard: dict[str, Hypothesis]) -> None:
    for hypothesis in heard.values():
        assert hypothesis.words
        starts = [word.start for word in hypothesis.words]
        assert starts == sorted(starts)
        for word in hypothesis.words:
            assert 0 <= word.start < word.end <= hypothesis.audio_seconds
            assert word.confidence is not None
            assert 0 <= word.confidence <= 1
        assert hypothesis.confidence is not None
        assert 0 < hypothesis.confidence <= 1
        assert hypothesis.compute_seconds > 0


def test_results_depend_on_neither_order_nor_processes(sentences: dict, heard: dict[str, Hypothesis]) -> None:
    clips = [clip for clip, _ in sentences.values()][::-1]
    again = list(load_backend("pocketsphinx", workers=1).transcribe(clips))
    for outcome in again:
        assert isinstance(outcome, Hypothesis)
        assert replace(outcome, compute_seconds=0) == replace(heard[outcome.utterance_id], compute_seconds=0)


def test_a_span_is_transcribed_with_times_from_its_start(sentences: dict, heard: dict[str, Hypothesis]) -> None:
    clip, _ = sentences["sense_and_sensibility_01_austen_64kb-0930"]
    (outcome,) = load_backend("pocketsphinx").transcribe([replace(clip, start=0.5, end=2.0)])
    assert isinstance(outcome, Hypothesis)
    assert outcome.audio_seconds == pytest.approx(1.5)
    assert set(outcome.text.split()) & {"even", "have", "been", "made"}
    assert all(word.end <= 1.5 for word in outcome.words or ())


def test_bad_short_and_silent_clips_among_good_ones(sentences: dict, shared_data: Path, tmp_path: Path) -> None:
    good, _ = sentences["sense_and_sensibility_01_austen_64kb-0930"]
    made = {"three samples": np.full((1, 3), 0.1), "10 ms": np.full((1, 160), 0.1), "silence": np.zeros((1, 32000))}
    made["stereo"] = np.random.default_rng(0).normal(0, 0.01, (2, 16000))
    for name, samples in made.items():
        write_audio(tmp_path / f"{name}.wav", samples.astype(np.float32), 16000, "wav")
    clips = [Clip(name, tmp_path / f"{name}.wav") for name in made]
    clips += [Clip("broken", shared_data / "malformed_audio" / "evil.wav"), Clip("absent", tmp_path / "no.wav"), good]
    outcomes = {outcome.utterance_id: outcome for outcome in load_backend("pocketsphinx", workers=2).transcribe(clips)}
    assert len(outcomes) == len(clips)
    for name in ("three samples", "10 ms", "silence"):
        assert isinstance(outcomes[name], Hypothesis), outcomes[name]
        assert (outcomes[name].text, outcomes[name].words) == ("", ())
    assert outcomes["silence"].confidence == 1
    assert outcomes["three samples"].confidence == 0
    for name in ("broken", "absent"):
        assert isinstance(outcomes[name], Failure)
        assert outcomes[name].location in outcomes[name].reason
    assert isinstance(outcomes["stereo"], Hypothesis)
    assert outcomes[good.utterance_id].text == "he might even have been made the amiable himself"


def test_parameters_reach_the_decoder(sentences: dict) -> None:
    clip, _ = sentences["sense_and_sensibility_01_austen_64kb-0930"]
    backend = load_backend("pocketsphinx", parameters={"lw": "1.5", "wip": 0.001, "fwdflat": "no", "maxhmmpf": "500"})
    assert [backend.parameters[name] for name in ("lw", "wip", "fwdflat", "maxhmmpf")] == [1.5, 0.001, False, 500]
    (outcome,) = backend.transcribe([clip])
    assert isinstance(outcome, Hypothesis)
    assert outcome.text != "he might even have been made the amiable himself"


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"beem": 1e-40}, r"no parameter 'beem'; did you mean .*beam"),
        ({"lw": "high"}, "'lw' must be a number, not 'high'"),
        ({"lw": True}, "'lw' must be a number, not True"),
        ({"maxhmmpf": 1.5}, "'maxhmmpf' must be a whole number, not 1.5"),
        ({"fwdflat": "perhaps"}, "'fwdflat' must be yes or no, not 'perhaps'"),
        ({"samprate": 8000}, "'samprate' is not to be set"),
        ({"logfn": "/tmp/log"}, "'logfn' is not to be set"),
    ],
)
def test_wrong_parameters_are_named(parameters: dict, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        checked_parameters(parameters)


def test_what_cannot_be_loaded_says_so(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"'hmm' names .*which is not there"):
        load_backend("pocketsphinx", parameters={"hmm": str(tmp_path / "none")})
    with pytest.raises(BackendUnavailable, match="cannot start with hmm="):
        load_backend("pocketsphinx", parameters={"hmm": str(tmp_path)})
    with pytest.raises(BadInput, match="has the model 'en-us' and not 'ko'"):
        load_backend("pocketsphinx", "ko")
    with pytest.raises(BadInput, match="no backend 'kaldi'; the backends are pocketsphinx, transformers"):
        load_backend("kaldi")
    with pytest.raises(BadInput, match="0 workers"):
        load_backend("pocketsphinx", workers=0)


def half(number: int) -> int:
    """What a worker does in these tests: dies on 3, raises on odd numbers."""
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    if number % 2:
        raise ValueError(f"{number} is odd")
    return number // 2


def test_a_process_that_dies_takes_only_its_own_item_along() -> None:
    outcomes = dict(map_in_processes(half, range(12), workers=2))
    assert sorted(outcomes) == list(range(12))
    assert {number: outcomes[number] for number in range(0, 12, 2)} == {n: n // 2 for n in range(0, 12, 2)}
    assert isinstance(outcomes[3], ProcessDied)
    for number in (1, 5, 7, 9, 11):
        assert isinstance(outcomes[number], ValueError)
        assert str(outcomes[number]) == f"{number} is odd"


def test_a_standing_process_gives_the_same_texts_and_one_that_died_is_followed_by_another(
    sentences: dict[str, tuple[Clip, str]], heard: dict[str, Hypothesis]
) -> None:
    backend = load_backend("pocketsphinx")
    with backend.stays_ready():
        first, second, third = (clip for clip, _ in list(sentences.values())[:3])
        assert texts_of(backend.transcribe([first])) == [heard[first.utterance_id].text]
        (process,) = backend._standing._pool._processes
        assert texts_of(backend.transcribe([second])) == [heard[second.utterance_id].text]
        assert list(backend._standing._pool._processes) == [process]
        os.kill(process, signal.SIGKILL)
        assert texts_of(backend.transcribe([third])) == [heard[third.utterance_id].text]
        assert texts_of(backend.transcribe([first])) == [heard[first.utterance_id].text]


def texts_of(outcomes: Iterable[Hypothesis | Failure]) -> list[str]:
    return [outcome.text if isinstance(outcome, Hypothesis) else outcome.reason for outcome in outcomes]
