"""A workspace: a directory of tables on disk that can be read, appended to and locked.

Every write is a new Parquet part, written beside its place and renamed into it, so that a killed job leaves whole
parts only. Nothing is rewritten: a *rows* table is read as the last row of each key, a *snapshot* table as the
newest part of each scope.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from workbench.config import CONFIG_NAME, Config, read_config
from workbench.errors import BadInput
from workbench.process_lock import process_lock
from workbench.table import Table
from workbench.tables import TABLES

_PART = re.compile(r"part-(\d{8})-[0-9a-f]{12}\.parquet")
_SCOPE = b"workbench.scope"


class Workspace:
    """A directory with `workbench.toml`, `tables/`, `audio/` and `reports/`."""

    def __init__(self, root: Path, config: Config) -> None:
        self.root = root
        self.config = config
        self._holds_lock = False

    @classmethod
    def create(cls, root: Path, toml: str) -> Workspace:
        """A new workspace in `root`, whose configuration is the text `toml`.

        Raises:
            BadInput: there is a workspace already, or no directory can be made there.
        """
        root = root.resolve()
        if (root / CONFIG_NAME).exists():
            raise BadInput(f"{root} is a workspace already; edit its {CONFIG_NAME} or choose another directory")
        try:
            (root / "tables").mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            raise BadInput(f"{root} cannot be a workspace ({problem.strerror}); give another directory") from problem
        temporary = root / f".{CONFIG_NAME}.{uuid.uuid4().hex[:12]}"
        temporary.write_text(toml, encoding="utf-8")
        temporary.rename(root / CONFIG_NAME)
        return cls.open(root)

    @classmethod
    def open(cls, start: Path) -> Workspace:
        """The workspace at `start` or in the nearest directory above it.

        Raises:
            BadInput: there is none, or its configuration is not valid.
        """
        start = start.resolve()
        for directory in (start, *start.parents):
            if (directory / CONFIG_NAME).is_file():
                return cls(directory, read_config(directory / CONFIG_NAME))
        raise BadInput(f"no {CONFIG_NAME} in {start} or above it; make a workspace with `workbench init`")

    # -- reading ------------------------------------------------------------------------------------------------

    def read(self, name: str, history: bool = False, **scope: str) -> pd.DataFrame:
        """The table as it stands now, in the order in which its rows were first written.

        Args:
            name: a table of `workbench.tables`.
            history: every row ever written instead, superseded ones included.
            scope: for a snapshot table, only the parts of this scope, as `run_id="…"`.
        """
        table = TABLES[name]
        if not scope.keys() <= set(table.scope or ()):
            raise ValueError(f"{name} has the scope {table.scope}, not {tuple(scope)}")
        parts = [self._read_part(path) for path in self._chosen_parts(table, history, scope)]
        if not parts:
            return table.empty()
        frame = _to_pandas(table, _concatenate(parts))
        if not history and not table.is_snapshot:
            frame = frame.drop_duplicates(list(table.key), keep="last").reset_index(drop=True)
        return frame

    def parts(self, name: str) -> frozenset[str]:
        """The names of the table's parts: other ones mean that something has been written to it."""
        return frozenset(path.name for path in self._parts(TABLES[name]))

    def written_at(self, name: str, **scope: str) -> datetime | None:
        """When the newest part of the table (of this scope) was written, by its file's time; None where there is none.

        A copied file may be younger than what it holds, and is never older.
        """
        paths = self._chosen_parts(TABLES[name], False, scope)
        return max((datetime.fromtimestamp(path.stat().st_mtime, UTC) for path in paths), default=None)

    def read_new(self, name: str, seen: set[str]) -> list[pa.Table]:
        """The parts of a rows table whose names are not in `seen`, oldest first; their names are added to it.

        Who reads a growing table again and again reads every part once.
        """
        fresh = [path for path in self._parts(TABLES[name]) if path.name not in seen]
        parts = [self._read_part(path) for path in fresh]
        seen.update(path.name for path in fresh)
        return parts

    def _chosen_parts(self, table: Table, history: bool, scope: Mapping[str, str]) -> list[Path]:
        parts = self._parts(table)
        if not table.is_snapshot:
            return parts
        newest: dict[str, Path] = {}
        for path in parts:
            with _whole(path):
                metadata = pq.read_schema(path).metadata or {}
            written = metadata.get(_SCOPE, b"{}").decode()
            if scope.items() <= json.loads(written).items():
                newest[f"{path.name} {written}" if history else written] = path
        return sorted(newest.values())

    def _read_part(self, path: Path) -> pa.Table:
        with _whole(path):
            return pq.read_table(path, partitioning=None)

    def _parts(self, table: Table) -> list[Path]:
        directory = self.root / "tables" / table.name
        if not directory.is_dir():
            return []
        return sorted(path for path in directory.iterdir() if _PART.fullmatch(path.name))

    # -- writing ------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Keep other writers out until the block ends; the system releases the lock of a killed process.

        Raises:
            WorkspaceLocked: another process holds it.
        """
        if self._holds_lock:
            yield
            return
        with process_lock(self.root / ".lock", f"writing to {self.root}"):
            self._holds_lock = True
            try:
                yield
            finally:
                self._holds_lock = False

    def append(self, name: str, frame: pd.DataFrame) -> None:
        """Add rows to a rows table; a row whose key is there already supersedes the older one.

        Raises:
            BadInput: the rows do not fit the table, or the table is immutable and holds one of the keys.
            WorkspaceLocked: another process is writing.
        """
        table = TABLES[name]
        if table.is_snapshot:
            raise ValueError(f"{name} holds snapshots; write it with Workspace.snapshot")
        if frame.empty:
            return
        arrow = table.to_arrow(frame)
        with self.lock():
            if table.immutable:
                self._refuse_known_keys(table, frame)
            self._write(table, arrow)

    def snapshot(self, name: str, frame: pd.DataFrame, **scope: str) -> None:
        """Write a whole result of an analysis, which readers see instead of the earlier one of the same scope.

        Raises:
            BadInput: the rows do not fit the table.
            WorkspaceLocked: another process is writing.
        """
        table = TABLES[name]
        if table.scope is None or set(scope) != set(table.scope):
            raise ValueError(f"{name} needs the scope {table.scope}, got {tuple(scope)}")
        arrow = table.to_arrow(frame if len(frame) else table.empty())
        arrow = arrow.replace_schema_metadata({_SCOPE: json.dumps(scope, sort_keys=True).encode()})
        with self.lock():
            self._write(table, arrow)

    def _refuse_known_keys(self, table: Table, frame: pd.DataFrame) -> None:
        key = list(table.key)
        known = self.read(table.name, history=True)[key]
        both = frame[key].merge(known, on=key, how="inner")
        if len(both):
            where = ", ".join(f"{k}={both[k].iloc[0]!r}" for k in key)
            raise BadInput(
                f"table {table.name}: {where} is there already and cannot be overwritten; add a new revision"
            )

    def _write(self, table: Table, arrow: pa.Table) -> None:
        directory = self.root / "tables" / table.name
        directory.mkdir(parents=True, exist_ok=True)
        parts = self._parts(table)
        number = 1 + (int(_PART.fullmatch(parts[-1].name).group(1)) if parts else 0)  # type: ignore[union-attr]
        name = f"part-{number:08d}-{uuid.uuid4().hex[:12]}.parquet"
        temporary = directory / f".{name}.writing"
        try:
            pq.write_table(arrow, temporary, compression="zstd")
            with open(temporary, "rb") as handle:
                os.fsync(handle.fileno())
            temporary.rename(directory / name)
        finally:
            temporary.unlink(missing_ok=True)

    # -- paths --------------------------------------------------------------------------------------------------

    def to_stored(self, recording: str | Path) -> str:
        """The recording's path as the tables hold it: relative where it lies in the workspace, else absolute."""
        path = Path(os.path.abspath(recording))
        return str(path.relative_to(self.root)) if path.is_relative_to(self.root) else str(path)

    def to_path(self, stored: str) -> Path:
        """Where a stored path lies on this machine."""
        return self.root / stored


