"""Several transcripts of the same audio, not all alike."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from label_rules.conflicts.votes import Comparison, compare


@dataclass
class Group:
    """Transcripts of the same audio: each different text with the rows of the corpus that hold it."""

    name: str
    why: str
    holders: dict[str, tuple[int, ...]]
    hypothesis: str | None = None
    "What a recogniser heard in the audio."
    pivot: str = ""
    "The text that the others are compared with."

    @cached_property
    def comparison(self) -> Comparison:
        """Where its texts differ, and which depart from the others; worked out once, for all rules."""
        return compare(self.pivot, {text: len(rows) for text, rows in self.holders.items()}, self.hypothesis)
