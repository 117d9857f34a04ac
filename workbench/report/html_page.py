"""The report as one HTML page that needs nothing else: no network, no other file."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from functools import cache
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from workbench.report import formats, label_views, views
from workbench.report.characters import LONGEST_LABEL, LONGEST_TEXT, isolated, plain, shown
from workbench.report.data import ReportData
from workbench.report.files import write_whole


@cache
def asset(name: str) -> str:
    """The text of a file that comes with the templates."""
    return files("workbench.report").joinpath("templates", name).read_text(encoding="utf-8")


def policy(style: str, script: str) -> str:
    """A content security policy that allows this page's own style and script, audio inside the page, nothing else."""

    def source(text: str) -> str:
        return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"

    return (
        f"default-src 'none'; style-src {source(style)}; script-src {source(script)}; media-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _environment(language: str) -> Environment:
    environment = Environment(
        loader=PackageLoader("workbench.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: dict[str, Callable[..., Any]] = {
        "text": isolated(language, LONGEST_TEXT),
        "label": isolated(language, LONGEST_LABEL),
        "shown": shown,
        "plain": plain,
        "words": lambda name: str(name).replace("_", " "),
        "at": lambda place: f"{place:.2f}%",
    }
    filters |= {
        one.__name__: one
        for one in (
            formats.number,
            formats.count,
            formats.rate,
            formats.points,
            formats.signed_points,
            formats.span,
            formats.hours,
            formats.when,
            formats.plain_value,
            formats.target_word,
            formats.metric_name,
        )
    }
    environment.filters.update(filters)
    environment.globals.update(
        rate_interval=formats.rate_interval,
        points_interval=formats.points_interval,
        target_figure=formats.target_figure,
        is_missing=formats.is_missing,
    )
    return environment


def render_html(data: ReportData) -> str:
    """The page as text; everything in it that came from outside is escaped."""
    style, script = asset("report.css"), asset("report.js")
    backlog, zero_at = views.backlog_view(data)
    confusions, confusions_table = views.confusions_view(data)
    conflicts, conflict_kinds = views.conflicts_view(data)
    conventions, conventions_table = views.conventions_view(data)
    histograms, quality_tags = views.quality_view(data)
    template = _environment(data.language).get_template("report.html")
    return template.render(
        data=data,
        policy=policy(style, script),
        style=Markup(style),
        script=Markup(script),
        verdict=formats.verdict(data.targets),
        backlog=backlog,
        zero_at=zero_at,
        slices=views.slices_view(data),
        confusions=confusions,
        confusions_table=confusions_table,
        conflicts=conflicts,
        conflict_kinds=conflict_kinds,
        conventions=conventions,
        conventions_table=conventions_table,
        histograms=histograms,
        quality_tags=quality_tags,
        worst=views.worst_view(data),
        suspects=label_views.suspects_view(data),
        duplicates=label_views.duplicates_view(data),
        rules=label_views.rules_view(data),
        flags=views.rows(data.flags, "flags"),
        planted=views.planted_view(data),
        faults=views.rows(data.faults, "faults"),
        fault_stages=data.faults["stage"].value_counts().to_dict(),
        made=views.made_view(data),
    )


def write_html(data: ReportData, path: Path) -> Path:
    """The path of the page that was written."""
    return write_whole(path, render_html(data))
