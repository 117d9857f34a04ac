"""How a score is made: the normalizer, the costs of the alignment, what counts as equal; named, never mixed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from analysis.alternatives.builtin import get_sources
from analysis.alternatives.source import Source
from analysis.errors import InvalidInput
from analysis.normalizers import Normalizer, get_normalizer

ALIGNMENTS = ("unit", "sclite")
FILLERS = ("count", "optional", "remove")
NOTATIONS = ("plain", "alternations", "nist", "dual")
_NOTATION_OF = {"unit": "plain", "sclite": "alternations"}
"""How references are read unless told otherwise: as jiwer, and as sclite."""


@dataclass(frozen=True)
class Scoring:
    """Everything that a score depends on beside the two texts.

    Args:
        normalizer: applied to both sides, to each run of text between choices by itself.
        alignment: `unit`, the fewest errors, with jiwer's counts; or `sclite`, NIST's costs of 4 for a substitution
            and 3 for an insertion or a deletion, with sclite's counts.
        sources: what may stand for words of the reference where the hypothesis holds it.
        fillers: `count` them as words, let them be `optional` on either side, or `remove` them.
        notation: how references are written: `plain`; with NIST's `{a / b / @}` (`alternations`, which sclite always
            reads), and also its optional words and fragments (`nist`, sclite's options -D and -F); or with Korean
            `dual` transcription, either side of which may match.

    >>> get_scoring("basic", alternatives=["compounds"], fillers="optional").label
    'basic-1/unit/compounds-1/fillers-optional'
    """

    normalizer: Normalizer
    alignment: str = "unit"
    sources: tuple[Source, ...] = ()
    fillers: str = "count"
    notation: str = "plain"

    def __post_init__(self) -> None:
        for name, allowed in (("alignment", ALIGNMENTS), ("fillers", FILLERS), ("notation", NOTATIONS)):
            if getattr(self, name) not in allowed:
                raise InvalidInput(f"{name} is {getattr(self, name)!r}; choose one of {', '.join(allowed)}")

    @property
    def label(self) -> str:
        """What stands in the column `scoring`: scores with different labels are never mixed."""
        parts = [self.normalizer.label, self.alignment]
        if self.sources:
            parts.append("+".join(sorted(f"{source.name}-{source.version}" for source in self.sources)))
        if self.fillers != "count":
            parts.append(f"fillers-{self.fillers}")
        if self.notation != _NOTATION_OF[self.alignment]:
            parts.append(self.notation)
        return "/".join(parts)

    @property
    def is_plain(self) -> bool:
        """Whether nothing but the words themselves counts as equal."""
        return not self.sources and self.fillers == "count" and self.notation == "plain"


def get_scoring(
    normalizer: str = "basic",
    alignment: str = "unit",
    alternatives: Sequence[str | Source] = (),
    fillers: str = "count",
    notation: str | None = None,
) -> Scoring:
    """The scoring of these names; `alternatives` are names of built-in sources or bundles, or sources themselves.

    Without a notation, references are read as sclite reads them where its costs are asked for, and else as plain text.

    Raises:
        InvalidInput: there is no such name; the message lists those that there are.
    """
    chosen = get_normalizer(normalizer)
    if notation is None:
        notation = _NOTATION_OF.get(alignment, "plain")
    # What two sources find is put down to the first, so that their order must not depend on how they are asked for.
    sources = tuple(sorted(get_sources(alternatives, chosen), key=lambda source: source.name))
    return Scoring(chosen, alignment, sources, fillers, notation)
