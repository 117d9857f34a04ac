"""Encoder-decoder models through the transformers backend: a random Whisper takes every step of a real one."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.tiny_whisper import build_tiny_whisper
from workbench.asr.backend import Clip, Hypothesis, load_backend
from workbench.asr.encoder_decoder import EncoderDecoderModel
from workbench.asr.transformers_backend import TransformersBackend, join_heard
from workbench.audio.encode import write_audio
from workbench.errors import BadInput

RATE = 16000


@pytest.fixture(scope="module")
def whisper(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_tiny_whisper(tmp_path_factory.mktemp("whisper"))


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> list[Clip]:
    """Tones that rise and fall, 0.03 to 29 s long."""
    place = tmp_path_factory.mktemp("tones")
    return [
        tone(place / f"{number}.wav", seconds, number) for number, seconds in enumerate((0.03, 0.5, 2, 3, 3, 11, 29))
    ]


def tone(path: Path, seconds: float, seed: int) -> Clip:
    rng = np.random.default_rng(seed)
    steps = rng.uniform(100, 3000, int(seconds * 4) + 2)
    pitch = np.interp(np.arange(int(seconds * RATE)) / RATE * 4, np.arange(len(steps)), steps)
    samples = 0.3 * np.sin(2 * np.pi * np.cumsum(pitch) / RATE) + rng.normal(0, 0.01, len(pitch))
    write_audio(path, samples.astype(np.float32)[None], RATE, "wav")
    return Clip(path.stem, path, None, None, seconds)


def load(directory: Path, **parameters: object) -> TransformersBackend:
    import torch

    torch.set_num_threads(1)  # models this small lose by threads, very much so on a busy machine
    backend = load_backend("transformers", str(directory), {"device": "cpu", **parameters})
    assert isinstance(backend, TransformersBackend)
    return backend


def transcribe(backend: TransformersBackend, clips: list[Clip]) -> dict[str, Hypothesis]:
    outcomes = {outcome.utterance_id: outcome for outcome in backend.transcribe(clips)}
    assert len(outcomes) == len(clips)
    assert all(isinstance(outcome, Hypothesis) for outcome in outcomes.values()), outcomes
    return outcomes  # type: ignore[return-value]


@pytest.mark.parametrize("parameters", [{}, {"language": "ko", "task": "translate"}, {"num_beams": 2}])
def test_batches_give_the_texts_of_one_by_one(whisper: Path, clips: list[Clip], parameters: dict) -> None:
    batched = transcribe(load(whisper, **parameters), clips)
    alone = transcribe(load(whisper, **parameters, batch_seconds=0.01), clips)
    assert {name: h.text for name, h in batched.items()} == {name: h.text for name, h in alone.items()}
    assert len({h.text for h in alone.values()}) > 2
    for name, hypothesis in alone.items():
        assert 0 < hypothesis.confidence <= 1  # type: ignore[operator]
        assert hypothesis.confidence == pytest.approx(batched[name].confidence, abs=1e-4)


def test_words_have_times_where_the_model_has_alignment_heads(whisper: Path, clips: list[Clip], tmp_path: Path) -> None:
    for hypothesis in transcribe(load(whisper), clips).values():
        assert hypothesis.words is not None
        assert all(word.word in hypothesis.text for word in hypothesis.words if "�" not in word.word)
        assert bool(hypothesis.words) == bool(hypothesis.text)
        edges = [edge for word in hypothesis.words for edge in (word.start, word.end)]
        assert edges == sorted(edges)
        assert all(0 <= edge <= hypothesis.audio_seconds for edge in edges)
        assert all(0 < (word.confidence or 0) <= 1 for word in hypothesis.words)
    without = load(build_tiny_whisper(tmp_path, alignment_heads=False))
    assert all(h.words is None for h in transcribe(without, clips).values() if h.text)
    assert all(h.words is None for h in transcribe(load(whisper, task="translate"), clips).values() if h.text)


def test_language_and_task_reach_the_decoder(whisper: Path, clips: list[Clip]) -> None:
    texts = {
        (language, task): tuple(
            h.text for _, h in sorted(transcribe(load(whisper, language=language, task=task), clips).items())
        )
        for language in ("en", "ko")
        for task in ("transcribe", "translate")
    }
    assert len(set(texts.values())) == 4


def test_wrong_language_or_task_is_named(whisper: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no language 'fr'; it has en, ko"):
        load(whisper, language="fr")
    with pytest.raises(BadInput, match="no task 'summarise'; its tasks are transcribe, translate"):
        load(whisper, task="summarise")
    english = tmp_path / "english"
    shutil.copytree(whisper, english)
    settings = (english / "generation_config.json").read_text(encoding="utf-8")
    (english / "generation_config.json").write_text(settings.replace("lang_to_id", "once_lang_to_id"), encoding="utf-8")
    with pytest.raises(BadInput, match="has one language and takes no parameter 'language'"):
        load(english, language="en")


def test_a_long_recording_reads_as_the_library_reads_it(whisper: Path, tmp_path: Path) -> None:
    clip = tone(tmp_path / "long.wav", 75, seed=7)
    backend = load(whisper, language="en")
    hypothesis = transcribe(backend, [clip])["long"]
    assert isinstance(backend._model, EncoderDecoderModel)
    model, extractor, tokenizer = backend._model._model, backend._model._extractor, backend._model._tokenizer
    from workbench.asr.clip_samples import read_clip

    inputs = extractor(
        [read_clip(clip, RATE)], sampling_rate=RATE, return_tensors="pt", truncation=False, padding="longest",
        return_attention_mask=True,
    )  # fmt: skip
    (tokens,) = model.generate(**inputs, language="en", return_timestamps=True)
    assert hypothesis.text == " ".join(tokenizer.decode(tokens, skip_special_tokens=True).split())
    assert len(hypothesis.text) > 5
    assert 0 < hypothesis.confidence <= 1  # type: ignore[operator]
    assert hypothesis.words
    assert 30 < hypothesis.words[-1].end <= hypothesis.audio_seconds
    ends = [word.end for word in hypothesis.words]
    assert ends == sorted(ends)


def test_a_long_recording_beside_short_ones(whisper: Path, clips: list[Clip], tmp_path: Path) -> None:
    long = tone(tmp_path / "long.wav", 31, seed=7)
    backend = load(whisper)
    together = transcribe(backend, [*clips, long])
    assert together["long"].text == transcribe(backend, [long])["long"].text
    assert together["5"].text == transcribe(backend, [clips[5]])["5"].text


def test_hangul_is_composed_and_split_at_spaces(whisper: Path) -> None:
    model = load(whisper)._model
    assert isinstance(model, EncoderDecoderModel)
    ids = model._tokenizer("오늘 날씨가", add_special_tokens=False).input_ids
    assert model._text(ids) == "오늘 날씨가"


def test_another_family_is_batched_at_equal_lengths_and_chunked(tmp_path: Path, clips: list[Clip]) -> None:
    directory = build_moonshine(tmp_path)
    backend = load(directory, chunk_seconds=5, overlap_seconds=1)
    assert backend._model.equal_lengths_only
    batched = transcribe(backend, clips)
    alone = transcribe(load(directory, chunk_seconds=5, overlap_seconds=1, batch_seconds=0.01), clips)
    assert {name: h.text for name, h in batched.items()} == {name: h.text for name, h in alone.items()}
    assert all(h.words is None and 0 <= h.confidence <= 1 for h in alone.values() if h.text)  # type: ignore[operator]


def build_moonshine(directory: Path) -> Path:
    """An encoder-decoder of another family, over samples instead of spectra, with random weights."""
    import torch
    from transformers import AutoTokenizer, MoonshineConfig, MoonshineForConditionalGeneration, Wav2Vec2FeatureExtractor

    torch.manual_seed(0)
    build_tiny_whisper(directory)
    tokenizer = AutoTokenizer.from_pretrained(directory)
    config = MoonshineConfig(
        vocab_size=len(tokenizer), hidden_size=32, intermediate_size=64, encoder_num_hidden_layers=1,
        decoder_num_hidden_layers=1, encoder_num_attention_heads=2, decoder_num_attention_heads=2,
        initializer_range=0.3, bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.eos_token_id, decoder_start_token_id=tokenizer.bos_token_id,
    )  # fmt: skip
    for file in directory.glob("*config.json"):
        if file.name != "tokenizer_config.json":
            file.unlink()
    Wav2Vec2FeatureExtractor(do_normalize=False).save_pretrained(directory)
    MoonshineForConditionalGeneration(config).save_pretrained(directory)
    return directory


def test_texts_of_overlapping_chunks_are_joined() -> None:
    parts = [("turn on the kitchen li", 0.5, None), ("the kitchen light please", 0.9, None)]
    text, confidence, words = join_heard(parts, most=6)
    assert text == "turn on the kitchen light please"
    assert confidence == pytest.approx((5 * 0.5 + 4 * 0.9) / 9)
    assert words is None
