"""The application: every command, under one name."""

from __future__ import annotations

from typing import Annotated

import typer

from workbench.cli import analyse, audio, consensus, conventions, data, flags, labels, rules, sync, whole

app = typer.Typer(
    name="workbench",
    help="What should we fix next in our speech recogniser's data, and what will it buy us?",
    epilog="Exit codes: 0 done; 1 done, with faults; 2 wrong usage or bad input; 130 interrupted.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=True,
)


def _version(asked: bool) -> None:
    if asked:
        from workbench import __version__

        print(__version__)
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show it and stop.")
    ] = False,
) -> None:
    """What should we fix next in our speech recogniser's data, and what will it buy us?"""


for group in (whole, data, audio, analyse, consensus):
    group.add_to(app)
app.add_typer(labels.app, name="labels")
app.add_typer(conventions.app, name="conventions")
app.add_typer(flags.app, name="flags")
app.add_typer(rules.app, name="rules")
app.add_typer(sync.app, name="sync")
