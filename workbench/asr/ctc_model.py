"""A CTC model's log-probabilities, frame by frame, of clips in batches: equal to those of the clips one by one."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.asr import ctc
from workbench.asr.backend import Word
from workbench.asr.forced_alignment import Alignment, Spoken, align_labels
from workbench.asr.label_tokens import Alphabet
from workbench.errors import BackendUnavailable

Samples = NDArray[np.float32]
Frames = NDArray[np.float32]

_PADDING_TOLERANCE = {"float32": 1e-3}
_HALF_PRECISION_TOLERANCE = 0.2  # log-probabilities of half-precision models differ by this between batch sizes anyway


class CtcModel:
    """A loaded CTC model with its feature extractor and tokenizer.

    Two things make a batch's texts differ from the clips' own. Frames beyond a clip's end are decoded as if they were
    speech: here every clip's frames are cut to its own length. And in some models padding changes the frames before
    it (group normalisation over the whole length in wav2vec2-base, models without attention masks): this is tried
    once with noise when the model is loaded, and such a model gets batches of equal lengths only.
    """

    def __init__(self, model: Any, extractor: Any, tokenizer: Any) -> None:
        self._model, self._extractor, self._tokenizer = model, extractor, tokenizer
        self.sampling_rate = int(extractor.sampling_rate)
        blank = getattr(model.config, "pad_token_id", None)
        self.blank = int(tokenizer.pad_token_id if blank is None else blank)
        self.stride = self._measure_stride()
        self.equal_lengths_only = self._padding_changes_frames()

    def log_probabilities(self, clips: Sequence[Samples]) -> list[Frames]:
        """Log-probabilities of each clip, float32, shape (frames, vocabulary), its own frames only."""
        inputs, lengths = self._features(clips)
        logits = self._model(**self._placed(inputs)).logits.float().log_softmax(dim=-1).cpu().numpy()
        return [frames[: max(0, length)] for frames, length in zip(logits, lengths, strict=True)]

    def decode(self, frames: Frames, duration: float) -> tuple[str, float, tuple[Word, ...] | None]:
        """Text, confidence and words (times in s) of a clip's log-probabilities.

        Raises:
            ValueError: the model gave values that are no numbers.
        """
        self._refuse_no_numbers(frames)
        special = set(self._tokenizer.all_special_ids)
        delimiter = getattr(self._tokenizer, "word_delimiter_token", None)
        delimiter_id = None if delimiter is None else self._tokenizer.convert_tokens_to_ids(delimiter)
        path = ctc.greedy_tokens(frames, self.blank)
        tokens = [token for token in path if token.id == delimiter_id or token.id not in special]
        text = self._text([token.id for token in tokens])
        pieces = self._tokenizer.convert_ids_to_tokens([token.id for token in tokens])
        groups = ctc.word_tokens(tokens, pieces, delimiter)
        words = ctc.timed_words(text.split(), groups, self.stride / self.sampling_rate, duration)
        return text, ctc.confidence(self._negative_log_likelihood(frames, path), len(path)), words

    def align(self, spoken: Sequence[Spoken], texts: Sequence[str]) -> list[Alignment]:
        """The alignment of each label's text with its utterance's log-probabilities.

        Raises:
            BackendUnavailable: the model writes something that labels cannot be folded to.
            ValueError: an utterance is too long, or the model gave values that are no numbers.
        """
        for one in spoken:
            self._refuse_no_numbers(one.frames)
        labels = [self.alphabet.tokens(text) for text in texts]
        return align_labels(spoken, labels, self.blank, self.stride / self.sampling_rate, self._text)

    @cached_property
    def alphabet(self) -> Alphabet:
        """What the model can write."""
        return Alphabet(self._tokenizer)

    def _refuse_no_numbers(self, frames: Frames) -> None:
        if not np.isfinite(frames.max(axis=1)).all():
            raise ValueError("the model's output is not a number; try the parameter dtype = float32")

    def _text(self, ids: list[int]) -> str:
        # The repetitions are merged already: the tokenizer would merge the two letters of "hello" as well.
        text = self._tokenizer.decode(ids, skip_special_tokens=True, group_tokens=False)
        return unicodedata.normalize("NFC", " ".join(text.split()))

    def _negative_log_likelihood(self, frames: Frames, path: Sequence[ctc.Token]) -> float:
        import torch

        loss = torch.nn.functional.ctc_loss(
            torch.from_numpy(np.ascontiguousarray(frames))[:, None],
            torch.tensor([[token.id for token in path]], dtype=torch.long).reshape(1, len(path)),
            torch.tensor([len(frames)]),
            torch.tensor([len(path)]),
            blank=self.blank,
            reduction="sum",
        )
        return float(loss)

    def _features(self, clips: Sequence[Samples]) -> tuple[dict[str, Any], list[int]]:
        features = self._extractor(
            list(clips), sampling_rate=self.sampling_rate, padding="longest", return_tensors="pt"
        )
        inputs = {name: features[name] for name in self._extractor.model_input_names if name in features}
        if "attention_mask" in inputs:
            lengths = inputs["attention_mask"].sum(-1)
        else:  # models that take no mask take the samples as they are
            import torch

            lengths = torch.tensor([len(clip) for clip in clips])
        return inputs, [int(length) for length in self._output_lengths(lengths)]

    def _placed(self, inputs: dict[str, Any]) -> dict[str, Any]:
        return {
            name: value.to(self._model.device, self._model.dtype if value.is_floating_point() else value.dtype)
            for name, value in inputs.items()
        }

    def _output_lengths(self, lengths: Any) -> Any:
        for name in ("_get_feat_extract_output_lengths", "_get_subsampling_output_length"):
            if hasattr(self._model, name):
                return getattr(self._model, name)(lengths)
        raise BackendUnavailable(
            f"{type(self._model).__name__} does not say how many frames it gives for a clip, so clips cannot be "
            "batched; choose another model, or the embedded default, the backend pocketsphinx"
        )

    def _measure_stride(self) -> int:
        """Samples between two frames: from the frames that two lengths give, as configurations name it variously."""
        short, long = (self._features([np.zeros(s * self.sampling_rate, np.float32)])[1][0] for s in (10, 50))
        return round(40 * self.sampling_rate / (long - short))

    def _padding_changes_frames(self) -> bool:
        noise = np.random.default_rng(0).standard_normal(int(2.1 * self.sampling_rate)).astype(np.float32) * 0.1
        short = noise[: int(1.3 * self.sampling_rate)]
        alone, padded = self.log_probabilities([short])[0], self.log_probabilities([short, noise])[0]
        if alone.shape != padded.shape:
            return True
        tolerance = _PADDING_TOLERANCE.get(str(self._model.dtype).removeprefix("torch."), _HALF_PRECISION_TOLERANCE)
        return not bool(np.abs(alone - padded).max() <= tolerance)
