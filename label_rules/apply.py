"""The applier: all rules over all transcripts, to flags, conflicts, conventions, a summary and faults."""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import PurePath
from typing import NamedTuple

import numpy as np
import pandas as pd

from analysis.errors import InvalidInput
from label_rules.builtin import BUILTIN_RULES
from label_rules.conflicts.rules import conflicts_table
from label_rules.corpus import Corpus
from label_rules.rule import Abstention, Fault, Finding, Outcome, Rule, Tally
from label_rules.summary import summarize

_FLAGS = [
    "utterance_id",
    "annotator",
    "rule_id",
    "start",
    "end",
    "severity",
    "score",
    "evidence",
    "suggestion",
    "group",
]
_FLAG_KEY = ["utterance_id", "annotator", "rule_id", "start", "end"]
_CONVENTIONS = ["convention", "form", "count", "share", "majority", "annotators"]
_FAULTS = ["stage", "item", "location", "reason"]


class Applied(NamedTuple):
    """What the rules made of the transcripts: frames with the columns of the tables that they are named for.

    `exceptions` keeps, for every rule that crashed, what it raised, in the order of `faults`.
    """

    flags: pd.DataFrame
    conflicts: pd.DataFrame
    conventions: pd.DataFrame
    summary: pd.DataFrame
    faults: pd.DataFrame
    exceptions: tuple[Exception, ...] = ()


def apply_rules(transcripts: pd.DataFrame, rules: Sequence[Rule] = BUILTIN_RULES) -> Applied:
    """What the rules say of the transcripts.

    The frame has one row an utterance and annotator, with utterance_id, annotator and text; where they are known
    also audio_key (equal for the same audio under two ids), duration (s), speech_seconds (s), hypothesis and
    confidence in [0, 1]. A rule abstains where it lacks what it needs. A rule that crashes is a row of faults and
    stops nothing.

    Raises:
        InvalidInput: a required column is missing or holds something that is not text, an utterance and annotator
            stand twice, or two rules have the same id.
    """
    ids = [rule.rule_id for rule in rules]
    repeated = next((one for one in ids if ids.count(one) > 1), None)
    if repeated is not None:
        raise InvalidInput(f"two rules have the id {repeated!r}; give each its own")
    corpus = Corpus(transcripts)
    findings: dict[str, list[Finding]] = {}
    faults: list[tuple[str, Fault]] = []
    abstained: dict[str, int] = {}
    tallies: list[Tally] = []
    for rule in rules:
        without_opinion: list[Sequence[int]] = []
        found = findings.setdefault(rule.rule_id, [])
        for outcome in _outcomes(rule, corpus):
            match outcome:
                case Finding():
                    found.append(outcome)
                case Abstention(rows):
                    without_opinion.append(rows)
                case Fault():
                    faults.append((rule.rule_id, outcome))
                case Tally():
                    tallies.append(outcome)
                case _:
                    wrong = TypeError(f"the check yielded {outcome!r}, which is no Finding, Abstention, Fault or Tally")
                    faults.append((rule.rule_id, Fault("", wrong)))
        abstained[rule.rule_id] = len(set(chain.from_iterable(without_opinion)))
    flags = pd.concat([_flags(rule, findings[rule.rule_id], corpus) for rule in rules] or [_flags(None, [], corpus)])
    flags = flags.reset_index(drop=True)
    crashed = pd.Series([rule_id for rule_id, _ in faults], dtype=object).value_counts().to_dict()
    return Applied(
        flags=flags,
        conflicts=conflicts_table(corpus),
        conventions=_conventions(tallies),
        summary=summarize(rules, flags, len(corpus), abstained, crashed),
        faults=_faults(faults),
        exceptions=tuple(fault.exception for _, fault in faults),
    )


def _outcomes(rule: Rule, corpus: Corpus) -> Iterator[Outcome]:
    try:
        yield from rule.check(corpus)
    except Exception as problem:
        yield Fault("", problem)


def _flags(rule: Rule | None, findings: list[Finding], corpus: Corpus) -> pd.DataFrame:
    """The rule's findings, a row for each transcript; of several on the same characters the surest stays."""
    copies = [len(finding.rows) for finding in findings]
    rows = np.fromiter(chain.from_iterable(finding.rows for finding in findings), np.int64, sum(copies))
    columns: dict[str, np.ndarray] = {
        name: np.repeat(np.array([getattr(finding, name) for finding in findings], dtype=kind), copies)
        for name, kind in _FINDING_TYPES.items()
    }
    ids, annotators = np.array(corpus.utterance_ids, dtype=object), np.array(corpus.annotators, dtype=object)
    frame = pd.DataFrame(
        {
            "utterance_id": ids[rows],
            "annotator": annotators[rows],
            "rule_id": rule.rule_id if rule else "",
            "start": columns["start"],
            "end": columns["end"],
            "severity": rule.severity if rule else "",
            "score": columns["score"].clip(0.0, 1.0).round(4),
            "evidence": columns["evidence"],
            "suggestion": columns["suggestion"],
            "group": columns["group"],
        },
        columns=_FLAGS,
    )
    for name in ("utterance_id", "annotator", "rule_id", "severity", "evidence", "suggestion", "group"):
        frame[name] = frame[name].astype("str")
    order = frame["score"].argsort(kind="stable")[::-1]
    kept = ~frame.iloc[order].duplicated(_FLAG_KEY).sort_index()
    return frame[kept]


_FINDING_TYPES = {"start": int, "end": int, "score": float, "evidence": object, "suggestion": object, "group": object}


def _conventions(tallies: list[Tally]) -> pd.DataFrame:
    frame = pd.DataFrame([tuple(tally) for tally in tallies], columns=_CONVENTIONS)
    frame["annotators"] = [", ".join(tally.annotators) for tally in tallies]
    types = {"convention": "str", "form": "str", "annotators": "str", "count": int, "share": float, "majority": bool}
    return frame.astype(types).drop_duplicates(["convention", "form"]).reset_index(drop=True)


def _faults(faults: list[tuple[str, Fault]]) -> pd.DataFrame:
    rows = [("check", rule_id, fault.item, _reason(fault.exception)) for rule_id, fault in faults]
    return pd.DataFrame(rows, columns=_FAULTS, dtype="str").drop_duplicates().reset_index(drop=True)


def _reason(problem: Exception) -> str:
    """What was raised, and where in the rule."""
    frames = traceback.extract_tb(problem.__traceback__)
    where = f" ({PurePath(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""
    return f"the rule crashed with {type(problem).__name__}: {' '.join(str(problem).split())}{where}"
