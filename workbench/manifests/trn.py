"""NIST's trn: a line an utterance, its text and then its id in parentheses, as sclite reads it.

    ;; a comment
    it is (um) four o'clock (spk1-utt_1)
    (spk1-utt_2)

The id is what stands in the last parentheses, and the line ends there: other parentheses, as around a word that may be
left out, belong to the text. An id alone is an empty text. Blank lines, and lines that begin with `;;`, are skipped.
`<s>` and `</s>` around a text, as pocketsphinx writes them, are dropped.

sclite takes ids that differ only in upper and lower case for one. Here an id is kept and compared as it is written,
but two such ids in one file are refused. sclite also drops what stands behind the last parentheses; here that is an
error, because it is mostly a line whose id has been lost.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from workbench.errors import BadInput
from workbench.manifests.faults import UnusableRow, shown
from workbench.manifests.text_file import write_file

_SENTENCE = re.compile(r"<s>[ \t]?(.*?)[ \t]?</s>", re.DOTALL)


def is_skipped(line: str) -> bool:
    """Whether the line is blank or a comment."""
    return line.startswith(";;") or not line or line.isspace()


def parse_line(line: str) -> tuple[str, str]:
    """The id and the text of a line.

    >>> parse_line("it is (um) four (spk1-utt_1)"), parse_line("(spk1-utt_2)")
    (('spk1-utt_1', 'it is (um) four'), ('spk1-utt_2', ''))

    Raises:
        UnusableRow: the line does not end with an id in parentheses.
    """
    bare = line.rstrip(" \t")
    text, opening, key = bare[:-1].rpartition("(")
    if not opening or bare[-1] != ")" or ")" in key or key.split() != [key]:
        raise UnusableRow(
            shown(line), "`text (id)`", "end the line with its id in parentheses, without spaces, or remove the line"
        )
    text = text.rstrip(" \t")
    if text.startswith("<s>") and (sentence := _SENTENCE.fullmatch(text)):
        text = sentence.group(1)
    return key, text


def looks_like_trn(lines: Iterable[str]) -> bool:
    """Whether every line that is not skipped ends with an id in parentheses, and there is one."""
    found = False
    for line in lines:
        if is_skipped(line):
            continue
        try:
            parse_line(line)
        except UnusableRow:
            return False
        found = True
    return found


def write_trn(path: Path, rows: Sequence[tuple[str, str]]) -> None:
    """Write a new file of (id, text) rows that `parse_line` and sclite read back.

    Raises:
        BadInput: a text or an id cannot be kept in this format, two ids differ at most in upper and lower case, there
            are no rows, or there is something at `path`.
    """
    if not rows:
        raise BadInput(f"{path}: there are no texts to write")
    seen: dict[str, str] = {}
    lines = []
    for key, text in rows:
        line = f"{text} ({key})" if text else f"({key})"
        try:
            kept = "\n" not in line and "\0" not in line and not is_skipped(line) and parse_line(line) == (key, text)
        except UnusableRow:
            kept = False
        if not kept or "\ufeff" in (line[0], key[0]) or not key.isprintable():
            raise BadInput(
                f"{path}: a line of trn cannot hold the id {shown(key)} with the text {shown(text)}; expected one "
                "line, without spaces at its end, and an id without spaces and parentheses; write CSV instead"
            )
        if key.casefold() in seen:
            raise BadInput(f"{path}: sclite takes the ids {seen[key.casefold()]!r} and {key!r} for one; rename one")
        seen[key.casefold()] = key
        lines.append(line + "\n")
    write_file(path, "".join(lines))
