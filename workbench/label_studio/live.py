"""What a server is to call: a webhook for hints and an ML backend, each of them once, or not at all."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from workbench.errors import BadInput
from workbench.label_studio.errors import BadReply, Refused, Unanswered

if TYPE_CHECKING:
    from workbench.label_studio.connection import Connection

SECRET_HEADER = "X-Workbench-Secret"
"""The header in which the server sends the secret that it was given."""

BACKEND_TITLE = "speech-workbench"

# What changes annotations or takes them away; tasks that come are nobody's work yet.
_EVENTS = ["ANNOTATION_CREATED", "ANNOTATIONS_CREATED", "ANNOTATION_UPDATED", "ANNOTATIONS_DELETED", "TASKS_DELETED"]
_TRIES = 4
_SETTLE_SECONDS = 2.0
_LOCAL_WEBHOOKS, _LOCAL_BACKENDS = "SSRF_PROTECTION_ENABLED", "ML_BLOCK_LOCAL_IP"
"""The server's settings without which it calls no local or private address."""


def hint_path(mark: str) -> str:
    """Where hints for a workspace are sent: its mark in a URL says whose webhook it is."""
    return f"/hints/{mark}"


def register_webhook(
    connection: Connection, project_id: int, mark: str, url: str, secret: str
) -> tuple[int, list[str]]:
    """The number of the project's one webhook to this URL, and the URLs of this workspace's others.

    One that is there is taken over with the new secret; more of them are removed. Run again, it changes nothing.

    Args:
        url: of the service, as the server reaches it; `hint_path` is added.

    Raises:
        BadInput: the server sends nothing to this address.
        ServerError: as the connection raises it.
    """
    address = url.rstrip("/") + hint_path(mark)
    wanted = {
        "project": project_id,
        "url": address,
        # The payload would not be believed, so it need not be made and sent.
        "send_payload": False,
        "send_for_all_actions": False,
        "actions": _EVENTS,
        "headers": {SECRET_HEADER: secret},
        "is_active": True,
    }
    for attempt in range(_TRIES):
        listed = _listed(connection, "/api/webhooks/", project_id)
        ours = [one for one in listed if str(one.get("url", "")).endswith(hint_path(mark))]
        here = sorted(one["id"] for one in ours if one["url"] == address)
        others = [str(one["url"]) for one in ours if one["url"] != address]
        for number in here[1:]:
            connection.repeat("DELETE", f"/api/webhooks/{number}/", gone_ok=True)
        try:
            if here:
                connection.repeat("PATCH", f"/api/webhooks/{here[0]}/", wanted)
                return here[0], others
            return _number(connection.send("POST", "/api/webhooks/", wanted), "a new webhook"), others
        except (Refused, Unanswered) as problem:
            if reason := _of_address(problem, connection, url, _LOCAL_WEBHOOKS):
                raise BadInput(reason) from None
            if isinstance(problem, Refused) or attempt + 1 == _TRIES:
                raise
            time.sleep(_SETTLE_SECONDS)
    raise AssertionError("every way out is above")


def has_webhook(connection: Connection, project_id: int, webhook_id: int, secret: str) -> bool:
    """Whether the webhook is there as it was registered last."""
    return any(
        one["id"] == webhook_id and one.get("is_active") and one.get("headers") == {SECRET_HEADER: secret}
        for one in _listed(connection, "/api/webhooks/", project_id)
    )


def remove_webhook(connection: Connection, webhook_id: int) -> None:
    """Take the webhook away; one that is gone is as good."""
    connection.repeat("DELETE", f"/api/webhooks/{webhook_id}/", gone_ok=True)


@dataclass(frozen=True)
class RegisteredBackend:
    """An ML backend of a project; `others` are the titles of those that the server asks before it."""

    backend_id: int
    others: list[str]


def register_backend(
    connection: Connection, project_id: int, mark: str, url: str, user: str = "", password: str = ""
) -> RegisteredBackend:
    """The project's ML backend of this workspace: the one that is there, set to this URL, or a new one.

    The server asks it for its health meanwhile, so it has to run already. With a new ML backend the server makes a
    webhook that sends it every annotation, without the password; that one is removed, since nobody would read them.

    Raises:
        BadInput: the server does not reach it at this address.
        ServerError: as the connection raises it.
    """
    description = f"workbench sync serve, workspace {mark}"
    wanted: dict[str, Any] = {
        "project": project_id,
        "url": url,
        "title": BACKEND_TITLE,
        "description": description,
        "is_interactive": False,
        "auth_method": "BASIC_AUTH" if password else "NONE",
        "basic_auth_user": user if password else "",
    }
    if password:
        wanted["basic_auth_pass"] = password
    for attempt in range(_TRIES):
        listed = _listed(connection, "/api/ml/", project_id)
        ours = [one for one in listed if one.get("description") == description]
        # The server asks the one with the lowest number only.
        before = [one for one in listed if one not in ours and (not ours or one["id"] < ours[0]["id"])]
        others = [str(one.get("title")) for one in before]
        try:
            if ours:
                number = ours[0]["id"]
                connection.repeat("PATCH", f"/api/ml/{number}", wanted)
            else:
                number = _number(connection.send("POST", "/api/ml/", wanted), "a new ML backend")
            _remove_webhooks_to(connection, project_id, {str(one.get("url")) for one in ours} | {url})
            return RegisteredBackend(number, others)
        except (Refused, Unanswered) as problem:
            if reason := _of_address(problem, connection, url, _LOCAL_BACKENDS):
                raise BadInput(reason) from None
            if isinstance(problem, Refused) or attempt + 1 == _TRIES:
                raise
            time.sleep(_SETTLE_SECONDS)
    raise AssertionError("every way out is above")


def _remove_webhooks_to(connection: Connection, project_id: int, backends: set[str]) -> None:
    addresses = {backend.rstrip("/") + "/webhook" for backend in backends}
    for one in _listed(connection, "/api/webhooks/", project_id):
        if str(one.get("url")) in addresses:
            remove_webhook(connection, one["id"])


def _listed(connection: Connection, path: str, project_id: int) -> list[dict[str, Any]]:
    reply = connection.get(path, {"project": project_id})
    if not isinstance(reply, list) or not all(
        isinstance(one, dict) and isinstance(one.get("id"), int) for one in reply
    ):
        raise BadReply(f"{connection.server}: the answer to GET {path} is not a list of records with numbers")
    return reply


def _number(reply: Any, what: str) -> int:
    number = reply.get("id") if isinstance(reply, dict) else None
    if not isinstance(number, int):
        raise BadReply(f"the server answered to {what} without its number")
    return number


def _of_address(problem: Refused | Unanswered, connection: Connection, url: str, setting: str) -> str | None:
    """What to do where the server cannot, or must not, call this address; None where something else is wrong."""
    place, said = urlsplit(url).netloc, str(problem)
    if "reserved network address" in said:
        return (
            f"{connection.server} calls no local or private address, as {place} is, unless it is started with "
            f"{setting}=false, or with USE_DEFAULT_BANNED_SUBNETS=false and USER_ADDITIONAL_BANNED_SUBNETS naming "
            "those that stay forbidden"
        )
    # A name that it does not know it answers with 500.
    if "Can't connect" in said or "Can't resolve" in said:
        return f"{connection.server} does not reach {place}; give --url, the address as the server sees it"
    return None
