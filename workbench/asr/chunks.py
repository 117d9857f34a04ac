"""Long recordings in overlapping chunks, and the chunks' results joined without lost or doubled words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_LEAST_COMMON_WORDS = 2


class Chunk(NamedTuple):
    """Samples `start` to `end` (exclusive) of a recording."""

    start: int
    end: int


def chunks(samples: int, size: int, overlap: int, stride: int = 1) -> list[Chunk]:
    """Chunks of at most `size` samples that cover a recording, neighbours sharing at least `overlap` samples.

    Every chunk starts at a multiple of `stride`, the samples between two of the model's frames, so that the frames
    of all chunks lie on one grid. The last chunk is as long as the others: it starts earlier instead of being a stub
    without context.

    >>> chunks(100, size=40, overlap=10)
    [Chunk(start=0, end=40), Chunk(start=30, end=70), Chunk(start=60, end=100)]
    >>> chunks(105, size=40, overlap=10, stride=4)
    [Chunk(start=0, end=40), Chunk(start=28, end=68), Chunk(start=56, end=96), Chunk(start=64, end=105)]
    >>> chunks(30, size=40, overlap=10)
    [Chunk(start=0, end=30)]

    Raises:
        ValueError: chunks of that size and overlap cannot go forward.
    """
    if samples <= size:
        return [Chunk(0, samples)]
    step = (size - overlap) // stride * stride
    if step <= 0 or overlap < 0:
        raise ValueError(f"chunks of {size} samples that overlap by {overlap} do not go forward by a frame of {stride}")
    last = (samples - size) // stride * stride
    starts = [*range(0, last, step), last]
    return [Chunk(start, start + size) for start in starts[:-1]] + [Chunk(last, samples)]


def join_frames(parts: Sequence[NDArray[np.float32]], first_frames: Sequence[int]) -> NDArray[np.float32]:
    """The chunks' frames as one sequence, shape (frames, …): each overlap is cut in its middle.

    Frame f of chunk i is frame `first_frames[i] + f` of the recording. The frames near a cut have half the overlap as
    context on either side, and every frame is taken from exactly one chunk: none is lost, none is doubled, whatever
    the model hears in it. A word across the cut is whole, because the frames are joined before they are decoded.

    >>> left, right = np.arange(6.0), np.arange(4.0, 10.0)
    >>> join_frames([left, right], [0, 4]).tolist()
    [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0]

    Raises:
        ValueError: two neighbours leave a gap between them.
    """
    ends = [first + len(part) for first, part in zip(first_frames, parts, strict=True)]
    for end, following in zip(ends, first_frames[1:], strict=False):
        if following > end:
            raise ValueError(f"a chunk starts at frame {following}, after the one before it ended at frame {end}")
    middles = [(end + first) // 2 for end, first in zip(ends, first_frames[1:], strict=False)]
    cuts = [first_frames[0], *middles, ends[-1]]
    taken = [
        part[begin - first : stop - first]
        for part, first, begin, stop in zip(parts, first_frames, cuts, cuts[1:], strict=False)
    ]
    return np.concatenate(taken)


def join_words(left: Sequence[str], right: Sequence[str], most: int | None = None) -> tuple[int, int]:
    """How many words of `left` to keep and from which word of `right` to go on, for texts of overlapping audio.

    For models that give neither frames nor times. The longest run of words that ends the one and begins the other
    (case ignored) is taken for the overlap; words cut in two by a chunk's edge may stand after it on the left and
    before it on the right, and are dropped. Without a run of two words (or one whole text) nothing is dropped, which
    may double a word but loses none. `most` is the most words that the overlap can hold.

    >>> join_words("a b c d".split(), "c d e f".split())
    (4, 2)
    >>> join_words("a b c d xx".split(), "yy c d e f".split())
    (4, 3)
    >>> join_words("a b".split(), "c d".split())
    (2, 0)
    """
    most = max(len(left), len(right)) if most is None else most
    tail_start = max(0, len(left) - most)
    tail = [word.casefold() for word in left[tail_start:]]
    head = [word.casefold() for word in right[:most]]
    best = (0, 0, 0)  # words in common, minus the words dropped; then where the run ends on the left and right
    found = (len(left), 0)
    lengths = np.zeros((len(tail) + 1, len(head) + 1), dtype=int)
    for i, word in enumerate(tail):
        for j, other in enumerate(head):
            if word != other:
                continue
            run = lengths[i + 1, j + 1] = lengths[i, j] + 1
            dropped = len(tail) - i - 1 + j + 1 - run
            whole = run == len(left) or run == len(right)
            if (run >= _LEAST_COMMON_WORDS or whole) and run >= dropped and (run, -dropped, i) > best:
                best = (int(run), -dropped, i)
                found = (tail_start + i + 1, j + 1)
    return found
