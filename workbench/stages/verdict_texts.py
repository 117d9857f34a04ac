"""The texts that verdicts write and take back, as new revisions of transcripts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import pandas as pd

from workbench.merged_edits import merge_edits
from workbench.transcripts import BATCH, REFERENCE_ANNOTATOR, RETRACTED, revision, standing_revisions
from workbench.workspace import Workspace

SOURCE = "rule"
_CHECK_AGAIN = "run `workbench check` again and judge what it finds then"


class Texts:
    """The revisions of some utterances' transcripts, and those that are to be written: `rows`."""

    def __init__(self, history: pd.DataFrame, verdicts: pd.DataFrame) -> None:
        self.rows: list[dict[str, object]] = []
        self._standing: dict[tuple[str, str], list[tuple[int, str, str]]] = {}
        self._numbers: dict[tuple[str, str], int] = {}
        for (utterance_id, annotator), rows in history.sort_values("revision").groupby(["utterance_id", "annotator"]):
            self._standing[utterance_id, annotator] = standing_revisions(rows)
            self._numbers[utterance_id, annotator] = int(rows["revision"].iloc[-1])
        by_rules = history[history["source"] == SOURCE]
        self._of_batches = {
            (row.utterance_id, row.annotator, int(row.revision))
            for row in by_rules.itertuples()
            if isinstance(row.source_detail, str) and BATCH.match(row.source_detail)
        }
        "Revisions that `workbench conventions apply` wrote, and takes back."
        written = verdicts[verdicts["revision"].notna()]
        self._rests: Counter[tuple[str, str, int]] = Counter()
        "How many accepted flags rest on a revision."
        self._bases: set[tuple[str, str, str]] = set()
        "The texts that accepted flags were about, by utterance and the annotator whose transcript was changed."
        for row in written.itertuples():
            self._rests[row.utterance_id, row.written_to, int(row.revision)] += 1
            self._bases.add((row.utterance_id, row.written_to, row.text))

    @classmethod
    def read(cls, workspace: Workspace, utterances: Iterable[str], verdicts: pd.DataFrame | None = None) -> Texts:
        """Those of these utterances, with the verdicts that stand."""
        history = workspace.read("transcripts", history=True)
        history = history[history["utterance_id"].isin(set(utterances))]
        return cls(history, workspace.read("verdicts").iloc[:0] if verdicts is None else verdicts)

    def standing(self, utterance_id: str, annotator: str) -> list[tuple[int, str, str]]:
        """Number, text and source of the revisions that no undo took back, oldest first."""
        return self._standing.get((utterance_id, annotator), [])

    def take(self, flag: Any, annotator: str, author: str, reason: str) -> tuple[int | None, str]:
        """Write what a flag suggests; the revision that holds it, and else why it cannot be written."""
        utterance_id, base, suggestion = str(flag.utterance_id), str(flag.text), str(flag.suggestion)
        key, standing = (utterance_id, annotator), self.standing(utterance_id, annotator)
        if not standing and annotator != REFERENCE_ANNOTATOR:
            return None, f"the transcript was taken back since the check; {_CHECK_AGAIN}"
        new: str | None = suggestion
        if standing:
            current = standing[-1][1]
            if current == suggestion:
                return self._rest_on_last(key, base), ""
            if current != base:
                if not self.changed_by_rules(*key, base):
                    return None, f"{annotator}'s text is no longer the one that was checked; {_CHECK_AGAIN}"
                new = merge_edits(base, current, suggestion)
                if new is None:
                    return None, f"a flag that was accepted before it changed the same words; {_CHECK_AGAIN}"
                if new == current:
                    return self._rest_on_last(key, base), ""
        assert new is not None
        number = self._add(key, new, SOURCE, flag.rule_id, author, reason)
        self._standing.setdefault(key, []).append((number, new, SOURCE))
        return self._rest_on_last(key, base), ""

    def take_back(self, utterance_id: str, annotator: str, number: int, author: str) -> str:
        """Take a revision back, unless another accepted flag rests on it too; why it cannot be, or empty text."""
        key, standing = (utterance_id, annotator), self.standing(utterance_id, annotator)
        if self._rests[(*key, number)] > 1:
            self._rests[(*key, number)] -= 1
            return ""
        if standing[-1][0] != number:
            return (
                f"revision {number} of {annotator}'s text has a later one, {standing[-1][0]}; take that back first, "
                f"with `workbench flags undo` or `workbench labels undo {utterance_id} --annotator {annotator}`"
            )
        self._rests[(*key, number)] -= 1
        standing.pop()
        detail = f"undoes revision {number}"
        if standing:
            self._add(key, standing[-1][1], "undo", detail, author, None)
        else:
            self._add(key, "", RETRACTED, detail, author, None)
        return ""

    def _rest_on_last(self, key: tuple[str, str], base: str) -> int | None:
        """The last revision, where a flag wrote it; a text that was so before any flag needs none taken back."""
        number, _, source = self._standing[key][-1]
        if source != SOURCE or (*key, number) in self._of_batches:
            return None
        self._rests[(*key, number)] += 1
        self._bases.add((*key, base))
        return number

    def changed_by_rules(self, utterance_id: str, annotator: str, base: str) -> bool:
        """Whether there is a text, and nothing but rules has changed it since it was the base."""
        key, standing = (utterance_id, annotator), self.standing(utterance_id, annotator)
        places = [place for place, (_, text, _) in enumerate(standing) if text == base]
        # The reference begins with what was suggested for another's text.
        first = places[-1] + 1 if places else 0
        known = bool(places) or (*key, base) in self._bases
        return known and all(source == SOURCE for _, _, source in standing[first:])

    def _add(self, key: tuple[str, str], text: str, source: str, detail: str, author: str, reason: str | None) -> int:
        number = self._numbers.get(key, 0) + 1
        self._numbers[key] = number
        self.rows.append(revision(*key, number, text, source, detail, author, reason))
        return number
