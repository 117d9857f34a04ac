"""Every convention of a corpus by name: its forms with their uses, and transcripts rewritten towards one of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import pandas as pd

from analysis.errors import InvalidInput
from label_rules.apply import conventions_table, faults_table, outcomes_of
from label_rules.builtin import BUILTIN_RULES
from label_rules.conventions.convention import ConventionCheck, Use, Writing
from label_rules.conventions.fillers import without_fillers
from label_rules.corpus import Corpus
from label_rules.rule import Fault, Rule, Tally

KEPT, DROPPED = "filler.kept", "dropped"
_BY_CLIP = "convention.filler_kept"


class Survey(NamedTuple):
    """The table `conventions`, with the rule of each row in a further column `rule_id`; the faults of rules."""

    conventions: pd.DataFrame
    faults: pd.DataFrame


class Rewritten(NamedTuple):
    """A transcript with the uses that depart from a form, and its text with that form; None where it is not safe."""

    row: int
    rule_id: str
    uses: tuple[Use, ...]
    text: str | None


def convention_rules(rules: Sequence[Rule] = BUILTIN_RULES) -> list[Rule]:
    """The rules that count forms of conventions."""
    return [rule for rule in rules if rule.rule_id.startswith("convention.") or isinstance(rule.check, ConventionCheck)]


def survey(corpus: Corpus, rules: Sequence[Rule] = BUILTIN_RULES) -> Survey:
    """What the corpus writes in several ways, with the forms' shares and writers."""
    tallies: list[Tally] = []
    rule_of: dict[str, str] = {}
    faults: list[tuple[str, Fault]] = []
    for rule in convention_rules(rules):
        for outcome in outcomes_of(rule, corpus):
            if isinstance(outcome, Tally):
                tallies.append(outcome)
                rule_of.setdefault(outcome.convention, rule.rule_id)
            elif isinstance(outcome, Fault):
                faults.append((rule.rule_id, outcome))
    table = conventions_table(tallies)
    return Survey(table.assign(rule_id=table["convention"].map(rule_of).astype("str")), faults_table(faults))


Faults = list[tuple[str, Fault]]


def uses_of(
    corpus: Corpus, faults: Faults, rules: Sequence[Rule] = BUILTIN_RULES
) -> Iterator[tuple[Rule, Writing, int, list[Use]]]:
    """The uses of each convention in each different text, by its number, with the rule and how it reads the corpus.

    What a rule crashes on is left out, and its fault is added to `faults`, with the rule's id.
    """
    for rule in rules:
        if not isinstance(rule.check, ConventionCheck):
            continue
        try:
            writing = rule.check.writing(corpus)
        except Exception as problem:
            faults.append((rule.rule_id, Fault("", problem)))
            continue
        for number in corpus.texts_with(writing.trigger):
            try:
                uses = list(writing.observe(corpus.texts[number]))
            except Exception as problem:
                faults.append((rule.rule_id, Fault(corpus.name_of_text(number), problem)))
                continue
            if uses:
                yield rule, writing, number, uses


def rewritten(
    corpus: Corpus,
    convention: str,
    form: str,
    faults: Faults,
    rules: Sequence[Rule] = BUILTIN_RULES,
    habits: bool = False,
) -> list[Rewritten]:
    """The transcripts that depart from a form of a convention, each with its text in that form.

    Args:
        faults: what rules crash on is added to it.
        habits: also where both forms may be right and only the audio says which one is.

    Raises:
        InvalidInput: nobody uses the convention, or the form, in this corpus; or both forms may be right.
    """
    if convention == KEPT:
        return _fillers_dropped(corpus, form, rules)
    forms: dict[str, int] = {}
    departing: list[tuple[Rule, Writing, int, list[Use]]] = []
    names: set[str] = set()
    for rule, writing, number, uses in uses_of(corpus, faults, rules):
        names.update(use.convention for use in uses)
        own = [use for use in uses if use.convention == convention]
        for use in own:
            forms[use.form] = forms.get(use.form, 0) + corpus.copies[number]
        against = [use for use in own if use.form != form]
        if against:
            departing.append((rule, writing, number, against))
    _check_form(convention, form, forms, names)
    made = []
    for rule, writing, number, uses in departing:
        if isinstance(rule.check, ConventionCheck) and rule.check.habits_only and not habits:
            raise InvalidInput(
                f"both forms of {convention!r} may be right, and only the audio says which one was spoken; choose "
                "one annotator whose habit is wrong"
            )
        text = corpus.texts[number]
        new = writing.rewrite(text, [(use, form) for use in uses]) if writing.rewrite else None
        for row in corpus.rows_of_text[number].tolist():
            made.append(Rewritten(row, rule.rule_id, tuple(uses), None if new == text else new))
    return sorted(made, key=lambda one: one.row)


def _fillers_dropped(corpus: Corpus, form: str, rules: Sequence[Rule]) -> list[Rewritten]:
    rule = next((rule for rule in rules if rule.rule_id == _BY_CLIP), None)
    tallies = [one for one in outcomes_of(rule, corpus) if isinstance(one, Tally)] if rule else []
    forms = {one.form: one.uses for one in tallies}
    _check_form(KEPT, form, forms, set())
    if form != DROPPED:
        raise InvalidInput("what hesitations were left out, only the audio says; listen to the flagged transcripts")
    made = []
    for number, text in enumerate(corpus.texts):
        new = without_fillers(text)
        if new != text:
            use = Use(KEPT, "kept", 0, len(text))
            made += [Rewritten(row, _BY_CLIP, (use,), new) for row in corpus.rows_of_text[number].tolist()]
    return sorted(made, key=lambda one: one.row)


def _check_form(convention: str, form: str, forms: dict[str, int], names: set[str]) -> None:
    if not forms:
        near = sorted(name for name in names if name.split(".")[0] == convention.split(".")[0])[:5]
        hint = f"; there are {', '.join(near)}" if near else ""
        raise InvalidInput(f"nothing in these transcripts is a matter of {convention!r}{hint}")
    if form not in forms:
        listed = ", ".join(f"{name!r} ({count})" for name, count in sorted(forms.items(), key=lambda one: -one[1]))
        raise InvalidInput(f"nobody writes {convention!r} as {form!r}; the forms are {listed}")
