"""Every rule that comes with the library."""

from __future__ import annotations

from label_rules.conflicts.rules import CONFLICT_RULES
from label_rules.rule import Rule

BUILTIN_RULES: tuple[Rule, ...] = (*CONFLICT_RULES,)
