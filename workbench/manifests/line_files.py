"""Files of one text a line, known by its number in a plain file, and by its first word in Kaldi's `text`.

The two cannot be told apart by one line. `looks_like_kaldi` says when a whole file speaks for ids, so that a plain
`.txt` of them is not scored with its ids as words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from workbench.errors import BadInput
from workbench.manifests.faults import UnusableRow, shown
from workbench.manifests.text_file import write_file

# With a digit or an underscore, and not a number that might be said: `utt_7`, `84-121123-0000`, `000010011`.
_ID = re.compile(r"(?=\S*[\d_])(?=\S*[A-Za-z_-])\S+|\d{5,}", re.ASCII)


def parse_kaldi_line(line: str) -> tuple[str, str]:
    """The id and the text of a line of Kaldi's `text`.

    >>> parse_kaldi_line("spk1-utt_1 it is four")
    ('spk1-utt_1', 'it is four')

    Raises:
        UnusableRow: the line begins with a space.
    """
    key = first_word(line)
    if not key:
        raise UnusableRow(f"no id in {shown(line)}", "an id, a space and a text", "correct or remove the line")
    return key, line[len(key) + 1 :]


def first_word(line: str) -> str:
    """What stands before the first space or tab."""
    word = line.partition(" ")[0]
    return word.partition("\t")[0] if "\t" in word else word


def looks_like_kaldi(lines: Iterable[str]) -> bool:
    """Whether every line begins with an id of its own, and something follows at least one of them.

    There must be two lines, or it might be chance. An id has a digit or an underscore, and a letter, an underscore or
    a hyphen; or five digits or more; or it is the line's number on every line.

    >>> looks_like_kaldi(["utt_1 it is four", "utt_2 it is five"]), looks_like_kaldi(["4 o'clock", "5 o'clock"])
    (True, False)
    """
    written = [line for line in lines if line.strip()]
    words = [first_word(line) for line in written]
    if len(words) < 2 or len(set(words)) < len(words) or words == written:
        return False
    return all(map(_ID.fullmatch, words)) or words == [str(number) for number in range(1, len(words) + 1)]


def write_lines(path: Path, texts: Sequence[str]) -> None:
    """Write a new file of one text a line, from which the same texts are read back.

    Raises:
        BadInput: a text cannot be kept in one line, there are no texts, or there is something at `path`.
    """
    if not texts:
        raise BadInput(f"{path}: there are no texts to write")
    for number, text in enumerate(texts, start=1):
        if "\n" in text or "\0" in text or text.endswith("\r") or (number == 1 and text.startswith("\ufeff")):
            raise BadInput(
                f"{path}: line {number} cannot hold the text {shown(text)}; expected no line break, NUL or leading "
                "byte order mark in it; write CSV instead"
            )
    write_file(path, "".join(text + "\n" for text in texts))
