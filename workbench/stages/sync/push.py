"""Utterances to tasks: what the project lacks is sent, what it has is left alone, and nothing is there twice."""

from __future__ import annotations

import contextlib
from functools import partial
from typing import TYPE_CHECKING

from workbench.errors import BadInput
from workbench.jobs.local import Progress, silent
from workbench.label_studio.audio_source import NOT_UPLOADED, UPLOAD, Audio, provide_audio, with_audio
from workbench.label_studio.errors import NotReached, Refused, Unanswered
from workbench.label_studio.labelling_config import FIELDS, labelling_config, problems_of_tasks
from workbench.label_studio.listing import found_predictions, found_tasks
from workbench.label_studio.plan import Plan, plan
from workbench.label_studio.project import Project, WantedProject, bind_project, read_project, show_version
from workbench.label_studio.records import AUDIO, FoundPrediction, FoundTask, WantedTask
from workbench.label_studio.sending import Sender, Sent
from workbench.label_studio.tabs import update_tabs, wanted_tabs
from workbench.stages.score import choose_run
from workbench.stages.stage import Outcome, faults_frame, record_faults
from workbench.stages.sync.binding import (
    Binding,
    known_binding,
    one_writer,
    patient_lock,
    remember,
    workspace_mark,
)
from workbench.stages.sync.choice import Only
from workbench.stages.sync.known_tasks import known_tasks, note_found, note_intended
from workbench.stages.sync.push_report import counts_of, notes_of, planned_counts, preview_table, table_of
from workbench.stages.sync.task_fields import NUMBER_FIELDS, TEXT_FIELDS
from workbench.stages.sync.wanted import STAGE, Wanted, wanted_tasks
from workbench.workspace import Workspace

if TYPE_CHECKING:
    from workbench.label_studio.connection import Connection

_TRIES = 4


def push(
    workspace: Workspace,
    connection: Connection,
    only: Only | None = None,
    dry_run: bool = False,
    delete_removed: bool = False,
    again: bool = False,
    progress: Progress = silent,
) -> Outcome:
    """Bring the project to what the workspace holds. Interrupted anywhere and run again, it goes on.

    Args:
        only: send these utterances only; nothing is said of the others.
        dry_run: say what would be sent, and change nothing, neither here nor there.
        delete_removed: delete the tasks of utterances that the workspace has no longer, where nobody has worked.
        again: send once more what was deleted on the server.
        progress: called with how many things are sent, and how many there are.

    Raises:
        BadInput: there is nothing to send, or the project cannot take it.
        WorkspaceLocked: another process sends this workspace.
        ServerError: the server does not answer, or refuses.
    """
    # A dry run may look on while another process sends.
    with contextlib.nullcontext() if dry_run else one_writer(workspace):
        mark = workspace_mark(workspace, connection, store=not dry_run)
        wanted = wanted_tasks(workspace, mark, only)
        project = _bind(workspace, connection, mark, wanted, dry_run, again)
        pushing = _Push(workspace, connection, project, mark, wanted, only is None, again)
        if dry_run:
            return pushing.preview(delete_removed)
        return pushing.send(delete_removed, progress)


def _bind(
    workspace: Workspace, connection: Connection, mark: str, wanted: Wanted, dry_run: bool, again: bool
) -> Project:
    section, known = workspace.config.label_studio, known_binding(workspace, connection)
    config = labelling_config(workspace.config.workspace.language, wanted.with_segments)
    title = section.title or workspace.config.workspace.name
    asked = WantedProject(mark, title, config, wanted.with_segments, section.project, _fields(wanted))
    project = bind_project(connection, asked, known.project_id if known else 0, dry_run, again)
    if known is None or known.project_id != project.project_id:
        _check_number(workspace, connection, project.project_id, mark)
    if known and known.project_id not in (0, project.project_id):
        project.notes.append(
            f"this workspace was sent to project {known.project_id} before; what is there stays there, and is pulled "
            "no longer"
        )
    if not dry_run:
        remember(workspace, connection, Binding(project.project_id, mark, project.title))
    return project


