"""pocketsphinx, the embedded default: its package carries a US English model, so nothing has to be downloaded.

It decodes read US English tolerably and much else badly: a lower bound to measure other models against.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.asr.backend import Clip, Failure, Hypothesis, Word
from workbench.asr.clip_samples import read_clip
from workbench.asr.model_files import content_hash
from workbench.errors import BackendUnavailable, BadInput, UnreadableAudio
from workbench.jobs.processes import StandingPool, map_in_processes

SAMPLING_RATE = 16_000
EMBEDDED_MODEL = "en-us"

# What the backend sets itself, and searches that spot phrases or phones and so do not transcribe.
_FIXED = {
    "samprate", "input_endian", "frate", "logfn", "loglevel", "verbose", "backtrace", "mfclogdir", "rawlogdir",
    "senlogdir", "allphone", "keyphrase", "kws", "lmctl", "lmname",
}  # fmt: skip
_FILES = (  # parameters that name files or directories
    "hmm", "lm", "dict", "jsgf", "fsg", "fdict", "mllr", "lda", "featparams", "mdef", "senmgau", "tmat", "mean", "var",
    "mixw", "sendump",
)  # fmt: skip
_TRUTH = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
_ALTERNATE = re.compile(r"\(\d+\)$")
_FILLER = re.compile(r"<.*>|\[.*\]|\+\+.*\+\+")


class PocketsphinxBackend:
    """A `Backend`: one decoder in each of `workers` processes."""

    name = "pocketsphinx"
    device = "cpu"

    def __init__(self, model: str, parameters: Mapping[str, Any], workers: int) -> None:
        if model not in ("", EMBEDDED_MODEL):
            raise BadInput(
                f"pocketsphinx has the model {EMBEDDED_MODEL!r} and not {model!r}; "
                "for another one give the parameters hmm, lm and dict, or take the transformers backend"
            )
        self._given = checked_parameters(parameters)
        self._workers = workers
        self._standing: StandingPool | None = None
        config = _load(self._given).config
        self.model = str(self._given.get("hmm", EMBEDDED_MODEL))
        values = {argument.name: config[argument.name] for argument in config.describe() if argument.name not in _FIXED}
        files = [Path(values[name]) for name in _FILES if values.get(name)]
        self.revision: str | None = content_hash(files)
        own = {name: value for name, value in values.items() if value is not None and name not in _FILES}
        self.parameters = own | self._given
        self.library_versions = {"pocketsphinx": importlib.metadata.version("pocketsphinx")}

    def transcribe(self, clips: Sequence[Clip]) -> Iterator[Hypothesis | Failure]:
        """One Hypothesis or Failure for each clip, in any order; equal for any order and number of processes."""
        workers = max(1, min(self._workers, len(clips)))
        outcomes = map_in_processes(
            _transcribe, clips, workers, _start_process, (self._given,), standing=self._standing
        )
        for clip, outcome in outcomes:
            if isinstance(outcome, Exception):
                reason = f"pocketsphinx failed on it: {type(outcome).__name__}: {outcome}"
                yield Failure(clip.utterance_id, str(clip.path), reason)
            else:
                yield outcome

    @contextlib.contextmanager
    def stays_ready(self) -> Iterator[None]:
        """Within the block the decoders stay in their processes, which take longer to start than a short clip."""
        with StandingPool(self._workers, _start_process, (self._given,)) as self._standing:
            try:
                yield
            finally:
                self._standing = None


def checked_parameters(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters with the types that pocketsphinx wants; numbers and truth values may come as strings.

    Raises:
        BadInput: an unknown parameter, one that the backend sets itself, or a value of another type.
    """
    import difflib

    import pocketsphinx

    types = {argument.name: argument.type for argument in pocketsphinx.Config().describe()}
    checked: dict[str, Any] = {}
    for name, value in parameters.items():
        if name not in types:
            near = difflib.get_close_matches(name, types, 3)
            hint = f"; did you mean {' or '.join(near)}?" if near else "; pocketsphinx's manual lists its parameters"
            raise BadInput(f"pocketsphinx has no parameter {name!r}{hint}")
        if name in _FIXED:
            raise BadInput(
                f"pocketsphinx's parameter {name!r} is not to be set: the workbench sets it or has no use for it"
            )
        checked[name] = _typed(name, value, types[name])
    return checked


