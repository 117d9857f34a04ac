"""Saved tabs of the Data Manager: a labeller opens the tasks that the backlog speaks of.

A tab of ours carries a mark in its data, which the page takes away as soon as somebody changes the tab: from then on it
is theirs. People's tabs are never touched, and no second one is made beside a tab that has the title or the filters of
one of ours. A tab of a backlog item that is not in the backlog any more shows nothing: it is taken away while it is
ours.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from workbench.label_studio.errors import BadReply, Unanswered

if TYPE_CHECKING:
    from workbench.label_studio.connection import Connection

MOST_ITEMS = 6
SUSPECT = 0.5
"""From this score on a label is more likely wrong than right."""

_MARK = "workbench"
_FIELDS = ("reference", "suggestion", "why", "suspect_score", "flags", "duration", "speaker")
_SHOWN = ("tasks:id", "tasks:total_annotations", "tasks:annotators", *(f"tasks:data.{name}" for name in _FIELDS))
_SHOWN_BESIDE = ("tasks:id", "tasks:total_annotations", "tasks:data.reference")
"""The columns of the page, and of the narrow list beside a task that is open."""

_NAMES = {
    "en": {"conflicts": "conflicts", "suspect_labels": "suspect labels", "too_quiet": "too quiet"},
    "ko": {"conflicts": "라벨 충돌", "suspect_labels": "의심 라벨", "too_quiet": "소리 작음"},
}
_PATH = "api/dm/views/"


@dataclass(frozen=True)
class Tab:
    """A tab as it is to be.

    Attributes:
        name: what it is found again by, whatever its title becomes.
        filters: Data Manager filters that all hold.
        ordering: the field that it is ordered by; a minus: the largest first.
        is_made: false: it may stay where it is there, and is not made.
    """

    name: str
    title: str
    filters: tuple[dict[str, Any], ...] = ()
    ordering: str = ""
    is_made: bool = True

    @property
    def version(self) -> str:
        """A hash of what the tab shows: another one is to be shown otherwise."""
        written = json.dumps([self.title, self.filters, self.ordering, _SHOWN], sort_keys=True)
        return hashlib.sha256(written.encode()).hexdigest()[:12]


@dataclass
class TabsOutcome:
    """Titles of the tabs that were made, changed and taken away."""

    created: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)


def wanted_tabs(items: Sequence[str], language: str = "en") -> list[Tab]:
    """The tabs for a workspace: conflicts, suspect labels, too quiet, and one for each of the first backlog items.

    Args:
        items: ids of all backlog items in their order; the first of labels and audio get a tab.
        language: of the workspace; titles are Korean for `ko`, else English.
    """
    names = _NAMES["ko" if language.startswith("ko") else "en"]
    suspect = {"filter": _column("suspect_score"), "operator": "greater_or_equal", "type": "Number", "value": SUSPECT}
    tabs = [
        Tab("conflicts", names["conflicts"], (_matches("flags", r"(^|, )conflict[.]"),)),
        Tab("suspect_labels", names["suspect_labels"], (suspect,), "-tasks:data.suspect_score"),
        Tab("too_quiet", names["too_quiet"], (_names_one("flags", "audio.too_quiet"),)),
    ]
    for place, item in enumerate(item for item in items if item.startswith(("label.", "audio."))):
        filters = (_names_one("backlog", item),)
        tabs.append(Tab(f"item {item}", _title(item), filters, is_made=place < MOST_ITEMS))
    return tabs


def _title(item: str) -> str:
    """What tells an item from its like, before its whole id: the page shows the first fifteen letters of a title.

    >>> _title("label.convention.number"), _title("audio.loudness_band=too_quiet")
    ('number · label.convention.number', 'too_quiet · audio.loudness_band=too_quiet')
    """
    kind, _, what = item.partition(".")
    return f"{what.rpartition('.' if kind == 'label' else '=')[2]} · {item}"


def _names_one(column: str, name: str) -> dict[str, Any]:
    """The filter for tasks whose field of names, joined by `, `, has this one."""
    # Signs in brackets mean themselves in the regular expressions of SQLite's Python and of PostgreSQL alike.
    exact = "".join(f"[{sign}]" if sign in ".+*?()|{}$" else rf"\{sign}" if sign in r"\[]^" else sign for sign in name)
    return _matches(column, f"(^|, ){exact}(,|$)")


def _matches(column: str, pattern: str) -> dict[str, Any]:
    return {"filter": _column(column), "operator": "regex", "type": "String", "value": pattern}


def _column(name: str) -> str:
    return f"filter:tasks:data.{name}"


def update_tabs(connection: Connection, project_id: int, mark: str, tabs: Sequence[Tab]) -> TabsOutcome:
    """Brings the project's tabs to what is wanted; doing it again changes nothing.

    The fields of the tasks must be there already, because a tab hides most of them. A project without any tab first
    gets one of all tasks, which a tab of ours would otherwise be in place of.

    Raises:
        ServerError: the server does not answer, or refuses.
    """
    found = _tabs(connection, project_id)
    ours = {name: number for number, data in reversed(found.items()) if (name := _name(data, mark))}
    peoples = [data for data in found.values() if not _name(data, mark)]
    everything = Tab("all", "Default", is_made=not found)
    outcome = TabsOutcome()
    hidden: dict[str, list[str]] = {}
    for tab in (everything, *tabs):
        number = ours.get(tab.name)
        if number is not None and found[number][_MARK].get("version") == tab.version:
            continue
        if number is None and (not tab.is_made or any(_is_like(data, tab) for data in peoples)):
            continue
        hidden = hidden or _hidden(connection, project_id)
        body = {"project": project_id, "data": _data(tab, mark, hidden)}
        if number is not None:
            connection.repeat("PATCH", f"{_PATH}{number}/", body)
            outcome.updated.append(tab.title)
        else:
            _create(connection, project_id, mark, tab, body)
            outcome.created.append(tab.title)
    for name in ours.keys() - {tab.name for tab in (everything, *tabs)}:
        connection.repeat("DELETE", f"{_PATH}{ours[name]}/", gone_ok=True)
        outcome.deleted.append(str(found[ours[name]].get("title")))
    return outcome


def _is_like(data: dict[str, Any], tab: Tab) -> bool:
    """Whether a tab of people's was made from one of ours, or serves the same end."""
    filters = data.get("filters")
    items = filters.get("items") if isinstance(filters, dict) else None
    has = [(one.get("filter"), one.get("value")) for one in items or [] if isinstance(one, dict)]
    same = bool(tab.filters) and all((one["filter"], one["value"]) in has for one in tab.filters)
    return data.get("title") == tab.title or same


