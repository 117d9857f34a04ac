"""`workbench sync`: the workspace and a Label Studio project, in both directions."""

from __future__ import annotations

import typer

from workbench.cli.sync import connect, fixes, live, pull, push, status

app = typer.Typer(
    help="Utterances to Label Studio, and people's work back; no label is lost, doubled or overwritten.",
    no_args_is_help=True,
)
for group in (connect, push, pull, status, fixes, live):
    group.add_to(app)
