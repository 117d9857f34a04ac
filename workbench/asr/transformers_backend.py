"""Any CTC or encoder-decoder speech model of the transformers library, from a local directory or the hub.

Wav2Vec2, HuBERT, WavLM, Parakeet, Lasr and other CTC models; Whisper, Moonshine, Speech2Text and other
encoder-decoders. Clips go through the model in batches of similar length, whose texts equal those of the clips one by
one.
"""

from __future__ import annotations

import importlib.metadata
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.asr.backend import Clip, Failure, Hypothesis
from workbench.asr.batches import batches, windows
from workbench.asr.chunks import Chunk, chunks, join_frames, join_words
from workbench.asr.clip_samples import read_clip
from workbench.asr.ctc_model import CtcModel, Frames
from workbench.asr.encoder_decoder import EncoderDecoderModel, Heard
from workbench.asr.model_files import ModelFiles, find_model
from workbench.errors import BackendUnavailable, BadInput, UnreadableAudio

Samples = NDArray[np.float32]

_NO_SPEECH_SECONDS = 0.025  # one analysis window; nothing can be said in less
_SHORTEST_SECONDS = 0.2  # shorter clips are filled up with silence: models fail on inputs below their receptive field
_WINDOW_BATCHES = 8  # batches' worth of audio held at a time: enough to sort by length
_WORDS_PER_SECOND = 6

_PARAMETERS: dict[str, tuple[type, Any, str]] = {
    "language": (str, None, "the language's code, for a Whisper model of several languages"),
    "task": (str, None, "transcribe or translate, for such a model"),
    "num_beams": (int, 1, "beams to search, for encoder-decoder models"),
    "batch_seconds": (float, None, "seconds of audio in a batch, padding included; 60, or 480 on a GPU"),
    "chunk_seconds": (float, 30.0, "longer clips are cut into chunks of this length"),
    "overlap_seconds": (float, 6.0, "seconds that neighbouring chunks share"),
    "device": (str, "auto", "auto, cpu, cuda:0, …"),
    "dtype": (str, "auto", "auto, float32, float16 or bfloat16"),
    "revision": (str, None, "branch, tag or commit of a hub model"),
}


@dataclass
class _Recording:
    """A clip's samples on their way through the model."""

    clip: Clip
    samples: Samples
    chunks: list[Chunk]
    results: dict[int, Any] = field(default_factory=dict)
    seconds: float = 0.0

    def parts(self) -> list[Any]:
        """The chunks' results in order; what the model raised for one of them is raised here."""
        parts = [self.results[i] for i in range(len(self.chunks))]
        broken = next((part for part in parts if isinstance(part, Exception)), None)
        if broken is not None:
            raise broken
        return parts


@dataclass(frozen=True)
class Emission:
    """A clip's log-probabilities, shape (frames, vocabulary), None where it holds no sound, and its duration (s)."""

    utterance_id: str
    frames: Frames | None
    duration: float


