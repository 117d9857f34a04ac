"""A rule against its own examples."""

from __future__ import annotations

from typing import NamedTuple

from label_rules.apply import apply_rules
from label_rules.rule import Example, Rule


class ExampleFailure(NamedTuple):
    """An example that a rule does not keep: `fires` or `passes` with its number from 1, expected and found."""

    example: str
    texts: tuple[str, ...]
    expected: str
    found: str


def example_failures(rule: Rule) -> list[ExampleFailure]:
    """The examples that the rule does not keep: it flags other texts than it must, or crashes."""
    failures = []
    for kind, examples in (("fires", rule.fires), ("passes", rule.passes)):
        for number, example in enumerate(examples, start=1):
            expected = tuple(sorted(example.flagged))
            name = f"{kind} {number}"
            if kind == "fires" and not expected:
                failures.append(ExampleFailure(name, example.texts, "flagged=… names a text", "flagged is empty"))
                continue
            flagged, crash = _flagged(rule, example)
            if crash or flagged != expected:
                failures.append(ExampleFailure(name, example.texts, _named(expected), crash or _named(flagged)))
    return failures


def _flagged(rule: Rule, example: Example) -> tuple[tuple[int, ...], str]:
    """The positions of the example's texts that the rule flags, and its crash."""
    try:
        transcripts = example.transcripts()
        applied = apply_rules(transcripts, [rule])
    except Exception as problem:
        return (), f"the example cannot be checked: {problem}"
    if applied.exceptions:
        return (), str(applied.faults["reason"].iloc[0])
    about_audio = rule.about == "audio"
    keys = list(zip(transcripts["utterance_id"], transcripts["annotator"], strict=True))
    keys = [(utterance, "") for utterance, _ in keys] if about_audio else keys
    found = zip(applied.flags["utterance_id"], applied.flags["annotator"], strict=True)
    return tuple(sorted({keys.index(key) for key in found})), ""


def _named(positions: tuple[int, ...]) -> str:
    """
    >>> _named((0, 2))
    'text 1 and text 3 flagged'
    """
    return " and ".join(f"text {position + 1}" for position in positions) + " flagged" if positions else "none flagged"
