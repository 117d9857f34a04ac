"""The scoring that names ask for: built-in sources of alternatives, and files of synonyms."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from analysis.alternatives.builtin import BUNDLES, SOURCES
from analysis.alternatives.source import Source
from analysis.scoring import Scoring, get_scoring
from workbench.errors import BadInput
from workbench.manifests.synonyms import read_synonyms


def choose_scoring(
    normalizer: str = "basic",
    alignment: str = "unit",
    alternatives: Sequence[str] = (),
    fillers: str = "count",
    notation: str | None = None,
    directory: Path = Path("."),
) -> Scoring:
    """The scoring of these names; an alternative that names a file is read from there.

    Args:
        notation: None for the one that goes with the alignment, as `get_scoring` has it.
        directory: where the paths of files begin.

    Raises:
        InvalidInput: there is no such normalizer, alignment or notation; the message lists those that there are.
        BadInput: there is no such source or file, or the file cannot be read.
    """
    names = [name for given in alternatives for name in _names(given, directory)]
    chosen = [_source(name, directory) for name in names]
    return get_scoring(normalizer, alignment, chosen, fillers, notation)


def _names(given: str, directory: Path) -> list[str]:
    """The names in a list with commas; the name of a file may hold one."""
    return [given] if (directory / given).is_file() else [name.strip() for name in given.split(",")]


def _source(name: str, directory: Path) -> str | Source:
    known = [*SOURCES, *BUNDLES]
    if name in known:
        return name
    path = directory / name
    if not path.is_file():
        raise BadInput(
            f"{name!r} is neither a source of alternatives nor a file; choose one of {', '.join(known)}, or give the "
            "path of a file of synonyms"
        )
    return read_synonyms(path)
