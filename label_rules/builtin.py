"""Every rule that comes with the library."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from label_rules.audio.empty import EMPTY_RULES
from label_rules.audio.levels import LEVEL_RULES
from label_rules.audio.truncated import TRUNCATED_RULES
from label_rules.conflicts.rules import CONFLICT_RULES
from label_rules.conventions.casing import CASING_RULES
from label_rules.conventions.characters import CHARACTER_RULES
from label_rules.conventions.dates import DATE_RULES
from label_rules.conventions.discovered import DISCOVERED_RULES
from label_rules.conventions.fillers import FILLER_RULES
from label_rules.conventions.korean_dual import KOREAN_DUAL_RULES
from label_rules.conventions.korean_loans import KOREAN_LOAN_RULES
from label_rules.conventions.korean_marks import KOREAN_MARK_RULES
from label_rules.conventions.korean_numerals import KOREAN_NUMERAL_RULES
from label_rules.conventions.korean_spacing import KOREAN_SPACING_RULES
from label_rules.conventions.marks import MARK_RULES
from label_rules.conventions.markup import MARKUP_RULES
from label_rules.conventions.money import MONEY_RULES
from label_rules.conventions.numbers import NUMBER_RULES
from label_rules.conventions.partial_words import PARTIAL_WORD_RULES
from label_rules.conventions.phrases import PHRASE_RULES
from label_rules.conventions.punctuation import PUNCTUATION_RULES
from label_rules.conventions.spacing import SPACING_RULES
from label_rules.conventions.spellings import SPELLING_RULES
from label_rules.conventions.tags import TAG_RULES
from label_rules.conventions.times import TIME_RULES
from label_rules.model.missing_words import MISSING_WORD_RULES
from label_rules.model.not_in_audio import NOT_IN_AUDIO_RULES
from label_rules.model.suspects import SUSPECT_RULES
from label_rules.model.swapped import SWAPPED_RULES
from label_rules.reported.rules import REPORTED_RULES
from label_rules.rule import Rule
from label_rules.timing.rules import TIMING_RULES
from label_rules.timing.silence import SILENCE_RULES
from label_rules.timing.speech_outside import OUTSIDE_RULES


def _needing(rules: Sequence[Rule], *tables: str) -> tuple[Rule, ...]:
    """The rules, each with the tables that it looks at beside the transcripts."""
    return tuple(replace(rule, needs=("transcripts", *tables)) for rule in rules)


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
    *DATE_RULES,
    *TIME_RULES,
    *MONEY_RULES,
    *PHRASE_RULES,
    *MARK_RULES,
    *PARTIAL_WORD_RULES,
    *TAG_RULES,
    *DISCOVERED_RULES,
    *KOREAN_SPACING_RULES,
    *KOREAN_NUMERAL_RULES,
    *KOREAN_LOAN_RULES,
    *KOREAN_MARK_RULES,
    *KOREAN_DUAL_RULES,
    *_needing(TIMING_RULES, "audio_quality"),
    *_needing(SILENCE_RULES, "audio_quality"),
    *_needing(OUTSIDE_RULES, "audio_quality"),
    *_needing(EMPTY_RULES, "audio_quality"),
    *_needing(TRUNCATED_RULES, "audio_quality"),
    *_needing(LEVEL_RULES, "audio_quality"),
    *_needing(SUSPECT_RULES, "hypotheses"),
    *_needing(SWAPPED_RULES, "hypotheses"),
    *_needing(MISSING_WORD_RULES, "hypotheses"),
    *_needing(NOT_IN_AUDIO_RULES, "label_scores"),
    *_needing(REPORTED_RULES, "remarks"),
)
