"""Which clips of many may hold the same recording, found by looking up their fingerprints' surest codes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from workbench.audio.acoustic_fingerprint import ACTIVE, BITS, HOP, WEAK_BITS, Fingerprint

MOST_NEIGHBOURS = 20
"""Clips with the same code that a clip is compared with: the next ones in order, so that copies still form a chain."""
MOST_BIT_ERRORS = 0.25
"""Share of differing bits up to which two clips may hold the same recording; 0.5 is chance."""

_AROUND = (-12, 12, -6, 6), (-24, -18, 18, 24)  # frames near a hit that are compared; most hits fail by the first
_BLOCK = 1 << 21  # look-ups, or pairs of frames, at once
_OFFSETS = 3  # per pair of clips that are compared in full
_MASK = np.uint32((1 << BITS) - 1)


@dataclass(frozen=True)
class _All:
    """The codes of all clips in one array; `starts` has one more entry than there are clips."""

    codes: NDArray[np.uint32]
    starts: NDArray[np.int64]

    def frames(self, clip: NDArray[np.int64], frame: NDArray[np.int64]) -> NDArray[np.uint32]:
        """The codes of frames, 0 (inactive) where a clip has no such frame."""
        at = self.starts[clip] + frame
        inside = (frame >= 0) & (at < self.starts[clip + 1])
        return np.where(inside, self.codes[np.where(inside, at, 0)], np.uint32(0))


def candidates(fingerprints: Sequence[Fingerprint]) -> pd.DataFrame:
    """The pairs of clips that may hold the same recording, one row a pair, sorted.

    The time taken grows with the number of clips, not of pairs: codes are looked up in a sorted array, a clip meets at
    most 20 others at each of its codes, and pairs that differ around a hit in over a quarter of their bits go at once.

    Returns:
        first, second: numbers of the clips, first < second.
        offset: where the first begins in the second (s), to about one hop; negative: the second begins later.
        bit_errors: share of the bits that differ where both are active.
        first_covered, second_covered: share of each one's active frames that lie within the other.
    """
    starts = np.concatenate([[0], np.cumsum([len(f.codes) for f in fingerprints])]).astype(np.int64)
    codes = np.concatenate([f.codes for f in fingerprints]) if fingerprints else np.zeros(0, np.uint32)
    every = _All(codes, starts)
    hits = [_near_hits(every, hits) for hits in _hits(fingerprints, every)]
    found = pd.concat([pd.DataFrame(columns=["first", "second", "shift", "hits"], dtype="int64"), *hits])
    found = found.groupby(["first", "second", "shift"], as_index=False)["hits"].sum()
    found = found.sort_values(["first", "second", "hits"], ascending=[True, True, False], kind="stable")
    found = found[found.groupby(["first", "second"]).cumcount() < _OFFSETS]
    rows = [_compared(every, found.iloc[begin : begin + 4096]) for begin in range(0, len(found), 4096)]
    compared = pd.concat([_compared(every, found.iloc[:0]), *rows], ignore_index=True)
    compared = compared[compared["bit_errors"] <= MOST_BIT_ERRORS]
    best = compared.sort_values(["first", "second", "bit_errors"], kind="stable").drop_duplicates(["first", "second"])
    return best.reset_index(drop=True)


def _hits(fingerprints: Sequence[Fingerprint], every: _All) -> Iterator[NDArray[np.int64]]:
    """Pairs of frames with equal codes, in blocks of shape (4, hits): clip, frame, later clip, frame."""
    clip = np.repeat(np.arange(len(fingerprints)), [len(f.keys) for f in fingerprints])
    if len(clip) == 0:
        return
    keys = np.concatenate([f.keys for f in fingerprints]).astype(np.int64)
    frame, weak = keys[:, 0], keys[:, 1:]
    code = (every.codes[every.starts[clip] + frame] & _MASK).astype(np.int64)
    clips = len(fingerprints) + 1
    place = code * clips + clip
    order = np.argsort(place, kind="stable")
    place = place[order]
    present = np.zeros(1 << BITS, bool)
    present[code] = True
    turns = np.array(list(product((0, 1), repeat=WEAK_BITS)), dtype=np.int64)
    step = max(1, _BLOCK // len(turns))
    for begin in range(0, len(clip), step):
        chosen = slice(begin, begin + step)
        turned = code[chosen, None] ^ ((1 << weak[chosen]) @ turns.T)
        found, turn = np.nonzero(present[turned])
        asking, wanted = begin + found, turned[found, turn]
        # Only clips that come later, so that every pair is met from one side.
        first = np.searchsorted(place, wanted * clips + clip[asking] + 1)
        last = np.minimum(np.searchsorted(place, (wanted + 1) * clips), first + MOST_NEIGHBOURS)
        asking, first, count = asking[last > first], first[last > first], (last - first)[last > first]
        asking = np.repeat(asking, count)
        within = np.arange(len(asking)) - np.repeat(np.cumsum(count) - count, count)
        answer = order[np.repeat(first, count) + within]
        for part in range(0, len(asking), _BLOCK):
            a, b = asking[part : part + _BLOCK], answer[part : part + _BLOCK]
            yield np.stack([clip[a], frame[a], clip[b], frame[b]])


def _near_hits(every: _All, hits: NDArray[np.int64]) -> pd.DataFrame:
    """The hits around which the clips agree, counted by pair and shift (frames)."""
    wrong = np.zeros(hits.shape[1], np.int64)
    compared = np.zeros(hits.shape[1], np.int64)
    for frames in _AROUND:
        a, frame_a, b, frame_b = hits
        for around in frames:
            one, other = every.frames(a, frame_a + around), every.frames(b, frame_b + around)
            both = (one & other & ACTIVE) != 0
            compared += both
            wrong += np.where(both, np.bitwise_count((one ^ other) & _MASK), 0)
        near = wrong <= MOST_BIT_ERRORS * BITS * compared
        hits, wrong, compared = hits[:, near], wrong[near], compared[near]
    kept = pd.DataFrame({"first": hits[0], "second": hits[2], "shift": hits[3] - hits[1]})
    return kept.groupby(["first", "second", "shift"], as_index=False).size().rename(columns={"size": "hits"})


def _compared(every: _All, found: pd.DataFrame) -> pd.DataFrame:
    """Rows of `candidates`: the clips compared over all that they share at a shift."""
    a, b, shift = (found[name].to_numpy(np.int64) for name in ("first", "second", "shift"))
    begin = np.maximum(0, -shift)
    frames_a, frames_b = (every.starts[one + 1] - every.starts[one] for one in (a, b))
    length = np.maximum(0, np.minimum(frames_a, frames_b - shift) - begin)
    row = np.repeat(np.arange(len(a)), length)
    at = np.arange(len(row)) - np.repeat(np.cumsum(length) - length, length) + begin[row]
    one = every.codes[every.starts[a[row]] + at]
    other = every.codes[every.starts[b[row]] + at + shift[row]]
    active = [(codes & ACTIVE) != 0 for codes in (one, other)]
    both = active[0] & active[1]
    wrong = np.bincount(row, np.where(both, np.bitwise_count((one ^ other) & _MASK), 0), len(a))
    compared = np.bincount(row, both, len(a)) * BITS
    whole = np.concatenate([[0], np.cumsum((every.codes & ACTIVE) != 0)]) if len(every.codes) else np.zeros(1)
    covered = [
        np.bincount(row, here, len(a)) / np.maximum(whole[every.starts[of + 1]] - whole[every.starts[of]], 1)
        for here, of in zip(active, (a, b), strict=True)
    ]
    return pd.DataFrame(
        {
            "first": a,
            "second": b,
            "offset": shift * HOP,
            "bit_errors": np.where(compared > 0, wrong / np.maximum(compared, 1), 1.0),
            "first_covered": covered[0],
            "second_covered": covered[1],
        }
    )