def _tabs(connection: Connection, project_id: int) -> dict[int, dict[str, Any]]:
    """The data of the project's tabs by number, in the order of the page."""
    listed = connection.get(_PATH, {"project": project_id})
    if not isinstance(listed, list):
        raise BadReply(f"{connection.server}: the list of the project's tabs is no list")
    found = {}
    for one in listed:
        if isinstance(one, dict) and isinstance(one.get("id"), int):
            found[one["id"]] = one["data"] if isinstance(one.get("data"), dict) else {}
    return found


def _name(data: dict[str, Any], mark: str) -> str | None:
    """The name of a tab of ours; None for any other."""
    own = data.get(_MARK)
    name = own.get("tab") if isinstance(own, dict) and own.get("mark") == mark else None
    return name if isinstance(name, str) else None


def _create(connection: Connection, project_id: int, mark: str, tab: Tab, body: dict[str, Any]) -> None:
    try:
        connection.send("POST", _PATH, body)
    except Unanswered:
        if not any(_name(data, mark) == tab.name for data in _tabs(connection, project_id).values()):
            raise


def _data(tab: Tab, mark: str, hidden: dict[str, list[str]]) -> dict[str, Any]:
    """A tab as the page knows it: a list, with the columns that help to decide what to open."""
    return {
        "title": tab.title,
        "type": "list",
        "target": "tasks",
        "filters": {"conjunction": "and", "items": list(tab.filters)},
        "ordering": [tab.ordering] if tab.ordering else [],
        "hiddenColumns": hidden,
        "columnsWidth": {},
        "columnsDisplayType": {"tasks:data.suspect_score": "Number", "tasks:data.duration": "Number"},
        "gridWidth": 4,
        _MARK: {"mark": mark, "tab": tab.name, "version": tab.version},
    }


def _hidden(connection: Connection, project_id: int) -> dict[str, list[str]]:
    columns = connection.get("api/dm/columns/", {"project": project_id})
    listed = columns.get("columns") if isinstance(columns, dict) else None
    if not isinstance(listed, list):
        raise BadReply(f"{connection.server}: the list of the project's columns is no list")
    names = [
        f"tasks:data.{one['id']}" if one.get("parent") == "data" else f"tasks:{one['id']}"
        for one in listed
        if isinstance(one, dict) and isinstance(one.get("id"), str) and one["id"] != "data"
    ]
    shown = {"explore": _SHOWN, "labeling": _SHOWN_BESIDE}
    return {page: [name for name in names if name not in shown[page]] for page in shown}
