"""The report in all its forms, in one directory."""

from __future__ import annotations

from pathlib import Path

from workbench.report.csv_tables import write_csv
from workbench.report.data import ReportData
from workbench.report.html_page import write_html
from workbench.report.json_document import write_json
from workbench.report.markdown import write_markdown


def write_report(data: ReportData, directory: Path) -> dict[str, Path]:
    """Every file that was written, by its name in the directory: report.html, report.md, report.json, tables/*.csv."""
    written = {
        "report.html": write_html(data, directory / "report.html"),
        "report.md": write_markdown(data, directory / "report.md"),
        "report.json": write_json(data, directory / "report.json"),
    }
    return written | {f"tables/{name}.csv": path for name, path in write_csv(data, directory / "tables").items()}
