"""What `--only` names: slices, rules, backlog items, utterances."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from workbench.errors import BadInput
from workbench.stages.sync.task_fields import Fields


@dataclass(frozen=True)
class Only:
    """The utterances in any of these slices, rules and backlog items, or of these ids."""

    names: tuple[str, ...]


def parse_only(names: Sequence[str]) -> Only | None:
    """What is asked for; None: everything.

    Raises:
        BadInput: a name is empty.

    >>> parse_only(["age_group = child", "conflict.filler"])
    Only(names=('age_group = child', 'conflict.filler'))
    """
    if not all(name.strip() for name in names):
        raise BadInput("--only is empty; give a slice, a rule, a backlog item or an utterance's id")
    return Only(tuple(dict.fromkeys(name.strip() for name in names))) if names else None


def members(fields: Fields, only: Only | None) -> np.ndarray:
    """Whether each utterance of the fields is asked for.

    Raises:
        BadInput: a name is neither a slice, a rule, a backlog item nor an utterance; the message names the nearest.
    """
    index = fields.frame.index
    if only is None:
        return np.ones(len(index), dtype=bool)
    squeezed = {_squeezed(name): name for name in reversed(fields.groups)}
    asked = np.zeros(len(index), dtype=bool)
    for name in only.names:
        if name in fields.groups:
            asked |= fields.groups[name]
        elif _squeezed(name) in squeezed:
            asked |= fields.groups[squeezed[_squeezed(name)]]
        elif name in index:
            asked |= np.asarray(index == name)
        else:
            raise BadInput(_unknown(name, fields, index))
    return asked


def _squeezed(name: str) -> str:
    return name.replace(" ", "").casefold()


def _unknown(name: str, fields: Fields, index: pd.Index) -> str:
    near = difflib.get_close_matches(name, [*fields.groups, *map(str, index[:10_000])], n=3, cutoff=0.5)
    what = f"--only {name!r} is no slice, rule, backlog item or utterance"
    if near:
        return f"{what}; the nearest: {', '.join(map(repr, near))}"
    return f"{what}; `workbench show slices`, `workbench show rule_summary` and `workbench show backlog` list them"
