"""`workbench sync watch` and `serve`: in step with the server while people label."""

from __future__ import annotations

import contextlib
import enum
import json
import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from workbench.cli.audio import parameters
from workbench.cli.options import WorkspaceOption, open_workspace
from workbench.cli.output import printable, say
from workbench.cli.sync.connect import CredentialsOption, connected

PASSWORD_VARIABLE = "WORKBENCH_SERVE_PASSWORD"
_INTERRUPTED = 130
_LONGEST_SECONDS = 86_400
_LONGEST_TEXT = 80  # characters of a text in a line


class Lines(enum.StrEnum):
    text = "text"
    json = "json"


UrlOption = Annotated[
    str | None,
    typer.Option(help="This service's address as Label Studio reaches it.", show_default="that of --host and the port"),
]


def serve(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port to listen on; 0 takes a free one.")] = 9090,
    backend: Annotated[str | None, typer.Option(help="pocketsphinx or transformers.", show_default="[asr]")] = None,
    model: Annotated[str | None, typer.Option(help="A local directory or a hub name.", show_default="[asr]")] = None,
    param: Annotated[
        list[str] | None, typer.Option(help="A parameter of the backend, as NAME=VALUE; may be given again.")
    ] = None,
    connect: Annotated[
        bool, typer.Option("--connect", help="Make this the project's ML backend, or set the one that is there anew.")
    ] = False,
    url: UrlOption = None,
    password_file: Annotated[
        Path | None,
        typer.Option(
            help="A file, which only its owner can read, with the password of the user `workbench`.",
            show_default=f"{PASSWORD_VARIABLE}, else none",
        ),
    ] = None,
    answer_within: Annotated[
        float, typer.Option(help="Seconds; fewer than Label Studio's ML_TIMEOUT_PREDICT, which is 100.")
    ] = 90.0,
    credentials: CredentialsOption = None,
    workspace: WorkspaceOption = Path("."),
) -> None:
    """Answer Label Studio's ML backend protocol: a task that is opened gets a fresh hypothesis.

    The same model, settings and audio as `workbench transcribe`: what the run has is answered at once, what it lacks is
    heard, answered and kept in the run. Label Studio asks for tasks without a prediction. Ctrl-C ends it.

    On 127.0.0.1 it answers this machine only; any other --host needs a password, which --connect tells Label Studio.
    Label Studio from 1.23.1 on asks nobody at a local address unless it is started with ML_BLOCK_LOCAL_IP=false.

    Example: workbench sync serve --connect
    """
    from workbench.asr.backend import load_backend
    from workbench.errors import BadInput
    from workbench.server.guard import USER
    from workbench.server.pre_annotation import pre_annotation_app
    from workbench.server.running import is_loopback, running
    from workbench.stages.sync.pre_annotate import PreAnnotator
    from workbench.stages.sync.registration import ml_backend, present_project
    from workbench.stages.transcribe import chosen_model, language_warning

    _check_seconds("--answer-within", answer_within)
    opened = open_workspace(workspace)
    password = _password(password_file)
    if password is None and not is_loopback(host):
        raise BadInput(f"--host {host} lets other machines in; give --password-file or set {PASSWORD_VARIABLE}")
    with contextlib.ExitStack() as stack:
        stack.enter_context(_ended_in_order())
        connection = stack.enter_context(connected(credentials)) if connect else None
        binding = present_project(opened, connection) if connection else None
        loaded = load_backend(*chosen_model(opened, backend, model, parameters(param)))
        if warning := language_warning(opened, loaded.name, loaded.model):
            say(warning)
        hypotheses = stack.enter_context(PreAnnotator(opened, loaded, _stamped))
        app = pre_annotation_app(
            lambda tasks: hypotheses.predictions(tasks, answer_within), hypotheses.run_id, password
        )
        if hypotheses.makes_a_run:
            say(
                f"{hypotheses.run_id} is a new run, which other commands pass over until `workbench transcribe` with "
                "the same options has completed it"
            )
        address = stack.enter_context(running(app, host, port))
        say(f"{hypotheses.run_id} answers at {address}; Ctrl-C ends it")
        if connection is not None and binding is not None:
            reached = url or address
            stack.enter_context(
                ml_backend(opened, connection, binding, reached, USER, password or "", hypotheses.run_id, say)
            )
        threading.Event().wait()


