"""What stands outside of dual transcriptions: inside of one both ways to write it are right, each on its side."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from analysis.dual_transcription import find_duals
from label_rules.conventions.convention import Use


def outside_duals(text: str, uses: Iterable[Use]) -> Iterator[Use]:
    """The uses that stand in no dual transcription `(spelled)/(spoken)` of the text.

    >>> uses = [Use("number", "digits", 1, 3), Use("number", "digits", 19, 20)]
    >>> [use.start for use in outside_duals("(70%)/(칠십 퍼센트) 맞죠 3", uses)]
    [19]
    """
    duals = [(dual.start, dual.end) for dual in find_duals(text)]
    for use in uses:
        if not any(start <= use.start < end for start, end in duals):
            yield use
