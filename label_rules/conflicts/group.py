"""Several transcripts of the same audio, not all alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

from analysis.align import count_word_errors
from label_rules.tokens import tokens

# Beyond it a medoid is sought among the first texts only: a pair of texts each would grow with the square.
_MOST_CANDIDATES = 20


@dataclass
class Group:
    """Transcripts of the same audio: each different text with the rows of the corpus that hold it."""

    name: str
    why: str
    holders: dict[str, tuple[int, ...]]
    hypothesis: str | None = None
    "What a recogniser heard in the audio."
    candidates: tuple[str, ...] = ()
    "The texts that may be the pivot; see `choose_pivots`."

    @cached_property
    def pivot(self) -> str:
        """The text that the others are compared with: the longest of the candidates, the first of equals."""
        candidates = self.candidates or tuple(self.holders)
        return max(candidates, key=lambda text: len(tokens(text))) if len(candidates) > 1 else candidates[0]


def choose_pivots(groups: Sequence[Group]) -> None:
    """Give each group the texts to compare with first: held by most, and of those nearest to all others."""
    pairs: list[tuple[int, str, str]] = []
    for number, group in enumerate(groups):
        among = list(group.holders)[:_MOST_CANDIDATES]
        most = max(len(group.holders[text]) for text in among)
        group.candidates = tuple(text for text in among if len(group.holders[text]) == most)
        # Two texts are as far from one another as the other way round.
        if len(group.candidates) > 1 and len(among) > 2:
            leading = set(group.candidates)
            pairs += [(number, a, b) for a, b in combinations(among, 2) if a in leading or b in leading]
    counts = count_word_errors([_even(a) for _, a, _ in pairs], [_even(b) for _, _, b in pairs])
    errors = counts[["substitutions", "deletions", "insertions"]].sum(axis=1).tolist()
    distances: dict[int, dict[str, int]] = {}
    for (number, a, b), apart in zip(pairs, errors, strict=True):
        holders = groups[number].holders
        distance = distances.setdefault(number, dict.fromkeys(holders, 0))
        distance[a] += apart * len(holders[b])
        distance[b] += apart * len(holders[a])
    for number, distance in distances.items():
        group = groups[number]
        least = min(distance[text] for text in group.candidates)
        group.candidates = tuple(text for text in group.candidates if distance[text] == least)


def _even(text: str) -> str:
    return " ".join(text.split())
