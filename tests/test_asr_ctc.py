"""CTC models through the transformers backend: a real, very small one, and random ones of the library's families."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import jiwer
import numpy as np
import pytest

from tests.tiny_ctc import area_under_curve, spoken_digit_strings, trained_tiny_ctc
from workbench.asr.backend import Clip, Failure, Hypothesis, load_backend
from workbench.asr.ctc_model import CtcModel
from workbench.asr.transformers_backend import TransformersBackend, checked_parameters
from workbench.audio.decode import read_audio
from workbench.audio.encode import write_audio
from workbench.errors import BackendUnavailable, BadInput

RATE = 8000


@pytest.fixture(scope="session")
def tiny_ctc(shared_data: Path) -> Path:
    return trained_tiny_ctc(shared_data)


@pytest.fixture(scope="session")
def strings(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Clip, str]]:
    return spoken_digit_strings(shared_data, tmp_path_factory.mktemp("strings"), 200)


@pytest.fixture(scope="session")
def heard(tiny_ctc: Path, strings: list[tuple[Clip, str]]) -> dict[str, Hypothesis]:
    return transcribe(load(tiny_ctc), [clip for clip, _ in strings])


def load(directory: Path, **parameters: object) -> TransformersBackend:
    import torch

    torch.set_num_threads(1)  # models this small lose by threads, very much so on a busy machine
    backend = load_backend("transformers", str(directory), {"device": "cpu", **parameters})
    assert isinstance(backend, TransformersBackend)
    return backend


def transcribe(backend: TransformersBackend, clips: Sequence[Clip]) -> dict[str, Hypothesis]:
    outcomes = list(backend.transcribe(clips))
    assert sorted(outcome.utterance_id for outcome in outcomes) == sorted(clip.utterance_id for clip in clips)
    assert not [outcome for outcome in outcomes if isinstance(outcome, Failure)]
    return {outcome.utterance_id: outcome for outcome in outcomes if isinstance(outcome, Hypothesis)}


def test_it_recognises_digits(strings: list[tuple[Clip, str]], heard: dict[str, Hypothesis]) -> None:
    known = [(text, heard[clip.utterance_id].text) for clip, text in strings[:100]]
    assert jiwer.wer(*map(list, zip(*known, strict=True))) < 0.3
    assert any("three" in text for _, text in known), "a doubled letter is lost"


def test_batches_give_the_texts_of_one_by_one(
    tiny_ctc: Path, strings: list[tuple[Clip, str]], heard: dict[str, Hypothesis]
) -> None:
    alone = transcribe(load(tiny_ctc, batch_seconds=0.01), [clip for clip, _ in strings])
    differing = [(heard[name].text, alone[name].text) for name in alone if heard[name].text != alone[name].text]
    assert differing == []
    for name, hypothesis in alone.items():
        assert hypothesis.confidence == pytest.approx(heard[name].confidence, abs=1e-3)
        assert [word.start for word in hypothesis.words or ()] == [word.start for word in heard[name].words or ()]


def test_durations_need_not_be_known(
    tiny_ctc: Path, strings: list[tuple[Clip, str]], heard: dict[str, Hypothesis]
) -> None:
    clips = [Clip(clip.utterance_id, clip.path) for clip, _ in strings[:20]]
    again = transcribe(load(tiny_ctc, batch_seconds=20), clips)
    assert {name: hypothesis.text for name, hypothesis in again.items()} == {name: heard[name].text for name in again}


def test_confidence_tells_wrong_utterances(strings: list[tuple[Clip, str]], heard: dict[str, Hypothesis]) -> None:
    confidences = np.array([heard[clip.utterance_id].confidence for clip, _ in strings])
    wrong = np.array([heard[clip.utterance_id].text != text for clip, text in strings])
    assert confidences.min() >= 0
    assert confidences.max() <= 1
    assert 10 < wrong.sum() < 190
    assert area_under_curve(confidences, wrong) > 0.8


def test_words_have_times_inside_the_clip(heard: dict[str, Hypothesis]) -> None:
    for hypothesis in heard.values():
        assert [word.word for word in hypothesis.words or ()] == hypothesis.text.split()
        edges = [edge for word in hypothesis.words or () for edge in (word.start, word.end)]
        assert edges == sorted(edges)
        assert all(0 <= edge <= hypothesis.audio_seconds for edge in edges)
        assert all(0 < (word.confidence or 0) <= 1 for word in hypothesis.words or ())


def test_words_stand_where_they_are_spoken(tiny_ctc: Path, shared_data: Path, tmp_path: Path) -> None:
    names = ("7_jackson_0", "6_jackson_1", "0_jackson_2", "4_jackson_3")
    digits = [read_audio(shared_data / "fsdd" / "recordings" / f"{name}.wav").samples[0] for name in names]
    quiet = np.random.default_rng(0).normal(0, 2e-4, RATE // 4).astype(np.float32)
    samples = np.concatenate([quiet, *(part for digit in digits for part in (digit / np.abs(digit).max() / 2, quiet))])
    write_audio(tmp_path / "four.wav", samples[None], RATE, "wav")
    words = transcribe(load(tiny_ctc), [Clip("four", tmp_path / "four.wav")])["four"].words or ()
    assert len(words) == 4
    start = 0.25
    for word, digit in zip(words, digits, strict=True):
        middle = start + len(digit) / RATE / 2
        # Half a digit at most: CTC is early, and its words end before their sound does.
        assert (word.start + word.end) / 2 == pytest.approx(middle, abs=0.35)
        start += len(digit) / RATE + 0.25


def recording_of(strings: list[tuple[Clip, str]], path: Path) -> tuple[Clip, str]:
    write_audio(path, np.concatenate([read_audio(clip.path).samples for clip, _ in strings], axis=1), RATE, "wav")
    return Clip(path.stem, path), " ".join(text for _, text in strings)


def test_a_long_recording_in_chunks_loses_and_doubles_no_words(
    tiny_ctc: Path, strings: list[tuple[Clip, str]], heard: dict[str, Hypothesis], tmp_path: Path
) -> None:
    clip, text = recording_of(strings[:40], tmp_path / "long.wav")
    by_strings = jiwer.wer(text, " ".join(heard[string.utterance_id].text for string, _ in strings[:40]))
    for size in (10, 8):
        chunked = transcribe(load(tiny_ctc, chunk_seconds=size, overlap_seconds=4), [clip])["long"]
        assert chunked.audio_seconds > 60
        # A chunk is normalised by its own mean, and hears more than a string at a time: a few letters may differ.
        assert jiwer.wer(text, chunked.text) < by_strings + 0.08
        assert abs(len(chunked.text.split()) - len(text.split())) < 8
        starts = [word.start for word in chunked.words or ()]
        assert starts == sorted(starts)
        assert starts[-1] > chunked.audio_seconds - 3


def test_chunks_read_exactly_as_the_whole_where_the_model_looks_no_further(
    strings: list[tuple[Clip, str]], tmp_path: Path
) -> None:
    clip, _ = recording_of(strings[:20], tmp_path / "long.wav")
    directory = random_model(tmp_path, "wav2vec2 local")
    whole, *chunked = (
        transcribe(load(directory, chunk_seconds=size, overlap_seconds=overlap), [clip])["long"]
        for size, overlap in ((1000, 1), (10, 1), (3.7, 1.23))
    )
    assert len(whole.text) > 100
    for hypothesis in chunked:
        assert hypothesis.text == whole.text
        assert [word.start for word in hypothesis.words or ()] == [word.start for word in whole.words or ()]
        assert hypothesis.confidence == pytest.approx(whole.confidence, abs=1e-4)


def test_bad_short_and_silent_clips_among_good_ones(
    tiny_ctc: Path, strings: list[tuple[Clip, str]], heard: dict[str, Hypothesis], shared_data: Path, tmp_path: Path
) -> None:
    noise = np.random.default_rng(0).normal(0, 0.01, (1, 16000)).astype(np.float32)
    made = {"one": 1, "three": 3, "10 ms": 80, "30 ms": 240, "100 ms": 800, "stereo": 4000}
    for name, length in made.items():
        samples = np.vstack([noise[:, :length]] * 2) if name == "stereo" else noise[:, :length]
        write_audio(tmp_path / f"{name}.wav", samples, RATE, "wav")
    write_audio(tmp_path / "silence.wav", noise * 0, RATE, "wav")
    clips = [Clip(name, tmp_path / f"{name}.wav") for name in (*made, "silence")]
    clips += [Clip("broken", shared_data / "malformed_audio" / "evil.wav"), Clip("absent", tmp_path / "no.wav")]
    outcomes = {outcome.utterance_id: outcome for outcome in load(tiny_ctc).transcribe([*clips, strings[0][0]])}
    assert len(outcomes) == len(clips) + 1
    for name in ("broken", "absent"):
        assert isinstance(outcomes[name], Failure)
        assert outcomes[name].location in outcomes[name].reason
    for name in (*made, "silence"):
        assert isinstance(outcomes[name], Hypothesis), outcomes[name]
        assert 0 <= outcomes[name].confidence <= 1
    for name in ("one", "three", "10 ms", "silence"):
        assert outcomes[name].text == ""
    assert outcomes["000"].text == heard["000"].text


def test_a_batch_that_fails_is_repeated_clip_by_clip(
    tiny_ctc: Path, strings: list[tuple[Clip, str]], heard: dict[str, Hypothesis], monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = load(tiny_ctc)
    assert isinstance(backend._model, CtcModel)
    working = backend._model.log_probabilities
    too_long = max(round((clip.duration or 0) * RATE) for clip, _ in strings[:20])

    def without_memory(clips: Sequence[np.ndarray]) -> list[np.ndarray]:
        if len(clips) > 1 or len(clips[0]) >= too_long:
            raise MemoryError("no room")
        return working(clips)

    monkeypatch.setattr(backend._model, "log_probabilities", without_memory)
    outcomes = list(backend.transcribe([clip for clip, _ in strings[:20]]))
    failures = [outcome for outcome in outcomes if isinstance(outcome, Failure)]
    assert [failure.reason for failure in failures] == ["the model failed on it: MemoryError: no room"]
    texts = {outcome.utterance_id: outcome.text for outcome in outcomes if isinstance(outcome, Hypothesis)}
    assert len(texts) == 19
    assert texts == {name: heard[name].text for name in texts}


def test_the_run_can_be_named_again(tiny_ctc: Path, tmp_path: Path) -> None:
    backend = load(tiny_ctc, batch_seconds="60")
    assert (backend.name, backend.model, backend.device) == ("transformers", str(tiny_ctc), "cpu")
    assert backend.parameters["batch_seconds"] == 60
    assert backend.parameters["dtype"] == "float32"
    assert sorted(backend.library_versions) == ["torch", "transformers"]
    assert backend.revision == load(tiny_ctc).revision
    for file in tiny_ctc.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    assert load(tmp_path).revision == backend.revision
    weights = bytearray((tmp_path / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    (tmp_path / "model.safetensors").write_bytes(weights)
    assert load(tmp_path).revision != backend.revision


def random_model(directory: Path, family: str) -> Path:
    """A model of the family with random weights and an alphabet, saved in the directory."""
    import torch
    import transformers

    torch.manual_seed(3)
    letters = ["<pad>", "<unk>", "|", *"abcdefghijklmnopqrstuvwxyz"]
    (directory / "vocab.json").write_text(json.dumps({letter: i for i, letter in enumerate(letters)}), encoding="utf-8")
    tokenizer = transformers.Wav2Vec2CTCTokenizer(
        str(directory / "vocab.json"), pad_token="<pad>", unk_token="<unk>", bos_token=None, eos_token=None
    )
    small = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
    if family == "parakeet":
        encoder = {**small, "num_mel_bins": 80, "subsampling_conv_channels": 16, "conv_kernel_size": 9}
        config = transformers.ParakeetCTCConfig(vocab_size=len(letters), pad_token_id=0, encoder_config=encoder)
        extractor = transformers.ParakeetFeatureExtractor(feature_size=80)
        model = transformers.ParakeetForCTC(config)
    else:
        layer_norm = not family.endswith("group norm")
        kind = "Hubert" if family.startswith("hubert") else "Wav2Vec2"
        config = getattr(transformers, f"{kind}Config")(
            **small, vocab_size=len(letters), pad_token_id=0, conv_dim=[32] * 7, num_conv_pos_embeddings=16,
            num_conv_pos_embedding_groups=2, feat_extract_norm="layer" if layer_norm else "group",
            do_stable_layer_norm=layer_norm,
        )  # fmt: skip
        if family.endswith("local"):  # without attention a frame sees a fraction of a second only
            config.num_hidden_layers = 0
        normalised = not family.endswith("local")
        extractor = transformers.Wav2Vec2FeatureExtractor(return_attention_mask=layer_norm, do_normalize=normalised)
        model = getattr(transformers, f"{kind}ForCTC")(config)
    with torch.no_grad():  # random weights prefer one letter throughout; give every frame its own
        head = model.ctc_head if family == "parakeet" else model.lm_head
        head.weight.mul_(60)
    for part in (model, extractor, tokenizer):
        part.save_pretrained(directory)
    return directory


@pytest.mark.parametrize(
    ("family", "equal_lengths_only"),
    [("wav2vec2 group norm", True), ("wav2vec2 layer norm", False), ("hubert group norm", True), ("parakeet", False)],
)
def test_every_family_gives_the_texts_of_one_by_one(
    family: str, equal_lengths_only: bool, strings: list[tuple[Clip, str]], tmp_path: Path
) -> None:
    directory = random_model(tmp_path, family)
    clips = [clip for clip, _ in strings[:12]]
    # Copies of the same length, which may share a batch whatever the family.
    clips += [Clip(f"again {clip.utterance_id}", clip.path, None, None, clip.duration) for clip in clips[:3]]
    backend = load(directory)
    assert backend._model.equal_lengths_only is equal_lengths_only
    batched = transcribe(backend, clips)
    alone = transcribe(load(directory, batch_seconds=0.01), clips)
    assert {name: h.text for name, h in batched.items()} == {name: h.text for name, h in alone.items()}
    assert len({h.text for h in alone.values()}) > 6
    assert all(word.end <= h.audio_seconds for h in alone.values() for word in h.words or ())


def one_sentence(problem: pytest.ExceptionInfo[BackendUnavailable]) -> str:
    message = str(problem.value)
    assert "\n" not in message
    assert "pocketsphinx" in message
    return message


def test_a_model_that_is_nowhere_names_the_embedded_default(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(BackendUnavailable) as problem:
        load_backend("transformers", "no-such-owner/no-such-model")
    assert "'no-such-owner/no-such-model' is no local directory" in one_sentence(problem)
    with pytest.raises(BackendUnavailable) as problem:
        load_backend("transformers", str(tmp_path / "absent"))
    assert "there is no such directory" in one_sentence(problem)
    with pytest.raises(BackendUnavailable) as problem:
        load_backend("transformers")
    assert "needs a model" in one_sentence(problem)
    with pytest.raises(BackendUnavailable) as problem:
        load_backend("transformers", "not a name!")
    one_sentence(problem)


def test_directories_that_hold_no_safe_model_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BackendUnavailable) as problem:
        load_backend("transformers", str(tmp_path))
    assert "has no config.json" in one_sentence(problem)
    (tmp_path / "config.json").write_text('{"model_type": "wav2vec2"}', encoding="utf-8")
    with pytest.raises(BackendUnavailable) as problem:
        load_backend("transformers", str(tmp_path))
    assert "has no weights" in one_sentence(problem)
    (tmp_path / "pytorch_model.bin").write_bytes(b"a pickle")
    with pytest.raises(BackendUnavailable) as problem:
        load_backend("transformers", str(tmp_path))
    assert "has only pytorch_model.bin, which may run code" in one_sentence(problem)


def test_a_models_own_code_is_never_run(tiny_ctc: Path, tmp_path: Path) -> None:
    for file in tiny_ctc.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    config = json.loads((tmp_path / "config.json").read_text(encoding="utf-8"))
    config |= {"model_type": "mine", "auto_map": {"AutoConfig": "mine.Config", "AutoModelForCTC": "mine.Model"}}
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    (tmp_path / "mine.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\nclass Config: pass\n", encoding="utf-8")
    with pytest.raises(BackendUnavailable) as problem:
        load_backend("transformers", str(tmp_path))
    assert "cannot load it" in one_sentence(problem)
    assert not (tmp_path / "ran").exists()


def test_a_model_of_another_kind_or_with_missing_weights_is_refused(tiny_ctc: Path, tmp_path: Path) -> None:
    from safetensors.numpy import load_file, save_file

    for file in tiny_ctc.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    weights = load_file(tmp_path / "model.safetensors")
    save_file(
        {name: value for name, value in weights.items() if "ctc_head" not in name}, tmp_path / "model.safetensors"
    )
    with pytest.raises(BackendUnavailable) as problem:
        load_backend("transformers", str(tmp_path))
    assert "weights lack 2 of the model's parameters (ctc_head.bias" in one_sentence(problem)
    (tmp_path / "config.json").write_text('{"model_type": "bert", "architectures": ["BertModel"]}', encoding="utf-8")
    with pytest.raises(BackendUnavailable) as problem:
        load_backend("transformers", str(tmp_path))
    one_sentence(problem)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"langage": "ko"}, "no parameter 'langage'; it has language, task"),
        ({"batch_seconds": "many"}, "'batch_seconds' cannot be 'many'; it is seconds of audio in a batch"),
        ({"batch_seconds": 0}, "'batch_seconds' must be over 0, not 0"),
        ({"num_beams": -1}, "'num_beams' must be over 0, not -1"),
        ({"chunk_seconds": 10, "overlap_seconds": 6}, "chunks of 10 s cannot overlap by 6 s"),
        ({"dtype": "int8"}, "'dtype' cannot be 'int8'"),
    ],
)
def test_wrong_parameters_are_named(parameters: dict, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        checked_parameters(parameters)


def test_a_ctc_model_takes_no_language(tiny_ctc: Path) -> None:
    with pytest.raises(BadInput, match="a CTC model takes no parameter 'language'"):
        load(tiny_ctc, language="ko")
    with pytest.raises(BadInput, match="no device 'quantum'"):
        load_backend("transformers", str(tiny_ctc), {"device": "quantum"})
