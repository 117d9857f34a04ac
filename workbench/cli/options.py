"""Options that several commands share."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from analysis.scoring import Scoring
    from workbench.workspace import Workspace

WorkspaceOption = Annotated[
    Path, typer.Option("--workspace", "-w", help="The workspace, or a directory in it.", show_default="here")
]
RunOption = Annotated[str | None, typer.Option("--run", help="The run, by its id.", show_default="the newest finished")]
WorkersOption = Annotated[int | None, typer.Option(min=1, help="Processes to use.", show_default="one a processor")]

NormalizerOption = Annotated[
    str | None,
    typer.Option(help="Applied to both sides: none, case, basic, english or korean.", show_default="basic"),
]


class Alignment(enum.StrEnum):
    unit = "unit"
    sclite = "sclite"


class Fillers(enum.StrEnum):
    counted = "count"
    optional = "optional"
    remove = "remove"


class Notation(enum.StrEnum):
    plain = "plain"
    alternations = "alternations"
    nist = "nist"
    dual = "dual"


AlignmentOption = Annotated[
    Alignment | None,
    typer.Option(
        help="unit: the fewest errors, as jiwer; sclite: NIST's costs (its own figures with --normalizer case).",
        show_default="unit",
    ),
]
AlternativesOption = Annotated[
    list[str] | None,
    typer.Option(
        help="What may stand for what is written, again for each: english, korean, contractions, numbers, compounds, "
        "spellings, korean-numbers, or a file of synonyms.",
        show_default="none",
    ),
]
FillersOption = Annotated[
    Fillers | None,
    typer.Option(help="Words like um: words, optional, or removed.", show_default="count"),
]
NotationOption = Annotated[
    Notation | None,
    typer.Option(
        help="How references are written: plain; with NIST's {a / b}; also its (um) and frag-; or (철자)/(발음).",
        show_default="plain; alternations with sclite",
    ),
]
PartialOption = Annotated[bool, typer.Option("--partial", help="Score what stands in all files, and name the rest.")]


def open_workspace(path: Path) -> Workspace:
    from workbench.workspace import Workspace

    return Workspace.open(path)


def end_of_files(notes: list[str], faults: list[dict[str, str]], most: int = 5) -> None:
    """Say what was left out of plain files, and exit with 1 where rows could not be used."""
    from workbench.cli.output import EXIT_FAULTS, say

    for note in notes:
        say(note)
    if not faults:
        return
    say(f"{len(faults)} {'problem' if len(faults) == 1 else 'problems'}, and the rows left out:")
    for fault in faults[:most]:
        item = "" if fault["item"].startswith("line ") else f"{fault['item']}: "
        say(f"  {fault['location']}: {item}{fault['reason']}")
    if len(faults) > most:
        say(f"  … and {len(faults) - most} more")
    raise typer.Exit(EXIT_FAULTS)


class ScoringOptions:
    """The options of a scoring, as they were given: None or empty where they were not."""

    def __init__(
        self,
        normalizer: str | None,
        alignment: Alignment | None,
        alternatives: list[str] | None,
        fillers: Fillers | None,
        notation: Notation | None,
        partial: bool,
    ) -> None:
        self.partial = partial
        names = ("normalizer", "alignment", "alternatives", "fillers", "notation")
        given = (normalizer, alignment, alternatives, fillers, notation)
        self._given: dict[str, Any] = {name: value for name, value in zip(names, given, strict=True) if value}

    def of_files(self) -> Scoring:
        """The scoring that they ask for, with the defaults where they were not given."""
        from workbench.stages.alternatives import choose_scoring

        return choose_scoring(**self._given)

    def refuse_in_workspace(self, but_partial: bool = False) -> None:
        """Raise BadInput if any was given: a workspace's scoring is in its configuration."""
        from workbench.errors import BadInput

        given = [*self._given, *(["partial"] if self.partial and not but_partial else [])]
        if given:
            raise BadInput(
                f"--{given[0]} is for files; in a workspace the scoring is that of [scoring] in workbench.toml: change "
                "it there"
            )
