"""The proxy that tests of sync put between client and server: what each kind of fault does to a real server."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.fault_proxy import KINDS, FaultProxy, Request, evenly
from tests.label_studio_server import RealServer


@pytest.fixture
def proxy(label_studio: RealServer) -> Iterator[FaultProxy]:
    with FaultProxy(label_studio.url) as made:
        yield made


def client(proxy: FaultProxy, timeout: float = 30) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(urlsplit(proxy.url).netloc, timeout=timeout)


def ask(
    connection: http.client.HTTPConnection, server: RealServer, method: str, path: str, body: Any = None
) -> tuple[int, Any]:
    headers = {"Authorization": f"Token {server.token}", "Content-Type": "application/json"}
    connection.request(method, path, None if body is None else json.dumps(body), headers)
    reply = connection.getresponse()
    content = reply.read()
    return reply.status, json.loads(content) if reply.headers.get_content_type() == "application/json" else content


def titled(server: RealServer, title: str) -> int:
    found = server.ask("GET", "/api/projects/?page_size=1000")["results"]
    return sum(one["title"] == title for one in found)


def test_what_passes_is_the_same(label_studio: RealServer, proxy: FaultProxy) -> None:
    straight = http.client.HTTPConnection(urlsplit(label_studio.url).netloc)
    title = "한국어 “quoted” \\ <b>&amp;</b>"
    status, project = ask(client(proxy), label_studio, "POST", "/api/projects/", {"title": title})
    assert (status, project["title"]) == (201, title)
    path = f"/api/projects/{project['id']}/"
    assert ask(client(proxy), label_studio, "GET", path) == ask(straight, label_studio, "GET", path)
    tasks = [{"data": {"text": "x" * 200}} for _ in range(300)]
    status, made = ask(client(proxy), label_studio, "POST", f"{path}import?return_task_ids=true", tasks)
    assert (status, len(made["task_ids"])) == (201, 300)
    assert ask(client(proxy), label_studio, "DELETE", f"/api/tasks/{made['task_ids'][0]}/")[0] == 204
    assert proxy.requests == 4 and not proxy.counts


def test_a_connection_is_used_again(label_studio: RealServer, proxy: FaultProxy) -> None:
    connection = client(proxy)
    connection.connect()
    port = connection.sock.getsockname()[1]
    for _ in range(3):
        assert ask(connection, label_studio, "GET", "/api/version")[0] == 200
        assert connection.sock.getsockname()[1] == port


@pytest.mark.parametrize(
    ("kind", "carried_out"),
    [
        ("drop before", 0),
        ("drop after", 1),
        ("cut", 1),
        ("502 before", 0),
        ("502 after", 1),
        ("504 before", 0),
        ("504 after", 1),
        ("404 before", 0),
        ("404 after", 1),
        ("delay", 1),
        ("double", 2),
    ],
)
def test_a_fault_and_what_the_server_made_of_the_request(
    label_studio: RealServer, proxy: FaultProxy, kind: str, carried_out: int
) -> None:
    proxy.next(kind, "POST", "/projects/")
    title = f"made with {kind}"
    status: int | None = None
    try:
        status, _ = ask(client(proxy), label_studio, "POST", "/api/projects/", {"title": title})
    except (ConnectionError, http.client.HTTPException):
        assert kind in ("drop before", "drop after", "cut")
    if status is not None:
        assert status == (int(kind[:3]) if kind[:3].isdigit() else 201)
    assert titled(label_studio, title) == carried_out
    assert proxy.counts == {kind: 1}
    assert proxy.seen == [("POST", "/api/projects/", kind)]
    assert ask(client(proxy), label_studio, "GET", "/api/version")[0] == 200


def test_every_kind_is_tested_above() -> None:
    (mark,) = test_a_fault_and_what_the_server_made_of_the_request.pytestmark  # type: ignore[attr-defined]
    assert {kind for kind, _ in mark.args[1]} == set(KINDS)


def faults(server: RealServer, seed: int, count: int = 60) -> list[str]:
    with FaultProxy(server.url, seed, evenly(0.5), delays=(0, 0.001)) as proxy:
        for _ in range(count):
            try:
                ask(client(proxy), server, "GET", "/health")
            except (ConnectionError, http.client.HTTPException):
                continue
        assert proxy.requests == count
        return [kind for _, _, kind in proxy.seen]


def test_a_seed_gives_the_same_faults(label_studio: RealServer) -> None:
    first = faults(label_studio, 1)
    assert first == faults(label_studio, 1) != faults(label_studio, 2)
    assert 15 <= sum(bool(kind) for kind in first) <= 45


def test_it_can_be_switched_off_and_on(label_studio: RealServer) -> None:
    with FaultProxy(label_studio.url, 1, {"502 before": 1.0}) as proxy:
        proxy.is_on = False
        assert ask(client(proxy), label_studio, "GET", "/api/version")[0] == 200
        proxy.is_on = True
        assert ask(client(proxy), label_studio, "GET", "/api/version")[0] == 502
        assert (proxy.requests, proxy.counts) == (2, {"502 before": 1})


def test_a_server_that_is_down_is_a_bad_gateway() -> None:
    with FaultProxy("http://127.0.0.1:9") as proxy:
        connection = client(proxy)
        connection.request("GET", "/api/version")
        assert connection.getresponse().status == 502
        assert proxy.counts == {"down": 1}


def test_somebody_can_look_at_each_request_before_it_is_passed_on(label_studio: RealServer) -> None:
    seen: list[Request] = []
    with FaultProxy(label_studio.url, on_request=seen.append) as proxy:
        ask(client(proxy), label_studio, "POST", "/api/projects/", {"title": "looked at"})
    assert [(one.number, one.method, one.path) for one in seen] == [(1, "POST", "/api/projects/")]
    assert b"Token " + label_studio.token.encode() in seen[0].content and b"looked at" in seen[0].content


def test_an_unknown_kind_is_refused(label_studio: RealServer) -> None:
    with pytest.raises(ValueError, match="no kinds of faults: flood; there are drop before, "):
        FaultProxy(label_studio.url, rates={"flood": 0.1})


def test_nothing_of_it_stays_behind(label_studio: RealServer) -> None:
    before = threading.active_count()
    with FaultProxy(label_studio.url) as proxy:
        connection = client(proxy)
        assert ask(connection, label_studio, "GET", "/api/version")[0] == 200
    with pytest.raises((ConnectionError, http.client.HTTPException)):
        ask(connection, label_studio, "GET", "/api/version")
    for thread in threading.enumerate():
        if thread.name.endswith(("(_listen)", "(_serve)")):
            thread.join(5)
    assert threading.active_count() <= before
