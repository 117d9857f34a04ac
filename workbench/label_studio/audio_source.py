"""How a task gets its audio: files that the server sees too, addresses made from a template, or uploaded files."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit

from workbench.config import CONFIG_NAME
from workbench.errors import BadInput
from workbench.label_studio.errors import BadReply, Refused, Unanswered
from workbench.label_studio.records import AUDIO, WantedTask

if TYPE_CHECKING:
    from workbench.label_studio.connection import Connection

LOCAL, URL, UPLOAD = "local", "url", "upload"
PLACEHOLDERS = ("path", "utterance_id", "recording")
NOT_UPLOADED = "upload:"
"""What an audio field holds in a dry run, before the name of a file that is to be uploaded."""

_TAKEN = frozenset({".flac", ".m4a", ".mp3", ".mp4", ".ogg", ".wav", ".webm"})
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_TRIES = 5
_ONLY_KEEP = {"commit_to_project": "false"}
_SERVERS_ROOT = re.compile(r'LOCAL_FILES_DOCUMENT_ROOT=\\?"([^"\\]+)\\?"')


@dataclass(frozen=True)
class AudioFile:
    """What an utterance's audio is here.

    Attributes:
        path: the file; None where only the address matters.
        name: a name that files of the same content have, and no others; empty: by hashing the file.
        within: the file's path below the workspace, or the absolute one without its first slash.
        recording: the recording's path as the workspace has it.
    """

    path: Path | None
    name: str = ""
    within: str = ""
    recording: str = ""


@dataclass(frozen=True)
class AudioSource:
    """Which of the three ways audio takes, and its setting."""

    kind: str = UPLOAD
    document_root: str = ""
    url_template: str = ""

    def check(self) -> None:
        """Refuses settings that can give no audio.

        Raises:
            BadInput: there is no document root, or the template is none.
        """
        if self.kind == LOCAL and not (self.document_root and Path(self.document_root).is_dir()):
            raise BadInput(
                f"[label_studio] document_root = {self.document_root!r} is no directory here; name the one that the "
                "server has as LOCAL_FILES_DOCUMENT_ROOT"
            )
        if self.kind == URL:
            _check_template(self.url_template)

    @property
    def placeholders(self) -> set[str]:
        """What the template asks for; nothing for the other two ways."""
        return set(_PLACEHOLDER.findall(self.url_template)) if self.kind == URL else set()


@dataclass
class Audio:
    """The addresses of utterances' audio, what has none, and how many files were uploaded, or would be."""

    urls: dict[str, str] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)
    uploads: int = 0


def with_audio(tasks: Iterable[WantedTask], audio: Audio) -> list[WantedTask]:
    """The tasks whose audio has an address, with it."""
    return [
        replace(task, data={AUDIO: audio.urls[task.utterance_id], **task.data})
        for task in tasks
        if task.utterance_id in audio.urls
    ]


