"""What a server's reply is worth: JSON that can be stored, a refusal of its own, or something from in between."""

from __future__ import annotations

import email.utils
import functools
import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

_LONGEST = 300  # characters of what a server says that a message repeats
_HALF_PAIR = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class Reply:
    """A whole answer: its status, the headers that matter here, its body."""

    status: int
    body: bytes = field(repr=False)
    location: str = ""
    retry_after: str = ""

    def is_good(self) -> bool:
        return 200 <= self.status < 300

    @functools.cached_property
    def document(self) -> Any:
        """The JSON of the body, as `parsed` reads it, once.

        Raises:
            ValueError: it is not JSON.
        """
        return parsed(self.body)

    def is_json(self) -> bool:
        """Whether there is a document, which an empty body has too."""
        try:
            _ = self.document
        except ValueError:
            return False
        return True


def parsed(body: bytes) -> Any:
    """The JSON of a body; None for an empty one.

    Halves of surrogate pairs, which no table and no file can hold, become the replacement character.

    Raises:
        ValueError: it is not JSON in UTF-8, or nested too deep to be gone through.
    """
    if not body.strip():
        return None
    # Given bytes, json would take UTF-16 too, and halves of pairs that stand in them as they are.
    text = body.decode("utf-8-sig")
    try:
        document = json.loads(text)
        return _storable(document) if rb"\ud" in body.lower() else document
    except RecursionError:
        raise ValueError("JSON nested too deep") from None


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return _HALF_PAIR.sub("\N{REPLACEMENT CHARACTER}", value)
    if isinstance(value, list):
        return [_storable(one) for one in value]
    if isinstance(value, dict):
        return {_storable(name): _storable(one) for name, one in value.items()}
    return value


def own_refusal(reply: Reply) -> str | None:
    """Why the server itself did not carry a request out; None where the reply may be somebody else's.

    A proxy in between answers 400 to 499 too, for a request that it has passed on or not. Label Studio repeats the
    status within its errors.
    """
    if not 400 <= reply.status < 500:
        return None
    try:
        said = reply.document
    except ValueError:
        return None
    if not isinstance(said, dict) or not isinstance(said.get("detail"), str):
        return None
    if said.get("status_code") != reply.status and "version" not in said:
        return None
    return words(said)


def words(said: Any) -> str:
    """What a server's error says, in one line that is not long."""
    if not isinstance(said, dict):
        return ""
    detail = str(said.get("detail") or "")
    errors = said.get("validation_errors")
    if errors:
        detail = f"{detail}: {json.dumps(errors, ensure_ascii=False)}" if detail else json.dumps(errors)
    line = " ".join(detail.split())
    return line if len(line) <= _LONGEST else line[:_LONGEST] + "…"


def server_words(reply: Reply) -> str:
    """What the reply says for itself, ` (so)` or nothing."""
    try:
        said = words(reply.document)
    except ValueError:
        return ""
    return f" ({said})" if said else ""


def where_to(location: str, server: str, path: str) -> str:
    """The address that a redirect points at, without what was asked for, a query and user names.

    >>> where_to("https://labels.example.com/api/version?x=1", "http://labels.example.com", "api/version")
    'https://labels.example.com'
    """
    try:
        parts = urlsplit(location)
        host = parts.netloc.rpartition("@")[2] or urlsplit(server).netloc
    except ValueError:
        return "another address"
    scheme = parts.scheme or urlsplit(server).scheme
    place = parts.path.rstrip("/").removesuffix("/" + path.strip("/"))
    return f"{scheme}://{host}{place}"[:_LONGEST]


def kind_of(reply: Reply) -> str:
    """What an answer is that is no JSON."""
    return "a web page" if reply.body.lstrip()[:1] == b"<" else "no JSON"


def seconds_asked(asked: str) -> float:
    """How long a Retry-After asks to wait: a number of seconds, or a date."""
    if asked.isascii() and asked.strip().isdecimal() and len(asked) < 10:
        return float(asked)
    try:
        until = email.utils.parsedate_to_datetime(asked)
    except (TypeError, ValueError):
        return 0.0
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max((until - datetime.now(UTC)).total_seconds(), 0.0)
