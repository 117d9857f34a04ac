"""UTF-8 text files: whole or not at all, both ways."""

from __future__ import annotations

import os
import uuid
from collections.abc import Mapping
from pathlib import Path

from workbench.errors import BadInput


def read_text(path: Path, blank: bool = False) -> str:
    """The text of a UTF-8 file, without a byte order mark; its line ends are left as they are.

    Args:
        blank: whether a file of nothing but blank lines will do; one without a single character never does.

    Raises:
        BadInput: the file is not there, cannot be read, is empty, or is not UTF-8.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError as problem:
        raise BadInput(f"{path} is not there; check the path") from problem
    except IsADirectoryError as problem:
        raise BadInput(f"{path} is a directory; expected a file; name one of the files in it") from problem
    except (OSError, ValueError) as problem:
        raise BadInput(f"{path} cannot be read ({problem}); check its permissions") from problem
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        # The codec counts from behind the byte order mark, people count from the file's first byte.
        offset = problem.start + (3 if data.startswith(b"\xef\xbb\xbf") else 0)
        line = data.count(b"\n", 0, offset) + 1
        encoding = "UTF-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "CP949"
        raise BadInput(
            f"{path}:{line}: found byte 0x{data[offset]:02x} at byte offset {offset}, which is not UTF-8; expected "
            f"UTF-8 text; convert the file, for example with `iconv -f {encoding} -t UTF-8`, naming its true encoding"
        ) from problem
    if not text or not (blank or text.strip()):
        raise BadInput(f"{path} is empty; expected at least one row; check how it was made")
    return text


def read_lines(path: Path, blank: bool = False) -> list[str]:
    """The lines of a UTF-8 file without their line ends (LF or CRLF); other control characters stay in them.

    Args:
        blank: as for `read_text`.

    Raises:
        BadInput: as `read_text`.
    """
    text = read_text(path, blank)
    lines = text.split("\n")
    if not lines[-1]:
        lines.pop()
    return [line.removesuffix("\r") for line in lines] if "\r" in text else lines


def write_file(path: Path, text: str) -> None:
    """Write a new file: beside its place first, then renamed into it.

    Raises:
        BadInput: there is something at `path`, its directory is not there, or the text is not valid Unicode.
    """
    _check_parent(path)
    if path.exists() or path.is_symlink():
        raise BadInput(f"{path} is there already and is not overwritten; move it away or choose another name")
    temporary = path.with_name(f".{uuid.uuid4().hex}.tmp")
    try:
        temporary.write_bytes(_encode(path, text))
        temporary.rename(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_directory(path: Path, files: Mapping[str, str]) -> None:
    """Write a new directory of files (name to text): beside its place first, then renamed into it.

    Raises:
        BadInput: `path` is a file or a directory that is not empty, or as `write_file`.
    """
    _check_parent(path)
    if path.is_symlink() or (path.exists() and not path.is_dir()):
        raise BadInput(f"{path} is not a directory and is not overwritten; choose another name")
    if path.is_dir() and any(path.iterdir()):
        raise BadInput(f"{path} is not empty and is not overwritten; choose a new directory")
    temporary = path.with_name(f".{uuid.uuid4().hex}.tmp")
    temporary.mkdir()
    try:
        for name, text in files.items():
            (temporary / name).write_bytes(_encode(path / name, text))
        # POSIX renames a directory over an empty one, and refuses when something has come into it meanwhile.
        os.rename(temporary, path)
    finally:
        if temporary.is_dir():
            for child in temporary.iterdir():
                child.unlink()
            temporary.rmdir()


def _check_parent(path: Path) -> None:
    if not path.parent.is_dir():
        raise BadInput(f"{path.parent} is not a directory; make it first")


def _encode(path: Path, text: str) -> bytes:
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as problem:
        near = text[max(0, problem.start - 20) : problem.start]
        raise BadInput(
            f"{path}: the text after {near!r} holds half a surrogate pair, which UTF-8 cannot; correct the text"
        ) from problem
