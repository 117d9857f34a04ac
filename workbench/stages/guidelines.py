"""A guideline page for transcribers, from what the transcripts write in several ways."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from workbench.stages.conventions import decided, read_source
from workbench.stages.stage import Outcome, faults_frame
from workbench.stages.team_rules import prints_aside
from workbench.workspace import Workspace

if TYPE_CHECKING:
    from label_rules.conventions.convention import Use
    from label_rules.corpus import Corpus
    from label_rules.rule import Fault, Rule
    from workbench.report.guidelines import Correction, Guide

_EXAMPLES, _LONGEST_EXAMPLE = 2, 120
_MOST_NAMED = 3
# One departure is a slip.
_LEAST_DEPARTING = 2
# Of examples with the same first words one is enough: transcripts of one clip say nothing new.
_FIRST_WORDS = 3
# How many letters are of which script is worth a look, and no choice between forms.
_NO_CHOICE = "script"
_HANGUL, _LETTER = re.compile("[가-힣]"), re.compile(r"[^\W\d_]")


def write_guidelines(source: Workspace | Path, path: Path) -> Outcome:
    """Write the page of a workspace's or a file's transcripts to a `.md` or `.html` file.

    Raises:
        BadInput: there are no transcripts, or the page cannot be written there.
    """
    from workbench.report.guidelines import write_guide

    guide, faults = guide_of(source)
    write_guide(guide, path)
    undecided = sum(one.chosen is None and not one.habit for one in guide.guidelines)
    several = len(guide.guidelines)
    notes = [f"{path}: {several} {'convention' if several == 1 else 'conventions'}, {undecided} to decide"]
    return Outcome("conventions", {"conventions": len(guide.guidelines)}, pd.DataFrame(), faults_frame(faults), notes)


@prints_aside()
def guide_of(source: Workspace | Path) -> tuple[Guide, list[dict[str, str]]]:
    """What the page says, and faults; it is in Korean where the workspace is, or where most letters of a file are."""
    from label_rules.apply import faults_table
    from label_rules.conventions.convention import ConventionCheck
    from label_rules.conventions.forms import convention_rules, survey
    from label_rules.corpus import Corpus
    from workbench.report.guidelines import FormShare, Guide, Guideline

    read = read_source(source)
    corpus = Corpus(read.frame)
    found = survey(corpus, read.rules)
    chosen = decided(found.conventions)
    habits = {
        rule.rule_id
        for rule in convention_rules(read.rules)
        if isinstance(rule.check, ConventionCheck) and rule.check.habits_only
    }
    crashed: list[tuple[str, Fault]] = []
    seen = _Seen(corpus, read.rules, set(found.conventions["convention"]), chosen, crashed)
    guidelines = []
    for name, rows in found.conventions.groupby("convention", sort=False):
        convention = str(name)
        if convention == _NO_CHOICE:
            continue
        forms = tuple(
            FormShare(row.form, int(row.uses), float(row.share), tuple(row.annotators.split(", ")))
            for row in rows.rename(columns={"count": "uses"}).itertuples(index=False)
        )
        habit = rows["rule_id"].iloc[0] in habits
        guidelines.append(
            Guideline(
                convention=convention,
                forms=forms,
                chosen=chosen.get(convention),
                right=tuple(seen.right[convention]),
                # Where both forms may be right, no single transcript is an example of what is wrong.
                wrong=() if habit else tuple(seen.wrong[convention]),
                departing=seen.departing(convention, habit),
                habit=habit,
                applies=convention in seen.applicable,
            )
        )
    guide = Guide(
        name=source.stem if isinstance(source, Path) else source.config.workspace.name,
        language=_language(source, corpus.texts),
        transcripts=len(read.frame),
        annotators=read.frame["annotator"].nunique(),
        guidelines=tuple(guidelines),
    )
    known = {(fault["item"], fault["reason"]) for fault in found.faults.to_dict("records")}
    further = [
        fault for fault in faults_table(crashed).to_dict("records") if (fault["item"], fault["reason"]) not in known
    ]
    return guide, read.faults + found.faults.to_dict("records") + further


def _language(source: Workspace | Path, texts: list[str]) -> str:
    if isinstance(source, Workspace):
        return "ko" if source.config.workspace.language.lower().startswith("ko") else "en"
    sample = " ".join(texts[:1000])
    return "ko" if len(_HANGUL.findall(sample)) > len(_LETTER.findall(sample)) / 2 else "en"


class _Seen:
    """Examples of each convention, and how often each annotator departs from it."""

    def __init__(
        self,
        corpus: Corpus,
        rules: list[Rule],
        conventions: set[str],
        chosen: dict[str, str],
        crashed: list[tuple[str, Fault]],
    ) -> None:
        from label_rules.conventions.forms import uses_of
        from workbench.report.guidelines import Correction

        self.right: defaultdict[str, list[str]] = defaultdict(list)
        self.wrong: defaultdict[str, list[Correction]] = defaultdict(list)
        self._own: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._departing: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self.applicable: set[str] = set()
        shown: set[tuple[str, str]] = set()
        for _, writing, number, uses in uses_of(corpus, crashed, rules):
            text = corpus.texts[number]
            writers = [corpus.annotators[row] for row in corpus.rows_of_text[number].tolist()]
            by_name: defaultdict[str, list[Use]] = defaultdict(list)
            for use in uses:
                if use.convention in conventions:
                    by_name[use.convention].append(use)
            if writing.rewrite is not None:
                self.applicable.update(by_name)
            for name, own in by_name.items():
                form = chosen.get(name)
                against = [use for use in own if form is not None and use.form != form]
                for writer in writers:
                    self._own[name][writer] += len(own)
                    self._departing[name][writer] += len(against)
                short = len(text) <= _LONGEST_EXAMPLE
                if against and form is not None and short and _is_new(text, [one.text for one in self.wrong[name]]):
                    made = writing.rewrite(text, [(use, form) for use in against]) if writing.rewrite else None
                    first = against[0]
                    corrected = None if made == text else made
                    self.wrong[name].append(Correction(text, first.start, first.end, corrected))
                elif form is None and short:
                    # Of what is undecided an example of each form.
                    if (name, own[0].form) not in shown:
                        shown.add((name, own[0].form))
                        self.right[name].append(text)
                elif not against and short and _is_new(text, self.right[name]):
                    self.right[name].append(text)

    def departing(self, convention: str, habit: bool) -> tuple[tuple[str, int, int], ...]:
        """The annotators who depart most often, of a habit those who nearly always do: name, departing and all uses."""
        from label_rules.conventions.convention import HABIT_SHARE, LEAST_HABIT

        found = [
            (writer, count, self._own[convention][writer])
            for writer, count in self._departing[convention].items()
            if count >= (max(LEAST_HABIT, HABIT_SHARE * self._own[convention][writer]) if habit else _LEAST_DEPARTING)
        ]
        return tuple(sorted(found, key=lambda one: (-one[1], one[0]))[:_MOST_NAMED])


def _is_new(text: str, examples: list[str]) -> bool:
    """Whether there is room for the text among the examples, and it begins like none of them."""
    begin = text.lower().split()[:_FIRST_WORDS]
    return len(examples) < _EXAMPLES and all(one.lower().split()[:_FIRST_WORDS] != begin for one in examples)
