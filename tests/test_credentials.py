"""Where URL and token come from, and what a token shows of itself: nothing."""

from __future__ import annotations

import copy
import dataclasses
import io
import json
import logging
import os
import pickle
import stat
import threading
import traceback
from pathlib import Path

import pandas as pd
import pytest

from workbench.errors import BadInput
from workbench.label_studio.credentials import (
    Credentials,
    checked_token,
    checked_url,
    default_file,
    find_credentials,
    read_credentials,
    write_credentials,
)
from workbench.label_studio.secret import Secret

TOKEN = "0123456789abcdef0123456789abcdef01234567"
URL = "https://labels.example.com"


@pytest.fixture(autouse=True)
def nothing_given(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("LABEL_STUDIO_URL", raising=False)
    monkeypatch.delenv("LABEL_STUDIO_API_KEY", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


def private(path: Path, text: str, mode: int = 0o600) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return path


def refusal(file: Path | None = None) -> str:
    """What find_credentials says, after a look that it says no more than it should."""
    with pytest.raises(BadInput) as raised:
        find_credentials(file)
    shown = "".join(traceback.format_exception(raised.value))
    assert TOKEN not in shown
    assert raised.value.__context__ is None or isinstance(raised.value.__context__, FileNotFoundError)
    assert "\n" not in str(raised.value)
    return str(raised.value)


# -- where they come from ----------------------------------------------------------------------------------------------


def test_the_environment_gives_both(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LABEL_STUDIO_URL", f" {URL}/team/ ")
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", f"{TOKEN}\n")
    found = find_credentials()
    assert (found.url, found.token.reveal(), found.verify) == (f"{URL}/team", TOKEN, True)


def test_half_of_them_in_the_environment_is_not_made_whole_by_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    private(default_file(), f'url = "{URL}"\ntoken = "{TOKEN}"')
    monkeypatch.setenv("LABEL_STUDIO_URL", "https://elsewhere.example.com")
    assert "LABEL_STUDIO_URL is set and LABEL_STUDIO_API_KEY is not" in refusal()
    monkeypatch.delenv("LABEL_STUDIO_URL")
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", TOKEN)
    assert "LABEL_STUDIO_API_KEY is set and LABEL_STUDIO_URL is not" in refusal()


def test_the_default_file_is_read_where_the_environment_is_silent(tmp_path: Path) -> None:
    assert default_file() == tmp_path / "config" / "workbench" / "label-studio.toml"
    assert "workbench sync connect --save" in refusal()
    private(default_file(), f'url = "{URL}"\ntoken = "{TOKEN}"')
    assert find_credentials() == Credentials(URL, Secret(TOKEN))


def test_a_relative_directory_of_settings_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", "here")
    assert default_file() == Path.home() / ".config" / "workbench" / "label-studio.toml"


def test_a_file_that_is_named_goes_before_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LABEL_STUDIO_URL", "https://elsewhere.example.com")
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", "another")
    file = private(tmp_path / "mine.toml", f'url = "{URL}"\ntoken = "{TOKEN}"')
    assert find_credentials(file).url == URL


def test_a_file_of_certificates_stands_beside_it(tmp_path: Path) -> None:
    private(tmp_path / "ca.pem", "-")
    file = private(tmp_path / "mine.toml", f'url = "{URL}"\ntoken = "{TOKEN}"\nca_file = "ca.pem"')
    assert read_credentials(file).verify == str(tmp_path / "ca.pem")


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660])
def test_a_file_that_others_can_read_is_refused_with_the_remedy(tmp_path: Path, mode: int) -> None:
    file = private(tmp_path / "mine.toml", f'url = "{URL}"\ntoken = "{TOKEN}"', mode)
    assert refusal(file) == f"{file}: others can read the token (mode {mode:04o}); run: chmod 600 {file}"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (f'token = "{TOKEN}"', "url missing"),
        (f'url = "{URL}"', "token missing"),
        ("", "url and token missing"),
        (f'url = "{URL}"\ntoken = {TOKEN}', "not TOML (at line 2"),
        (f"{TOKEN}", "not TOML (at "),
        (f'url = "{URL}"\ntoken = "{TOKEN}"\ntokn = "x"', "1 unknown setting"),
        (f'url = ["{URL}"]\ntoken = "{TOKEN}"', "url must be text"),
        (f'url = "{URL}"\ntoken = "{TOKEN}"\nca_file = "none.pem"', "none.pem is not a file"),
        (f'url = "{TOKEN}"\ntoken = "{URL}"', "does not begin with http"),
    ],
)
def test_a_file_that_is_not_as_it_must_be_is_told_in_one_sentence(tmp_path: Path, text: str, says: str) -> None:
    assert says in refusal(private(tmp_path / "mine.toml", text))


def test_what_is_no_text_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    assert "not a file of text" in refusal(tmp_path / "pipe")
    assert "not a file of text" in refusal(tmp_path)
    binary = tmp_path / "binary"
    binary.write_bytes(TOKEN.encode() + b"\xff\xfe")
    binary.chmod(0o600)
    assert "not UTF-8" in refusal(binary)
    assert "more than 65536 bytes" in refusal(private(tmp_path / "large", "#" * 70_000))
    assert "no such file" in refusal(tmp_path / "nothing")


