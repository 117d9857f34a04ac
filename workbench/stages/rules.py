"""The rules as tables: all of them, one with its examples, and those that their own examples contradict."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from workbench.config import CONFIG_NAME
from workbench.errors import BadInput
from workbench.stages.stage import Outcome, faults_frame
from workbench.stages.team_rules import LoadedRules, load_rules, prints_aside
from workbench.workspace import Workspace

if TYPE_CHECKING:
    from label_rules.rule import Rule

_COLUMNS = ["rule_id", "severity", "needs", "enabled", "where", "reason"]
_FAILURES = ["rule_id", "example", "texts", "expected", "found", "where"]


def nearest_workspace(start: Path) -> Workspace | None:
    """The workspace here or above; None where there is none, and the built-in rules are all there is.

    Raises:
        BadInput: its configuration is not valid.
    """
    here = start.resolve()
    found = any((directory / CONFIG_NAME).is_file() for directory in (here, *here.parents))
    return Workspace.open(start) if found else None


def rules_table(workspace: Workspace | None, team: bool = True) -> Outcome:
    """Every rule with severity, needs and reason, disabled ones too."""
    loaded = load_rules(workspace, team)
    enabled = {rule.rule_id for rule in loaded.rules}
    rows = [
        (r.rule_id, r.severity, ", ".join(r.needs), r.rule_id in enabled, _place(r, loaded), r.reason)
        for r in loaded.known
    ]
    return Outcome("rules", {"rules": len(rows)}, pd.DataFrame(rows, columns=_COLUMNS), faults_frame(loaded.faults))


def rule_page(workspace: Workspace | None, rule_id: str, team: bool = True) -> Outcome:
    """One rule, and its examples: a row a text, with whether the rule must flag it.

    Raises:
        BadInput: there is no such rule; the message names the nearest.
    """
    loaded = load_rules(workspace, team)
    rules = {rule.rule_id: rule for rule in [*loaded.broken, *loaded.known]}
    if rule_id not in rules:
        near = difflib.get_close_matches(rule_id, sorted(rules), n=1)
        raise BadInput(f"no rule {rule_id!r}; " + (f"did you mean {near[0]!r}?" if near else "see `workbench rules`"))
    rule = rules[rule_id]
    rows: list[dict[str, Any]] = []
    for kind, examples in (("fires", rule.fires), ("passes", rule.passes)):
        for number, example in enumerate(examples, start=1):
            for row in example.transcripts().to_dict("records"):
                place = len([1 for one in rows if one["example"] == f"{kind} {number}"])
                known = {name: row[name] for name in example.columns}
                told = ", ".join(f"{name} = {value}" for name, value in known.items())
                rows.append(
                    {
                        "example": f"{kind} {number}",
                        "utterance_id": row["utterance_id"],
                        "annotator": row["annotator"],
                        "text": row["text"],
                        "known": told,
                        "flagged": place in example.flagged,
                    }
                )
    notes = [f"{rule.rule_id} ({rule.severity}), needs {', '.join(rule.needs)}: {rule.reason}"]
    columns = ["example", "utterance_id", "annotator", "text", "known", "flagged"]
    faults = [fault for fault in loaded.faults if fault["item"] == rule_id]
    return Outcome("rules", {}, pd.DataFrame(rows, columns=columns), faults_frame(faults), notes)


@prints_aside()
def rules_against_examples(workspace: Workspace | None, team: bool = True) -> Outcome:
    """The examples that rules do not keep, built-in ones and the team's; what cannot be loaded is a fault."""
    from label_rules.examples import example_failures
    from label_rules.rule import Example

    loaded = load_rules(workspace, team)
    rows: list[tuple[str, ...]] = []
    examples = 0
    for rule in [*loaded.known, *loaded.broken]:
        if not all(isinstance(one, Example) for one in (*rule.fires, *rule.passes)):
            continue
        examples += len(rule.fires) + len(rule.passes)
        place = _place(rule, loaded)
        rows += [
            (rule.rule_id, one.example, " | ".join(one.texts), one.expected, one.found, place)
            for one in example_failures(rule)
        ]
    # An example that fails is a row of the table, and needs no second line.
    faults = [fault for fault in loaded.faults if "the rule is left out: its example " not in fault["reason"]]
    notes = [f"{examples} examples of {len(loaded.known) + len(loaded.broken)} rules; {len(rows)} not kept"]
    return Outcome(
        "rules test", {"failures": len(rows)}, pd.DataFrame(rows, columns=_FAILURES), faults_frame(faults), notes
    )


def _place(rule: Rule, loaded: LoadedRules) -> str:
    return rule.where if any(name in rule.where for name in loaded.files) else "built in"
