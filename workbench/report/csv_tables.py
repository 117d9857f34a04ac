"""One CSV a table, for spreadsheets.

Two decisions serve people who open the files in Excel. The files are UTF-8 with a byte order mark, because without it
Excel shows Hangul as rubbish (pandas reads them with `encoding="utf-8-sig"`). And a text that a spreadsheet would run
as a formula gets an apostrophe before it, so such texts are not byte for byte what the tables hold: `report.json` is.
Spreadsheets set to split at semicolons do so inside fields, too, and may find a formula there; import such files
with the comma named as the separator.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from workbench.report.data import ReportData, report_tables
from workbench.report.files import write_whole
from workbench.report.formats import is_missing
from workbench.report.json_document import json_value

FORMULA_STARTS = tuple("=+-@\t\r\n＝＋－＠")
"What spreadsheets take for the start of a formula, their full-width forms included."


def guarded(text: str) -> str:
    """The text with an apostrophe before it where a spreadsheet would take it for a formula.

    >>> guarded("=1+1"), guarded("well-known")
    ("'=1+1", 'well-known')
    """
    return "'" + text if text.startswith(FORMULA_STARTS) else text


def _cell(value: Any) -> Any:
    if isinstance(value, str):
        return guarded(value)
    if isinstance(value, Mapping | list | tuple | np.ndarray):
        return guarded(json.dumps(json_value(value), ensure_ascii=False))
    if is_missing(value):
        return ""
    if isinstance(value, datetime):
        return value.isoformat()
    return value.item() if isinstance(value, np.generic) else value


def csv_text(frame: pd.DataFrame) -> str:
    """The frame as CSV (RFC 4180): every text that needs it in quotes, empty for missing, ISO timestamps."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([guarded(str(name)) for name in frame.columns])
    columns = [[_cell(value) for value in frame[name].tolist()] for name in frame.columns]
    writer.writerows(zip(*columns, strict=True))
    return out.getvalue()


def write_csv(data: ReportData, directory: Path) -> dict[str, Path]:
    """The path of each table's CSV, by table; a table without rows has its header alone."""
    return {
        name: write_whole(directory / f"{name}.csv", csv_text(frame), encoding="utf-8-sig")
        for name, frame in report_tables(data).items()
    }
