"""Rev's `.nlp` transcripts: a token a line with its speaker and entities, as references and as hypotheses.

    token|speaker|ts|endTs|punctuation|case|tags|wer_tags
    2020|0|||.|CA|['0:YEAR']|['0', '1', '6']

The first line names the columns; `token` is the first and must be there, columns that are not known are left aside.
Quotes are letters like any other. Consecutive tokens with the same first entry in `tags` are a group, and
`ID.norm.json` holds the candidates for a group's words; `wer_tags` holds the ids of the entities that a token is of,
and `ID.wer_tag.json` their classes. The grammar of both columns, Python's lists of strings and nothing else of Python:

    list   = "[" [ string { "," string } ] "]" ;
    string = "'" characters "'" | '"' characters '"' ;      (a backslash takes a quote or a backslash as it is)
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from analysis.entities import Entity
from analysis.marked import Choice, Marked, as_written
from workbench.errors import BadInput
from workbench.manifests.faults import UnusableRow, shown
from workbench.manifests.text_file import read_lines, read_text

CANDIDATES = "candidates"
"""What candidates are called in the counts of what was forgiven."""

_CASES = ("", "UC", "LC", "CA", "MC")
_STRING = r"""(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
_LIST = re.compile(rf"\[\s*(?:{_STRING}(?:\s*,\s*{_STRING})*\s*)?\]")
_ESCAPED = re.compile(r"""\\(['"\\])""")
_IN_NOTATION = re.compile(r"[{}/;]|(?<=\S)\*(?=\s|$)")
_NORMALIZATIONS = (("normalizations", ".norm.json"),)
_WER_TAGS = (("wer_tags", ".wer_tag.json"), ("wer_tags", ".wer_tags.json"))


@dataclass(frozen=True)
class NlpToken:
    """One line: a token as written, its speaker, and its start and end in seconds where the file has them."""

    text: str
    speaker: str
    punctuation: str
    start: float | None
    end: float | None


@dataclass(frozen=True)
class NlpReference:
    """A reference with its candidates and entities.

    Args:
        marked: an element for each group of tokens that has candidates, and for each other token.
        token_items: for each token, the index of its element in `marked`.
        entities: stretches of tokens, in the order of their beginning.
    """

    utterance_id: str
    tokens: tuple[NlpToken, ...]
    marked: Marked
    token_items: tuple[int, ...]
    entities: tuple[Entity, ...]

    @property
    def text(self) -> str:
        """The tokens as written, between spaces, without their punctuation."""
        return as_written(self.marked)

    @property
    def notation(self) -> str:
        """The text in NIST's notation, with the candidates as alternations: `{ 2020 / twenty twenty }`.

        What has a meaning in the notation becomes a space where it stands in a token: braces, slashes, semicolons,
        and asterisks that end a word.
        """
        texts = []
        for part in self.marked:
            options = [as_written(option) for option in part.options] if isinstance(part, Choice) else [str(part)]
            plain = [_outside_notation(option) for option in options]
            texts.append(f"{{ {' / '.join(option or '@' for option in plain)} }}" if len(plain) > 1 else plain[0])
        return " ".join(text for text in texts if text)


@dataclass(frozen=True)
class NlpHypothesis:
    """What a recogniser has heard."""

    utterance_id: str
    tokens: tuple[NlpToken, ...]

    @property
    def text(self) -> str:
        """The tokens between spaces; what the column `punctuation` holds is no part of it."""
        return " ".join(token.text for token in self.tokens if token.text)


@dataclass(frozen=True)
class NlpFiles:
    """The files of one transcript; None where it has no candidates, or no classes of entities."""

    nlp: Path
    norm: Path | None
    wer_tags: Path | None


def find_nlp_files(path: Path | str) -> dict[str, NlpFiles]:
    """The transcripts at a path by their ids, with the files that belong to each by its name.

    Args:
        path: one `.nlp` file, a directory of them, or a directory with a directory `nlp_references`. `ID.norm.json`
            and `ID.wer_tag.json` are looked for beside `ID.nlp` and in the directories `normalizations` and
            `wer_tags` beside its directory.

    Raises:
        BadInput: there is no `.nlp` file, or a transcript has two files of one kind.
    """
    path = Path(path)
    if path.is_dir():
        directory = path / "nlp_references" if (path / "nlp_references").is_dir() else path
        files = sorted(file for file in directory.iterdir() if file.suffix.lower() == ".nlp" and file.is_file())
    else:
        files = [path] if path.suffix.lower() == ".nlp" and path.is_file() else []
    if not files:
        raise BadInput(f"{path}: found no .nlp file; expected one, or a directory of them; check the path")
    found: dict[str, NlpFiles] = {}
    for file in files:
        if file.stem in found:
            raise BadInput(
                f"{file}: found the id {file.stem!r} again, after {found[file.stem].nlp}; rename one of them"
            )
        found[file.stem] = NlpFiles(file, _belonging(file, _NORMALIZATIONS), _belonging(file, _WER_TAGS))
    return found


def read_nlp_reference(
    path: Path | str, norm_path: Path | str | None = None, wer_tags_path: Path | str | None = None
) -> NlpReference:
    """The reference in an `.nlp` file.

    Args:
        norm_path: the candidates of its groups (`ID.norm.json`); without it the text has no choices.
        wer_tags_path: the classes of the entities in `wer_tags` (`ID.wer_tag.json`); without it the entities are
            those of the column `tags`. An id that it lacks has the class that `tags` gives it in the same line.

    Raises:
        BadInput: a file cannot be read or is not as it must be, or an entity has no class.
    """
    path = Path(path)
    candidates = _read_candidates(Path(norm_path)) if norm_path is not None else {}
    classes = _read_classes(Path(wer_tags_path)) if wer_tags_path is not None else None
    tokens: list[NlpToken] = []
    groups: list[str] = []
    entity_tokens: dict[tuple[str, str], list[int]] = {}
    for line, row in _rows(path):
        groups_of = [_group(path, line, entry) for entry in _list(path, line, "tags", row)]
        named = dict(groups_of)
        if classes is not None:
            ids = _list(path, line, "wer_tags", row)
            named = {key: _class(path, line, key, classes, named, wer_tags_path) for key in ids}
        for entity in named.items():
            entity_tokens.setdefault(entity, []).append(len(tokens))
        tokens.append(NlpToken(row["token"], row.get("speaker", ""), row.get("punctuation", ""), None, None))
        groups.append(":".join(groups_of[0]) if groups_of else "")
    marked, token_items = _marked([token.text for token in tokens], groups, candidates)
    entities = sorted(_entities(entity_tokens), key=lambda entity: (entity.first, entity.last))
    return NlpReference(path.stem, tuple(tokens), marked, token_items, tuple(entities))


def read_nlp_hypothesis(path: Path | str) -> NlpHypothesis:
    """What a recogniser has heard, in an `.nlp` file: its words with their times and speakers.

    Raises:
        BadInput: the file cannot be read, or a line is not as it must be.
    """
    path = Path(path)
    tokens = []
    for line, row in _rows(path):
        start, end = (_seconds(path, line, name, row.get(name, "")) for name in ("ts", "endTs"))
        tokens.append(NlpToken(row["token"], row.get("speaker", ""), row.get("punctuation", ""), start, end))
    return NlpHypothesis(path.stem, tuple(tokens))


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """The lines with their numbers, as columns by name."""
    lines = read_lines(path)
    header = [name.strip() for name in lines[0].split("|")]
    if header[0] != "token" or len(set(header)) < len(header):
        raise _unusable(
            path, 1, f"the columns {shown(lines[0])}", "token|speaker|ts|endTs|punctuation|case|tags|wer_tags",
            "name each column once, token first",
        )  # fmt: skip
    for number, line in enumerate(lines[1:], start=2):
        if not line.strip():
            continue
        fields = line.split("|")
        surplus = len(fields) - len(header)
        if surplus < 0:
            raise _unusable(
                path, number, f"{len(fields)} columns in {shown(line)}", f"{len(header)}: {'|'.join(header)}",
                "write every column, empty or not",
            )  # fmt: skip
        # A pipe in the token is the only one that the columns after it leave room for; those are checked below.
        token = "|".join(fields[: surplus + 1])
        row = dict(zip(header, [token.strip(), *(field.strip() for field in fields[surplus + 1 :])], strict=True))
        if row.get("case", "") not in _CASES:
            do = "correct the line; a token may hold a pipe, other columns may not"
            raise _unusable(path, number, f"the case {shown(row['case'])}", "UC, LC, CA, MC or none", do)
        yield number, row


def _list(path: Path, line: int, name: str, row: dict[str, str]) -> list[str]:
    value = row.get(name, "")
    if not value:
        return []
    if not _LIST.fullmatch(value):
        raise _unusable(path, line, f"{name} {shown(value)}", "a list such as ['0:YEAR'], or []", "correct the line")
    return [_ESCAPED.sub(r"\1", found.group()[1:-1]) for found in re.finditer(_STRING, value)]


def _group(path: Path, line: int, entry: str) -> tuple[str, str]:
    key, colon, entity_class = entry.partition(":")
    if not key or not colon or not entity_class:
        raise _unusable(path, line, f"the tag {shown(entry)}", "ID:CLASS, such as 0:YEAR", "correct the line")
    return key, entity_class


def _class(
    path: Path, line: int, key: str, classes: dict[str, str], named: dict[str, str], source: Path | str | None
) -> str:
    entity_class = classes.get(key) or named.get(key)
    if not entity_class:
        do = "add the entity there, or take its id out of the line"
        raise _unusable(path, line, f"the entity {shown(key)}", f"one that {source} has the class of", do)
    return entity_class


def _seconds(path: Path, line: int, name: str, text: str) -> float | None:
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not math.isfinite(seconds) or seconds < 0:
        raise _unusable(path, line, f"{name} {shown(text)}", "seconds, such as 3.25, or nothing", "correct the line")
    return seconds


def _marked(
    texts: Sequence[str], groups: Sequence[str], candidates: dict[str, list[str]]
) -> tuple[Marked, tuple[int, ...]]:
    parts: list[str | Choice] = []
    token_items: list[int] = []
    for group, members in groupby(range(len(texts)), key=lambda token: groups[token]):
        written = [texts[token] for token in members]
        together = " ".join(written)
        options = list(dict.fromkeys([together, *candidates.get(group.partition(":")[0], ())])) if group else []
        if len(options) > 1:
            token_items += [len(parts)] * len(written)
            parts.append(Choice(tuple((option,) if option else () for option in options), CANDIDATES))
        else:
            token_items += range(len(parts), len(parts) + len(written))
            parts += written
    return tuple(parts), tuple(token_items)


def _entities(entity_tokens: dict[tuple[str, str], list[int]]) -> Iterator[Entity]:
    """An entity for each stretch of consecutive tokens with its id."""
    for (key, entity_class), tokens in entity_tokens.items():
        first = tokens[0]
        for token, following in zip(tokens, [*tokens[1:], -1], strict=True):
            if following != token + 1:
                yield Entity(key, entity_class, first, token)
                first = following


def _read_candidates(path: Path) -> dict[str, list[str]]:
    """The candidates for each group's words by the group's id, in the file's order."""
    candidates: dict[str, list[str]] = {}
    for key, value in _read_object(path).items():
        listed = value.get("candidates") if isinstance(value, dict) else None
        if not isinstance(listed, list):
            raise _not_as(path, key, '{"candidates": [...]}')
        for candidate in listed:
            words = candidate.get("verbalization") if isinstance(candidate, dict) else None
            if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
                raise _not_as(path, key, '{"candidates": [{"verbalization": ["twenty", "twenty"]}]}')
            candidates.setdefault(key, []).append(" ".join(word for word in words if word))
    return candidates


def _read_classes(path: Path) -> dict[str, str]:
    classes = {}
    for key, value in _read_object(path).items():
        entity_class = value.get("entity_type") if isinstance(value, dict) else None
        if not isinstance(entity_class, str) or not entity_class:
            raise _not_as(path, key, '{"entity_type": "YEAR"}')
        classes[key] = entity_class
    return classes


def _read_object(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(read_text(path), object_pairs_hook=lambda pairs: _once(path, pairs))
    except json.JSONDecodeError as problem:
        found = f"found no JSON ({problem.msg})"
        raise BadInput(f"{path}:{problem.lineno}: {found}; expected one object of ids; correct the file") from problem
    except (ValueError, RecursionError) as problem:
        raise BadInput(f"{path}: found no JSON ({problem}); expected one object of ids; correct the file") from problem
    if not isinstance(value, dict):
        raise BadInput(f"{path}:1: found {shown(value)}; expected one object of ids; correct the file")
    return value


def _once(path: Path, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        names = [name for name, _ in pairs]
        repeated = next(name for name in names if names.count(name) > 1)
        raise BadInput(f"{path}: found the key {shown(repeated)} twice in one object; expected it once; remove one")
    return values


def _belonging(file: Path, kinds: Sequence[tuple[str, str]]) -> Path | None:
    places = [(file.parent, file.parent.parent / directory, suffix) for directory, suffix in kinds]
    found = [place / f"{file.stem}{suffix}" for *directories, suffix in places for place in directories]
    found = [path for path in found if path.is_file()]
    if len(found) > 1:
        raise BadInput(f"{file}: found {found[0]} and {found[1]} for it; expected one; move the other one away")
    return found[0] if found else None


def _outside_notation(text: str) -> str:
    plain = " ".join(_IN_NOTATION.sub(" ", text).split())
    return "" if plain == "@" else plain


def _unusable(path: Path, line: int, found: str, expected: str, do: str) -> BadInput:
    return BadInput(f"{path}:{line}: {UnusableRow(found, expected, do)}")


def _not_as(path: Path, key: str, expected: str) -> BadInput:
    return BadInput(f"{path}: id {shown(key)}: found something else than {expected}; expected that; correct the file")
