"""Long recordings in chunks, and what is heard in them joined again."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.asr.batches import batches, windows
from workbench.asr.chunks import chunks, join_frames, join_words


@given(samples=st.integers(1, 5000), size=st.integers(20, 400), overlap=st.integers(0, 200), stride=st.integers(1, 10))
def test_chunks_cover_the_recording_and_overlap(samples: int, size: int, overlap: int, stride: int) -> None:
    overlap = min(overlap, size - stride)
    made = chunks(samples, size, overlap, stride)
    assert made[0].start == 0
    assert made[-1].end == samples
    for before, after in pairwise(made):
        assert after.start > before.start
        assert before.end - after.start >= overlap
        assert after.start % stride == 0
        assert after.end - after.start >= size


def test_chunks_that_cannot_go_forward_are_refused() -> None:
    with pytest.raises(ValueError, match="do not go forward"):
        chunks(100, size=10, overlap=10)


def frames_of(signal: np.ndarray, stride: int, reach: int) -> np.ndarray:
    """A model in miniature: frame k weighs the samples of the frames up to `reach` around it."""
    blocks = signal[: len(signal) // stride * stride].reshape(-1, stride).sum(axis=1)
    return np.convolve(blocks, np.arange(1, 2 * reach + 2), mode="same")


@given(data=st.data(), stride=st.integers(1, 5), reach=st.integers(0, 3), seed=st.integers(0, 9))
def test_joined_frames_are_those_of_the_whole_recording(
    data: st.DataObject, stride: int, reach: int, seed: int
) -> None:
    overlap = stride * (2 * reach + 2)  # a frame on either side of a cut sees as far as the model looks
    size = data.draw(st.integers(overlap + 2 * stride, 40 * stride))
    signal = (
        np.random.default_rng(seed).integers(-9, 9, data.draw(st.integers(10 * stride, 120 * stride))).astype(float)
    )
    places = chunks(len(signal), size, overlap, stride)
    parts = [frames_of(signal[place.start : place.end], stride, reach) for place in places]
    joined = join_frames(parts, [place.start // stride for place in places])
    np.testing.assert_array_equal(joined, frames_of(signal, stride, reach))


def test_a_gap_between_chunks_is_an_error() -> None:
    with pytest.raises(ValueError, match="starts at frame 5, after the one before it ended at frame 4"):
        join_frames([np.zeros(4), np.zeros(4)], [0, 5])


@given(st.integers(4, 60), st.integers(2, 30), st.data())
def test_words_heard_twice_are_kept_once(count: int, overlap: int, data: st.DataObject) -> None:
    words = [f"word{i}" for i in range(count)]
    overlap = min(overlap, count)
    cut = data.draw(st.integers(overlap, count))
    left, right = words[:cut], words[cut - overlap :]
    keep, begin = join_words(left, right)
    assert left[:keep] + right[begin:] == words


@pytest.mark.parametrize(
    ("left", "right", "joined"),
    [
        ("turn on the kitch", "tchen the kitchen light", "turn on the kitch tchen the kitchen light"),
        ("turn on the kitchen li", "on the kitchen light", "turn on the kitchen light"),
        ("what is the Weather", "the weather today", "what is the Weather today"),
        ("yes", "yes", "yes"),
        ("yes", "no", "yes no"),
        ("", "no", "no"),
        ("부엌 불을 켜", "불을 켜 주세요", "부엌 불을 켜 주세요"),
    ],
)
def test_joining_words(left: str, right: str, joined: str) -> None:
    keep, begin = join_words(left.split(), right.split())
    assert " ".join(left.split()[:keep] + right.split()[begin:]) == joined


def test_a_repeated_phrase_is_not_taken_for_a_long_overlap() -> None:
    left, right = ["no"] * 4, ["no", "no", "stop"]
    keep, begin = join_words(left, right, most=2)
    assert left[:keep] + right[begin:] == [*["no"] * 4, "stop"]


@given(st.lists(st.floats(0.1, 50), max_size=60), st.floats(1, 100), st.booleans())
def test_batches_hold_every_item_once_and_keep_the_budget(lengths: list[float], budget: float, equal: bool) -> None:
    made = batches(lengths, float, budget, equal_lengths=equal)
    assert sorted(item for batch in made for item in batch) == sorted(lengths)
    for batch in made:
        assert len(batch) == 1 or len(batch) * max(batch) <= budget
        assert not equal or len(set(batch)) == 1


@given(st.lists(st.floats(0.1, 50), max_size=60), st.floats(1, 100))
def test_windows_keep_the_order_and_the_budget(lengths: list[float], budget: float) -> None:
    made = list(windows(lengths, float, budget))
    assert [item for window in made for item in window] == lengths
    assert all(len(window) == 1 or sum(window) <= budget * 1.000001 for window in made)
