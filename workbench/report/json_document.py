"""The report as one JSON document, for programs."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from workbench.report.data import ReportData, report_tables
from workbench.report.files import write_whole
from workbench.report.formats import is_missing


def json_value(value: Any) -> Any:
    """The value as JSON holds it: null for what is missing, ISO text for times, lists for arrays."""
    if isinstance(value, (str, int)):
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): json_value(one) for key, one in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [json_value(one) for one in value]
    if is_missing(value):
        return None
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value)


def json_rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The frame's rows as objects whose keys are its columns."""
    names = [str(name) for name in frame.columns]
    columns = [frame[name].tolist() for name in frame.columns]
    return [
        {name: json_value(value) for name, value in zip(names, row, strict=True)} for row in zip(*columns, strict=True)
    ]


def document(data: ReportData) -> dict[str, Any]:
    """The whole report: `report` says what it is about; every other key is a table, a list of objects."""
    head = {
        "title": data.title,
        "workspace": data.workspace,
        "created_at": data.created_at.isoformat(),
        "language": data.language,
        "planted_note": data.planted_note,
        "notes": list(data.notes),
    }
    return {"report": head} | {name: json_rows(frame) for name, frame in report_tables(data).items()}


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _table_text(value: Any) -> str:
    if not isinstance(value, list) or not value:
        return _text(value)
    return "[\n" + ",\n".join(map(_text, value)) + "\n]"


def write_json(data: ReportData, path: Path) -> Path:
    """The path of the document that was written: one table row a line."""
    tables = (f"{_text(name)}: {_table_text(value)}" for name, value in document(data).items())
    return write_whole(path, "{\n" + ",\n".join(tables) + "\n}\n")
