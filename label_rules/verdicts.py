"""What reviewers' verdicts say of the rules, and the order in which flags are worth a look.

A rule's precision is the accepted share of its judged flags, with Wilson's 95 % interval. The posterior is its expected
value under a Beta(1, 1) prior, (accepted + 1) / (judged + 2): 0.5 with no verdict, and 1/12 after ten rejections.

A flag's rank is the posterior of its rule times its weight: (1 + score) / 2 where it is harmful, score / 2 where it is
a matter of style. With no verdicts, that is the order by severity and then by score.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

PRIOR_ACCEPTED, PRIOR_REJECTED = 1.0, 1.0
_Z = 1.959963984540054
"The normal distribution's 97.5 % quantile."


def wilson(accepted: np.ndarray, judged: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The ends of Wilson's 95 % interval of a share (Wilson 1927); NaN where nothing was judged.

    >>> low, high = wilson(np.array([0.0, 8.0]), np.array([0.0, 10.0]))
    >>> low.round(3).tolist(), high.round(3).tolist()
    ([nan, 0.49], [nan, 0.943])
    """
    several = np.where(judged > 0, judged, np.nan)
    share, z2 = accepted / several, _Z**2
    centre = (share + z2 / (2 * several)) / (1 + z2 / several)
    half = _Z * np.sqrt(share * (1 - share) / several + z2 / (4 * several**2)) / (1 + z2 / several)
    return np.maximum(centre - half, 0.0), np.minimum(centre + half, 1.0)


def with_verdicts(summary: pd.DataFrame, verdicts: pd.DataFrame) -> pd.DataFrame:
    """The table rule_summary with what the verdicts (rule_id, verdict) that stand say of each rule."""
    judged = {
        name: verdicts["rule_id"][verdicts["verdict"] == name].value_counts() for name in ("accepted", "rejected")
    }
    accepted, rejected = (summary["rule_id"].map(judged[name]).fillna(0).to_numpy(int) for name in judged)
    both = accepted + rejected
    low, high = wilson(accepted.astype(float), both.astype(float))
    return summary.assign(
        accepted=accepted,
        rejected=rejected,
        precision=accepted / np.where(both > 0, both, np.nan),
        precision_low=low,
        precision_high=high,
        posterior=(accepted + PRIOR_ACCEPTED) / (both + PRIOR_ACCEPTED + PRIOR_REJECTED),
    )


def ranks(flags: pd.DataFrame, verdicts: pd.DataFrame) -> pd.Series:
    """How much each flag (rule_id, severity, score) is worth a look, in [0, 1]: posterior of its rule times weight."""
    rules = pd.DataFrame({"rule_id": flags["rule_id"].unique()})
    posterior = with_verdicts(rules, verdicts).set_index("rule_id")["posterior"]
    weight = (flags["score"] + (flags["severity"] == "harmful")) / 2
    return (flags["rule_id"].map(posterior).astype(float) * weight).rename("rank")