@contextlib.contextmanager
def _whole(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, pa.ArrowInvalid) as problem:
        raise BadInput(
            f"{path} is not a whole Parquet part ({problem}); move it out of the table to go on without it"
        ) from problem


def _concatenate(parts: list[pa.Table]) -> pa.Table:
    """One Arrow table; a tag that is text in one part and a number in another becomes text."""
    types: dict[str, set[pa.DataType]] = {}
    for part in parts:
        for field in part.schema:
            types.setdefault(field.name, set()).add(field.type)
    mixed = {n for n, kinds in types.items() if len(kinds) > 1 and not all(map(_is_numeric, kinds))}
    parts = [_cast_columns(part, mixed) for part in parts]
    return pa.concat_tables(parts, promote_options="permissive")


def _is_numeric(kind: pa.DataType) -> bool:
    return pa.types.is_integer(kind) or pa.types.is_floating(kind)


def _cast_columns(part: pa.Table, names: set[str]) -> pa.Table:
    for i, field in enumerate(part.schema):
        if field.name in names and not pa.types.is_string(field.type):
            part = part.set_column(i, field.name, pc.cast(part.column(i), pa.string()))
    return part


def _to_pandas(table: Table, arrow: pa.Table) -> pd.DataFrame:
    """Whole numbers and booleans that may be missing stay what they are instead of turning into floats and objects."""
    nullable = {pa.int64(): pd.Int64Dtype(), pa.bool_(): pd.BooleanDtype()}
    optional = {c.name for c in table.columns if c.optional} | (set(arrow.column_names) - set(table.names))
    frame = arrow.to_pandas()
    for field in arrow.schema:
        if field.name in optional and field.type in nullable:
            frame[field.name] = arrow.column(field.name).to_pandas(types_mapper=nullable.get)
    return frame
