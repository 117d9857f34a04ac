"""Commands on the rules themselves: the list, one with its examples, a test of all."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workbench.cli.default_command import group_with_default
from workbench.cli.options import WorkspaceOption
from workbench.cli.output import EXIT_FAULTS, Format, FormatOption, finish, print_frame, say, say_faults

COLUMNS = ["rule_id", "severity", "enabled", "needs", "reason"]
EXAMPLE_COLUMNS = ["example", "annotator", "text", "known", "flagged"]
FAILURE_COLUMNS = ["rule_id", "example", "texts", "expected", "found"]

app = typer.Typer(
    cls=group_with_default("list"),
    help="The rules, their examples and a test of them.",
    rich_markup_mode=None,
)
NoTeamRules = Annotated[
    bool, typer.Option("--no-team-rules", help="Do not run the Python files that [check] rules names.")
]


@app.command("list")
def list_(
    rule: Annotated[str | None, typer.Argument(help="Show this rule with its examples.")] = None,
    no_team_rules: NoTeamRules = False,
    workspace: WorkspaceOption = Path("."),
    format: FormatOption = Format.table,
) -> None:
    """Every rule with its reason, and what it needs; or one with its examples.

    In a workspace the team's own too, and which are enabled. The word `list` may be left out: workbench rules RULE

    Example: workbench rules list conflict.filler
    """
    from workbench.stages.rules import nearest_workspace, rule_page, rules_table

    found = nearest_workspace(workspace)
    if rule is None:
        finish(rules_table(found, not no_team_rules), format, COLUMNS)
    else:
        finish(rule_page(found, rule, not no_team_rules), format, EXAMPLE_COLUMNS)


@app.command()
def test(
    no_team_rules: NoTeamRules = False, workspace: WorkspaceOption = Path("."), format: FormatOption = Format.table
) -> None:
    """Every rule against its own examples; exit code 1 where one is not kept.

    Example: workbench rules test
    """
    from workbench.stages.rules import nearest_workspace, rules_against_examples

    outcome = rules_against_examples(nearest_workspace(workspace), not no_team_rules)
    if len(outcome.table) or format is not Format.table:
        print_frame(outcome.table, format, "examples that rules do not keep", FAILURE_COLUMNS)
    for note in outcome.notes:
        say(note)
    say_faults(outcome)
    if len(outcome.table) or len(outcome.faults):
        raise typer.Exit(EXIT_FAULTS)
