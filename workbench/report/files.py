"""Whole files or none: written beside their place, then renamed into it."""

from __future__ import annotations

import os
from pathlib import Path
from uuid import uuid4


def write_whole(path: Path, text: str, encoding: str = "utf-8") -> Path:
    """The path, now holding the text: a reader sees the old file or the new one, never a part.

    The parent directory is made where it is absent. Lone surrogates, which no encoding can hold, become `?`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{uuid4().hex}.part")
    try:
        with part.open("xb") as file:
            file.write(text.encode(encoding, errors="replace"))
        os.replace(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    return path
