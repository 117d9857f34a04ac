"""Common Voice: a TSV such as `train.tsv`, with the clips in the directory `clips` beside it.

`path` names the clip (`.mp3` is added where it has no suffix), `sentence` is the transcript, `client_id` the speaker;
`train.tsv`, `dev.tsv` and `test.tsv` name their split. Every other column (age, gender, accents, up_votes, …) is a
tag. Common Voice writes its TSVs without quoting, so quotes are part of the sentence; only a cell that is quoted just
as a CSV writer would, with a quote or tab inside, is unquoted.
"""

from __future__ import annotations

from pathlib import Path

from workbench.errors import BadInput
from workbench.manifests.csv_tsv import fields_of, read_cells, row_of, tags_of
from workbench.manifests.faults import Faults, UnusableRow
from workbench.manifests.fields import Columns, recognise
from workbench.manifests.manifest import Manifest
from workbench.manifests.rows import Row, assemble

_FIELDS = {"recording": ("path",), "text": ("sentence",), "speaker": ("client_id",)}
_SPLITS = ("train", "dev", "test")


def looks_so(path: Path) -> bool:
    """Whether a TSV file has Common Voice's columns and a directory `clips` beside it."""
    if not (path.parent / "clips").is_dir():
        return False
    with path.open("rb") as file:
        header = file.readline(65536).decode("utf-8-sig", errors="replace")
    return {"client_id", "path", "sentence"} <= set(header.rstrip("\r\n").split("\t"))


def read(path: Path, strict: bool = False) -> Manifest:
    """The manifest that a Common Voice TSV makes.

    Raises:
        BadInput: the file cannot be read, or lacks the columns path and sentence.
    """
    faults = Faults(strict)
    cells = read_cells(path, faults, quoted=False)
    columns = recognise(cells.header, path, faults, _FIELDS)
    if not {"recording", "text"} <= set(columns.fields):
        raise BadInput(
            f"{path}:1: found the columns {', '.join(map(repr, cells.header))}; expected path and sentence among "
            "them, as Common Voice has; name another format if it is not one"
        )
    rows = []
    for line, record in cells.rows:
        try:
            rows.append(_row(path, line, [_unquoted(cell) for cell in record], columns))
        except UnusableRow as problem:
            faults.add(record[columns.fields["recording"]].strip() or f"line {line}", path, line, problem)
    return assemble(rows, path.parent, list(columns.tags.values()), faults)


def _row(path: Path, line: int, record: list[str], columns: Columns) -> Row:
    row = row_of(path, line, fields_of(record, columns), tags_of(record, columns))
    if not row.recording:
        raise UnusableRow("an empty path", "the name of a clip", "fill it in")
    name = row.recording if "." in row.recording else f"{row.recording}.mp3"
    row.recording = str(Path("clips") / name)
    row.split = path.stem if path.stem in _SPLITS else None
    return row


def _unquoted(cell: str) -> str:
    """The cell without quoting.

    >>> _unquoted('\"""No,"" he said.\"'), _unquoted('\"No.\"'), _unquoted('\"No,\" he said, \"no.\"')
    ('"No," he said.', '"No."', '"No," he said, "no."')
    """
    if len(cell) < 4 or cell[0] != '"' or cell[-1] != '"':
        return cell
    inside = cell[1:-1]
    bare = inside.replace('""', "")
    return inside.replace('""', '"') if '""' in inside and '"' not in bare else cell