class TransformersBackend:
    """A `Backend` around one loaded model; `workers` threads read audio."""

    name = "transformers"

    def __init__(self, model: str, parameters: Mapping[str, Any], workers: int) -> None:
        self.parameters = checked_parameters(parameters)
        files = find_model(model, self.parameters["revision"])
        self.model = model
        self.revision: str | None = files.revision
        self._workers = workers
        loaded, extractor, tokenizer = _load(model, files, self.parameters)
        self.device = str(loaded.device)
        self.parameters |= {"device": self.device, "dtype": str(loaded.dtype).removeprefix("torch.")}
        if self.parameters["batch_seconds"] is None:
            self.parameters["batch_seconds"] = 60.0 if loaded.device.type == "cpu" else 480.0
        self.library_versions = {name: importlib.metadata.version(name) for name in ("torch", "transformers")}
        self._model: CtcModel | EncoderDecoderModel
        with _inference():
            if _is_encoder_decoder(loaded.config):
                settings = {name: self.parameters[name] for name in ("language", "task", "num_beams")}
                self._model = EncoderDecoderModel(loaded, extractor, tokenizer, **settings)
            else:
                unused = [name for name in ("language", "task") if self.parameters[name] is not None]
                if unused or self.parameters["num_beams"] != 1:
                    raise BadInput(f"a CTC model takes no parameter {(unused or ['num_beams'])[0]!r}; leave it out")
                self._model = CtcModel(loaded, extractor, tokenizer)

    def transcribe(self, clips: Sequence[Clip]) -> Iterator[Hypothesis | Failure]:
        """One Hypothesis or Failure for each clip, in any order; texts do not depend on what shares a batch."""
        for outcome in self._run_all(clips):
            yield self._finished(outcome) if isinstance(outcome, _Recording) else outcome

    def stays_ready(self) -> AbstractContextManager[None]:
        """The model is loaded once, and stays."""
        return nullcontext()

    def emissions(self, clips: Sequence[Clip]) -> Iterator[Emission | Failure]:
        """One Emission or Failure for each clip, in any order; a CTC model's only.

        Raises:
            BadInput: the model is an encoder-decoder, which gives no log-probabilities of frames.
        """
        stride = self.ctc_model.stride
        for outcome in self._run_all(clips):
            if isinstance(outcome, _Recording):
                yield self._emission(outcome, stride)
            elif isinstance(outcome, Hypothesis):  # too short, or digital silence
                yield Emission(outcome.utterance_id, None, outcome.audio_seconds)
            else:
                yield outcome

    @property
    def ctc_model(self) -> CtcModel:
        """The model.

        Raises:
            BadInput: it is an encoder-decoder.
        """
        if not isinstance(self._model, CtcModel):
            raise BadInput(
                f"{self.model} is an encoder-decoder, which hears no frames that labels could be aligned with; choose "
                "a CTC model (Wav2Vec2, HuBERT, WavLM, Parakeet-CTC, …) with --model"
            )
        return self._model

    def _emission(self, recording: _Recording, stride: int) -> Emission | Failure:
        clip, duration = recording.clip, len(recording.samples) / self._model.sampling_rate
        try:
            places = [chunk.start // stride for chunk in recording.chunks]
            return Emission(clip.utterance_id, join_frames(recording.parts(), places), duration)
        except Exception as problem:
            return _failed(clip, problem)

    def _run_all(self, clips: Sequence[Clip]) -> Iterator[_Recording | Hypothesis | Failure]:
        """Every clip as the model is through with it; what was read of a recording is let go after it was taken."""
        budget = self.parameters["batch_seconds"]
        ordered = sorted(clips, key=lambda clip: -(clip.duration or 0.0))
        groups = list(windows(ordered, lambda clip: clip.duration or 30.0, budget * _WINDOW_BATCHES))
        with ThreadPoolExecutor(self._workers) as pool:
            # The next group is read while the model works on this one.
            coming = [pool.submit(self._read, clip) for clip in groups[0]] if groups else []
            for following in [*groups[1:], []]:
                read, coming = coming, [pool.submit(self._read, clip) for clip in following]
                recordings = []
                for future in read:
                    outcome = future.result()
                    if isinstance(outcome, _Recording):
                        recordings.append(outcome)
                    else:
                        yield outcome
                yield from self._run_group(recordings)

    def _read(self, clip: Clip) -> _Recording | Hypothesis | Failure:
        begun = time.perf_counter()
        rate = self._model.sampling_rate
        try:
            samples = read_clip(clip, rate)
        except UnreadableAudio as problem:
            return Failure(clip.utterance_id, str(clip.path), str(problem))
        except Exception as problem:  # one clip's trouble (no memory for it, say) is not the others'
            reason = f"it could not be read: {type(problem).__name__}: {problem}"
            return Failure(clip.utterance_id, str(clip.path), reason)
        seconds = time.perf_counter() - begun
        if len(samples) < _NO_SPEECH_SECONDS * rate:
            return Hypothesis(clip.utterance_id, "", 0.0, (), len(samples) / rate, seconds)
        if not samples.any():  # models make up words in digital silence, Whisper above all
            return Hypothesis(clip.utterance_id, "", 1.0, (), len(samples) / rate, seconds)
        return _Recording(clip, samples, self._chunks(len(samples)), seconds=seconds)

    def _chunks(self, samples: int) -> list[Chunk]:
        if isinstance(self._model, EncoderDecoderModel) and self._model.window is not None:
            return [Chunk(0, samples)]
        rate = self._model.sampling_rate
        size, overlap = (round(self.parameters[name] * rate) for name in ("chunk_seconds", "overlap_seconds"))
        return chunks(samples, size, overlap, self._model.stride if isinstance(self._model, CtcModel) else 1)

    def _run_group(self, recordings: list[_Recording]) -> Iterator[_Recording]:
        pieces = [(recording, i) for recording in recordings for i in range(len(recording.chunks))]
        budget = self.parameters["batch_seconds"]
        grouped = batches(pieces, self._padded_seconds, budget, self._model.equal_lengths_only)
        for batch in grouped:
            self._run(batch)
            for recording in dict.fromkeys(id(piece[0]) for piece in batch):
                done = next(piece[0] for piece in batch if id(piece[0]) == recording)
                if len(done.results) == len(done.chunks):
                    yield done
                    done.samples, done.results = np.empty(0, np.float32), {}

    def _padded_seconds(self, piece: tuple[_Recording, int]) -> float:
        start, end = piece[0].chunks[piece[1]]
        window = self._model.window if isinstance(self._model, EncoderDecoderModel) else None
        return max(end - start, window or 0) / self._model.sampling_rate

    def _run(self, batch: list[tuple[_Recording, int]]) -> None:
        """Fills in the results of a batch; where it fails as a whole (memory, say), clip by clip."""
        begun = time.perf_counter()
        clips = [self._filled(recording.samples[slice(*recording.chunks[i])]) for recording, i in batch]
        results: list[Any]
        try:
            results = self._results(clips)
        except Exception as problem:
            if len(batch) > 1:
                for piece in batch:
                    self._run([piece])
                return
            results = [problem]
        seconds = (time.perf_counter() - begun) / len(batch)
        for (recording, i), result in zip(batch, results, strict=True):
            recording.results[i] = result
            recording.seconds += seconds

    def _results(self, clips: list[Samples]) -> list[Any]:
        with _inference():
            if isinstance(self._model, CtcModel):
                return list(self._model.log_probabilities(clips))
            return list(self._model.transcribe(clips))

    def _filled(self, samples: Samples) -> Samples:
        missing = round(_SHORTEST_SECONDS * self._model.sampling_rate) - len(samples)
        return np.pad(samples, (0, missing)) if missing > 0 else np.ascontiguousarray(samples)

    def _finished(self, recording: _Recording) -> Hypothesis | Failure:
        begun = time.perf_counter()
        clip, duration = recording.clip, len(recording.samples) / self._model.sampling_rate
        try:
            text, confidence, words = self._joined(recording.chunks, recording.parts(), duration)
        except Exception as problem:
            return _failed(clip, problem)
        seconds = recording.seconds + time.perf_counter() - begun
        return Hypothesis(clip.utterance_id, text, confidence, words, duration, seconds)

    def _joined(self, places: list[Chunk], parts: list[Any], duration: float) -> Heard:
        if isinstance(self._model, CtcModel):
            frames: Frames = join_frames(parts, [place.start // self._model.stride for place in places])
            return self._model.decode(frames, duration)
        if len(parts) == 1:
            text, confidence, words = parts[0]
            # A very short clip was filled up with silence.
            inside = words and tuple(replace(w, start=min(w.start, duration), end=min(w.end, duration)) for w in words)
            return text, confidence, inside
        return join_heard(parts, most=round(self.parameters["overlap_seconds"] * _WORDS_PER_SECOND))


def _failed(clip: Clip, problem: Exception) -> Failure:
    reason = f"the model failed on it: {type(problem).__name__}: {problem}"
    return Failure(clip.utterance_id, str(clip.path), reason)


def join_heard(parts: Sequence[Heard], most: int) -> Heard:
    """The texts of overlapping chunks as one, with the mean confidence by words; such models give no word times."""
    words: list[str] = []
    for text, _, _ in parts:
        following = text.split()
        keep, begin = join_words(words, following, most) if words else (0, 0)
        words = words[:keep] + following[begin:]
    weights = [max(1, len(text.split())) for text, _, _ in parts]
    confidence = float(np.average([part[1] for part in parts], weights=weights))
    return " ".join(words), confidence, None


def checked_parameters(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Every parameter of the backend with its value; numbers may come as strings.

    Raises:
        BadInput: an unknown parameter, or a value that it cannot have.
    """
    for name in parameters:
        if name not in _PARAMETERS:
            raise BadInput(f"the transformers backend has no parameter {name!r}; it has {', '.join(_PARAMETERS)}")
    checked: dict[str, Any] = {}
    for name, (kind, default, meaning) in _PARAMETERS.items():
        value = parameters.get(name, default)
        try:
            checked[name] = None if value is None and default is None else kind(value)
        except (TypeError, ValueError):
            raise BadInput(f"the parameter {name!r} cannot be {value!r}; it is {meaning}") from None
    for name in ("num_beams", "batch_seconds", "chunk_seconds"):
        if checked[name] is not None and not 0 < checked[name] < float("inf"):
            raise BadInput(f"the parameter {name!r} must be over 0, not {checked[name]!r}; it is {_meaning(name)}")
    if not 0 <= checked["overlap_seconds"] <= checked["chunk_seconds"] / 2:
        raise BadInput(
            f"chunks of {checked['chunk_seconds']:g} s cannot overlap by {checked['overlap_seconds']:g} s; "
            "overlap_seconds must be 0 to half of chunk_seconds"
        )
    if checked["dtype"] not in ("auto", "float32", "float16", "bfloat16"):
        raise BadInput(f"the parameter 'dtype' cannot be {checked['dtype']!r}; it is {_meaning('dtype')}")
    return checked


def _meaning(name: str) -> str:
    return _PARAMETERS[name][2]


def _inference() -> Any:
    import torch

    return torch.inference_mode()


def _load(model: str, files: ModelFiles, parameters: Mapping[str, Any]) -> tuple[Any, Any, Any]:
    """Model, feature extractor and tokenizer; only safetensors, and never the model's own code."""
    import torch
    import transformers
    from transformers import AutoConfig, AutoFeatureExtractor, AutoModelForCTC, AutoModelForSpeechSeq2Seq, AutoTokenizer

    # It warns of settings that it makes itself, once for every call.
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    instead = "choose another model, or the embedded default, the backend pocketsphinx"
    local: dict[str, Any] = {"trust_remote_code": False, "local_files_only": True}
    try:
        config = AutoConfig.from_pretrained(files.directory, **local)
        extractor = AutoFeatureExtractor.from_pretrained(files.directory, **local)
        tokenizer = AutoTokenizer.from_pretrained(files.directory, **local)
        kind = _model_class(config, AutoModelForCTC, AutoModelForSpeechSeq2Seq)
        if kind is None:
            raise BackendUnavailable(
                f"{model}: {', '.join(config.architectures or []) or config.model_type} is neither a CTC nor an "
                f"encoder-decoder speech model; {instead}"
            )
        device, dtype = _placement(torch, config, parameters)
        loaded, report = kind.from_pretrained(
            files.directory, dtype=dtype, use_safetensors=True, output_loading_info=True, **local
        )
        # Training's mask alone may be missing, as it is from wav2vec2's first checkpoints.
        missing = sorted(key for key in report["missing_keys"] if not key.endswith("masked_spec_embed"))
        if missing:
            raise BackendUnavailable(
                f"{model}: its weights lack {len(missing)} of the model's parameters ({missing[0]}, …), "
                f"so it would transcribe at random; {instead}"
            )
        return loaded.to(device).eval(), extractor, tokenizer
    except (OSError, ValueError, ImportError, KeyError, RuntimeError) as problem:
        detail = str(problem).strip().splitlines()
        said = f"{type(problem).__name__}: {detail[0]}" if detail else type(problem).__name__
        raise BackendUnavailable(f"{model}: transformers cannot load it ({said}); {instead}") from problem


def _model_class(config: Any, ctc: Any, encoder_decoder: Any) -> Any:
    """The class for the architecture that the configuration names, or for its type where it names none."""
    names = config.architectures or []
    # Speech language models are in the library's list too; they want prompts, and no encoder-decoder call.
    for kind, suits in ((encoder_decoder, _is_encoder_decoder(config)), (ctc, True)):
        own = kind._model_mapping.get(type(config), None)
        if suits and own is not None and (not names or own.__name__ in names):
            return kind
    return None


def _is_encoder_decoder(config: Any) -> bool:
    return bool(getattr(config, "is_encoder_decoder", False))


def _placement(torch: Any, config: Any, parameters: Mapping[str, Any]) -> tuple[str, Any]:
    """Device and dtype: half precision on a GPU, the checkpoint's own kind if it has one; else float32."""
    device, dtype = parameters["device"], parameters["dtype"]
    if device == "auto":
        device = "cuda:0" if torch.cuda.is_available() else "cpu"
    try:
        kind = torch.device(device).type
    except RuntimeError:
        raise BadInput(f"there is no device {device!r}; give auto, cpu or cuda:0") from None
    if kind == "cuda" and not torch.cuda.is_available():
        raise BackendUnavailable(f"there is no GPU here for the device {device!r}; give device = cpu or auto")
    if dtype == "auto" and kind == "cuda":
        own = str(getattr(config, "dtype", None)).removeprefix("torch.")
        dtype = own if own in ("float16", "bfloat16") else "float16"
    return device, getattr(torch, "float32" if dtype == "auto" else dtype)
