"""The error rates that Korean teams state, over syllables, letters and words, as counts that can be summed.

| metric            | counts                                                                                         |
|-------------------|------------------------------------------------------------------------------------------------|
| `cer`             | syllables and other characters, no spaces: the headline, since spacing varies between writers  |
| `cer_with_spaces` | the same with the spaces between words                                                         |
| `jer`             | jamo, the letters that syllables are made of, no spaces: how far off the wrong syllables are   |
| `wer`             | words, as spaces part them                                                                     |
| `swer`            | words, after the hypothesis has taken over the reference's spacing (`analysis.spacing`)        |
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from analysis.align import count_char_errors, count_word_errors
from analysis.errors import InvalidInput
from analysis.korean_units import jamo, syllables
from analysis.spacing import space_normalise_all

METRICS = ["cer", "cer_with_spaces", "jer", "wer", "swer"]
_COUNTS = ["ref", "hits", "substitutions", "deletions", "insertions"]
_ERRORS = _COUNTS[2:]
KOREAN_COUNTS = [f"{metric}_{count}" for metric in METRICS for count in _COUNTS]


def korean_counts(references: Sequence[str], hypotheses: Sequence[str], alignment: str = "unit") -> pd.DataFrame:
    """The counts of every metric for texts that are normalised already, one row a pair.

    The columns are `KOREAN_COUNTS`: of each metric `{metric}_ref` (the units of the reference), `{metric}_hits`,
    `{metric}_substitutions`, `{metric}_deletions` and `{metric}_insertions`, whole numbers.

    Args:
        alignment: `unit` for the fewest errors, or `sclite` for NIST's costs, at which ESPnet's recipe for KsponSpeech
            states its rates. The step before it that moves the spacing for `swer` is at unit costs either way.

    Raises:
        InvalidInput: the sides differ in length, or a text is missing or is not text.

    >>> counts = korean_counts(["오늘 날씨가 좋다"], ["오늘날씨가 좋네"])
    >>> {metric: rate and round(rate, 3) for metric, rate in overall_korean(counts).items()}
    {'cer': 0.143, 'cer_with_spaces': 0.222, 'jer': 0.118, 'wer': 1.0, 'swer': 0.333}
    """
    # These two come first: they say what is wrong with the texts before anything else is made of them.
    with_spaces = count_char_errors(references, hypotheses, alignment)
    words = count_word_errors(references, hypotheses, alignment)
    ref_units, hyp_units = ([syllables(text) for text in side] for side in (references, hypotheses))
    ref_letters, hyp_letters = ([jamo(text) for text in side] for side in (ref_units, hyp_units))
    spaced = space_normalise_all(references, hypotheses)
    tables = [
        count_char_errors(ref_units, hyp_units, alignment),
        with_spaces,
        count_char_errors(ref_letters, hyp_letters, alignment),
        words,
        count_word_errors(references, spaced, alignment),
    ]
    return pd.concat(tables, axis="columns").set_axis(KOREAN_COUNTS, axis="columns")


def overall_korean(counts: pd.DataFrame) -> dict[str, float | None]:
    """Each metric's rate over all rows: errors for each reference unit; None where there are no reference units.

    Raises:
        InvalidInput: the table lacks a column of `korean_counts`.

    >>> overall_korean(korean_counts([""], ["네"]))["cer"] is None
    True
    """
    if missing := [column for column in KOREAN_COUNTS if column not in counts]:
        raise InvalidInput(f"the counts have no column {', '.join(missing)}; give what korean_counts returns")
    totals = {column: int(total) for column, total in counts[KOREAN_COUNTS].sum().items()}
    rates: dict[str, float | None] = {}
    for metric in METRICS:
        units = totals[f"{metric}_ref"]
        rates[metric] = sum(totals[f"{metric}_{error}"] for error in _ERRORS) / units if units else None
    return rates
