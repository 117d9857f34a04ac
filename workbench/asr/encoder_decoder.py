"""Texts from encoder-decoder speech models: Whisper with its windows of 30 s, and others over the whole clip."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.asr.backend import Word
from workbench.asr.ctc import WORD_STARTS
from workbench.errors import BadInput

Samples = NDArray[np.float32]
Heard = tuple[str, float, tuple[Word, ...] | None]

_TOKENS_PER_SECOND = 15  # more than anybody says; where a model sets no limit of its own
_LEAST_TOKENS = 24
_WHISPER_FRAMES_PER_TIMESTAMP = 2
_WHISPER_SECONDS_PER_FRAME = 0.01


@dataclass
class _Spoken:
    """Generated tokens up to the end token, their log-probabilities, and when each starts and ends (s) where known."""

    tokens: list[int] = field(default_factory=list)
    log_probabilities: list[float] = field(default_factory=list)
    spans: list[tuple[float, float]] | None = None

    def first(self, count: int) -> _Spoken:
        return _Spoken(self.tokens[:count], self.log_probabilities[:count], self.spans and self.spans[:count])

    def append(self, other: _Spoken, seconds: float) -> None:
        """Adds what was spoken `seconds` later."""
        self.tokens += other.tokens
        self.log_probabilities += other.log_probabilities
        if other.spans is not None:
            self.spans = (self.spans or []) + [(start + seconds, end + seconds) for start, end in other.spans]


class EncoderDecoderModel:
    """A loaded encoder-decoder model with its feature extractor and tokenizer.

    Whisper pads every clip to 30 s, so its batches are those of one length. Others get batches of equal lengths only,
    because few of them mask padding in every layer.
    """

    def __init__(
        self, model: Any, extractor: Any, tokenizer: Any, language: str | None, task: str | None, num_beams: int
    ) -> None:
        self._model, self._extractor, self._tokenizer = model, extractor, tokenizer
        self._beams = num_beams
        self.sampling_rate = int(extractor.sampling_rate)
        self.is_whisper = model.config.model_type == "whisper"
        self.equal_lengths_only = not self.is_whisper
        self._settings = self._whisper_settings(language, task)
        # A translation's words come in another order than the audio's.
        timed = self.is_whisper and task != "translate"
        self.has_times = timed and getattr(model.generation_config, "alignment_heads", None) is not None

    @property
    def window(self) -> int | None:
        """The most samples that the model hears at once; None where it sets no limit."""
        return int(self._extractor.n_samples) if self.is_whisper else None

    def transcribe(self, clips: Sequence[Samples]) -> list[Heard]:
        """Text, confidence and words of each clip; Whisper clips longer than its window go through it one by one."""
        long = [self.window is not None and len(clip) > self.window for clip in clips]
        at_once = iter(self._transcribe_short([clip for clip, is_long in zip(clips, long, strict=True) if not is_long]))
        return [
            self._transcribe_long(clip) if is_long else next(at_once) for clip, is_long in zip(clips, long, strict=True)
        ]

    def _transcribe_short(self, clips: Sequence[Samples]) -> list[Heard]:
        if not clips:
            return []
        inputs = self._features(clips)
        longest = max(len(clip) for clip in clips) / self.sampling_rate
        spoken = self._generate(inputs, longest, timestamps=False)
        return [self._heard(one, len(clip) / self.sampling_rate) for one, clip in zip(spoken, clips, strict=True)]

    def _whisper_settings(self, language: str | None, task: str | None) -> dict[str, Any]:
        given = {name: value for name, value in (("language", language), ("task", task)) if value is not None}
        if not given:
            return {}
        if not self.is_whisper:
            raise BadInput(f"only Whisper models take the parameter {next(iter(given))!r}; leave it out")
        config = self._model.generation_config
        languages = {token.strip("<|>") for token in getattr(config, "lang_to_id", None) or {}}
        if not languages:
            raise BadInput(
                f"this Whisper model has one language and takes no parameter {next(iter(given))!r}; leave it out"
            )
        if language is not None and language.lower() not in languages:
            raise BadInput(f"this model has no language {language!r}; it has {', '.join(sorted(languages))}")
        tasks = getattr(config, "task_to_id", None) or {}
        if task is not None and task not in tasks:
            raise BadInput(f"this model has no task {task!r}; its tasks are {', '.join(sorted(tasks))}")
        return given

    def _features(self, clips: Sequence[Samples], whole: bool = False) -> dict[str, Any]:
        options: dict[str, Any] = {"return_attention_mask": True} if self.is_whisper else {"padding": True}
        if whole:
            options |= {"truncation": False, "padding": "longest"}
        features = self._extractor(list(clips), sampling_rate=self.sampling_rate, return_tensors="pt", **options)
        return {
            name: value.to(self._model.device, self._model.dtype if value.is_floating_point() else value.dtype)
            for name, value in features.items()
            if name in {*self._extractor.model_input_names, "attention_mask"}
        }

    def _generate(self, inputs: dict[str, Any], seconds: float, timestamps: bool) -> list[_Spoken]:
        options: dict[str, Any] = {"return_dict_in_generate": True, "output_scores": True, "num_beams": self._beams}
        options |= {"do_sample": False, **self._settings}
        limits = self._model.generation_config
        if self.is_whisper:
            # One window is one call to the decoder: without the fallback to sampling, the same clip has the same text.
            options |= {"return_timestamps": timestamps, "force_unique_generate_call": True}
            options |= {"return_token_timestamps": True} if self.has_times else {}
        elif limits.max_new_tokens is None and limits.max_length in (None, 20):  # 20 is the library's default
            options["max_new_tokens"] = _LEAST_TOKENS + math.ceil(seconds * _TOKENS_PER_SECOND)
        output = self._model.generate(**inputs, **options)
        # Whisper's `generate` has already picked the scores of the beam that won; others leave that to the caller.
        sequences, beams = output["sequences"], None if self.is_whisper else output.get("beam_indices")
        steps = self._model.compute_transition_scores(sequences, output["scores"], beams, normalize_logits=True)
        times = output.get("token_timestamps")
        spoken = []
        for row in range(len(sequences)):
            generated = sequences[row, -steps.shape[1] :].tolist()
            length = next((i + 1 for i, token in enumerate(generated) if token == self._end), len(generated))
            one = _Spoken(generated[:length], steps[row, :length].float().tolist())
            if times is not None:
                # A token's time is that of its end, and of the next one's start.
                ends = times[row, -steps.shape[1] :].tolist()[:length]
                one.spans = list(zip([0.0, *ends], ends, strict=False))
            spoken.append(one)
        return spoken

    def _transcribe_long(self, samples: Samples) -> Heard:
        """Whisper's own way through a long recording: each window begins where the last one's whole segments ended.

        The same tokens as the library's long-form `generate` (Radford et al., 2022, section 4.5, without its
        heuristics), but a window at a time, so that an hour's scores and attention need not fit the memory.
        """
        inputs = self._features([samples], whole=True)
        features = inputs["input_features"]
        window = self._extractor.nb_max_frames
        total, frame, spoken = features.shape[-1], 0, _Spoken()
        while frame < total:
            here = features[..., frame : frame + window]
            count = here.shape[-1]
            mask = here.new_zeros((1, window), dtype=inputs["attention_mask"].dtype)
            mask[:, :count] = 1
            padded = here.new_zeros((*here.shape[:-1], window))
            padded[..., :count] = here
            heard = self._generate({"input_features": padded, "attention_mask": mask}, 30.0, timestamps=True)[0]
            kept, frames = self._whole_segments(heard.tokens)
            spoken.append(heard.first(kept), frame * _WHISPER_SECONDS_PER_FRAME)
            frame += min(count, frames or count)
        return self._heard(spoken, len(samples) / self.sampling_rate)

    def _whole_segments(self, tokens: list[int]) -> tuple[int, int]:
        """How many of a window's tokens belong to whole segments, and the frames they take (0: the whole window).

        A segment stands between two timestamps. Two of them in a row end one and begin the next; what follows the
        last such pair was cut by the window's edge and is heard again, unless a single timestamp says that it ended.
        """
        text = tokens[:-1] if tokens and tokens[-1] == self._end else tokens
        stamps = [token >= self._first_timestamp for token in text]
        pairs = [i for i in range(1, len(stamps)) if stamps[i - 1] and stamps[i]]
        if not pairs or stamps[-2:] == [False, True]:
            return len(tokens), 0
        return pairs[-1], (text[pairs[-1] - 1] - self._first_timestamp) * _WHISPER_FRAMES_PER_TIMESTAMP

    @property
    def _first_timestamp(self) -> int:
        return int(self._model.generation_config.no_timestamps_token_id) + 1

    def _heard(self, spoken: _Spoken, duration: float) -> Heard:
        special = set(self._tokenizer.all_special_ids)
        stamp = self._first_timestamp if self.is_whisper else None
        places = [i for i, t in enumerate(spoken.tokens) if t not in special and (stamp is None or t < stamp)]
        text = self._text([spoken.tokens[i] for i in places])
        scores = spoken.log_probabilities
        confidence = min(1.0, math.exp(sum(scores) / len(scores))) if scores else 0.0
        if not math.isfinite(confidence):
            raise ValueError("the model's output is not a number; try the parameter dtype = float32")
        return text, confidence, self._words(spoken, places, duration)

    def _words(self, spoken: _Spoken, places: list[int], duration: float) -> tuple[Word, ...] | None:
        if spoken.spans is None:
            return None if places or not self.has_times else ()
        groups: list[list[int]] = []
        pieces = self._tokenizer.convert_ids_to_tokens([spoken.tokens[i] for i in places])
        for place, piece in zip(places, pieces, strict=True):
            if not groups or piece.startswith(WORD_STARTS):
                groups.append([])
            groups[-1].append(place)
        words, latest = [], 0.0
        for group in groups:
            word = self._text([spoken.tokens[i] for i in group])
            start = min(max(latest, spoken.spans[group[0]][0]), duration)
            latest = min(max(start, spoken.spans[group[-1]][1]), duration)
            mean = sum(spoken.log_probabilities[i] for i in group) / len(group)
            if word:
                words.append(Word(word, start, latest, min(1.0, math.exp(mean))))
        return tuple(words)

    def _text(self, ids: list[int]) -> str:
        return unicodedata.normalize("NFC", " ".join(self._tokenizer.decode(ids, skip_special_tokens=True).split()))

    @property
    def _end(self) -> int:
        end = self._model.generation_config.eos_token_id
        return int(end[0] if isinstance(end, (list, tuple)) else end)
