"""What every speech recogniser offers the workbench, and how one is loaded by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from workbench.errors import BadInput

BACKENDS = ("pocketsphinx", "transformers")


@dataclass(frozen=True)
class Clip:
    """One utterance to transcribe: a span (s) of a recording; `None` is the recording's beginning or end."""

    utterance_id: str
    path: Path
    start: float | None = None
    end: float | None = None
    duration: float | None = None


@dataclass(frozen=True)
class Word:
    """One recognised word, its start and end in seconds from the clip's beginning, and its confidence in [0, 1]."""

    word: str
    start: float
    end: float
    confidence: float | None


@dataclass(frozen=True)
class Hypothesis:
    """What a model heard in one clip.

    `words` is None where the model gives no times; `compute_seconds` is an equal share of the batch's.
    """

    utterance_id: str
    text: str
    confidence: float | None
    words: tuple[Word, ...] | None
    audio_seconds: float
    compute_seconds: float


@dataclass(frozen=True)
class Failure:
    """A clip that could not be transcribed: where it lies and why."""

    utterance_id: str
    location: str
    reason: str


class Backend(Protocol):
    """A loaded speech recogniser, with all that a run must record to be repeatable."""

    name: str
    model: str
    revision: str | None
    parameters: dict[str, Any]
    device: str
    library_versions: dict[str, str]

    def transcribe(self, clips: Sequence[Clip]) -> Iterator[Hypothesis | Failure]:
        """One Hypothesis or Failure for each clip, as they become ready, in any order."""
        ...

    def stays_ready(self) -> AbstractContextManager[None]:
        """Within the block nothing has to be loaded for one `transcribe` after another, all of them by one thread."""
        ...


def load_backend(name: str, model: str = "", parameters: Mapping[str, Any] | None = None, workers: int = 1) -> Backend:
    """The speech recogniser of that name, loaded and ready.

    Args:
        name: `pocketsphinx` (embedded, US English) or `transformers`.
        model: for transformers a local directory or a hub name; empty for pocketsphinx.
        parameters: the backend's own parameters by name.
        workers: processes that transcribe (pocketsphinx) or threads that read audio (transformers).

    Raises:
        BadInput: an unknown backend or parameter, or a value that it cannot have.
        BackendUnavailable: the model cannot be loaded here.
    """
    if workers < 1:
        raise BadInput(f"{workers} workers cannot transcribe anything; give 1 or more")
    if name == "pocketsphinx":
        from workbench.asr.pocketsphinx_backend import PocketsphinxBackend

        return PocketsphinxBackend(model, parameters or {}, workers)
    if name == "transformers":
        from workbench.asr.transformers_backend import TransformersBackend

        return TransformersBackend(model, parameters or {}, workers)
    raise BadInput(f"there is no backend {name!r}; the backends are {', '.join(BACKENDS)}")
