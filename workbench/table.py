"""What a table is: its columns, types and key, and the validation of rows before they are written."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import pyarrow as pa

from workbench.errors import BadInput

STRING, INTEGER, NUMBER, BOOLEAN = pa.string(), pa.int64(), pa.float64(), pa.bool_()
TIME = pa.timestamp("us", tz="UTC")


@dataclass(frozen=True)
class Column:
    """One column: its name, its Arrow type, what it holds (with the unit), and whether it may be missing."""

    name: str
    type: pa.DataType
    holds: str
    optional: bool = False


@dataclass(frozen=True)
class Table:
    """One table: its name, its columns, its key, and, for a snapshot table, the columns that make its scope."""

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    scope: tuple[str, ...] | None = None
    open: bool = False
    "May hold further columns, which are tags."
    immutable: bool = False
    "A row whose key is there already is refused."

    @property
    def is_snapshot(self) -> bool:
        return self.scope is not None

    @property
    def names(self) -> list[str]:
        return [column.name for column in self.columns]

    def empty(self) -> pd.DataFrame:
        """A frame with this table's columns and no rows."""
        return self._schema(pd.DataFrame()).empty_table().to_pandas()

    def _schema(self, frame: pd.DataFrame) -> pa.Schema:
        fields = [pa.field(c.name, c.type, nullable=c.optional) for c in self.columns]
        fields += [pa.field(tag, _tag_type(frame[tag])) for tag in frame.columns if tag not in self.names]
        return pa.schema(fields)

    def to_arrow(self, frame: pd.DataFrame) -> pa.Table:
        """The frame as an Arrow table with exactly this table's columns and types.

        Raises:
            BadInput: a column is missing, unknown, of another type, empty where it may not be, or a key repeats.
        """
        missing = [c.name for c in self.columns if c.name not in frame.columns and not c.optional]
        if missing:
            holds = next(c.holds for c in self.columns if c.name == missing[0])
            raise BadInput(f"table {self.name}: column {missing[0]!r} is missing; it must hold {holds}")
        unknown = [str(name) for name in frame.columns if name not in self.names]
        if unknown and not self.open:
            raise BadInput(f"table {self.name}: column {unknown[0]!r} is not one of {', '.join(self.names)}")
        for name in unknown:
            if not name.strip() or name != name.strip():
                raise BadInput(f"table {self.name}: {name!r} cannot name a tag: it is empty or has spaces around it")
        frame = frame.reindex(columns=[*self.names, *unknown])
        for column in self.columns:
            empty = frame[column.name].isna()
            if not column.optional and empty.any():
                where = ", ".join(f"{k}={frame[k][empty].iloc[0]!r}" for k in self.key if k != column.name)
                raise BadInput(
                    f"table {self.name}: column {column.name!r} is empty in the row with {where or 'no key'}"
                )
        repeated = frame.duplicated(list(self.key))
        if repeated.any():
            where = ", ".join(f"{k}={frame[k][repeated].iloc[0]!r}" for k in self.key)
            raise BadInput(f"table {self.name}: the key {where} stands twice in the same part")
        schema = self._schema(frame)
        arrays = []
        for field in schema:
            if frame[field.name].isna().all():
                arrays.append(pa.nulls(len(frame), field.type))
                continue
            try:
                arrays.append(pa.Array.from_pandas(frame[field.name], type=field.type))
            except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as problem:
                raise BadInput(f"table {self.name}: column {field.name!r} must be {field.type}: {problem}") from problem
        return pa.Table.from_arrays(arrays, schema=schema)


def _tag_type(values: pd.Series) -> pa.DataType:
    """Tags keep the type of their manifest: text from CSV, numbers and booleans from JSON."""
    present = values.dropna()
    kinds = {type(value) for value in present}
    if kinds and all(issubclass(kind, bool) or kind.__name__ == "bool" for kind in kinds):
        return BOOLEAN
    if kinds and pd.api.types.is_integer_dtype(present.infer_objects()):
        return INTEGER
    if kinds and pd.api.types.is_numeric_dtype(present.infer_objects()) and bool not in kinds:
        return NUMBER
    return STRING
