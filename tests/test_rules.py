"""Every built-in rule against its own examples."""

from __future__ import annotations

import pytest

from label_rules.apply import apply_rules
from label_rules.builtin import BUILTIN_RULES
from label_rules.rule import Example, Rule

FIRES = [
    pytest.param(rule, one, id=f"{rule.rule_id}-{n}") for rule in BUILTIN_RULES for n, one in enumerate(rule.fires)
]
PASSES = [
    pytest.param(rule, one, id=f"{rule.rule_id}-{n}") for rule in BUILTIN_RULES for n, one in enumerate(rule.passes)
]


def flagged(rule: Rule, example: Example) -> list[int]:
    """The positions of the example's texts that the rule flags."""
    transcripts = example.transcripts()
    applied = apply_rules(transcripts, [rule])
    assert applied.exceptions == ()
    keys = list(zip(transcripts["utterance_id"], transcripts["annotator"], strict=True))
    if rule.about == "audio":  # a flag names nobody, and the examples have one transcript of each audio
        assert set(applied.flags["annotator"]) <= {""}
        keys = [(utterance, "") for utterance, _ in keys]
    found = zip(applied.flags["utterance_id"], applied.flags["annotator"], strict=True)
    return sorted({keys.index(key) for key in found})


@pytest.mark.parametrize(("rule", "example"), FIRES)
def test_rule_fires(rule: Rule, example: Example) -> None:
    assert example.flagged
    assert flagged(rule, example) == list(example.flagged)


@pytest.mark.parametrize(("rule", "example"), PASSES)
def test_rule_passes(rule: Rule, example: Example) -> None:
    assert flagged(rule, example) == []


@pytest.mark.parametrize("rule", BUILTIN_RULES, ids=lambda rule: rule.rule_id)
def test_rule_says_what_it_is_for(rule: Rule) -> None:
    assert rule.fires
    assert rule.passes
    assert rule.reason.endswith(".")
    assert rule.reason.count(". ") == 0
    assert rule.severity in ("harmful", "style")


@pytest.mark.parametrize(("rule", "example"), FIRES)
def test_flags_point_into_the_text_as_written(rule: Rule, example: Example) -> None:
    transcripts = example.transcripts()
    flags = apply_rules(transcripts, [rule]).flags
    if rule.about == "audio":
        transcripts = transcripts.assign(annotator="", text="")
    flags = flags.merge(transcripts, on=["utterance_id", "annotator"])
    assert len(flags)
    for flag in flags.itertuples():
        assert 0 <= flag.start <= flag.end <= len(flag.text)
        assert 0 <= flag.score <= 1
        assert flag.evidence
        assert flag.evidence.isprintable()
        assert flag.suggestion != flag.text


def test_rule_ids_are_unique() -> None:
    ids = [rule.rule_id for rule in BUILTIN_RULES]
    assert len(ids) == len(set(ids))
