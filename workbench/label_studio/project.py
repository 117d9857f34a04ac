"""The project that a workspace's tasks live in: found by its number or by its mark, made once, configured by one side.

The mark and a hash of the labelling configuration that was set stand in the project's description. So a project whose
creation was not answered is found again, and a configuration that people have changed since is told from an older one
of the workbench's own, which may be replaced.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from workbench.errors import BadInput
from workbench.label_studio.errors import BadReply, Refused, Unanswered
from workbench.label_studio.labelling_config import FIELDS, problems_of_config
from workbench.label_studio.listing import found_tasks

if TYPE_CHECKING:
    from workbench.label_studio.connection import Connection

_READ = "id,title,description,label_config,model_version,show_collab_predictions,task_number"
_SHORTEST_TITLE, _LONGEST_TITLE = 3, 50  # characters, says the server
_PAGE = 100
_TRIES = 4
_PAUSE = 0.5  # seconds before the first look for what was not answered
_EMPTY = re.compile(r"\s*(<View\s*/>|<View>\s*</View>)?\s*")


@dataclass(frozen=True)
class WantedProject:
    """The project as it is to be.

    Attributes:
        mark: the workspace's.
        number: of the project that people chose; 0: one of our own.
        config: the labelling configuration of an own one.
        with_segments: regions are sent, so that a configuration must take them.
        fields: of every task's data, which a configuration may read.
    """

    mark: str
    title: str
    config: str
    with_segments: bool = False
    number: int = 0
    fields: frozenset[str] = frozenset(FIELDS)


@dataclass
class Project:
    """A project of the server; number 0: it is still to be made. A new one was made just now, and is empty."""

    project_id: int
    title: str = ""
    description: str = ""
    config: str = ""
    model_version: str = ""
    shows_predictions: bool = True
    tasks: int = 0
    is_new: bool = False
    notes: list[str] = field(default_factory=list)


def bind_project(
    connection: Connection, wanted: WantedProject, known: int = 0, dry_run: bool = False, again: bool = False
) -> Project:
    """The project for a workspace's tasks, made where there is none.

    Args:
        known: the number of the project that this workspace has used so far; 0: none.
        dry_run: make and change nothing.
        again: make another one where the known one was deleted.

    Raises:
        BadInput: the project is not there, is somebody else's, or has a configuration that cannot take our tasks.
        ServerError: the server does not answer, or refuses to make one.
    """
    if wanted.number:
        project = read_project(connection, wanted.number)
        if project is None:
            raise BadInput(
                f"project {wanted.number}, which [label_studio] project in workbench.toml names, is not on "
                f"{connection.server}, or not open to this account; correct the number, or write 0 to make a project"
            )
    else:
        project = _own_project(connection, wanted, known, dry_run, again)
    if project.project_id:
        _check_config(connection, wanted, project, dry_run)
    return project


def _own_project(connection: Connection, wanted: WantedProject, known: int, dry_run: bool, again: bool) -> Project:
    if known:
        project = read_project(connection, known)
        if project is not None and (
            _mark_in(project.description, wanted.mark)
            or any(task.utterance_id for task in found_tasks(connection, known, wanted.mark, with_data=False))
        ):
            return project
    marked = _marked_projects(connection, wanted.mark)
    if not marked and known and not again:
        fact = "is not there any more, or not open to this account" if project is None else "is not this workspace's"
        raise BadInput(
            f"{connection.server}: project {known}, which this workspace was sent to, {fact}; "
            "`workbench sync push --again` makes a new one and sends everything again"
        )
    if not marked:
        return Project(0, fitting_title(wanted.title)) if dry_run else _create(connection, wanted)
    best = max(marked, key=lambda one: (one.tasks, -one.project_id))
    project = read_project(connection, best.project_id)
    if project is None:
        raise BadReply(f"{connection.server} lists project {best.project_id}, and says then that there is none")
    project.notes += [
        f"project {other.project_id} ({other.title}, {other.tasks} tasks) carries this workspace's mark too, from a "
        f"creation that was not answered; project {project.project_id} is used, so delete the other one there"
        for other in marked
        if other.project_id != project.project_id
    ]
    return project


def fitting_title(title: str) -> str:
    """A title that the server takes: of 3 to 50 characters.

    >>> fitting_title(" kw ")
    'kw speech'
    """
    short = " ".join(title.split())
    return (short if len(short) >= _SHORTEST_TITLE else f"{short} speech".strip())[:_LONGEST_TITLE].rstrip()


def _create(connection: Connection, wanted: WantedProject) -> Project:
    body = {
        "title": fitting_title(wanted.title),
        "description": _description(wanted),
        "label_config": wanted.config,
        "show_collab_predictions": True,
    }
    for number in range(_TRIES):
        try:
            return replace(_project(connection.send("POST", "/api/projects", body)), is_new=True)
        except Unanswered:
            if number == _TRIES - 1:
                raise
            # It may have been made all the same, or be made any moment.
            for times in (1, 2, 4):
                time.sleep(_PAUSE * times * 2**number)
                if marked := _marked_projects(connection, wanted.mark):
                    made = read_project(connection, min(one.project_id for one in marked))
                    if made is not None:
                        return made
    raise AssertionError("the last try raises or returns")


def _description(wanted: WantedProject) -> str:
    return (
        "Utterances of a speech workbench, which sends tasks here and takes people's transcripts back. "
        f"It finds this project by the following line, so leave it here: {_mark_line(wanted)}"
    )


def _mark_line(wanted: WantedProject) -> str:
    return f"[speech-workbench {wanted.mark} config {config_hash(wanted.config)}]"


def config_hash(config: str) -> str:
    """What a configuration is known by in a project's description."""
    return hashlib.sha256(config.strip().encode("utf-8", "replace")).hexdigest()[:12]


