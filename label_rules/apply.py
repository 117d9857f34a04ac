"""The applier: all rules over all transcripts, to flags, conflicts, conventions, a summary and faults."""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import PurePath
from typing import NamedTuple

import numpy as np
import pandas as pd
from pandas.api.extensions import ExtensionArray

from analysis.errors import InvalidInput
from label_rules.builtin import BUILTIN_RULES
from label_rules.conflicts.compared import Spread
from label_rules.conflicts.rules import conflicts_table
from label_rules.corpus import Corpus
from label_rules.garbage import rare_collections
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


def apply_rules(transcripts: pd.DataFrame, rules: Sequence[Rule] = BUILTIN_RULES, spread: Spread = map) -> Applied:
    """What the rules say of the transcripts.

    The frame has one row an utterance and annotator, with utterance_id, annotator and text; where they are known
    also audio_key (equal for the same audio under two ids), duration (s), speech_seconds (s), hypothesis, confidence
    in [0, 1] and remarks (bad_audio, unsure). A rule abstains where it lacks what it needs. A rule that crashes is a
    row of faults and stops nothing.

    Args:
        spread: the map that does the heaviest work, the comparison of transcripts of the same audio, part by part; one
            that uses several processes gives the same result sooner.

    Raises:
        InvalidInput: a required column is missing or holds something that is not text, an utterance and annotator
            stand twice, or two rules have the same id.
    """
    rule_ids = [rule.rule_id for rule in rules]
    repeated = next((one for one in rule_ids if rule_ids.count(one) > 1), None)
    if repeated is not None:
        raise InvalidInput(f"two rules have the id {repeated!r}; give each its own")
    with rare_collections():
        return _applied(rules, Corpus(transcripts, spread))


def _applied(rules: Sequence[Rule], corpus: Corpus) -> Applied:
    # The groups are compared in other processes, if in any, while the rules that need no comparison are asked here.
    _ = corpus.comparing
    ids, annotators = (pd.array(names, dtype="str") for names in (corpus.utterance_ids, corpus.annotators))
    asked = {
        rule.rule_id: _asked(rule, corpus, ids, annotators) for rule in sorted(rules, key=lambda rule: rule.compares)
    }
    said = [asked[rule.rule_id] for rule in rules]
    all_flags = pd.concat([_flags(None, [], ids, annotators), *(one.flags for one in said)], ignore_index=True)
    faults = [(rule.rule_id, fault) for rule, one in zip(rules, said, strict=True) for fault in one.faults]
    tallies = [tally for one in said for tally in one.tallies]
    abstained = {rule.rule_id: one.abstained for rule, one in zip(rules, said, strict=True)}
    crashed = pd.Series([rule_id for rule_id, _ in faults], dtype=object).value_counts().to_dict()
    return Applied(
        flags=all_flags,
        conflicts=conflicts_table(corpus),
        conventions=conventions_table(tallies),
        summary=summarize(rules, all_flags, len(corpus), abstained, crashed),
        faults=faults_table(faults),
        exceptions=tuple(fault.exception for _, fault in faults),
    )


class _Said(NamedTuple):
    """What one rule made of the transcripts."""

    flags: pd.DataFrame
    faults: list[Fault]
    tallies: list[Tally]
    abstained: int
    "On how many transcripts."


def _asked(rule: Rule, corpus: Corpus, ids: ExtensionArray, annotators: ExtensionArray) -> _Said:
    without_opinion: list[Sequence[int]] = []
    found: list[Finding] = []
    faults: list[Fault] = []
    tallies: list[Tally] = []
    for outcome in outcomes_of(rule, corpus):
        match outcome:
            case Finding():
                found.append(outcome)
            case Abstention(rows):
                without_opinion.append(rows)
            case Fault():
                faults.append(outcome)
            case Tally():
                tallies.append(outcome)
            case _:
                wrong = TypeError(f"the check yielded {outcome!r}, which is no Finding, Abstention, Fault or Tally")
                faults.append(Fault("", wrong))
    abstained = len(set(chain.from_iterable(without_opinion)))
    return _Said(_flags(rule, found, ids, annotators), faults, tallies, abstained)


def outcomes_of(rule: Rule, corpus: Corpus) -> Iterator[Outcome]:
    """What the rule yields, and its crash as a fault."""
    try:
        yield from rule.check(corpus)
    except Exception as problem:
        yield Fault("", problem)


def _flags(
    rule: Rule | None, findings: Sequence[Finding], ids: ExtensionArray, annotators: ExtensionArray
) -> pd.DataFrame:
    """The rule's findings, a row for each transcript; of several on the same characters the surest stays."""
    copies = np.fromiter((len(finding.rows) for finding in findings), np.int64, len(findings))
    rows = np.fromiter(chain.from_iterable(finding.rows for finding in findings), np.int64, copies.sum())
    start, end, score = (
        np.repeat(np.fromiter((finding[at] for finding in findings), kind, len(findings)), copies)
        for at, kind in ((1, np.int64), (2, np.int64), (3, np.float64))
    )
    # The audio is the same for every transcript, so it is flagged once, and with no characters.
    is_audio = rule is not None and rule.about == "audio"
    owner = pd.factorize(ids[rows])[0] if is_audio else rows
    score = score.clip(0.0, 1.0).round(4)
    places = pd.DataFrame({"owner": owner, "start": start, "end": end})
    if places.duplicated().any():
        order = pd.Series(score).argsort(kind="stable")[::-1]
        kept = np.sort(places.iloc[order].drop_duplicates().index.to_numpy())
    else:
        kept = np.arange(len(rows))
    of_row = np.repeat(np.arange(len(findings)), copies)[kept]
    texts = [pd.array([finding[at] for finding in findings], dtype="str").take(of_row) for at in (4, 5, 6)]
    several = len(kept)
    return pd.DataFrame(
        {
            "utterance_id": ids[rows[kept]],
            "annotator": _repeated("", several) if is_audio else annotators[rows[kept]],
            "rule_id": _repeated(rule.rule_id if rule else "", several),
            "start": start[kept],
            "end": end[kept],
            "severity": _repeated(rule.severity if rule else "", several),
            "score": score[kept],
            "evidence": texts[0],
            "suggestion": texts[1],
            "group": texts[2],
        },
        columns=_FLAGS,
    )


def _repeated(text: str, several: int) -> ExtensionArray:
    return pd.array([text], dtype="str").take(np.zeros(several, np.int64))


def conventions_table(tallies: Sequence[Tally]) -> pd.DataFrame:
    """The rows of the table `conventions`."""
    frame = pd.DataFrame([tally[: len(_CONVENTIONS)] for tally in tallies], columns=_CONVENTIONS)
    frame["annotators"] = [", ".join(tally.annotators) for tally in tallies]
    types = {"convention": "str", "form": "str", "annotators": "str", "count": int, "share": float, "majority": bool}
    return frame.astype(types).drop_duplicates(["convention", "form"]).reset_index(drop=True)


def faults_table(faults: Sequence[tuple[str, Fault]]) -> pd.DataFrame:
    """The rows of the table `faults`, of rule ids with their faults."""
    rows = [("check", rule_id, fault.item, _reason(fault.exception)) for rule_id, fault in faults]
    return pd.DataFrame(rows, columns=_FAULTS, dtype="str").drop_duplicates().reset_index(drop=True)


def _reason(problem: Exception) -> str:
    """What was raised, and where in the rule."""
    frames = traceback.extract_tb(problem.__traceback__)
    where = f" ({PurePath(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""
    return f"the rule crashed with {type(problem).__name__}: {' '.join(str(problem).split())}{where}"
