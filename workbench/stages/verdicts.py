"""Reviewers' verdicts on flags: which flags are open, what an accepted one writes, and its undo."""

from __future__ import annotations

import base64
import difflib
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from label_rules.verdicts import ranks, with_verdicts
from workbench.errors import BadInput
from workbench.stages.stage import Outcome, faults_frame
from workbench.stages.verdict_texts import Texts
from workbench.transcripts import REFERENCE_ANNOTATOR, current_transcripts
from workbench.workspace import Workspace

ACCEPTED, REJECTED, WITHDRAWN, OPEN, OUTDATED = "accepted", "rejected", "withdrawn", "open", "outdated"
KEY = ["utterance_id", "annotator", "rule_id", "start", "end", "text"]
_SHORTEST_ID = 4


def flag_id(utterance_id: str, annotator: str, rule_id: str, start: int, end: int, text: str) -> str:
    """The name of a flag: ten letters and digits, the same after every check of the same text.

    >>> flag_id("utt-1", "ann_a", "conflict.filler", 0, 3, "Um, yes")
    'u3obmj3ny3'
    """
    written = "\0".join((utterance_id, annotator, rule_id, str(start), str(end), text))
    digest = hashlib.sha256(written.encode("utf-8", "surrogatepass")).digest()
    return base64.b32encode(digest)[:10].decode().lower()


def standing_verdicts(workspace: Workspace) -> pd.DataFrame:
    """The verdicts that stand: neither withdrawn, nor on a suggestion that an undo has taken back since."""
    verdicts = workspace.read("verdicts")
    verdicts = verdicts[verdicts["verdict"] != WITHDRAWN].reset_index(drop=True)
    written = verdicts[verdicts["revision"].notna()]
    if written.empty:
        return verdicts
    texts = Texts.read(workspace, written["utterance_id"])
    gone = [
        row.Index
        for row in written.itertuples()
        if int(row.revision) not in {number for number, _, _ in texts.standing(row.utterance_id, row.written_to)}
    ]
    return verdicts.drop(index=gone).reset_index(drop=True)


def judged_summary(workspace: Workspace) -> pd.DataFrame:
    """The table rule_summary with the verdicts of today."""
    return with_verdicts(workspace.read("rule_summary"), standing_verdicts(workspace))


def judged_flags(workspace: Workspace) -> pd.DataFrame:
    """Every flag with `flag` (its id), `rank` and `verdict`, those most worth a look first.

    A verdict is open, accepted, rejected, or outdated: the text has changed since the check. Verdicts on flags that the
    newest check did not raise again stand at the end, without severity and score.
    """
    flags, verdicts = workspace.read("flags"), standing_verdicts(workspace)
    given = verdicts[[*KEY, "verdict", "author", "reason"]]
    judged = flags.merge(given, on=KEY, how="left").assign(rank=ranks(flags, verdicts).to_numpy())
    current = current_transcripts(workspace.read("transcripts"))[["utterance_id", "annotator", "text"]]
    valid = pd.MultiIndex.from_frame(judged[["utterance_id", "annotator", "text"]]).isin(
        pd.MultiIndex.from_frame(current)
    )
    changed = judged["verdict"].isna() & (judged["annotator"] != "") & ~valid
    if changed.any():
        # What accepted flags have changed can take further suggestions for the text before.
        texts, places = Texts.read(workspace, judged["utterance_id"][changed]), judged.index[changed]
        keys = judged.loc[places, ["utterance_id", "annotator", "text"]].itertuples(index=False, name=None)
        changed[places] = [not texts.changed_by_rules(utterance, who, base) for utterance, who, base in keys]
    judged["verdict"] = judged["verdict"].fillna(OPEN).mask(changed, OUTDATED)
    judged = judged.sort_values("rank", ascending=False, kind="stable")
    raised = pd.MultiIndex.from_frame(verdicts[KEY]).isin(pd.MultiIndex.from_frame(flags[KEY]))
    rest = verdicts.loc[~raised, [*KEY, "verdict", "author", "reason", "evidence", "suggestion"]]
    # A frame with no rows would change the types of the columns.
    judged = pd.concat([frame for frame in (judged, rest) if len(frame)] or [judged], ignore_index=True)
    ids = [flag_id(*values) for values in judged[KEY].itertuples(index=False, name=None)]
    judged.insert(0, "flag", pd.Series(ids, dtype="str", index=judged.index))
    return judged


