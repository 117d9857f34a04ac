"""How tasks get their audio: addresses from templates, files that the server sees too, files that it is given."""

from __future__ import annotations

import contextlib
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.label_studio_server import RealServer
from workbench.demo.corpus import CORPUS
from workbench.errors import BadInput
from workbench.label_studio.audio_source import (
    LOCAL,
    UPLOAD,
    URL,
    Audio,
    AudioFile,
    AudioSource,
    filled_template,
    local_address,
    provide_audio,
    served_directories,
    with_audio,
)
from workbench.label_studio.connection import Connection
from workbench.label_studio.credentials import Credentials
from workbench.label_studio.errors import Refused, Unanswered
from workbench.label_studio.labelling_config import labelling_config
from workbench.label_studio.records import WantedTask
from workbench.label_studio.secret import Secret

CLIPS = sorted((CORPUS / "audio").iterdir())[:3]


@pytest.fixture
def connection(label_studio: RealServer) -> Iterator[Connection]:
    with Connection(Credentials(label_studio.url, Secret(label_studio.token)), pause=0.05) as made:
        yield made


@pytest.fixture
def project(connection: Connection) -> int:
    body = {"title": "audio", "label_config": labelling_config("en", with_segments=False)}
    return int(connection.send("POST", "api/projects", body)["id"])


def fetched(server: RealServer, address: str) -> bytes:
    """What the server gives a labeller's browser for an address."""
    request = urllib.request.Request(server.url + address, headers={"Authorization": f"Token {server.token}"})
    with urllib.request.urlopen(request, timeout=60) as reply:
        return bytes(reply.read())


# addresses from a template


def test_what_takes_a_placeholders_place_is_percent_encoded() -> None:
    file = AudioFile(None, within="/a b/음성#1?.flac", recording="../r&d.wav")
    assert filled_template("https://a.example.com/{path}", "u1", file) == (
        "https://a.example.com/a%20b/%EC%9D%8C%EC%84%B1%231%3F.flac"
    )
    assert filled_template("http://a.example.com/?u={utterance_id}&r={recording}", "a/b&c", file) == (
        "http://a.example.com/?u=a%2Fb%26c&r=../r%26d.wav"
    )


@pytest.mark.parametrize(
    ("template", "problem"),
    [
        ("https://a.example.com/{pth}", "placeholder {pth}; the known ones are {path}, {utterance_id}, {recording}"),
        ("https://a.example.com/{}", "placeholder {}"),
        ("https://a.example.com/{path.__class__}", "placeholder {path.__class__}"),
        ("https://a.example.com/{path", "is no address"),
        ("javascript:alert('{path}')", "is no address"),
        ("{path}", "is no address"),
        ("", "is no address"),
        ("https://a.example.com/a.wav", "the same for every utterance"),
        ("https://kim:secret@a.example.com/{path}", "a user name or a password in it, which every labeller would see"),
    ],
)
def test_a_template_that_makes_no_address_is_refused(template: str, problem: str) -> None:
    with pytest.raises(BadInput) as refused:
        AudioSource(URL, url_template=template).check()
    assert problem in str(refused.value) and "secret" not in str(refused.value)


# files that the server sees too


def test_a_local_address_begins_at_the_root(tmp_path: Path) -> None:
    (tmp_path / "team" / "음성").mkdir(parents=True)
    assert local_address(tmp_path / "team" / "음성" / "a+b 1%.wav", tmp_path) == (
        "/data/local-files/?d=team/%EC%9D%8C%EC%84%B1/a%2Bb%201%25.wav"
    )


