"""A project's own list of synonyms: UTF-8 text, one rule a line, `#` comments.

    ice cream = icecream = gelato     all equal, whichever is written and whichever is heard
    colour => color ; kolor           what is written => what may be heard for it
    i am | i'm                        the same as =>, as in fstalign's synonyms

Spaces part words; the scoring's normalizer is applied to each side. NIST's mapping rules can be lines too, or a whole
file, which is told by its name in .glm or by a first line that begins with `*` or `;;`:

    OKAY      => O. K.        / [ ] __ [ ] ;; a comment
    [HE'S]    => [{HE IS / HE HAS}] / [ ] __ [ ]

They are applied to both sides there, so what is mapped to the same text is equal; those behind a comment
`INPUT_DEPENDENT_APPLICATION = "hyp"` (or "ctm") rewrite hypotheses only, so that what they make may be heard as what
they rewrite. Rules match whole words here, also where NIST's match parts of them, and a context of words
(`FALKNER => FAULKNER / [WILLIAM ] __`) stands on both sides of the synonym. Rules whose context is a part of a word,
and those that make nothing of a text, are not supported, and are named with their lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import permutations
from pathlib import Path

from analysis.alternatives.synonyms import Synonym, Synonyms
from workbench.errors import BadInput
from workbench.manifests.faults import UnusableRow, shown
from workbench.manifests.nist_lines import COMMENT as NIST_COMMENT
from workbench.manifests.nist_lines import parsed_lines
from workbench.manifests.text_file import read_lines

_COMMENT = "#"
_EXPECTED = "`a = b`, `a => b ; c` or `a | b ; c`"
_DO = "correct the line"
_MOST_EQUAL = 200
_NIST_SIGN = re.compile(r"[][{}]|\s__(?:\s|$)")
_CONTEXT = re.compile(r"\[([^\[\]]*)\]|'([^']*)'")
_SECTION = re.compile(r"""INPUT_DEPENDENT_APPLICATION\s*=\s*["']([^"']*)["']""")
_OF_HYPOTHESES = frozenset(("hyp", "ctm"))


def read_synonyms(path: Path | str) -> Synonyms:
    """The synonyms of a file, as a source of alternatives whose words are not normalised yet.

    Raises:
        BadInput: the file cannot be read or holds no rule, or lines of it cannot be used: how many, and the first
            five with what was expected.
    """
    path = Path(path)
    lines = read_lines(path)
    rules = list(_nist_rules(path, lines) if _is_nist(path, lines) else _rules(path, lines))
    if not rules:
        raise BadInput(f"{path} holds no synonyms; expected lines such as {_EXPECTED}")
    return Synonyms.of_rules(rules)


def _is_nist(path: Path, lines: Sequence[str]) -> bool:
    first = next((line for line in lines if line.strip()), "")
    return path.suffix.casefold() == ".glm" or first.lstrip().startswith(("*", NIST_COMMENT))


def _rules(path: Path, lines: Sequence[str]) -> Iterator[Synonym]:
    for _, rules in parsed_lines(path, lines, _rules_of_line, comment=_COMMENT):
        yield from rules


def _rules_of_line(line: str) -> list[Synonym]:
    if "=>" in line and _NIST_SIGN.search(line):
        return list(_equal(_equals(_nist_rule(line))))
    for sign in ("=>", "|"):
        if sign in line:
            written, _, others = line.partition(sign)
            texts = _texts([written, *others.split(";")], line)
            return [Synonym(texts[0], heard) for heard in texts[1:]]
    return list(_equal([_texts(line.split("="), line)]))


def _texts(parts: Sequence[str], line: str) -> list[str]:
    texts = [" ".join(part.split()) for part in parts]
    if len(texts) < 2:
        raise UnusableRow(shown(line), _EXPECTED, _DO)
    if not all(texts):
        raise UnusableRow(f"{shown(line)}, in which a side is empty", _EXPECTED, _DO)
    if any(sign in text for text in texts for sign in ("=", "|")):
        raise UnusableRow(f"{shown(line)}, with several signs", _EXPECTED, "use one kind of sign in a line")
    if len(texts) > _MOST_EQUAL:
        raise UnusableRow(f"{len(texts)} texts in one line", f"at most {_MOST_EQUAL}", "part the line")
    return texts


def _equal(groups: Sequence[Sequence[str]]) -> Iterator[Synonym]:
    for group in groups:
        yield from (Synonym(*pair) for pair in permutations(dict.fromkeys(group), 2))


def _equals(rule: tuple[str, list[str]]) -> list[list[str]]:
    rewritten, made = rule
    return [[rewritten, text] for text in made]


def _nist_rules(path: Path, lines: Sequence[str]) -> Iterator[Synonym]:
    sections = [(number, match[1]) for number, line in enumerate(lines, start=1) if (match := _SECTION.search(line))]
    unknown = [f"{path}:{number}: {kind!r}" for number, kind in sections if kind not in _OF_HYPOTHESES]
    if unknown:
        raise BadInput(
            f"{unknown[0]}: INPUT_DEPENDENT_APPLICATION is known for {', '.join(sorted(_OF_HYPOTHESES))} only; take "
            "the rules behind it out"
        )
    first_of_hypotheses = sections[0][0] if sections else len(lines) + 1
    equal: dict[str, list[str]] = {}
    for number, rule in parsed_lines(path, lines, _nist_line, comment=NIST_COMMENT):
        if rule is None:
            continue
        rewritten, made = rule
        if number > first_of_hypotheses:
            yield from (Synonym(text, rewritten) for text in made if text != rewritten)
        elif len(made) > 1:
            yield from _equal(_equals(rule))
        else:
            group = equal.setdefault(made[0], [made[0]])
            group.append(rewritten)
            if len(group) > _MOST_EQUAL:
                raise BadInput(
                    f"{path}:{number}: more than {_MOST_EQUAL} texts are mapped to {shown(made[0])}; part them"
                )
    yield from _equal(list(equal.values()))


def _nist_line(line: str) -> tuple[str, list[str]] | None:
    """The rule of a line, None for a line of settings."""
    return None if line.startswith("*") else _nist_rule(line)


def _nist_rule(line: str) -> tuple[str, list[str]]:
    """What a rule rewrites, and what it makes of it: one text, or several between which it does not choose."""
    expected = "`A => B / [ ] __ [ ]` or `A => {B / C} / [ ] __ [ ]`"
    left, arrow, rest = line.split(NIST_COMMENT)[0].partition("=>")
    rest, place, after = rest.rpartition("__") if "__" in rest else (rest, "", "")
    right, slash, ahead = rest.rpartition("/") if place else (rest, "", "")
    if not arrow or bool(place) != bool(slash):
        raise UnusableRow(shown(line), expected, _DO)
    before, behind = _context(ahead), _context(after)
    if before is None or behind is None or (before[-1:] or " ") != " " or (behind[:1] or " ") != " ":
        raise UnusableRow(
            f"{shown(line)}, with a part of a word as its context",
            f"{expected}, or a context of whole words as [WILLIAM ]",
            "take the line out",
        )
    whole = _bare(right)
    alternation = re.fullmatch(r"\{([^{}]*)\}", whole)
    made = [" ".join(text.split()) for text in (alternation[1].split("/") if alternation else [whole])]
    rewritten = _bare(left)
    if (
        not rewritten
        or not all(made)
        or "@" in made
        or any(sign in text for text in (rewritten, *made) for sign in "{}[]")
    ):
        raise UnusableRow(
            shown(line),
            f"{expected}: rules that make nothing of a text, or part of one an alternation, are not supported",
            "take the line out",
        )
    return _between(before, rewritten, behind), [_between(before, text, behind) for text in made]


def _context(text: str) -> str | None:
    """What stands in the brackets of a context, None when there is no such pair of them."""
    if not text.strip():
        return ""
    match = _CONTEXT.fullmatch(text.strip())
    return None if match is None else match[1] or match[2] or ""


def _between(before: str, text: str, behind: str) -> str:
    return " ".join(f"{before}{text}{behind}".split())


def _bare(side: str) -> str:
    """A side of a rule without the brackets or quotation marks about it; NIST's own files leave some open."""
    text = side.strip()
    if len(text) > 1 and text[0] == text[-1] == "'":
        text = text[1:-1]
    return " ".join(text.removeprefix("[").removesuffix("]").split())