def _check_number(workspace: Workspace, connection: Connection, number: int, mark: str) -> None:
    """Keep two projects apart that have one number, by which the tables know them.

    Raises:
        BadInput: this workspace was sent to a project of that number on another server, and this is not that one moved.
    """
    bound = workspace.read("sync_project")
    others = bound.loc[(bound["project_id"] == number) & (bound["server"] != connection.server), "server"]
    if not number or others.empty or not known_tasks(workspace, number).seen:
        return
    if not any(task.utterance_id for task in found_tasks(connection, number, mark, with_data=False)):
        raise BadInput(
            f"project {number} on {connection.server} has none of this workspace's tasks, and the number of its "
            f"project on {others.iloc[-1]}, with which its annotations would be mixed up; make another project "
            "there, and write its number as project in the section [label_studio] of workbench.toml"
        )


def _fields(wanted: Wanted) -> frozenset[str]:
    """The fields that every task has, with a value in each."""
    fields = set(FIELDS)
    filled = [{name for name, value in task.data.items() if value is not None} for task in wanted.tasks]
    return frozenset(fields | set.intersection(*filled) if filled else fields)


class _Push:
    """One push, from the first list to the outcome."""

    def __init__(
        self,
        workspace: Workspace,
        connection: Connection,
        project: Project,
        mark: str,
        wanted: Wanted,
        is_whole: bool,
        again: bool,
    ) -> None:
        self._workspace, self._connection, self._project = workspace, connection, project
        self._mark, self._wanted, self._is_whole, self._again = mark, wanted, is_whole, again
        self._known = known_tasks(workspace, project.project_id)
        self._runs = frozenset(map(str, workspace.read("runs")["run_id"]))
        is_there = project.project_id and not project.is_new
        self._found = found_tasks(connection, project.project_id, mark) if is_there else []
        self._faults = list(wanted.faults)
        self._notes = [*wanted.notes, *project.notes]
        self._tasks: list[WantedTask] = []

    def preview(self, delete_removed: bool) -> Outcome:
        """What would be sent."""
        audio = self._provide_audio(dry_run=True, progress=silent)
        predictions = found_predictions(self._connection, self._project.project_id) if self._project.project_id else []
        made = self._plan(self._found, predictions)
        if not self._project.project_id:
            self._notes.append(f"a project named {self._project.title!r} would be made on {self._connection.server}")
        seen = self._known.seen if self._again else frozenset()
        counts = planned_counts(made, audio)
        table = preview_table(made, delete_removed, seen)
        if audio.uploads:
            files = "file" if audio.uploads == 1 else "files"
            self._notes.append(f"{audio.uploads} audio {files} would be uploaded")
        nothing = "everything is there; nothing would be sent"
        is_done = not audio.uploads and not made.left(set(), delete_removed).to_do()
        self._notes.append(nothing if is_done else "this is what would be sent; nothing was changed, here or there")
        return Outcome(STAGE, counts, table, faults_frame(self._faults), self._notes, kept=False)

    def send(self, delete_removed: bool, progress: Progress) -> Outcome:
        """Send it."""
        number = self._project.project_id
        note_found(self._workspace, number, self._found)
        uploads = 0

        def uploading(done: int, total: int) -> None:
            nonlocal uploads
            uploads = total
            progress(done, total + len(self._wanted.tasks))

        def sending(done: int, total: int) -> None:
            progress(uploads + done, uploads + total)

        try:
            audio = self._provide_audio(dry_run=False, progress=uploading)
            sender = Sender(
                self._connection,
                number,
                self._mark,
                self._plan,
                own_fields=self._own_fields(),
                intend=partial(note_intended, self._workspace, number),
                delete_removed=delete_removed,
                first=None if audio.uploads else self._found,
                late=bool(self._known.under_way - {task.utterance_id for task in self._found}),
                progress=sending,
            )
            sent = sender.run()
        except (NotReached, Unanswered) as problem:
            raise type(problem)(f"{problem}; what was sent is kept, and `workbench sync push` goes on") from None
        deleted = sent.merged | {int(key[2]) for key in sent.done if key[0] == "delete"}
        note_found(self._workspace, number, sent.found, deleted)
        self._show_main_run(sent)
        self._update_tabs(sent)
        for key, reason in sent.refused.items():
            self._fault(key[1], f"{key[0]}, project {number}", reason)
        return self._outcome(sent, audio, delete_removed)

    def _provide_audio(self, dry_run: bool, progress: Progress) -> Audio:
        wanted, number = self._wanted, self._project.project_id
        if not number and wanted.source.kind == UPLOAD:
            # There is no project to ask what it has.
            audio = Audio(dict.fromkeys(wanted.audio, NOT_UPLOADED))
            audio.uploads = len({file.name or str(file.path) for file in wanted.audio.values()})
        else:
            names = {task.utterance_id for task in wanted.tasks}
            held = [task.data.get(AUDIO) for task in self._found if task.utterance_id in names]
            addresses = [address for address in held if isinstance(address, str)]
            audio = provide_audio(self._connection, number, wanted.source, wanted.audio, addresses, dry_run, progress)
        for name, reason in audio.faults.items():
            self._fault(name, "its audio", reason)
        self._tasks = self._valid(with_audio(wanted.tasks, audio))
        return audio

    def _valid(self, tasks: list[WantedTask]) -> list[WantedTask]:
        """The tasks without those new ones that the server would refuse, each of which is a fault."""
        found = {task.utterance_id for task in self._found}
        new = [task for task in tasks if task.utterance_id not in found]
        if not new:
            return tasks
        config = labelling_config(self._workspace.config.workspace.language, self._wanted.with_segments)
        problems = problems_of_tasks(config, new)
        for name, several in problems.items():
            self._fault(name, "its task", "; ".join(several))
        return [task for task in tasks if task.utterance_id not in problems]

    def _own_fields(self) -> frozenset[str]:
        return frozenset({*FIELDS, *TEXT_FIELDS, *NUMBER_FIELDS}.union(*(task.data for task in self._tasks)))

    def _plan(self, found: list[FoundTask], predictions: list[FoundPrediction]) -> Plan:
        return plan(
            self._tasks,
            found,
            predictions,
            seen=self._known.seen,
            sent=self._known.sent,
            kept=self._wanted.ids if self._is_whole else None,
            own_fields=self._own_fields(),
            own_versions=self._runs,
            again=self._again,
        )

    def _show_main_run(self, sent: Sent) -> None:
        """Let labellers begin with what the newest main run heard."""
        if not self._runs:
            return
        main = str(choose_run(self._workspace)["run_id"])
        lacking = {one.utterance_id for one in sent.plan.add if one.prediction.model_version == main}
        if not any(
            p.model_version == main and t.utterance_id not in lacking for t in self._tasks for p in t.predictions
        ):
            return
        # The server sets it by itself when the first predictions come.
        project = read_project(self._connection, self._project.project_id) if sent.writes else self._project
        if project is None:
            return
        try:
            if show_version(self._connection, project, main, self._runs):
                sent.writes += 1
        except Refused as refused:
            if refused.status != 400:
                raise
            self._notes.append(f"labellers do not begin with the predictions of run {main}: {refused}")

    def _update_tabs(self, sent: Sent) -> None:
        """Let labellers open what the backlog speaks of, and tell where."""
        items = [name for name, kind in self._wanted.fields.kinds.items() if kind == "backlog item"]
        tabs = wanted_tabs(items, self._workspace.config.workspace.language)
        number = self._project.project_id
        for left in reversed(range(_TRIES)):
            try:
                outcome = update_tabs(self._connection, number, self._mark, tabs)
                break
            except Refused as refused:
                if refused.status != 400:
                    raise
                self._fault("tabs", f"project {number}", str(refused))
                return
            except Unanswered:
                # Those that were made all the same are found by the next try.
                if not left:
                    raise
        sent.writes += len(outcome.created) + len(outcome.updated) + len(outcome.deleted)
        self._notes.append(f"to label: {self._connection.server}/projects/{number}/data")
        if outcome.created:
            self._notes.append(f"new tabs there: {', '.join(outcome.created)}")
        if outcome.deleted:
            self._notes.append(f"tabs that nothing is in any more, and that went: {', '.join(outcome.deleted)}")

    def _fault(self, item: str, location: str, reason: str) -> None:
        self._faults.append({"stage": STAGE, "item": item, "location": location, "reason": reason})

    def _outcome(self, sent: Sent, audio: Audio, delete_removed: bool) -> Outcome:
        counts = counts_of(sent, audio)
        self._notes += notes_of(sent, delete_removed)
        with patient_lock(self._workspace):
            faults = record_faults(self._workspace, STAGE, self._faults, self._connection.server)
        return Outcome(STAGE, counts | {"faults": len(faults)}, table_of(counts), faults, self._notes)
