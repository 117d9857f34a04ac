"""Requests to a real server, straight, through a front server and through a bad network; and to what is no server."""

from __future__ import annotations

import base64
import gzip
import itertools
import json
import socket
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.fault_proxy import FaultProxy
from tests.front_servers import certificate, front, reply, saying
from tests.label_studio_server import RealServer
from workbench.errors import BadInput
from workbench.label_studio.access import Access
from workbench.label_studio.connection import Connection
from workbench.label_studio.credentials import Credentials
from workbench.label_studio.errors import BadReply, NotReached, Refused, ServerError, Unanswered
from workbench.label_studio.project import read_project
from workbench.label_studio.secret import Secret

TOKEN = "0123456789abcdef0123456789abcdef01234567"
OWN_404 = b'{"id": "1", "status_code": 404, "version": "1.23.2", "detail": "No Task matches."}'


def connection(url: str, token: str = TOKEN, verify: bool | str = True, **settings: Any) -> Connection:
    return Connection(Credentials(url, Secret(token), verify), **({"tries": 3, "pause": 0.01} | settings))


@contextmanager
def failing(kind: type[ServerError], *tokens: str) -> Iterator[Callable[[], str]]:
    """Expect this failure, and look that neither it nor what led to it holds a token; gives what it says."""
    said: list[str] = []
    with pytest.raises(kind) as raised:
        yield lambda: said[0]
    problem = raised.value
    assert type(problem) is kind
    assert problem.__context__ is None and problem.__cause__ is None
    shown = "".join(traceback.format_exception(problem)) + repr(vars(problem))
    assert not [token for token in (TOKEN, *tokens) if token in shown]
    assert "\n" not in str(problem)
    said.append(str(problem))


# -- the real server ---------------------------------------------------------------------------------------------------


def test_a_legacy_token_reads_and_writes(label_studio: RealServer) -> None:
    with connection(label_studio.url, label_studio.token) as server:
        found = server.describe()
        assert (found.version, found.account.email, server.kind) == ("1.23.2", label_studio.admin, "legacy token")
        assert found.accounts[found.account.user_id] == found.account
        project = server.send("POST", "api/projects", {"title": "connection"})
        assert server.repeat("PATCH", f"api/projects/{project['id']}", {"title": "renamed"})["title"] == "renamed"
        assert server.get(f"/api/projects/{project['id']}")["title"] == "renamed"
        sent = server.upload(f"api/projects/{project['id']}/import", "tasks.json", b'[{"data": {"audio": "a.wav"}}]')
        assert sent["task_count"] == 1
        listed = server.get("api/tasks", {"project": project["id"], "page_size": 10, "resolve_uri": "false"})
        assert listed["total"] == 1
        assert server.repeat("DELETE", f"api/projects/{project['id']}") is None
        assert server.get(f"api/projects/{project['id']}", missing_ok=True) is None
        assert server.repeat("DELETE", f"api/projects/{project['id']}", gone_ok=True) is None
        with failing(Refused, label_studio.token) as said:
            server.get(f"api/projects/{project['id']}")
        assert said().endswith(
            f"refused GET api/projects/{project['id']} with 404 (No Project matches the given query.)"
        )


def test_a_personal_access_token_buys_access_and_buys_it_again(label_studio: RealServer) -> None:
    email = "ann_token@example.com"
    personal = label_studio.personal_token(label_studio.new_user(email))
    with FaultProxy(label_studio.url) as proxy, connection(proxy.url, personal) as server:
        assert (server.describe().account.email, server.kind) == (email, "personal access token")
        assert [path for _, path, _ in proxy.seen].count("/api/token/refresh/") == 1
        # An access token that the server no longer knows is one that ends sooner than it said.
        server._access._access = Secret("ended")
        project = server.send("POST", "api/projects", {"title": "once"})
        assert [path for _, path, _ in proxy.seen].count("/api/token/refresh/") == 2
        titles = [one["title"] for one in server.get("api/projects", {"page_size": 1000})["results"]]
        assert titles.count("once") == 1
        server.repeat("DELETE", f"api/projects/{project['id']}")