def watch(
    every: Annotated[float, typer.Option(help="Seconds between two looks at the server.")] = 60.0,
    listen: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="Take webhooks as hints on this port, and look at once; 0: a free one."),
    ] = None,
    host: Annotated[str, typer.Option(help="With --listen: the address to listen on.")] = "127.0.0.1",
    url: UrlOption = None,
    push: Annotated[bool, typer.Option("--push", help="Send what changes here, too.")] = False,
    credentials: CredentialsOption = None,
    workspace: WorkspaceOption = Path("."),
    format: Annotated[Lines, typer.Option("--format", help="How to print a change.")] = Lines.text,
) -> None:
    """Pull whenever something is new on the server, and print a line for each change, until Ctrl-C.

    With --listen it registers a webhook with a secret of its own at the project, and removes it at the end. What a
    webhook says is not read: it is a hint to look, and the server is looked at every so often without one as well.

    Label Studio from 1.23.1 on sends webhooks to no local address unless it is started with
    SSRF_PROTECTION_ENABLED=false.

    Example: workbench sync watch --listen 9191
    """
    import secrets

    from workbench.errors import BadInput
    from workbench.server.running import running
    from workbench.server.webhooks import webhooks_app
    from workbench.stages.sync.registration import Webhook, present_project
    from workbench.stages.sync.watch import Hints, Watch

    if url is not None and listen is None:
        raise BadInput("--url goes with --listen: it is where Label Studio sends its webhooks")
    _check_seconds("--every", every)
    opened = open_workspace(workspace)
    tell = _tell_json if format is Lines.json else _tell
    hints = Hints()
    with contextlib.ExitStack() as stack:
        stack.enter_context(_ended_in_order())
        connection = stack.enter_context(connected(credentials))
        binding = present_project(opened, connection)
        check: Callable[[], None] | None = None
        if listen is not None:
            secret = secrets.token_urlsafe(32)
            address = stack.enter_context(running(webhooks_app(binding.mark, secret, hints.give), host, listen))
            check = stack.enter_context(Webhook(connection, binding, url or address, secret, say)).check
        say(f"watching project {binding.project_id} on {connection.server} every {every:g} s; Ctrl-C ends it")
        Watch(opened, connection, every, hints, tell, say, check, push).run()


def _check_seconds(option: str, seconds: float) -> None:
    from workbench.errors import BadInput

    if not 1 <= seconds <= _LONGEST_SECONDS:
        raise BadInput(f"{option} {seconds:g} must be from 1 to {_LONGEST_SECONDS} seconds")


def _password(file: Path | None) -> str | None:
    from workbench.errors import BadInput
    from workbench.label_studio.credentials import read_private

    if file is None:
        return os.environ.get(PASSWORD_VARIABLE) or None
    password = read_private(file, "password").partition("\n")[0].strip()
    if not password:
        raise BadInput(f"{file}: no password in its first line")
    return password


@contextlib.contextmanager
def _ended_in_order() -> Iterator[None]:
    """Ctrl-C and SIGTERM end the block, whose ends are waited for; exit code 130, or 0 where a service was asked to."""
    ended_by: list[int] = []

    def end(number: int, _: Any) -> None:
        ended_by.append(number)
        raise KeyboardInterrupt

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    except KeyboardInterrupt:
        raise typer.Exit(0 if ended_by[:1] == [signal.SIGTERM] else _INTERRUPTED) from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _stamped(line: str) -> None:
    from datetime import datetime

    # What a task says of itself is part of it, and must not look like a line of its own.
    say(f"{datetime.now():%H:%M:%S} {' '.join(line.splitlines())}")


def _tell(change: dict[str, Any]) -> None:
    text = change["text"] if len(change["text"]) <= _LONGEST_TEXT else change["text"][:_LONGEST_TEXT] + "…"
    remarks = f" [{change['remarks']}]" if change.get("remarks") else ""
    when = change["time"].replace("T", " ").removesuffix("+00:00")
    line = f"{when}  {change['annotator']}  {change['utterance_id']}  {change['what']}{remarks}  {text}"
    print(printable(line.rstrip()), flush=True)


def _tell_json(change: dict[str, Any]) -> None:
    print(json.dumps(change, ensure_ascii=False), flush=True)


def add_to(app: typer.Typer) -> None:
    app.command()(watch)
    app.command()(serve)
