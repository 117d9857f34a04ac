"""Labels of recordings aligned with a CTC model, in batches of similar length."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workbench.asr.backend import Clip, Failure, load_backend
from workbench.asr.forced_alignment import Alignment, Spoken
from workbench.asr.transformers_backend import Emission, TransformersBackend
from workbench.errors import BadInput

_BATCH_SECONDS = 240.0  # of audio whose labels are aligned together; more would only take more memory


@dataclass(frozen=True)
class LabelAlignment:
    """An utterance's label with its alignment; None where the recording holds no sound to align it with."""

    utterance_id: str
    text: str
    alignment: Alignment | None


class LabelAligner:
    """A loaded CTC model that aligns labels with recordings."""

    def __init__(self, backend: TransformersBackend) -> None:
        self.backend = backend
        self._model = backend.ctc_model
        _ = self._model.alphabet  # a model to which labels cannot be folded is refused before any work is done

    def align(self, clips: Sequence[Clip], texts: Mapping[str, Sequence[str]]) -> Iterator[LabelAlignment | Failure]:
        """A LabelAlignment for each of a clip's texts, or one Failure for the clip, in any order.

        What is aligned together changes no alignment. `texts` has the labels of each clip by its id.
        """
        waiting: list[Emission] = []
        seconds = 0.0
        for outcome in self.backend.emissions([clip for clip in clips if texts[clip.utterance_id]]):
            if isinstance(outcome, Failure):
                yield outcome
            elif outcome.frames is None or not len(outcome.frames):
                yield from (LabelAlignment(outcome.utterance_id, text, None) for text in texts[outcome.utterance_id])
            else:
                waiting.append(outcome)
                seconds += outcome.duration * len(texts[outcome.utterance_id])
            if seconds >= _BATCH_SECONDS:
                yield from self._aligned(waiting, texts)
                waiting, seconds = [], 0.0
        yield from self._aligned(waiting, texts)

    def _aligned(
        self, emissions: Sequence[Emission], texts: Mapping[str, Sequence[str]]
    ) -> Iterator[LabelAlignment | Failure]:
        """The alignments of a batch; where it fails as a whole, utterance by utterance."""
        pairs = [
            (emission.utterance_id, text, Spoken(emission.frames, emission.duration))
            for emission in emissions
            if emission.frames is not None
            for text in texts[emission.utterance_id]
        ]
        if not pairs:
            return
        try:
            alignments = self._model.align([spoken for _, _, spoken in pairs], [text for _, text, _ in pairs])
        except Exception as problem:
            if len(emissions) > 1:
                for emission in emissions:
                    yield from self._aligned([emission], texts)
            else:
                reason = f"its label could not be aligned: {problem or type(problem).__name__}"
                yield Failure(emissions[0].utterance_id, "label", reason)
            return
        for (name, text, _), alignment in zip(pairs, alignments, strict=True):
            yield LabelAlignment(name, text, alignment)


def load_aligner(
    backend: str, model: str, parameters: Mapping[str, Any] | None = None, workers: int = 1
) -> LabelAligner:
    """The CTC model of that name, loaded and ready to align labels.

    Args:
        backend: must be `transformers`.
        model: a local directory or a hub name.
        parameters: the backend's own parameters by name.
        workers: threads that read audio.

    Raises:
        BadInput: another backend, a model that is no CTC model, or a parameter that there is not.
        BackendUnavailable: the model cannot be loaded here.
    """
    if backend != "transformers":
        raise BadInput(
            f"the backend {backend} hears no frames that labels could be aligned with; give a CTC model, as --backend "
            "transformers --model facebook/wav2vec2-base-960h, or set both under [asr] in workbench.toml"
        )
    loaded = load_backend(backend, model, parameters, workers)
    assert isinstance(loaded, TransformersBackend)
    return LabelAligner(loaded)