def test_no_file_leaves_the_root(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "root-beside"
    for directory in (root / "team", outside):
        directory.mkdir(parents=True)
    (outside / "secret.wav").touch()
    (root / "team" / "link.wav").symlink_to(outside / "secret.wav")
    (root / "out").symlink_to(outside)
    for path in (outside / "secret.wav", root / "team" / "link.wav", root / "out" / "secret.wav", root / "../x.wav"):
        with pytest.raises(BadInput, match="lies outside document_root"):
            local_address(path, root)
    with pytest.raises(BadInput, match="lies in document_root itself"):
        local_address(root / "a.wav", root)


def test_a_link_to_the_root_is_the_root(tmp_path: Path) -> None:
    (tmp_path / "real" / "team").mkdir(parents=True)
    (tmp_path / "root").symlink_to(tmp_path / "real")
    assert local_address(tmp_path / "root" / "team" / "a.wav", tmp_path / "real").endswith("?d=team/a.wav")


def test_no_more_directories_are_served_than_need_be(tmp_path: Path) -> None:
    start = "/data/local-files/?d="
    apart = [f"{start}ws/audio/1.wav", f"{start}ws/audio/x/2.wav", f"{start}ws/rec%20a/3.wav"]
    root = tmp_path
    assert served_directories(apart, root) == ["ws/audio", "ws/rec a"]
    chapters = [f"{start}ws/train/{n}/{chapter}/1.wav" for n in range(20) for chapter in range(3)]
    assert served_directories([*chapters, f"{start}other/a/1.wav"], root) == ["other/a", "ws/train"]
    assert len(served_directories([f"{start}{n}/1.wav" for n in range(20)], root)) == 20


def test_a_workspace_with_its_tables_is_never_served_as_a_whole(tmp_path: Path) -> None:
    (tmp_path / "team/ws").mkdir(parents=True)
    (tmp_path / "team/ws/workbench.toml").touch()
    many = [f"/data/local-files/?d=team/ws/{n}/{part}/1.wav" for n in range(20) for part in range(3)]
    assert served_directories(many, tmp_path) == sorted(f"team/ws/{n}" for n in range(20))
    with pytest.raises(BadInput, match=r"lies beside workbench\.toml"):
        local_address(tmp_path / "team/ws/a.wav", tmp_path)


def test_the_server_gives_local_files_of_the_project(
    connection: Connection, project: int, label_studio: RealServer
) -> None:
    directory = label_studio.document_root / "팀 1" / "audio"
    directory.mkdir(parents=True, exist_ok=True)
    files = {}
    for number, clip in enumerate(CLIPS):
        path = directory / f"{number}" / "a b#%.flac"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(clip.read_bytes())
        files[f"u{number}"] = AudioFile(path)
    source = AudioSource(LOCAL, str(label_studio.document_root))
    outside = AudioFile(CLIPS[0])
    audio = provide_audio(connection, project, source, {**files, "u9": outside})
    assert set(audio.faults) == {"u9"}
    for number, clip in enumerate(CLIPS):
        assert fetched(label_studio, audio.urls[f"u{number}"]) == clip.read_bytes()
    # Once more: the storage is there, and no task came of it.
    assert provide_audio(connection, project, source, files).urls == audio.urls
    storages = connection.get("api/storages/localfiles/", {"project": project})
    assert [Path(one["path"]) for one in storages] == [directory / "0", directory / "1", directory / "2"]
    assert connection.get("api/tasks", {"project": project})["total"] == 0


def test_a_document_root_that_is_not_the_servers_is_told(
    connection: Connection, project: int, tmp_path: Path, label_studio: RealServer
) -> None:
    (tmp_path / "nowhere there").mkdir()
    (tmp_path / "nowhere there" / "a.wav").touch()
    with pytest.raises(Refused) as refused:
        provide_audio(
            connection,
            project,
            AudioSource(LOCAL, str(tmp_path)),
            {"u1": AudioFile(tmp_path / "nowhere there" / "a.wav")},
        )
    assert str(label_studio.document_root) in str(refused.value)


def test_the_server_may_have_the_same_directory_under_another_name(
    connection: Connection, project: int, tmp_path: Path, label_studio: RealServer
) -> None:
    for root in (tmp_path, label_studio.document_root):
        (root / "shared").mkdir(exist_ok=True)
        (root / "shared" / "a.flac").write_bytes(CLIPS[0].read_bytes())
    files = {"u1": AudioFile(tmp_path / "shared" / "a.flac")}
    for _ in range(2):
        audio = provide_audio(connection, project, AudioSource(LOCAL, str(tmp_path)), files)
        assert fetched(label_studio, audio.urls["u1"]) == CLIPS[0].read_bytes()
    storages = connection.get("api/storages/localfiles/", {"project": project})
    assert [Path(one["path"]) for one in storages] == [label_studio.document_root / "shared"]


@pytest.mark.parametrize("root", ["", "/no/such/directory"])
def test_a_document_root_that_is_not_there_is_refused(root: str) -> None:
    with pytest.raises(BadInput, match="is no directory here"):
        AudioSource(LOCAL, root).check()


# uploaded files


def test_files_are_uploaded_once(connection: Connection, project: int, label_studio: RealServer) -> None:
    files = {f"u{number}": AudioFile(clip) for number, clip in enumerate(CLIPS)}
    source = AudioSource(UPLOAD)
    before = provide_audio(connection, project, source, files, dry_run=True)
    assert before.uploads == 3 and all(url.startswith("upload:") for url in before.urls.values())
    first = provide_audio(connection, project, source, files)
    assert (first.uploads, first.faults) == (3, {})
    for name, file in files.items():
        assert file.path is not None and fetched(label_studio, first.urls[name]) == file.path.read_bytes()
    again = provide_audio(connection, project, source, files)
    assert (again.uploads, again.urls) == (0, first.urls)
    assert connection.get("api/tasks", {"project": project})["total"] == 0


def test_equal_content_is_uploaded_once_and_another_account_uses_it(
    connection: Connection, project: int, label_studio: RealServer, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.flac"
    copy.write_bytes(CLIPS[0].read_bytes())
    files = {"u1": AudioFile(CLIPS[0]), "u2": AudioFile(copy)}
    audio = provide_audio(connection, project, AudioSource(UPLOAD), files)
    assert (audio.uploads, len(set(audio.urls.values()))) == (1, 1)
    other = Secret(label_studio.new_user("ann_b@example.com"))
    with Connection(Credentials(label_studio.url, other)) as theirs:
        # The server lists an account's own files only; the tasks tell of the others.
        held = provide_audio(theirs, project, AudioSource(UPLOAD), files, held=audio.urls.values())
    assert (held.uploads, held.urls) == (0, audio.urls)


def test_what_cannot_be_uploaded_is_a_fault_and_the_rest_is(
    connection: Connection, project: int, tmp_path: Path
) -> None:
    (tmp_path / "a.opus").touch()
    files = {
        "gone": AudioFile(tmp_path / "gone.wav"),
        "went": AudioFile(tmp_path / "went.wav", "0123-abcd.wav"),
        "kind": AudioFile(tmp_path / "a.opus"),
        "good": AudioFile(CLIPS[0]),
    }
    audio = provide_audio(connection, project, AudioSource(UPLOAD), files)
    assert set(audio.urls) == {"good"} and audio.uploads == 1
    assert "cannot be read" in audio.faults["gone"] and "cannot be read" in audio.faults["went"]
    assert audio.faults["kind"] == (
        f"{tmp_path / 'a.opus'} is a .opus that Label Studio does not take; run `workbench normalize`"
    )


class Dropping(Connection):
    """A way to the real server on which the answers to the first uploads are lost, after or before they are done."""

    lost = 0

    def upload(self, path: str, name: str, content: bytes, params: Any = None) -> Any:
        self.lost += 1
        if self.lost == 1:
            raise Unanswered("lost on the way there")
        if self.lost == 2:
            with contextlib.suppress(Refused):
                super().upload(path, name, content, params)
            raise Unanswered("lost on the way back")
        return super().upload(path, name, content, params)


def test_an_upload_without_an_answer_is_made_again_only_if_it_is_not_there(
    project: int, label_studio: RealServer
) -> None:
    files = {f"u{number}": AudioFile(clip) for number, clip in enumerate(CLIPS)}
    with Dropping(Credentials(label_studio.url, Secret(label_studio.token))) as connection:
        audio = provide_audio(connection, project, AudioSource(UPLOAD), files)
        assert (audio.uploads, audio.faults) == (3, {})
        listed = connection.get(f"api/projects/{project}/file-uploads", {"all": "true"})
    assert len(listed) == 3


def test_files_of_a_project_that_is_not_there_are_no_faults_of_theirs(connection: Connection) -> None:
    with pytest.raises(Refused):
        provide_audio(connection, 987654, AudioSource(UPLOAD), {"u1": AudioFile(CLIPS[0])})


def test_nobody_hears_the_files_without_an_account(
    connection: Connection, project: int, label_studio: RealServer
) -> None:
    audio = provide_audio(connection, project, AudioSource(UPLOAD), {"u1": AudioFile(CLIPS[0])})
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(label_studio.url + audio.urls["u1"], timeout=60)


def test_tasks_without_audio_are_left_out() -> None:
    tasks = [WantedTask("u1", {"why": ""}), WantedTask("u2", {})]
    assert with_audio(tasks, Audio({"u1": "/a.wav"})) == [WantedTask("u1", {"audio": "/a.wav", "why": ""})]