def test_a_personal_access_token_that_was_revoked_is_told(label_studio: RealServer) -> None:
    legacy = label_studio.new_user("ann_revoked@example.com")
    personal = label_studio.personal_token(legacy)
    label_studio.ask("POST", "/api/token/blacklist/", {"refresh": personal}, token=legacy)
    with connection(label_studio.url, personal) as server, failing(Refused, personal) as said:
        server.describe()
    assert "does not accept the personal access token (Token is blacklisted)" in said()


@pytest.mark.parametrize("token", [TOKEN, f"{'x' * 40}", "a.b.c"])
def test_a_wrong_token_is_told_and_never_repeated(label_studio: RealServer, token: str) -> None:
    with connection(label_studio.url, token) as server, failing(Refused, token) as said:
        server.describe()
    assert said() == (
        f"{label_studio.url}: does not accept the legacy token (Invalid token.); copy a new one from Account & "
        "Settings there"
    )


def test_a_personal_access_token_of_another_server_is_told(label_studio: RealServer) -> None:
    other = web_token({"token_type": "refresh", "exp": 8_000_000_000, "user_id": "1"})
    with connection(label_studio.url, other) as server, failing(Refused, other) as said:
        server.describe()
    assert "does not accept the personal access token (Token is invalid)" in said()


def test_a_server_under_a_sub_path(label_studio: RealServer) -> None:
    personal = label_studio.personal_token(label_studio.new_user("ann_path@example.com"))
    with front(label_studio.url, "/team/labels") as url:
        for token in (label_studio.token, personal):
            with connection(url, token) as server:
                assert server.describe().version == "1.23.2"
                assert server.get("/api/projects", {"page_size": 1})["results"] is not None
        above = url.removesuffix("/labels")
        with connection(above, label_studio.token) as server, failing(Refused) as said:
            server.describe()
        assert "no Label Studio answers there" in said()


def test_a_certificate_is_checked_and_can_be_named(label_studio: RealServer, tmp_path: Path) -> None:
    tls = certificate(tmp_path)
    with front(label_studio.url, tls=tls) as url:
        with connection(url, label_studio.token) as server, failing(NotReached) as said:
            server.describe()
        assert "its certificate cannot be trusted (self-signed certificate); if it is your own" in said()
        with connection(url, label_studio.token, str(tls[0])) as server:
            assert server.describe().version == "1.23.2"
        with connection(url.replace("https", "http"), label_studio.token) as server, failing(NotReached):
            server.describe()
    not_encrypted = connection(label_studio.url.replace("http", "https"), label_studio.token)
    with not_encrypted as server, failing(NotReached) as said:
        server.describe()
    assert "is it an http:// server?" in said()


def test_a_certificate_for_another_host_is_refused(label_studio: RealServer, tmp_path: Path) -> None:
    tls = certificate(tmp_path, "DNS:labels.example.com")
    with (
        front(label_studio.url, tls=tls) as url,
        connection(url, label_studio.token, str(tls[0])) as server,
        failing(NotReached) as said,
    ):
        server.describe()
    assert "its certificate cannot be trusted (IP address mismatch" in said()


