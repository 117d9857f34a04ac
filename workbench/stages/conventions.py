"""What the transcripts write in several ways: the table, who departs, one form applied to all of them, and its undo."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pandas as pd

from workbench.errors import BadInput
from workbench.stages.check import checked_transcripts
from workbench.stages.stage import Outcome, faults_frame
from workbench.stages.team_rules import load_rules, prints_aside
from workbench.transcripts import BATCH, revision, standing_revisions, undo
from workbench.workspace import Workspace

if TYPE_CHECKING:
    from label_rules.conventions.forms import Rewritten
    from label_rules.corpus import Corpus
    from label_rules.rule import Fault, Rule

SOURCE = "rule"


@dataclass(frozen=True)
class Source:
    """Transcripts (utterance_id, annotator, text and, where it is known, audio_key), the rules for them, and faults."""

    frame: pd.DataFrame
    rules: list[Rule]
    faults: list[dict[str, str]]
    notes: list[str]


def read_source(source: Workspace | Path) -> Source:
    """The current transcripts of a workspace with the team's rules, or those of a file with the built-in ones.

    Raises:
        BadInput: there are no transcripts, or a file cannot be read.
    """
    if isinstance(source, Path):
        from workbench.stages.transcript_files import read_transcript_file

        frame, faults = read_transcript_file(source)
        return Source(frame, load_rules(None).rules, faults, [])
    frame = checked_transcripts(source, None)[["utterance_id", "annotator", "text", "audio_key"]]
    if frame.empty:
        raise BadInput("the workspace has no transcripts; add some with `workbench import MANIFEST`")
    loaded = load_rules(source)
    return Source(frame, loaded.rules, loaded.faults, [f"rules of {name} were run" for name in loaded.files])


@prints_aside()
def conventions(source: Workspace | Path) -> Outcome:
    """The forms of every convention with their counts, shares and writers, as the transcripts are now.

    Raises:
        BadInput: there are no transcripts, or the file cannot be read.
    """
    from label_rules.conventions.forms import survey
    from label_rules.corpus import Corpus

    read = read_source(source)
    found = survey(Corpus(read.frame), read.rules)
    table = found.conventions
    counts = {
        "transcripts": len(read.frame),
        "conventions": int(table["convention"].nunique()),
        "undecided": int((~table["convention"].isin(decided(table))).groupby(table["convention"]).first().sum()),
    }
    transcripts = "1 transcript" if len(read.frame) == 1 else f"{len(read.frame)} transcripts"
    notes = [f"nothing is written in several ways in {transcripts}"]
    if counts["conventions"]:
        things = "1 thing is" if counts["conventions"] == 1 else f"{counts['conventions']} things are"
        notes = [f"{things} written in several ways in {transcripts}; {counts['undecided']} have no clear majority"]
    table = table.drop(columns="rule_id")
    faults = faults_frame(read.faults + found.faults.to_dict("records"))
    return Outcome("conventions", counts, table, faults, read.notes + notes, kept=False)


def decided(table: pd.DataFrame) -> dict[str, str]:
    """Each convention that has a form of a clear majority, with this form."""
    from label_rules.conventions.convention import CLEAR_SHARE, LEAST_MAJORITY

    clear = table[table["majority"] & (table["share"] >= CLEAR_SHARE) & (table["count"] >= LEAST_MAJORITY)]
    return dict(zip(clear["convention"], clear["form"], strict=True))


@prints_aside()
def departures(source: Workspace | Path, convention: str, form: str | None = None) -> Outcome:
    """The transcripts that depart from a form of a convention (the clear majority's, if none is named).

    The table has utterance_id, annotator, start, end, written, text and suggestion (missing where it is not safe).

    Raises:
        BadInput: there is no such convention, nobody uses the form, or no form has a clear majority.
    """
    read = read_source(source)
    frame = read.frame
    corpus, form, found, crashed = _towards(read, convention, form, habits=True)
    rows = [
        (frame["utterance_id"].iloc[one.row], frame["annotator"].iloc[one.row], use.start, use.end, use.form,
         corpus.text(one.row), one.text)
        for one in found for use in one.uses
    ]  # fmt: skip
    columns = ["utterance_id", "annotator", "start", "end", "written", "text", "suggestion"]
    table = pd.DataFrame(rows, columns=columns)
    notes = [f"{len(found)} transcripts do not write {convention} as {form!r}"]
    return Outcome(
        "conventions", {"transcripts": len(found)}, table, faults_frame(read.faults + crashed), read.notes + notes
    )


@prints_aside()
def apply_convention(
    workspace: Workspace,
    convention: str,
    form: str | None,
    annotator: str | None,
    author: str,
    reason: str,
    dry_run: bool = False,
) -> Outcome:
    """Write every current transcript that departs from the form in that form, as new revisions of one batch.

    The table has utterance_id, annotator, text and new_text (missing where no rewriting is safe, which is left).

    Args:
        form: the clear majority's, if none is named.
        annotator: whose transcripts; everybody's, if nobody is named.
        dry_run: change nothing.

    Raises:
        BadInput: there is no such convention, form or annotator, no form has a clear majority, there is no reason, or
            both forms may be right and no annotator is named.
    """
    if not reason.strip():
        raise BadInput("--reason must say why; it is kept with every revision")
    with workspace.lock():
        read = read_source(workspace)
        frame = read.frame
        if annotator is not None and annotator not in set(frame["annotator"]):
            names = ", ".join(sorted(set(frame["annotator"])))
            raise BadInput(f"nobody is called {annotator!r}; the annotators are {names}")
        _, form, found, crashed = _towards(read, convention, form, habits=annotator is not None)
        found = [one for one in found if annotator in (None, frame["annotator"].iloc[one.row])]
        batch = uuid4().hex[:8]
        numbers = _latest_revisions(workspace)
        rows: list[dict[str, Any]] = []
        for one in found:
            utterance, writer = frame["utterance_id"].iloc[one.row], frame["annotator"].iloc[one.row]
            if one.text is None:
                continue
            detail = f"{one.rule_id} {convention} as {form!r}, batch {batch}"
            number = numbers[utterance, writer] + 1
            rows.append(revision(utterance, writer, number, one.text, SOURCE, detail, author, reason))
        if rows and not dry_run:
            workspace.append("transcripts", pd.DataFrame(rows))
    table = frame.iloc[[one.row for one in found]][["utterance_id", "annotator", "text"]].reset_index(drop=True)
    table["new_text"] = [one.text for one in found]
    left = len(found) - len(rows)
    did = "would get" if dry_run else "got"
    notes = [f"{len(rows)} transcripts {did} a new revision with {convention} as {form!r}"]
    if left:
        notes.append(f"{left} depart from it and are left, for there is no safe way to rewrite them")
    if rows and not dry_run:
        notes.append(f"take it back with workbench conventions undo {batch}")
    counts = {"changed": len(rows), "left": left, "batch": batch if rows and not dry_run else ""}
    return Outcome(
        "conventions apply", counts, table, faults_frame(read.faults + crashed), read.notes + notes, kept=False
    )


def undo_conventions(workspace: Workspace, batch: str, author: str) -> Outcome:
    """Take a batch of `apply_convention` back: each transcript gets the text before it, as a new revision.

    Transcripts that were changed since are left as they are, and named in the table: utterance_id, annotator, text,
    outcome (undone, changed since, undone before).

    Raises:
        BadInput: there is no such batch.
    """
    with workspace.lock():
        everything = workspace.read("transcripts", history=True)
        ours = everything[everything["source"] == SOURCE]
        batches = ours["source_detail"].astype("str").str.extract(BATCH)["batch"]
        ours = ours[(batches == batch).to_numpy(dtype=bool, na_value=False)]
        if ours.empty:
            known = ", ".join(batches.dropna().unique()[-5:])
            raise BadInput(f"no batch {batch!r}; " + (f"the latest are {known}" if known else "none was applied yet"))
        key = ["utterance_id", "annotator"]
        number_of = ours.set_index(key)["revision"].to_dict()
        histories = everything.merge(ours[key], on=key).sort_values("revision", kind="stable").groupby(key, sort=False)
        rows: list[dict[str, Any]] = []
        outcomes = []
        for (utterance, annotator), history in histories:
            standing = standing_revisions(history)
            number = number_of[utterance, annotator]
            text = standing[-1][1] if standing else ""
            if standing and standing[-1][0] == number:
                row = undo(history, str(utterance), str(annotator), author)
                rows.append({**row, "reason": f"undoes batch {batch}"})
                outcomes.append((utterance, annotator, row["text"], "undone"))
            elif number in [each[0] for each in standing]:
                outcomes.append((utterance, annotator, text, "changed since"))
            else:
                outcomes.append((utterance, annotator, text, "undone before"))
        if rows:
            workspace.append("transcripts", pd.DataFrame(rows))
    table = pd.DataFrame(outcomes, columns=[*key, "text", "outcome"])
    numbers = {name: int((table["outcome"] == name).sum()) for name in ("undone", "changed since", "undone before")}
    notes = [f"{numbers['undone']} transcripts have their text of before again, as new revisions"]
    if numbers["changed since"]:
        notes.append(f"{numbers['changed since']} were changed since, and stay as they are")
    return Outcome("conventions undo", dict(numbers), table, notes=notes)


def _towards(
    read: Source, convention: str, form: str | None, habits: bool
) -> tuple[Corpus, str, list[Rewritten], list[dict[str, str]]]:
    """The corpus, the form, the transcripts that depart from it, and faults."""
    from analysis.errors import InvalidInput
    from label_rules.apply import faults_table
    from label_rules.conventions.forms import rewritten, survey
    from label_rules.corpus import Corpus

    corpus = Corpus(read.frame)
    if form is None:
        form = _majority(survey(corpus, read.rules).conventions, convention)
    crashed: list[tuple[str, Fault]] = []
    try:
        found = rewritten(corpus, convention, form, crashed, read.rules, habits)
    except InvalidInput as problem:
        raise BadInput(f"{problem}; `workbench conventions` shows the table") from problem
    return corpus, form, found, faults_table(crashed).to_dict("records")


def _majority(table: pd.DataFrame, convention: str) -> str:
    of_convention = table[table["convention"] == convention]
    if of_convention.empty:
        raise BadInput(f"{convention!r} is not written in several ways here; `workbench conventions` lists what is")
    form = decided(table).get(convention)
    if form is None:
        shares = ", ".join(f"{row.form!r} ({row.share:.0%})" for row in of_convention.itertuples())
        raise BadInput(f"no form of {convention!r} has a clear majority: {shares}; decide for one with --form")
    return form


def _latest_revisions(workspace: Workspace) -> dict[tuple[str, str], int]:
    latest = workspace.read("transcripts", history=True).groupby(["utterance_id", "annotator"])["revision"].max()
    return {key: int(number) for key, number in latest.items()}
