"""Commands on flags: the list, and verdicts on them."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workbench.cli.default_command import group_with_default
from workbench.cli.options import WorkspaceOption, open_workspace
from workbench.cli.output import EXIT_FAULTS, Format, FormatOption, print_frame, say, say_faults

if TYPE_CHECKING:
    from workbench.stages.stage import Outcome

COLUMNS = ["flag", "utterance_id", "annotator", "rule_id", "rank", "verdict", "text", "evidence", "suggestion"]

app = typer.Typer(
    cls=group_with_default("list"),
    help="What the rules found, and verdicts on it.",
    rich_markup_mode=None,
)


class Severity(enum.StrEnum):
    harmful = "harmful"
    style = "style"


class Verdict(enum.StrEnum):
    open = "open"
    accepted = "accepted"
    rejected = "rejected"
    outdated = "outdated"
    all = "all"


Flags = Annotated[list[str] | None, typer.Argument(help="The flags' ids, or their first letters, four at least.")]
RuleOption = Annotated[str | None, typer.Option("--rule", help="With --all: every open flag of this rule.")]
AllOption = Annotated[bool, typer.Option("--all", help="With --rule: every open flag of it.")]
Author = Annotated[str, typer.Option(help="Who judges; kept with the verdict.", envvar="USER")]
Reason = Annotated[str, typer.Option(help="Why; kept with the verdict.")]


@app.command("list")
def list_(
    rule: Annotated[str | None, typer.Option("--rule", help="Only of this rule.")] = None,
    utterance: Annotated[str | None, typer.Option("--utterance", help="Only of this utterance.")] = None,
    annotator: Annotated[str | None, typer.Option("--annotator", help="Only of this annotator's transcripts.")] = None,
    severity: Annotated[Severity | None, typer.Option("--severity", help="Only of this severity.")] = None,
    verdict: Annotated[Verdict, typer.Option("--verdict", help="Only with this verdict.")] = Verdict.open,
    limit: Annotated[int, typer.Option(min=1, help="How many a table shows; JSON and CSV hold all.")] = 30,
    workspace: WorkspaceOption = Path("."),
    format: FormatOption = Format.table,
) -> None:
    """The flags, those most worth a look first.

    Their rank is how sure the rule is, harmful ones before matters of style, times how often reviewers agree with the
    rule. The word `list` may be left out: workbench flags --rule conflict.filler

    Example: workbench flags list --severity harmful
    """
    from workbench.errors import BadInput
    from workbench.stages.verdicts import judged_flags, known_rule

    found = judged_flags(open_workspace(workspace))
    if rule is not None:
        found = found[found["rule_id"] == known_rule(found, rule)]
    for name, wanted in (("utterance_id", utterance), ("annotator", annotator)):
        if wanted is not None and len(found) and wanted not in set(found[name]):
            raise BadInput(f"no flag with the {name} {wanted!r}; `workbench flags list` without it shows what there is")
    wanted_values = {"utterance_id": utterance, "annotator": annotator, "severity": severity and severity.value}
    for name, value in wanted_values.items():
        found = found if value is None else found[found[name] == value]
    counts = found["verdict"].value_counts()
    if verdict is not Verdict.all:
        found = found[found["verdict"] == verdict.value]
    short = format in (Format.table, Format.markdown)
    columns = [name for name in COLUMNS if name != "verdict" or verdict is Verdict.all]
    print_frame(found.head(limit) if short else found, format, f"flags, {verdict.value}", columns)
    if short and len(found) > limit:
        say(f"{len(found) - limit} more; --limit {len(found)} shows all")
    others = ", ".join(f"{number} {name}" for name, number in counts.items() if name != verdict.value)
    if others and verdict is not Verdict.all:
        say(f"not shown: {others} (--verdict all)")
    if (found["verdict"] == "outdated").any():
        say("the texts of outdated flags have changed since the check; run `workbench check` again")


@app.command()
def accept(
    flags: Flags = None,
    rule: RuleOption = None,
    all: AllOption = False,
    author: Author = "unknown",
    reason: Reason = "",
    to_reference: Annotated[
        bool, typer.Option("--to-reference", help="Write the suggestion as the reference; the annotator's text stays.")
    ] = False,
    workspace: WorkspaceOption = Path("."),
) -> None:
    """Accept flags; what they suggest becomes a new revision.

    It is written to the transcript that was flagged, with author and reason, and can be undone. Several flags on one
    text go together as long as they change different words.

    Example: workbench flags accept u3obmj3n --reason "not spoken"
    """
    from workbench.stages.verdicts import accept_flags

    ids = _chosen(flags, rule, all)
    outcome = accept_flags(open_workspace(workspace), ids, author, reason, rule, to_reference)
    _finish(outcome, f"accepted {outcome.counts['accepted']}; {_texts(outcome, 'changed')}")


@app.command()
def reject(
    flags: Flags = None,
    rule: RuleOption = None,
    all: AllOption = False,
    author: Author = "unknown",
    reason: Reason = "",
    workspace: WorkspaceOption = Path("."),
) -> None:
    """Reject flags.

    They stay rejected after every check of the same text, and flags of a rule that is often rejected sink in the list.

    Example: workbench flags reject --rule convention.casing --all --reason "we write as spoken"
    """
    from workbench.stages.verdicts import reject_flags

    ids = _chosen(flags, rule, all)
    outcome = reject_flags(open_workspace(workspace), ids, author, reason, rule)
    _finish(outcome, f"rejected {outcome.counts['rejected']}")


@app.command()
def undo(flags: Flags = None, author: Author = "unknown", workspace: WorkspaceOption = Path(".")) -> None:
    """Take verdicts back, with the revisions that they wrote.

    Example: workbench flags undo u3obmj3n
    """
    from workbench.stages.verdicts import undo_verdicts

    outcome = undo_verdicts(open_workspace(workspace), _chosen(flags, None, False), author)
    _finish(outcome, f"taken back: {outcome.counts['withdrawn']}; {_texts(outcome, 'as before')}")


def _chosen(flags: list[str] | None, rule: str | None, all: bool) -> list[str]:
    from workbench.errors import BadInput

    if flags and (rule or all):
        raise BadInput("give ids of flags, or --rule RULE --all; not both")
    if bool(rule) != all:
        raise BadInput("--rule and --all go together: every open flag of one rule is judged")
    if not flags and not rule:
        raise BadInput("give the ids of flags, as `workbench flags` shows them")
    return flags or []


def _texts(outcome: Outcome, how: str) -> str:
    number = outcome.counts["texts"]
    return f"{number} {'text' if number == 1 else 'texts'} {how}"


def _finish(outcome: Outcome, done: str) -> None:
    say(done)
    for note in outcome.notes:
        say(note)
    say_faults(outcome, most=len(outcome.faults))  # no table keeps them
    if len(outcome.faults):
        raise typer.Exit(EXIT_FAULTS)
