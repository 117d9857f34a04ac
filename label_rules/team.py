"""What a team writes its own rules with: `from label_rules.team import rule`.

```python
from label_rules.team import Corpus, Finding, Found, rule

@rule(
    "team.no_shouting",
    reason="A text in capitals is learnt as other words.",
    severity="style",
    fires=["TURN IT OFF"],
    passes=["turn it off", "the BBC"],
)
def no_shouting(text):
    if text.isupper() and len(text.split()) > 1:
        yield Found(0, len(text), "all in capitals", suggestion=text.lower())
```

A function of one argument is asked about every different text, once. It yields `Found`, or matches of `re`. One whose
argument is called `corpus`, or annotated as `Corpus`, is called once and yields `Finding` with rows of the corpus.
"""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal, NamedTuple

import numpy as np

from analysis.errors import InvalidInput
from label_rules.corpus import Corpus
from label_rules.needs import NEEDS, missing_needs
from label_rules.rule import Abstention, Check, Example, Finding, Outcome, Rule, Severity, each_text

__all__ = ["Abstention", "Corpus", "Example", "Finding", "Found", "Rule", "rule", "specification_problems"]

_ID = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)+")


class Found(NamedTuple):
    """What a rule found in one text: the characters, what it saw there, the text as it should be, how sure it is."""

    start: int
    end: int
    evidence: str
    suggestion: str | None = None
    score: float = 1.0


def rule(
    rule_id: str,
    *,
    reason: str = "",
    severity: Severity = "style",
    fires: Sequence[str | Example] = (),
    passes: Sequence[str | Example] = (),
    needs: Sequence[str] = ("transcripts",),
    about: Literal["transcript", "audio"] = "transcript",
) -> Callable[[Callable[[Any], Any]], Rule]:
    """The decorator that makes a rule of a function; what it lacks is said by `specification_problems`.

    Args:
        rule_id: `family.name`, in lower case.
        reason: why it exists, in one sentence.
        fires: texts that it must flag, or examples.
        passes: texts that it must let pass, or examples.
        needs: the tables that it looks at; it abstains where the corpus has nothing of one.

    Raises:
        InvalidInput: it was written without parentheses.
    """
    if not isinstance(rule_id, str):
        name = getattr(rule_id, "__name__", "name")
        raise InvalidInput(
            f"@rule stands over {name} without parentheses; give the rule an id, a reason and examples, as "
            f'@rule("team.{name}", reason="…", fires=["…"], passes=["…"])'
        )

    def decorate(function: Callable[[Any], Any]) -> Rule:
        check = _of_corpus(function) if _takes_corpus(function) else _of_text(function)
        code = getattr(function, "__code__", None)
        return Rule(
            rule_id,
            reason,
            severity,
            _abstaining(check, tuple(needs)),
            fires=_examples(fires, True),
            passes=_examples(passes, False),
            about=about,
            needs=tuple(needs),
            where=f"{code.co_filename}:{code.co_firstlineno}" if code else "",
        )

    return decorate


def specification_problems(rule: Rule) -> list[str]:
    """What is wrong with how the rule is written down, in whole sentences; nothing about what it finds.

    >>> print(specification_problems(rule("team.shout", reason="It hurts.", fires=["A"], passes=["a"])(str.isupper)))
    []
    """
    found = []
    if not _ID.fullmatch(rule.rule_id):
        found.append(f"its id is {rule.rule_id!r}; expected family.name in lower case, as team.no_shouting")
    reason = rule.reason.strip() if isinstance(rule.reason, str) else ""
    if not reason.endswith(".") or reason.count(". "):
        found.append(f'its reason is {rule.reason!r}; expected one sentence with a full stop: reason="…"')
    if rule.severity not in ("harmful", "style"):
        found.append(f"its severity is {rule.severity!r}; expected harmful (changes what was said) or style")
    if rule.about not in ("transcript", "audio"):
        found.append(f"it is about {rule.about!r}; expected transcript or audio")
    for name, examples in (("fires", rule.fires), ("passes", rule.passes)):
        if not examples:
            found.append(f'it has no example that {name}; give at least one: {name}=["…"]')
        if not all(isinstance(one, Example) for one in examples):
            found.append(f"its examples under {name} are not all texts or Example; give a list of them")
    unknown = [need for need in rule.needs if need not in NEEDS]
    if unknown:
        found.append(f"it needs {', '.join(map(repr, unknown))}; known are {', '.join(NEEDS)}")
    return found