def provide_audio(
    connection: Connection,
    project_id: int,
    source: AudioSource,
    files: Mapping[str, AudioFile],
    held: Iterable[str] = (),
    dry_run: bool = False,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Audio:
    """The addresses of the audio of utterances; the server is given what it needs to serve them.

    Doing it again gives the same addresses and sends nothing, whoever sent the files.

    Args:
        files: by utterance.
        held: addresses that tasks of the project have now.
        dry_run: nothing is changed; a file that is to be uploaded has the address `upload:` and its name.

    Raises:
        BadInput: the settings can give no audio.
        ServerError: the server does not answer, or does not serve local files.
    """
    source.check()
    if source.kind == URL:
        return Audio({name: filled_template(source.url_template, name, file) for name, file in files.items()})
    if source.kind == LOCAL:
        return _local_audio(connection, project_id, source, files, dry_run)
    return _uploaded_audio(connection, project_id, files, held, dry_run, progress)


# -- addresses from a template ----------------------------------------------------------------------------------


def _check_template(template: str) -> None:
    unknown = [name for name in _PLACEHOLDER.findall(template) if name not in PLACEHOLDERS]
    known = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
    where = f"[label_studio] url_template = {template!r}"
    if unknown:
        raise BadInput(f"{where} has the placeholder {{{unknown[0]}}}; the known ones are {known}")
    bare = _PLACEHOLDER.sub("x", template)
    parts = urlsplit(bare) if "\n" not in bare else urlsplit("")
    if "{" in bare or "}" in bare or parts.scheme not in ("http", "https") or not parts.netloc:
        raise BadInput(f"{where} is no address; write one as 'https://audio.example.com/{{path}}'")
    if "@" in parts.netloc:
        fact = "a user name or a password in it, which every labeller would see"
        raise BadInput(f"[label_studio] url_template has {fact}; leave them out")
    if bare == template:
        raise BadInput(f"{where} is the same for every utterance; put one of {known} into it")


def filled_template(template: str, utterance_id: str, file: AudioFile) -> str:
    """The address of an utterance's audio; what takes a placeholder's place is percent-encoded.

    >>> filled_template("https://audio.example.com/{path}", "u1", AudioFile(None, within="a b/c#1.flac"))
    'https://audio.example.com/a%20b/c%231.flac'
    """
    values = {
        "path": _quoted_path(file.within),
        "recording": _quoted_path(file.recording),
        "utterance_id": _quoted(utterance_id),
    }
    return _PLACEHOLDER.sub(lambda found: values[found.group(1)], template)


def _quoted(text: str) -> str:
    return quote(text.encode("utf-8", "surrogateescape"), safe="")


def _quoted_path(path: str) -> str:
    return "/".join(map(_quoted, path.lstrip("/").split("/")))


# -- files that the server sees too -----------------------------------------------------------------------------


def local_address(path: Path, root: Path) -> str:
    """The address under which the server's local files storage serves a file.

    Raises:
        BadInput: the file, all links followed, does not lie below a directory of the root.
    """
    real, real_root = path.resolve(), root.resolve()
    if not real.is_relative_to(real_root):
        raise BadInput(
            f"{path} lies outside document_root ({root}), where the server does not see it; move the workspace below "
            'it, or set [label_studio] audio = "upload"'
        )
    relative = PurePosixPath(real.relative_to(real_root))
    if len(relative.parts) < 2:
        raise BadInput(f"{path} lies in document_root itself, which Label Studio does not serve; move it a level down")
    if (real.parent / CONFIG_NAME).is_file():
        raise BadInput(
            f"{path} lies beside {CONFIG_NAME}, and labellers could read the workspace's tables if that directory were "
            "served; move recordings into a directory of their own"
        )
    return f"/data/local-files/?d={_quoted_path(str(relative))}"


def _local_audio(
    connection: Connection, project_id: int, source: AudioSource, files: Mapping[str, AudioFile], dry_run: bool
) -> Audio:
    audio, root = Audio(), Path(source.document_root).resolve()
    for utterance_id, file in files.items():
        try:
            audio.urls[utterance_id] = local_address(_path(file), root)
        except BadInput as problem:
            audio.faults[utterance_id] = str(problem)
    if audio.urls and not dry_run:
        _serve(connection, project_id, root, served_directories(audio.urls.values(), root))
    return audio


def served_directories(addresses: Iterable[str], root: Path, most: int = 8) -> list[str]:
    """The directories below the root that hold the files: their own ones, or higher ones where those are too many.

    Whoever may see the project may see all that lies below them, so they are no higher than they need be, and never a
    workspace with its tables, nor above one.

    >>> start = "/data/local-files/?d="
    >>> served_directories([f"{start}ws/audio/b.wav", f"{start}ws/audio/c/d.wav", f"{start}ws/rec/e.wav"], Path("/"))
    ['ws/audio', 'ws/rec']
    """
    parents = {address.partition("?d=")[2].rpartition("/")[0] for address in addresses}
    directories = {tuple(unquote(parent, errors="surrogateescape").split("/")) for parent in parents}
    workspaces: dict[tuple[str, ...], bool] = {}

    def least(one: tuple[str, ...]) -> int:
        """How much of a directory's path must stay."""
        for n in range(len(one), -1, -1):
            if workspaces.setdefault(one[:n], root.joinpath(*one[:n], CONFIG_NAME).is_file()):
                return n + 1
        return 1

    while True:
        directories = {one for one in directories if not any(one[:n] in directories for n in range(1, len(one)))}
        deepest = max((len(one) for one in directories if len(one) > least(one)), default=0)
        if len(directories) <= most or not deepest:
            return sorted("/".join(one) for one in directories)
        directories = {one[: max(deepest - 1, least(one))] for one in directories}


def _serve(connection: Connection, project_id: int, root: Path, directories: list[str]) -> None:
    """Lets the project serve these directories: each needs a local files storage, which is never synchronised."""
    storages = connection.get("api/storages/localfiles/", {"project": project_id})
    if not isinstance(storages, list):
        raise BadReply(f"{connection.server}: the list of the project's storages is no list")
    paths = [one.get("path") for one in storages if isinstance(one, dict)]
    known = [PurePosixPath(path) for path in paths if isinstance(path, str)]

    def is_served(path: str) -> bool:
        return any(PurePosixPath(path).is_relative_to(one) for one in known)

    for directory in directories:
        path = str(root / directory)
        if is_served(path):
            continue
        try:
            _add_storage(connection, project_id, path)
        except Refused as refused:
            # The server may have the same directory under another name, as in a container; it says under which.
            there = _SERVERS_ROOT.search(str(refused))
            if there is None or there.group(1).rstrip("/") == str(root):
                raise
            path = f"{there.group(1).rstrip('/')}/{directory}"
            if not is_served(path):
                _add_storage(connection, project_id, path)


def _add_storage(connection: Connection, project_id: int, path: str) -> None:
    body = {"project": project_id, "path": path, "title": "speech-workbench audio", "use_blob_urls": True}
    try:
        connection.send("POST", "api/storages/localfiles/", body)
    except Unanswered:
        # A second storage of the same directory does no harm; none at all keeps every file silent.
        time.sleep(1)
        storages = connection.get("api/storages/localfiles/", {"project": project_id})
        if not any(isinstance(one, dict) and one.get("path") == path for one in storages or []):
            connection.send("POST", "api/storages/localfiles/", body)


# -- uploaded files ---------------------------------------------------------------------------------------------


def _path(file: AudioFile) -> Path:
    assert file.path is not None, "a file is needed for this way of giving audio"
    return file.path


def _upload_name(file: AudioFile) -> str:
    """The name that a file is uploaded under: of its content, so that the server tells what it has.

    Raises:
        BadInput: the file cannot be read, or is of a kind that the server does not take.
    """
    from workbench.audio.fingerprint import content_hash
    from workbench.errors import UnreadableAudio

    path = _path(file)
    ending = path.suffix.lower()
    if ending not in _TAKEN:
        raise BadInput(f"{path} is a {ending or 'file'} that Label Studio does not take; run `workbench normalize`")
    try:
        return file.name or f"{content_hash(path)}{ending}"
    except UnreadableAudio as problem:
        raise BadInput(str(problem)) from None


def _uploaded_audio(
    connection: Connection,
    project_id: int,
    files: Mapping[str, AudioFile],
    held: Iterable[str],
    dry_run: bool,
    progress: Callable[[int, int], None],
) -> Audio:
    audio, names = Audio(), {}
    for utterance_id, file in files.items():
        try:
            names[utterance_id] = _upload_name(file)
        except BadInput as problem:
            audio.faults[utterance_id] = str(problem)
    paths = {name: _path(files[utterance_id]) for utterance_id, name in reversed(names.items())}
    found = _by_name(held, project_id)
    if any(name not in found for name in paths):
        found = _uploads(connection, project_id) | found
    missing = {name: path for name, path in paths.items() if name not in found}
    reasons: dict[str, str] = {}
    if dry_run:
        found |= {name: NOT_UPLOADED + name for name in missing}
    elif missing:
        reasons = _upload_all(connection, project_id, missing, progress)
        found = _uploads(connection, project_id) | found
    audio.uploads = sum(name in found for name in missing)
    for utterance_id, name in names.items():
        if name in found:
            audio.urls[utterance_id] = found[name]
        else:
            audio.faults[utterance_id] = reasons.get(name) or f"{paths[name]}: its upload was not answered; push again"
    return audio


def _upload_all(
    connection: Connection, project_id: int, paths: Mapping[str, Path], progress: Callable[[int, int], None]
) -> dict[str, str]:
    """Uploads files, and those that were not answered again unless the server has them; gives reasons of refusals.

    A server whose configuration reads several fields keeps the file and answers 400 all the same, because it would
    make tasks of it: whether a file is there is told by the list of files, not by the answer.
    """
    reasons: dict[str, str] = {}
    left = dict(paths)
    for number in range(_TRIES):
        unsure: dict[str, Path] = {}
        for done, (name, path) in enumerate(left.items(), start=len(paths) - len(left) + 1):
            try:
                connection.upload(f"api/projects/{project_id}/import", name, path.read_bytes(), _ONLY_KEEP)
            except Unanswered:
                unsure[name] = path
            except OSError as problem:
                reasons[name] = f"{path} cannot be read ({problem.strerror})"
            except Refused as problem:
                if problem.status in (401, 403, 404):
                    raise
                reasons[name] = f"{path}: {problem}"
            progress(done, len(paths))
        if not unsure:
            break
        time.sleep(2**number)  # what was not answered may still be on its way
        there = _uploads(connection, project_id)
        left = {name: path for name, path in unsure.items() if name not in there}
    return reasons


def _uploads(connection: Connection, project_id: int) -> dict[str, str]:
    """The addresses of the files that this account uploaded to the project, by name."""
    listed = connection.get(f"api/projects/{project_id}/file-uploads", {"all": "true"})
    if not isinstance(listed, list):
        raise BadReply(f"{connection.server}: the list of the project's uploaded files is no list")
    files = [one.get("file") for one in listed if isinstance(one, dict)]
    return _by_name((f"/data/{file}" for file in files if isinstance(file, str)), project_id)


def _by_name(addresses: Iterable[str], project_id: int) -> dict[str, str]:
    """Addresses of uploaded files of a project by the names that they were uploaded under; of two the first."""
    marked = re.compile(rf"/data/upload/{project_id}/[0-9a-f]{{8}}-([^/?#]+)")
    named: dict[str, str] = {}
    for address in addresses:
        found = marked.fullmatch(address) if isinstance(address, str) else None
        if found:
            named.setdefault(found.group(1), address)
    return named
