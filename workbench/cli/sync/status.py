"""`workbench sync status`: what is where, how far people are, and whether they agree."""

from __future__ import annotations

import contextlib
import enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workbench.cli.options import WorkspaceOption, open_workspace
from workbench.cli.output import EXIT_FAULTS, Format, FormatOption, print_frame, print_json, printable, records, say
from workbench.cli.sync.connect import CredentialsOption, connected

if TYPE_CHECKING:
    from workbench.stages.sync.status import Status


class Section(enum.StrEnum):
    waiting = "waiting"
    project = "project"
    annotators = "annotators"
    agreement = "agreement"
    pairs = "pairs"
    others = "others"
    conventions = "conventions"
    conflicts = "conflicts"
    deleted = "deleted"
    fixes = "fixes"


class DistanceName(enum.StrEnum):
    exact = "exact"
    word = "word"
    char = "char"
    syllable = "syllable"


def status(
    section: Annotated[
        list[Section] | None,
        typer.Option(help="Only this section, again for each; CSV holds one.", show_default="all; in CSV annotators"),
    ] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Ask no server; show what the last pull saw.")] = False,
    everything: Annotated[
        bool, typer.Option("--all", help="Agreement and conventions over every transcript, not only what people sent.")
    ] = False,
    distance: Annotated[
        DistanceName | None,
        typer.Option(
            help="What Krippendorff's alpha is stated on: edits of words, characters or syllables (characters without "
            "spaces), or whether texts are exactly the same.",
            show_default="word; syllable with normalizer korean",
        ),
    ] = None,
    credentials: CredentialsOption = None,
    workspace: WorkspaceOption = Path("."),
    format: FormatOption = Format.table,
) -> None:
    """What waits to be pushed and pulled, how far people are, whether they agree, and who departs from conventions.

    Nothing is changed, here or there. The sections: waiting (what the other commands would do), project, annotators
    (work, lead time, pre-labels), agreement (Krippendorff's alpha and WER over all pairs of people), pairs (WER between
    each two), others (each against all others), conventions, conflicts, deleted (what was there once), fixes.

    Example: workbench sync status --section agreement --section pairs
    """
    from workbench.cli.sync.status_tables import SHOWN
    from workbench.stages.sync.status import SECTIONS
    from workbench.stages.sync.status import status as stage

    sections = _asked(section, format) or SECTIONS
    opened = open_workspace(workspace)
    with contextlib.ExitStack() as stack:
        connection, no_credentials = None, ""
        if not offline and Section.waiting in sections:
            from workbench.errors import BadInput

            try:
                connection = stack.enter_context(connected(credentials))
            except BadInput as problem:
                if credentials is not None:
                    raise
                no_credentials = str(problem)
        made = stage(opened, connection, sections, everything, distance.value if distance else None)
    made.head["why_not"] = made.head["why_not"] or no_credentials
    if format is Format.json:
        tables = {name: records(table) for name, table in made.tables.items()}
        print_json({"server": made.head} | tables | {"notes": made.notes, "faults": records(made.faults)})
    elif format is Format.csv:
        print_frame(next(iter(made.tables.values())), format)
    else:
        _say_head(made)
        for name in made.tables:
            SHOWN[name](made, format, section is not None)
    _end(made)


def _asked(section: list[Section] | None, format: Format) -> tuple[str, ...]:
    from workbench.errors import BadInput

    sections = tuple(dict.fromkeys(one.value for one in section or []))
    if format is not Format.csv:
        return sections
    if len(sections) > 1:
        raise BadInput(f"CSV holds one table; choose one of {', '.join(sections)} with --section, or --format json")
    return sections or (Section.annotators.value,)


def _say_head(made: Status) -> None:
    head = made.head
    if head["project_id"]:
        title = f" {head['title']!r}" if head["title"] else ""
        say(printable(f"project {head['project_id']}{title} on {head['server']}"))
    else:
        where = f" on {head['server']}" if head["server"] else ""
        say(f"this workspace has no project{where} yet; `workbench sync push` makes one")


def _end(made: Status) -> None:
    """Say what to know, and exit with 1 where something that was asked for is not known."""
    from workbench.cli.output import say_faults
    from workbench.stages.stage import Outcome

    for note in made.notes:
        say(note)
    if made.head["why_not"]:
        say(f"the server could not be asked: {made.head['why_not']}")
        say("what is shown is what the last push and pull saw; --offline asks for just that")
    elif "waiting" in made.tables and not made.head["reached"]:
        say("no server was asked, so what would be pushed and pulled is not known")
    if len(made.faults):
        say_faults(Outcome("sync status", {}, made.faults, made.faults, kept=False))
    if made.head["why_not"] or len(made.faults):
        raise typer.Exit(EXIT_FAULTS)


def add_to(app: typer.Typer) -> None:
    app.command()(status)