def test_a_file_that_is_no_certificate_is_told(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("no certificate")
    with pytest.raises(BadInput, match=r"ca\.pem: no certificate can be read from it"):
        connection("https://127.0.0.1", verify=str(tmp_path / "ca.pem"))


def test_a_proxy_and_a_netrc_of_the_environment_do_not_change_who_asks(
    label_studio: RealServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login ann_a password pass-word-1\n")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    with connection(label_studio.url, label_studio.token) as server:
        assert server.describe().account.email == label_studio.admin
    monkeypatch.setenv("HTTP_PROXY", "http://ann_a:pass-word-1@127.0.0.1:1")
    with connection(label_studio.url, label_studio.token) as server, failing(NotReached, "pass-word-1"):
        server.describe()
    monkeypatch.setenv("HTTP_PROXY", "gopher://ann_a:pass-word-1@127.0.0.1:1")
    with pytest.raises(BadInput, match=r"HTTP_PROXY, .* cannot be used") as raised:
        connection(label_studio.url, label_studio.token)
    assert "pass-word-1" not in "".join(traceback.format_exception(raised.value))


def test_no_session_of_the_server_is_kept(label_studio: RealServer) -> None:
    seen: list[bytes] = []
    proxying = FaultProxy(label_studio.url, on_request=lambda request: seen.append(request.content))
    with proxying as proxy, connection(proxy.url, label_studio.token) as server:
        server.describe()
    assert len(seen) == 3
    assert not [content for content in seen if b"\r\ncookie:" in content.lower()]


# -- a bad network before the real server ------------------------------------------------------------------------------

FAULTS = ["drop before", "drop after", "cut", "502 before", "502 after", "504 before", "504 after", "404 after"]


@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_read_is_read_again(label_studio: RealServer, fault: str) -> None:
    with FaultProxy(label_studio.url) as proxy, connection(proxy.url, label_studio.token) as server:
        server.describe()
        proxy.next(fault, "GET", "/api/projects")
        proxy.next(fault, "GET", "/api/projects")
        assert server.get("api/projects", {"page_size": 1})["count"] >= 0
        assert [kind for _, path, kind in proxy.seen if "/api/projects" in path] == [fault, fault, ""]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_write_that_was_not_answered_is_not_sent_again(label_studio: RealServer, fault: str) -> None:
    title = f"once, {fault}"
    with FaultProxy(label_studio.url) as proxy, connection(proxy.url, label_studio.token) as server:
        server.describe()
        proxy.next(fault, "POST", "/api/projects")
        with failing(Unanswered, label_studio.token) as said:
            server.send("POST", "api/projects", {"title": title})
        assert "nobody knows whether it was carried out" in said()
        assert [path for method, path, _ in proxy.seen if method == "POST"] == ["/api/projects"]
        there = [one for one in server.get("api/projects", {"page_size": 1000})["results"] if one["title"] == title]
        assert len(there) == (0 if fault.endswith("before") else 1)
        for one in there:
            # The same change twice is the same change.
            proxy.next(fault, "DELETE")
            assert server.repeat("DELETE", f"api/projects/{one['id']}", gone_ok=True) is None
            assert server.get(f"api/projects/{one['id']}", missing_ok=True) is None


def test_a_change_that_may_be_repeated_and_is_never_answered_is_unsure(label_studio: RealServer) -> None:
    with FaultProxy(label_studio.url) as proxy, connection(proxy.url, label_studio.token) as server:
        project = server.send("POST", "api/projects", {"title": "unsure"})
        for fault in ("404 after", "502 after", "404 after"):
            proxy.next(fault, "DELETE")
        with failing(Unanswered) as said:
            server.repeat("DELETE", f"api/projects/{project['id']}", gone_ok=True)
        assert said().endswith("was not answered: the answer was 404, 3 times")


def test_what_the_server_itself_refuses_is_not_unsure(label_studio: RealServer) -> None:
    with connection(label_studio.url, label_studio.token) as server:
        with failing(Refused) as said:
            server.send("POST", "api/projects", {"title": "x" * 300})
        assert 'with 400 (Validation error: {"title": ["Ensure this field' in said()
        with failing(Refused) as said:
            server.send("POST", "api/tasks/99999999/annotations/", {"result": []})
        assert "with 404" in said()


def test_access_is_bought_again_after_faults(label_studio: RealServer) -> None:
    personal = label_studio.personal_token(label_studio.new_user("ann_faults@example.com"))
    with FaultProxy(label_studio.url) as proxy, connection(proxy.url, personal) as server:
        proxy.next("504 after", "POST", "/api/token/refresh/")
        proxy.next("drop before", "POST", "/api/token/refresh/")
        assert server.describe().version == "1.23.2"
        for _ in range(3):
            proxy.next("502 before", "POST", "/api/token/refresh/")
        server._access._access = None
        # The write that it was for was not sent, so nothing is unsure.
        with failing(NotReached, personal) as said:
            server.send("POST", "api/projects", {"title": "never"})
        assert "no access token: the answer was 502" in said()


# -- no server, or none of this kind -----------------------------------------------------------------------------------


def test_a_server_that_is_down_is_told_at_once() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    # With the pauses of a real try this would take a minute.
    with connection(f"http://127.0.0.1:{port}", pause=20.0) as server:
        with failing(NotReached) as said:
            server.get("api/version")
        assert said().endswith("nothing answers there; start the server, or correct the URL")
        with failing(NotReached):
            server.send("POST", "api/projects", {})
        with failing(NotReached):
            server.repeat("DELETE", "api/projects/1")


def test_an_unknown_host_is_told() -> None:
    with connection("http://labels.invalid") as server, failing(NotReached) as said:
        server.get("api/version")
    assert said().endswith("no such host is known; correct the URL")
    with pytest.raises(BadInput, match="names a host that cannot be"):
        connection("http://xn--a")


def test_a_server_that_does_not_answer_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with connection(url, timeout=0.2, tries=2) as server:
            with failing(NotReached) as said:
                server.get("api/version")
            assert said().endswith("no answer within 0.2 s, 2 times")
            with failing(Unanswered):
                server.send("POST", "api/projects", {})


PAGE = reply("200 OK", b"<!doctype html><html>Welcome</html>", "Content-Type: text/html")


def test_a_web_page_is_no_label_studio() -> None:
    with saying(PAGE) as (url, heads), connection(url) as server:
        with failing(BadReply) as said:
            server.describe()
        assert said().endswith("is a web page and not Label Studio's data; correct the URL to that of its front page")
        assert len(heads) == 1
        with failing(Unanswered):
            server.send("POST", "api/projects", {})


DEEP = b"[" * 600 + rb'"\ud800"' + b"]" * 600


@pytest.mark.parametrize(
    "body", [b"{", b'{"a": ' + b"[" * 100_000, DEEP, b"9" * 5000, b"\xff\xfe", b'["\xed\xa0\x80"]', b"<html>"]
)
def test_what_is_no_json_is_no_reply(body: bytes) -> None:
    with saying(reply("200 OK", body)) as (url, _), connection(url) as server, failing(BadReply):
        server.get("api/version")


def test_half_characters_in_a_reply_become_whole_ones() -> None:
    body = rb'{"a\ud800": ["\udfff", "\ud83d\ude00", "\\ud800"]}'
    with saying(reply("200 OK", body)) as (url, _), connection(url) as server:
        assert server.get("api/version") == {"a\ufffd": ["\ufffd", "😀", r"\ud800"]}


@pytest.mark.parametrize(
    ("location", "says"),
    [
        ("https://labels.example.com/api/version", "redirects to https://labels.example.com; if that is your server"),
        ("/team/api/version", "/team; if that is"),
        ("https://ann_a:secret@labels.example.com/login?next=secret", "redirects to https://labels.example.com/login;"),
        ("https://[labels", "redirects to another address;"),
        (f"https://labels.example.com/{TOKEN}", "redirects to https://labels.example.com/…;"),
    ],
)
def test_a_redirect_is_not_followed_and_says_where_it_leads(location: str, says: str) -> None:
    with saying(reply("302 Found", b"", f"Location: {location}")) as (url, heads), connection(url) as server:
        for ask in (server.get, lambda path: server.send("POST", path, {})):
            with failing(NotReached, "secret") as said:
                ask("api/version")
            assert says in said()
        assert len(heads) == 2


def test_what_a_server_repeats_of_a_token_is_not_repeated_here() -> None:
    for status in ("401 Unauthorized", "403 Forbidden", "400 Bad Request", "500 Internal Server Error"):
        body = json.dumps({"status_code": int(status[:3]), "detail": f"Token {TOKEN} is not known"}).encode()
        with saying(reply(status, body)) as (url, _), connection(url) as server:
            with failing(NotReached if status.startswith("5") else Refused) as said:
                server.get("api/version")
            assert "Token … is not known" in said()


def test_a_token_in_a_reply_gets_into_nothing_that_is_made_of_it() -> None:
    answer = reply("200 OK", json.dumps({"id": f"Token {TOKEN}", "title": TOKEN}).encode())
    with saying(answer) as (url, _), connection(url) as server:
        assert server.get("api/projects/1") == {"id": "Token …", "title": "…"}
        with failing(BadReply):
            read_project(server, 1)
    with saying(answer) as (url, _), connection(url, "id") as server:
        assert server.get("api/projects/1")["id"] == f"Token {TOKEN}", "a word is no token to hide"


@pytest.mark.parametrize("status", ["400 Bad Request", "401 Unauthorized", "403 Forbidden", "404 Not Found"])
def test_a_refusal_by_somebody_in_between_leaves_a_write_unsure(status: str) -> None:
    for body in (b"<html>", b"{}", b'{"detail": "no"}', b'"no"', b""):
        with saying(reply(status, body)) as (url, heads), connection(url) as server, failing(Unanswered):
            server.send("POST", "api/projects", {})
        assert len(heads) == 1


def test_a_body_that_is_too_large_for_a_proxy_is_refused() -> None:
    with saying(reply("413 Payload Too Large", b"<html>")) as (url, _), connection(url) as server:
        with failing(Refused) as said:
            server.send("POST", "api/projects/1/import", [])
        assert "larger than the server, or a proxy before it, takes" in said()


def test_a_404_of_the_server_is_believed_at_once_and_one_of_a_proxy_is_not() -> None:
    with saying(reply("200 OK", b"{}"), reply("404 Not Found", OWN_404)) as (url, heads), connection(url) as server:
        server.get("api/version")
        with failing(Refused):
            server.get("api/tasks/1")
        assert server.get("api/tasks/1", missing_ok=True) is None
        assert len(heads) == 3
    with saying(reply("200 OK", b"{}"), reply("404 Not Found", b"<html>")) as (url, heads), connection(url) as server:
        server.get("api/version")
        for missing_ok in (False, True):
            with failing(Refused):
                server.get("api/tasks/1", missing_ok=missing_ok)
        assert len(heads) == 7


def test_a_server_that_asks_for_patience_gets_it(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr("time.sleep", waited.append)
    busy = [reply("503 Busy", b"", f"Retry-After: {after}") for after in ("7", "86400", "nonsense", "-5", "٣")]
    busy.append(reply("429 Too Many", b'{"status_code": 429, "detail": "slowly"}'))
    with saying(*busy, reply("200 OK", b"{}")) as (url, _), connection(url, tries=8, pause=0.01) as server:
        assert server.get("api/version") == {}
    assert waited[0] == 7.0
    assert waited[1] == 60.0
    assert all(0 < pause < 1 for pause in waited[2:])
    assert len(waited) == 6


def test_pauses_grow_and_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr("time.sleep", waited.append)
    with saying(b"") as (url, _), connection(url, tries=9, pause=1.0) as server, failing(NotReached):
        server.get("api/version")
    bounds = [min(2.0**number, 20.0) for number in range(8)]
    assert all(bound / 2 <= pause <= bound for pause, bound in zip(waited, bounds, strict=True))
    assert len(set(waited)) == 8


def test_a_reply_without_end_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workbench.label_studio.connection._LARGEST_REPLY", 1 << 20)
    with saying(reply("200 OK", b"[" + b" " * (2 << 20) + b"]")) as (url, heads), connection(url) as server:
        with failing(NotReached) as said:
            server.get("api/version")
        assert said().endswith("the answer is larger than 1 MiB")
        assert len(heads) == 1


def test_a_small_reply_that_unpacks_to_more_than_there_is_memory_is_not_unpacked() -> None:
    packed = gzip.compress(gzip.compress(b"[" + b" " * (1 << 20) + b"]"))
    with saying(reply("200 OK", packed, "Content-Encoding: gzip, gzip")) as (url, heads), connection(url) as server:
        with failing(NotReached) as said:
            server.get("api/version")
        assert said().endswith("the answer is packed in a way that was not asked for")
        assert [line for line in heads[0].split(b"\r\n") if line.startswith(b"Accept-Encoding")] == [
            b"Accept-Encoding: gzip, deflate"
        ]
    once = reply("200 OK", gzip.compress(b"[1]"), "Content-Encoding: gzip")
    with saying(once) as (url, _), connection(url) as server:
        assert server.get("api/version") == [1]


def test_a_reply_that_comes_too_slowly_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workbench.label_studio.connection._WHOLE", 1)
    slow = reply("200 OK", b"[1,2,3,4,5,6,7,8]")
    with saying(slow, seconds_a_byte=0.1) as (url, _), connection(url, timeout=0.3, tries=1) as server:
        with failing(NotReached) as said:
            server.get("api/version")
        assert said().endswith("the answer came too slowly")


# -- access tokens by the clock ----------------------------------------------------------------------------------------


def web_token(claims: dict[str, Any]) -> str:
    parts = [{"alg": "HS256", "typ": "JWT"}, claims]
    texts = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return ".".join([*texts, "c2lnbmF0dXJl"])


@pytest.mark.parametrize("here_minus_there", [0, 10_000_000, -10_000_000])
def test_access_is_renewed_before_it_ends_however_the_clocks_differ(here_minus_there: int) -> None:
    now, bought = [1000], []

    def buy(token: Secret) -> Secret:
        made = now[0] + here_minus_there
        bought.append(now[0])
        return Secret(web_token({"token_type": "access", "iat": made, "exp": made + 300, "jti": len(bought)}))

    access = Access(Secret(web_token({"token_type": "refresh"})), buy, clock=lambda: now[0])
    for now[0] in range(1000, 2000, 7):
        access.header()
    gaps = [later - earlier for earlier, later in itertools.pairwise(bought)]
    assert len(bought) == 5
    assert all(230 < gap < 290 for gap in gaps)


@pytest.mark.parametrize(
    "claims",
    [{}, {"iat": "now", "exp": 10}, {"iat": 10, "exp": 5}, {"iat": 0, "exp": 10**400}, {"iat": True, "exp": 9e99}],
)
def test_an_access_token_that_does_not_say_how_long_it_lives_is_used_for_less_than_a_minute(claims: dict) -> None:
    now, bought = [0.0], []

    def buy(token: Secret) -> Secret:
        bought.append(now[0])
        return Secret(web_token(claims))

    access = Access(Secret(web_token({"token_type": "refresh"})), buy, clock=lambda: now[0])
    for now[0] in (0.0, 47.0, 49.0):
        access.header()
    assert bought == [0.0, 49.0]


@pytest.mark.parametrize(
    ("token", "says"),
    [
        (web_token({"token_type": "refresh"}).rpartition(".")[0], "only a part of a personal access token"),
        (web_token({"token_type": "access"}), "is an access token, which lasts minutes"),
    ],
)
def test_tokens_that_are_not_whole_or_last_minutes_are_refused(token: str, says: str) -> None:
    with pytest.raises(BadInput, match=says) as raised:
        connection("http://127.0.0.1", token)
    assert token not in str(raised.value)


@pytest.mark.parametrize("answer", [b"{}", b'{"access": 5}', b'{"access": ""}', b'{"access": "a b"}', b"[]"])
def test_a_reply_without_an_access_token_is_told(answer: bytes) -> None:
    personal = web_token({"token_type": "refresh"})
    with saying(reply("200 OK", answer)) as (url, _), connection(url, personal) as server:
        with failing(BadReply, personal) as said:
            server.get("api/version")
        assert said().endswith("holds no access token")