# -- URLs and tokens ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("http://localhost:8080", "http://localhost:8080"),
        ("https://labels.example.com/", "https://labels.example.com"),
        (" https://labels.example.com/team/labels// ", "https://labels.example.com/team/labels"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("HTTPS://Labels.Example.com/Team", "https://labels.example.com/Team"),
    ],
)
def test_urls_lose_their_last_slash(given: str, url: str) -> None:
    assert checked_url(given, "url") == url


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("labels.example.com", "does not begin with http:// or https://"),
        ("ftp://labels.example.com", "does not begin with http:// or https://"),
        ("https://", "names no host"),
        ("https://ann_a:pass-word-1@labels.example.com", "leave them out"),
        ("https://labels.example.com/?token=abc", "after ? or #"),
        ("https://labels.example.com/#abc", "after ? or #"),
        ("https://labels.example.com/a b", "a space or a character"),
        ("https://labels.example.com\x00", "a space or a character"),
        ("https://labels.example.com:99999", "a host or a port that cannot be"),
        ("https://[labels", "a host or a port that cannot be"),
        (TOKEN, "does not begin with http:// or https://"),
    ],
)
def test_urls_that_no_server_has_are_refused_and_never_repeated(url: str, says: str) -> None:
    with pytest.raises(BadInput) as raised:
        checked_url(url, "LABEL_STUDIO_URL")
    assert raised.value.__context__ is None
    assert says in str(raised.value)
    assert not any(part in str(raised.value) for part in (TOKEN, "pass-word-1", "abc"))


@pytest.mark.parametrize("token", ["", "Token abc", "abc\ndef", "schlüssel", "a\x7fb", "a" * 9000, "http://host/abc"])
def test_tokens_that_no_header_can_carry_are_refused_and_never_repeated(token: str) -> None:
    with pytest.raises(BadInput) as raised:
        checked_token(token, "LABEL_STUDIO_API_KEY")
    assert not token or token not in str(raised.value)


# -- the file that is written ------------------------------------------------------------------------------------------


def test_the_file_that_is_written_is_its_owners_from_the_first_moment(tmp_path: Path) -> None:
    """Another thread looks at everything in the directory while the file is written again and again."""
    directory, stop, seen = tmp_path / "config", threading.Event(), set()
    directory.mkdir()

    def watch() -> None:
        while not stop.is_set():
            for entry in os.scandir(directory):
                try:
                    seen.add(stat.S_IMODE(entry.stat().st_mode))
                except FileNotFoundError:
                    continue

    before = os.umask(0)
    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        for _ in range(200):
            write_credentials(directory / "mine.toml", Credentials(URL, Secret(TOKEN)))
    finally:
        os.umask(before)
        stop.set()
        watcher.join()
    assert seen == {0o600}
    assert [entry.name for entry in directory.iterdir()] == ["mine.toml"]


@pytest.mark.parametrize("token", [TOKEN, 'a"b\\c', "x.y.z"])
def test_what_was_written_is_read_again(tmp_path: Path, token: str) -> None:
    private(tmp_path / "ca.pem", "-")
    given = Credentials(URL, Secret(token), str(tmp_path / "ca.pem"))
    write_credentials(tmp_path / "deep" / "mine.toml", given)
    assert read_credentials(tmp_path / "deep" / "mine.toml") == given
    assert stat.S_IMODE((tmp_path / "deep").stat().st_mode) == 0o700


def test_a_file_that_cannot_be_written_leaves_the_one_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "mine.toml"
    write_credentials(file, Credentials(URL, Secret("first")))

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_credentials(file, Credentials(URL, Secret("second")))
    assert read_credentials(file).token.reveal() == "first"
    assert [entry.name for entry in tmp_path.iterdir()] == ["mine.toml"]


# -- what a token shows ------------------------------------------------------------------------------------------------


def test_a_secret_shows_itself_only_when_asked() -> None:
    secret = Secret(TOKEN)
    credentials = Credentials(URL, secret)
    log = io.StringIO()
    logger = logging.getLogger("test_credentials")
    logger.addHandler(logging.StreamHandler(log))
    logger.warning("%s %r", secret, credentials)
    shown = [
        f"{secret} {secret!r} {secret:>50} {credentials}",
        str(secret),
        repr([secret]),
        "%s" % secret,  # noqa: UP031
        "{}".format(secret),  # noqa: UP032
        json.dumps({"token": secret}),
        repr(dataclasses.asdict(credentials)),
        json.dumps(dataclasses.asdict(credentials)),
        pd.DataFrame([dataclasses.asdict(credentials)]).to_csv(),
        repr(vars(credentials)),
        repr(copy.deepcopy(credentials)),
        str(secret + "x") + secret.upper() + "".join(secret) + secret.encode().decode(),
        log.getvalue(),
    ]
    assert not [one for one in shown if TOKEN in one or TOKEN.upper() in one]
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        stored = pickle.dumps(secret, protocol)
        assert TOKEN.encode() not in stored
        assert pickle.loads(stored) == "…"
    assert secret.reveal() == TOKEN == copy.deepcopy(secret).reveal()


def test_secrets_are_equal_where_their_values_are() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    with pytest.raises(AttributeError):
        Secret("a")._reveal = str