def _mark_in(description: str, mark: str) -> re.Match[str] | None:
    return re.search(rf"\[speech-workbench {re.escape(mark)}(?: config ([0-9a-f]+))?\]", description)


def _marked_projects(connection: Connection, mark: str) -> list[Project]:
    return [one for one in _all_projects(connection) if _mark_in(one.description, mark)]


def _all_projects(connection: Connection) -> list[Project]:
    """Every project that the account sees; listed again when the list changed while it was read."""
    for _ in range(_TRIES):
        found: dict[int, Project] = {}
        for page in range(1, 1_000_000):
            params = {"page": page, "page_size": _PAGE, "include": "id,title,description,task_number"}
            reply = connection.get("/api/projects", params)
            several = reply.get("results") if isinstance(reply, dict) else None
            total = reply.get("count") if isinstance(reply, dict) else None
            if not isinstance(several, list) or not isinstance(total, int):
                raise BadReply(f"{connection.server} answers a question for projects with something else than a list")
            found |= {one.project_id: one for one in map(_project, several)}
            if len(found) == total:
                return list(found.values())
            if not several or page * _PAGE >= total:
                break
    raise BadReply(f"{connection.server} lists {len(found)} of {total} projects")


def read_project(connection: Connection, number: int) -> Project | None:
    """The project of this number; None where there is none for this account."""
    reply = connection.get(f"/api/projects/{number}", {"include": _READ}, missing_ok=True)
    return None if reply is None else _project(reply)


def _project(reply: Any) -> Project:
    number = reply.get("id") if isinstance(reply, dict) else None
    if not isinstance(number, int) or isinstance(number, bool) or not 1 <= number < 2**63:
        raise BadReply(f"a project comes with the number {number!r:.60}, which must be a whole number")
    title, description, config, version = (
        text if isinstance(text, str) else ""
        for text in map(reply.get, ("title", "description", "label_config", "model_version"))
    )
    tasks = reply.get("task_number")
    shows = reply.get("show_collab_predictions") is not False
    return Project(number, title, description, config, version, shows, tasks if isinstance(tasks, int) else 0)


def _check_config(connection: Connection, wanted: WantedProject, project: Project, dry_run: bool) -> None:
    """Bring an older configuration of our own up to date; one that people wrote must take our tasks as it is."""
    if project.config.strip() == wanted.config.strip():
        return
    line = _mark_in(project.description, wanted.mark)
    is_ours = line is not None and line.group(1) == config_hash(project.config)
    if not is_ours and not _EMPTY.fullmatch(project.config):
        problems = problems_of_config(project.config, wanted.with_segments, wanted.fields)
        if problems:
            raise BadInput(
                f"{connection.server}: the labelling configuration of project {project.project_id} ({project.title}) "
                f"cannot take these tasks: {'; '.join(problems)}"
            )
        return
    if dry_run:
        project.notes.append("the labelling configuration would be replaced by the workbench's newest")
        return
    body = {"label_config": wanted.config}
    if line is not None:
        body["description"] = project.description.replace(line.group(0), _mark_line(wanted))
    try:
        connection.repeat("PATCH", f"/api/projects/{project.project_id}", body)
        project.notes.append("the labelling configuration there was replaced by the workbench's newest")
    except Refused as refused:
        if refused.status != 400:
            raise
        if problems := problems_of_config(project.config, wanted.with_segments, wanted.fields):
            raise BadInput(f"{refused}; the configuration there lacks something: {'; '.join(problems)}") from None
        project.notes.append(f"the labelling configuration stays as it is: {refused}")


def show_version(connection: Connection, project: Project, version: str, own_versions: Collection[str]) -> bool:
    """Let labellers begin with the predictions of this version; whether that was a change.

    What people have chosen, a model of their own or no predictions, stays.
    """
    if not project.shows_predictions or project.model_version == version:
        return False
    if project.model_version and project.model_version not in own_versions:
        return False
    connection.repeat("PATCH", f"/api/projects/{project.project_id}", {"model_version": version})
    return True
