"""How often each annotator departs from what nearly everybody writes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from label_rules.apply import faults_table, outcomes_of
from label_rules.builtin import BUILTIN_RULES
from label_rules.conventions.convention import ConventionCheck, Majorities
from label_rules.conventions.forms import convention_rules
from label_rules.corpus import Corpus
from label_rules.rule import Fault, Rule, Tally

_COLUMNS = {
    "annotator": "str", "uses": "int64", "departing": "int64", "share": "float64", "most": "str",
    "most_departing": "int64", "most_uses": "int64", "writes": "str", "majority": "str", "habits": "str",
}  # fmt: skip


class Departures(NamedTuple):
    """A frame with one row an annotator, and the faults of rules."""

    annotators: pd.DataFrame
    faults: pd.DataFrame


def departures_by_annotator(corpus: Corpus, rules: Sequence[Rule] = BUILTIN_RULES) -> Departures:
    """Everybody's departures from clear majorities, the largest share first.

    The columns: annotator; uses (of conventions with a clear majority), departing (of them) and its share, missing
    where there are no uses; most (the convention that most of the departing uses are about), most_departing, most_uses
    (departing and all uses of it), writes (the other form that the annotator uses most) and majority (the form of the
    others), empty where nobody departs; habits (conventions with another form as a habit, joined by `, `).

    Where both forms may be right and only the audio says which one is, a single use says nothing: such conventions
    count for habits alone.
    """
    majorities, by_audio = Majorities(), set()
    faults: list[tuple[str, Fault]] = []
    for rule in convention_rules(rules):
        for outcome in outcomes_of(rule, corpus):
            if isinstance(outcome, Fault):
                faults.append((rule.rule_id, outcome))
            elif isinstance(outcome, Tally) and outcome.form not in majorities.by_form.get(outcome.convention, {}):
                counts = Counter(dict(zip(outcome.annotators, outcome.counts, strict=False)))
                majorities.by_form.setdefault(outcome.convention, {})[outcome.form] = counts
                if isinstance(rule.check, ConventionCheck) and rule.check.habits_only:
                    by_audio.add(outcome.convention)
    clear = {name: form for name in majorities.by_form if (form := majorities.clear(name)) is not None}
    against = majorities.against(clear)
    rows = [
        _row(name, majorities, {one: form for one, form in clear.items() if one not in by_audio})
        | {"habits": ", ".join(sorted(one for one, writers in against.items() if name in writers))}
        for name in sorted(set(corpus.annotators))
    ]
    frame = pd.DataFrame(rows, columns=list(_COLUMNS)).astype(_COLUMNS)
    frame = frame.sort_values("share", ascending=False, kind="stable", ignore_index=True)
    return Departures(frame, faults_table(faults))


def _row(annotator: str, majorities: Majorities, clear: dict[str, str]) -> dict[str, object]:
    uses: Counter[str] = Counter()
    others: Counter[tuple[str, str]] = Counter()
    for convention, wanted in clear.items():
        for form, counts in majorities.by_form[convention].items():
            uses[convention] += counts[annotator]
            if form != wanted:
                others[convention, form] += counts[annotator]
    departing: Counter[str] = Counter()
    for (convention, _), several in others.items():
        departing[convention] += several
    total = uses.total()
    row = {"annotator": annotator, "uses": total, "departing": departing.total()}
    row["share"] = departing.total() / total if total else float("nan")
    # Of equal ones the first by name.
    most = min(departing, key=lambda name: (-departing[name], name), default="")
    if not departing[most]:
        return row | {"most": "", "most_departing": 0, "most_uses": 0, "writes": "", "majority": ""}
    _, writes = min((pair for pair in others if pair[0] == most), key=lambda pair: (-others[pair], pair[1]))
    of_most = {"most": most, "most_departing": departing[most], "most_uses": uses[most]}
    return row | of_most | {"writes": writes, "majority": clear[most]}