def usable_flags(workspace: Workspace) -> pd.DataFrame:
    """The flags of the newest check that nobody rejected, those most worth a look first, with `rank`."""
    flags = judged_flags(workspace)
    return flags[flags["severity"].notna() & (flags["verdict"] != REJECTED)].reset_index(drop=True)


def choose_flags(flags: pd.DataFrame, ids: Sequence[str], rule_id: str | None = None) -> pd.DataFrame:
    """The flags of these ids, or first letters of ids; or the open ones of a rule.

    Raises:
        BadInput: an id names no flag or several, or the rule has raised none.
    """
    if rule_id is not None:
        of_rule = flags[flags["rule_id"] == known_rule(flags, rule_id)]
        return of_rule[of_rule["verdict"].isin([OPEN, OUTDATED])]
    places = []
    for name in ids:
        found = flags.index[flags["flag"].str.startswith(name.lower())] if len(name) >= _SHORTEST_ID else []
        if len(found) != 1:
            fact = f"{len(found)} flags begin with {name!r}" if len(found) else f"no flag {name!r}"
            raise BadInput(f"{fact}; `workbench flags` lists them with their ids")
        places.append(found[0])
    return flags.loc[list(dict.fromkeys(places))]


def known_rule(flags: pd.DataFrame, rule_id: str) -> str:
    """The id, which is that of a rule that has raised flags.

    Raises:
        BadInput: it is not; the message names the nearest one.
    """
    known = sorted(set(flags["rule_id"]))
    if rule_id not in known:
        near = difflib.get_close_matches(rule_id, known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"rules with flags: {', '.join(known) or 'none'}"
        raise BadInput(f"no flag of a rule {rule_id!r}; {hint}")
    return rule_id


@dataclass
class _Judged:
    """What one command does: rows of verdicts and of transcripts, and what it cannot do."""

    stage: str
    verdicts: list[dict[str, object]] = field(default_factory=list)
    faults: list[dict[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def fault(self, flag: Any, reason: str) -> None:
        item = f"{flag.utterance_id} by {flag.annotator}" if flag.annotator else str(flag.utterance_id)
        self.faults.append({"stage": self.stage, "item": flag.flag, "location": item, "reason": reason})

    def add(self, flag: Any, verdict: str, author: str, reason: str, source: str, **written: object) -> None:
        row = {name: getattr(flag, name) for name in (*KEY, "evidence", "suggestion")}
        row = {name: None if isinstance(value, float) and value != value else value for name, value in row.items()}
        row |= {"verdict": verdict, "author": author, "reason": reason or None, "source": source}
        self.verdicts.append(row | {"created_at": datetime.now(UTC), "written_to": None, "revision": None} | written)

    def finish(self, workspace: Workspace, texts: Texts, done: str) -> Outcome:
        # The text first: a verdict that is missing can be given again, a text that is missing would go unseen.
        workspace.append("transcripts", pd.DataFrame(texts.rows))
        if self.verdicts:
            frame = pd.DataFrame(self.verdicts)
            workspace.append("verdicts", frame.astype({"revision": "Int64"}))
        counts = {done: len(self.verdicts), "texts": len(texts.rows), "faults": len(self.faults)}
        return Outcome(self.stage, counts, pd.DataFrame([counts]), faults_frame(self.faults), self.notes)


def accept_flags(
    workspace: Workspace,
    ids: Sequence[str],
    author: str,
    reason: str = "",
    rule_id: str | None = None,
    to_reference: bool = False,
    source: str = "cli",
) -> Outcome:
    """Accept flags; what one suggests becomes a new revision of the transcript that it is about.

    Several on one text go together as long as they change different words; one that does not is a fault.

    Args:
        rule_id: all open flags of this rule, instead of `ids`.
        to_reference: the suggestion becomes the utterance's reference, and the annotator's own text stays.

    Raises:
        BadInput: there is no such flag.
    """
    with workspace.lock():
        chosen = choose_flags(judged_flags(workspace), ids, rule_id)
        texts = Texts.read(workspace, chosen["utterance_id"], standing_verdicts(workspace))
        judged = _Judged("flags accept")
        standing = standing_verdicts(workspace)
        # What labellers accept by their own labels has changed nobody else's, which can be asked for.
        unwritten = set(standing.loc[standing["source"] != "cli", KEY].itertuples(index=False, name=None))
        for flag in chosen.itertuples():
            if flag.verdict == ACCEPTED and tuple(getattr(flag, name) for name in KEY) not in unwritten:
                judged.notes.append(f"{flag.flag} is accepted already")
                continue
            written: dict[str, object] = {}
            if isinstance(flag.suggestion, str):
                annotator = REFERENCE_ANNOTATOR if to_reference else flag.annotator
                why = f"{flag.rule_id}: {flag.evidence}" + (f" ({reason})" if reason else "")
                revision, problem = texts.take(flag, annotator, author, why)
                if problem:
                    judged.fault(flag, problem)
                    continue
                written = {"written_to": annotator if revision else None, "revision": revision}
            elif flag.verdict == OUTDATED:
                judged.fault(flag, "the text has changed since the check; run `workbench check` again")
                continue
            judged.add(flag, ACCEPTED, author, reason, source, **written)
        return judged.finish(workspace, texts, ACCEPTED)


def reject_flags(
    workspace: Workspace,
    ids: Sequence[str],
    author: str,
    reason: str = "",
    rule_id: str | None = None,
    source: str = "cli",
) -> Outcome:
    """Reject flags: they stay rejected after every check of the same text.

    Raises:
        BadInput: there is no such flag.
    """
    with workspace.lock():
        chosen = choose_flags(judged_flags(workspace), ids, rule_id)
        judged = _Judged("flags reject")
        for flag in chosen.itertuples():
            if flag.verdict == ACCEPTED:
                judged.fault(flag, f"it is accepted; take that back first: workbench flags undo {flag.flag}")
            else:
                judged.add(flag, REJECTED, author, reason, source)
        return judged.finish(workspace, Texts.read(workspace, []), REJECTED)


def undo_verdicts(workspace: Workspace, ids: Sequence[str], author: str, source: str = "cli") -> Outcome:
    """Take verdicts back, with the revisions that they wrote; the flags are open again.

    Raises:
        BadInput: there is no such flag, or no verdict on it.
    """
    with workspace.lock():
        chosen = choose_flags(judged_flags(workspace), ids)
        without = chosen[~chosen["verdict"].isin([ACCEPTED, REJECTED])]
        if len(without):
            raise BadInput(f"there is no verdict on {', '.join(without['flag'])}; nothing to take back")
        standing = standing_verdicts(workspace)
        texts = Texts.read(workspace, chosen["utterance_id"], standing)
        judged = _Judged("flags undo")
        given = chosen.merge(standing[[*KEY, "written_to", "revision"]], on=KEY, how="left")
        # What was written last is taken back first.
        given = given.sort_values("revision", ascending=False, kind="stable")
        for flag in given.itertuples():
            if not pd.isna(flag.revision):
                problem = texts.take_back(flag.utterance_id, flag.written_to, int(flag.revision), author)
                if problem:
                    judged.fault(flag, problem)
                    continue
            judged.add(flag, WITHDRAWN, author, "", source)
        return judged.finish(workspace, texts, WITHDRAWN)