def _examples(given: Sequence[Any], fires: bool) -> tuple[Example, ...]:
    # One text is taken for a list of its letters otherwise.
    given = [given] if isinstance(given, str | Example) else given
    flagged = (0,) if fires else ()
    return tuple(Example((one,), flagged) if isinstance(one, str) else one for one in given)


def _takes_corpus(function: Callable[[Any], Any]) -> bool:
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except ValueError:  # some functions written in C tell nothing, and those of a text may be among them
        return False
    named = bool(parameters) and parameters[0].name == "corpus"
    annotation = parameters[0].annotation if parameters else None
    return named or annotation is Corpus or annotation in ("Corpus", "corpus.Corpus")


def _of_corpus(function: Callable[[Corpus], Iterable[Outcome] | None]) -> Check:
    def check(corpus: Corpus) -> Iterator[Outcome]:
        with _no_exit():
            yield from function(corpus) or ()

    return check


def _of_text(function: Callable[[str], Any]) -> Check:
    def found(text: str) -> Iterator[tuple[int, int, float, str, str | None]]:
        with _no_exit():
            answer = function(text)
            if answer is None or answer is False:
                return
            if answer is True:
                yield 0, len(text), 1.0, "it holds for this text", None
                return
            for one in [answer] if isinstance(answer, Found | re.Match) else answer:
                yield _finding_in(text, one)

    return each_text(found)


@contextmanager
def _no_exit() -> Iterator[None]:
    """A rule that ends the program has crashed, and the other rules go on."""
    try:
        yield
    except SystemExit as problem:
        raise RuntimeError(f"it called exit({problem.code!r})").with_traceback(problem.__traceback__) from None


def _finding_in(text: str, one: Any) -> tuple[int, int, float, str, str | None]:
    if isinstance(one, re.Match):
        return one.start(), one.end(), 1.0, repr(one.group()), None
    if not isinstance(one, Found):
        raise TypeError(f"the rule yielded {one!r}; expected Found(start, end, evidence), or a match of re")
    if not 0 <= one.start <= one.end <= len(text):
        raise ValueError(f"the rule found characters {one.start} to {one.end} in a text of {len(text)}")
    # What is suggested for a text must change it, and evidence is one line.
    suggestion = None if one.suggestion == text else one.suggestion
    return one.start, one.end, one.score, " ".join(str(one.evidence).split()), suggestion


def _abstaining(check: Check, needs: tuple[str, ...]) -> Check:
    def checked(corpus: Corpus) -> Iterator[Outcome]:
        if missing_needs(tuple(need for need in needs if need in NEEDS), corpus):
            yield Abstention(range(len(corpus)))
            return
        for outcome in check(corpus):
            if isinstance(outcome, Finding):
                _refuse_unusable(outcome, corpus)
            yield outcome

    return checked


def _refuse_unusable(found: Finding, corpus: Corpus) -> None:
    """Raise for a finding that no table can hold, which is a mistake of the rule and of no other."""
    if not all(isinstance(row, int | np.integer) and 0 <= row < len(corpus) for row in found.rows):
        raise ValueError(f"the rule found something in the rows {list(found.rows)!r} of {len(corpus)}")
    score = found.score
    if isinstance(score, bool) or not isinstance(score, int | float | np.number) or not math.isfinite(score):
        raise ValueError(f"the rule gave the score {score!r}; expected a number in [0, 1]")
    whole = all(isinstance(at, int | np.integer) for at in (found.start, found.end))
    for length in (len(corpus.text(row)) for row in found.rows):
        if not whole or not 0 <= found.start <= found.end <= length:
            raise ValueError(f"the rule found characters {found.start} to {found.end} in a text of {length}")
    for name in ("evidence", "suggestion", "group"):
        text = getattr(found, name)
        if not isinstance(text, str) and (text is not None or name == "evidence"):
            raise TypeError(f"the rule gave {text!r} as {name}; expected a text")
        if text is not None and not text.isascii():
            text.encode()  # half a character cannot be kept
