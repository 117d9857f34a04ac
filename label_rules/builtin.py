"""Every rule that comes with the library."""

from __future__ import annotations

from label_rules.conflicts.rules import CONFLICT_RULES
from label_rules.conventions.casing import CASING_RULES
from label_rules.conventions.characters import CHARACTER_RULES
from label_rules.conventions.fillers import FILLER_RULES
from label_rules.conventions.markup import MARKUP_RULES
from label_rules.conventions.numbers import NUMBER_RULES
from label_rules.conventions.punctuation import PUNCTUATION_RULES
from label_rules.conventions.spacing import SPACING_RULES
from label_rules.conventions.spellings import SPELLING_RULES
from label_rules.model.suspects import SUSPECT_RULES
from label_rules.model.swapped import SWAPPED_RULES
from label_rules.rule import Rule
from label_rules.timing.rules import TIMING_RULES

BUILTIN_RULES: tuple[Rule, ...] = (
    *CONFLICT_RULES,
    *FILLER_RULES,
    *PUNCTUATION_RULES,
    *CASING_RULES,
    *NUMBER_RULES,
    *SPELLING_RULES,
    *SPACING_RULES,
    *MARKUP_RULES,
    *CHARACTER_RULES,
    *TIMING_RULES,
    *SUSPECT_RULES,
    *SWAPPED_RULES,
)
