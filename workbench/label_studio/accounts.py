"""Who and what answers: the server's version, the token's account, everybody else's."""

from __future__ import annotations

from typing import Any, Protocol, TypeGuard

from workbench.label_studio.errors import BadReply, Refused
from workbench.label_studio.records import Account, Server

_LONGEST = 320  # characters; an email has no more


class Reader(Protocol):
    """What reads JSON from a server."""

    server: str

    def get(self, path: str) -> Any: ...


def describe(connection: Reader) -> Server:
    """What the server says of itself. Where it does not list its users, the token's account stands alone.

    Raises:
        NotReached, Refused: it does not answer, or not to this token.
        BadReply: it answers as no Label Studio does.
    """
    me = _account(connection.get("api/current-user/whoami"))
    if me is None:
        raise BadReply(f"{connection.server}: the answer to api/current-user/whoami names no account")
    version = connection.get("api/version")
    release = version.get("release") if isinstance(version, dict) else None
    if not isinstance(release, str):
        raise BadReply(f"{connection.server}: no Label Studio answers there (api/version names no release)")
    try:
        listed = connection.get("api/users/")
    except Refused as refused:
        if refused.status != 403:
            raise
        listed = []
    if not isinstance(listed, list):
        raise BadReply(f"{connection.server}: the answer to api/users/ is not a list of accounts")
    found = [me, *(account for account in map(_account, listed) if account is not None)]
    return Server(release, me, {account.user_id: account for account in found})


def _account(value: Any) -> Account | None:
    """An account of a reply; None where it is none."""
    if not isinstance(value, dict):
        return None
    number, email = value.get("id"), value.get("email")
    if not isinstance(number, int) or isinstance(number, bool) or abs(number) >= 2**63:
        return None
    names = (value.get("first_name"), value.get("last_name"))
    name = " ".join(part for part in names if isinstance(part, str) and part)
    return Account(number, email if is_name(email) else f"user-{number}", name)


def is_name(email: Any) -> TypeGuard[str]:
    """Whether people can be called so: it goes into tables, and into lines for people, which it must not break."""
    return isinstance(email, str) and email.isprintable() and 0 < len(email.strip()) == len(email) <= _LONGEST
