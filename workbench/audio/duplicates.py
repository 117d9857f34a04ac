"""The same recording under several names: pairs that fingerprints propose and waveforms confirm, and their groups."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from workbench.audio.acoustic_fingerprint import Fingerprint, fingerprint
from workbench.audio.decode import read_audio
from workbench.audio.fingerprint import content_hash, samples_hash
from workbench.audio.fingerprint_index import candidates
from workbench.audio.same_recording import Match, compare
from workbench.audio.speech_band import speech_band

IDENTICAL, RE_ENCODED, PART = "identical samples", "re-encoded", "part of"

LEAST_SIMILARITY, LEAST_OF_A_WORD, WORD_SECONDS = 0.8, 0.93, 1.0
"""Correlation from which two waveforms are one recording; the second where they share less than so many seconds of
sound, because a vowel held at one pitch is much the same twice. On three speakers of FSDD (jackson, lucas, theo)
other takes of a digit reach 0.70, on all six 0.89 (george's four, which is what the second is for); copies as MP3 at 64
kbit/s have 0.99, at 24 kbit/s 0.96."""
LEAST_OF_A_PIECE = 0.5
"""The same for every loud quarter of a second, so that one word exchanged in a long clip is seen."""
MOST_OUTSIDE = 0.1
"""Seconds of sound that a copy may have more or less: the edge of a word, no word."""
MOST_OF_SHARED_OUTSIDE = 0.1
"""The same as a share of the sound that both have, for clips of a word."""
SHORTEST_PART = 0.3
"""Seconds of sound that a clip must have to be a part of another: shorter ones may be alike by chance."""
_LEAST_COVERED = 0.5  # of the active frames of one of the two


@dataclass(frozen=True)
class Clip:
    """A recording, or the span of it from start to end (s), under the name that it is known by."""

    name: str
    path: Path
    start: float | None = None
    end: float | None = None


@dataclass(frozen=True)
class Heard:
    """What was read of a clip: its hashes, its duration (s) and its fingerprint."""

    content_hash: str
    samples_hash: str
    duration: float
    fingerprint: Fingerprint


@dataclass(frozen=True)
class Comparison:
    """Two clips, by their numbers too, whose waveforms are to be compared about an offset (s)."""

    first: int
    second: int
    clips: tuple[Clip, Clip]
    offset: float


def hear(clip: Clip) -> Heard:
    """The hashes and the fingerprint of a clip.

    Raises:
        UnreadableAudio: it cannot be decoded.
    """
    audio = read_audio(clip.path, clip.start, clip.end)
    content = content_hash(clip.path, clip.start, clip.end)
    speech = speech_band(audio.samples, audio.sampling_rate)
    return Heard(content, samples_hash(audio), audio.duration, fingerprint(speech))


def comparisons(clips: Sequence[Clip], heard: Sequence[Heard]) -> tuple[pd.DataFrame, list[Comparison]]:
    """The pairs with identical samples, as rows of `pairs`, and the comparisons that will find the others.

    Of clips with identical samples the first stands for all. Clips without a sound, or under 50 ms, are copies of
    nothing: silence is no recording that is worth comparing transcripts of.
    """
    sounding = np.array([h.fingerprint.active.any() for h in heard], dtype=bool)
    numbers = np.flatnonzero(sounding).tolist()
    hashes = pd.Series([heard[i].samples_hash for i in numbers], index=numbers, dtype="str")
    first_of = pd.Series(numbers, index=numbers).groupby(hashes).transform("first")
    copies = first_of[first_of != first_of.index]
    identical = pd.DataFrame(
        {"first": copies.to_numpy(), "second": copies.index, "kind": IDENTICAL, "similarity": 1.0, "offset": 0.0}
    )
    chosen = first_of.index[first_of == first_of.index].to_numpy()
    found = candidates([heard[i].fingerprint for i in chosen])
    found = found[found[["first_covered", "second_covered"]].max(axis=1) >= _LEAST_COVERED]
    pairs = zip(chosen[found["first"]].tolist(), chosen[found["second"]].tolist(), found["offset"], strict=True)
    return identical, [Comparison(a, b, (clips[a], clips[b]), float(offset)) for a, b, offset in pairs]


def confirm(comparison: Comparison) -> Match:
    """How the waveforms of two clips agree.

    Raises:
        UnreadableAudio: one of them cannot be decoded any more.
    """
    first, second = (_speech_of(clip) for clip in comparison.clips)
    return compare(first, second, comparison.offset)


@lru_cache(maxsize=32)
def _speech_of(clip: Clip) -> NDArray[np.float32]:
    audio = read_audio(clip.path, clip.start, clip.end)
    return speech_band(audio.samples, audio.sampling_rate)


def kind_of(match: Match) -> str | None:
    """What a match says of the pair: `re-encoded`, `part of`, or None where they are no copies.

    >>> kind_of(Match(0.97, 0.95, 0.0, shared=2.0, first_outside=0.02, second_outside=0.0))
    're-encoded'
    >>> kind_of(Match(0.97, 0.95, 1.5, shared=2.0, first_outside=0.0, second_outside=1.8))
    'part of'
    >>> kind_of(Match(0.55, 0.40, 0.0, shared=2.0))
    """
    least = LEAST_OF_A_WORD if match.shared < WORD_SECONDS else LEAST_SIMILARITY
    if match.similarity < least or match.weakest < LEAST_OF_A_PIECE:
        return None
    most = min(MOST_OUTSIDE, MOST_OF_SHARED_OUTSIDE * match.shared)
    if max(match.first_outside, match.second_outside) <= most and match.shared > 0:
        return RE_ENCODED
    if min(match.first_outside, match.second_outside) <= most and match.shared >= SHORTEST_PART:
        return PART
    return None


def pairs(identical: pd.DataFrame, matches: Iterable[tuple[Comparison, Match]]) -> pd.DataFrame:
    """One row a pair that is found, sorted.

    Returns:
        first, second: numbers of the clips; of a `part of` the first is the part.
        kind: identical samples, re-encoded or part of.
        similarity: 0 to 1.
        offset: where the first begins in the second (s); negative: the second begins later.
        group: the lowest number of the clips that are one recording by this pair and others; -1 for a `part of`.
    """
    rows = []
    for comparison, match in matches:
        kind = kind_of(match)
        if kind is None:
            continue
        row = (comparison.first, comparison.second, kind, match.similarity, match.offset)
        if kind == PART and match.first_outside > match.second_outside:
            row = (comparison.second, comparison.first, kind, match.similarity, -match.offset)
        rows.append(row)
    found = pd.DataFrame(rows, columns=["first", "second", "kind", "similarity", "offset"])
    every = pd.concat([part for part in (identical, found) if len(part)] or [found], ignore_index=True)
    every["group"] = _groups(every[every["kind"] != PART]).reindex(every["first"]).fillna(-1).to_numpy(dtype=int)
    every.loc[every["kind"] == PART, "group"] = -1
    return every.sort_values(["first", "second"], ignore_index=True)


def _groups(same: pd.DataFrame) -> pd.Series:
    """The lowest number of each clip's group, indexed by the clips that are in one."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    numbers, place = np.unique(same[["first", "second"]].to_numpy(dtype=np.int64), return_inverse=True)
    place = place.reshape(-1, 2)
    graph = coo_array((np.ones(len(place)), (place[:, 0], place[:, 1])), shape=(len(numbers), len(numbers)))
    of_clip = pd.Series(connected_components(graph, directed=False)[1], index=numbers)
    return pd.Series(numbers, index=numbers).groupby(of_clip).transform("min")