def _typed(name: str, value: Any, wanted: type) -> Any:
    expected = {bool: "yes or no", int: "a whole number", float: "a number", str: "text"}[wanted]
    try:
        if wanted is bool:
            return _TRUTH[str(value).lower()]
        if isinstance(value, bool) or (wanted is int and not float(value).is_integer()):
            raise ValueError
        return wanted(float(value)) if wanted is int else wanted(value)
    except (ValueError, KeyError, TypeError, OverflowError):
        raise BadInput(f"pocketsphinx's parameter {name!r} must be {expected}, not {value!r}") from None


def _load(parameters: Mapping[str, Any]) -> Any:
    import pocketsphinx

    for name in _FILES:
        if name in parameters and not Path(parameters[name]).exists():
            raise BadInput(f"pocketsphinx's parameter {name!r} names {parameters[name]!r}, which is not there")
    try:
        # A dither with a seed of its own choice would give another text every time.
        return pocketsphinx.Decoder(**{"loglevel": "FATAL", "seed": 0} | dict(parameters))
    except (RuntimeError, ValueError) as problem:
        given = ", ".join(f"{name}={value}" for name, value in parameters.items()) or "its defaults"
        reason = f"pocketsphinx cannot start with {given} ({problem}); correct the parameters"
        raise BackendUnavailable(reason) from problem


_decoder: Any = None  # one for each worker process, loaded when the process starts


def _start_process(parameters: Mapping[str, Any]) -> None:
    global _decoder
    _decoder = _load(parameters)


def _transcribe(clip: Clip) -> Hypothesis | Failure:
    begun = time.perf_counter()
    try:
        samples = read_clip(clip, SAMPLING_RATE)
    except UnreadableAudio as problem:
        return Failure(clip.utterance_id, str(clip.path), str(problem))
    text, confidence, words = decode(_decoder, samples)
    return Hypothesis(
        clip.utterance_id, text, confidence, words, len(samples) / SAMPLING_RATE, time.perf_counter() - begun
    )


def decode(decoder: Any, samples: NDArray[np.float32]) -> tuple[str, float, tuple[Word, ...]]:
    """Text, confidence and words of mono samples at 16 kHz, whatever the decoder heard before.

    The confidence is the mean of the words' posterior probabilities: of the cheap ones it predicts wrong utterances
    best (250 utterances of speechocean762: AUROC .94 for any error and .82 for WER over 50 %, against .89 and .79 by
    the posterior of the whole text). Without words it is the posterior of there being none.
    """
    if not samples.any():  # it makes up a word in digital silence
        return "", 1.0, ()
    # The decoder carries noise and cepstral means from one utterance to the next; setting its means anew is not
    # enough (15 of 16 results then depend on the order), starting its features anew is (0 of 16).
    decoder.reinit_feat()
    pcm = np.clip(np.rint(samples * 32768.0), -32768, 32767).astype("<i2").tobytes()
    decoder.start_utt()
    try:
        if pcm:
            decoder.process_raw(pcm, full_utt=True)
    finally:
        decoder.end_utt()
    best = decoder.hyp()
    if best is None:  # too short for a single frame
        return "", 0.0, ()
    duration = len(samples) / SAMPLING_RATE
    words = tuple(_words(decoder.seg(), int(decoder.config["frate"]), duration))
    posterior = float(np.mean([word.confidence for word in words])) if words else float(best.prob)
    return " ".join(word.word for word in words), min(1.0, max(0.0, posterior)), words


def _words(segments: Iterable[Any], frame_rate: int, duration: float) -> Iterator[Word]:
    for segment in segments:
        if not _FILLER.fullmatch(segment.word):
            start, end = segment.start_frame / frame_rate, (segment.end_frame + 1) / frame_rate
            word = _ALTERNATE.sub("", segment.word)
            yield Word(word, min(start, duration), min(end, duration), min(1.0, max(0.0, float(segment.prob))))
