"""Who a request is from: a legacy token as it is, or a personal access token's short-lived access tokens."""

from __future__ import annotations

import base64
import binascii
import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from workbench.errors import BadInput
from workbench.label_studio.secret import Secret

LEGACY, PERSONAL = "legacy token", "personal access token"
_SHORTEST = 60.0  # seconds that an access token is used where it does not say how long it lives
_LONGEST = 86_400  # seconds that are believed
_LEAST = 16  # characters; a shorter token is no server's, and would be found in ordinary words
_EARLY = 0.2  # of its life: so long before its end another one is fetched


class Access:
    """The headers of a request, and what they are renewed with.

    Args:
        token: a legacy token, or a personal access token, which buys access tokens of about five minutes.
        buy: gives an access token for a personal access token, by asking the server.
        clock: seconds that only grow. The time of day here and on the server may differ by any amount, so the life
            of an access token is taken from what it says of itself, from the moment that it arrived.

    Raises:
        BadInput: the token is half of one, or an access token.
    """

    def __init__(
        self, token: Secret, buy: Callable[[Secret], Secret], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._token, self._buy, self._clock = token, buy, clock
        self._access: Secret | None = None
        self._until = 0.0
        claims = _claims(token)
        self.kind = LEGACY if claims is None else PERSONAL
        if claims is None:
            return
        if token.reveal().count(".") < 2:
            raise BadInput("the token is only a part of a personal access token; copy all of it, or make another")
        if claims.get("token_type") == "access":
            raise BadInput("the token is an access token, which lasts minutes; give the personal access token itself")

    def header(self) -> Secret:
        """The value of the header Authorization."""
        if self.kind == LEGACY:
            return Secret(f"Token {self._token.reveal()}")
        if self._access is None or self._clock() >= self._until:
            self.renew()
        assert self._access is not None
        return Secret(f"Bearer {self._access.reveal()}")

    def renew(self) -> bool:
        """Fetch another access token; whether there is such a thing, which a legacy token does not have."""
        if self.kind == LEGACY:
            return False
        bought = self._buy(self._token)
        self._access, self._until = bought, self._clock() + _life(bought) * (1 - _EARLY)
        return True

    def hide(self, text: str) -> str:
        """The text with every token in it made `…`: what a server says may repeat what it was sent."""
        return self.hide_in(text.encode("utf-8", "surrogatepass")).decode("utf-8", "surrogatepass")

    def hide_in(self, body: bytes) -> bytes:
        """The body of a reply, hidden in as `hide` does."""
        for secret in (self._token, self._access):
            if secret is not None and len(secret.reveal()) >= _LEAST:
                for written in (secret.reveal(), quote(secret.reveal(), safe="")):
                    body = body.replace(written.encode(), str(secret).encode())
        return body


def _claims(token: Secret) -> dict[str, Any] | None:
    """What a JSON web token says of itself; None for anything else, which is a legacy token."""
    parts = token.reveal().split(".")
    if len(parts) not in (2, 3):
        return None
    try:
        header, claims = (json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))) for part in parts[:2])
    except (binascii.Error, ValueError, RecursionError):
        return None
    return claims if isinstance(header, dict) and isinstance(claims, dict) and "alg" in header else None


def _life(access: Secret) -> float:
    """How long an access token lives, in seconds: from when it was made to when it ends, both by the server's clock."""
    claims = _claims(access) or {}
    made, ends = claims.get("iat"), claims.get("exp")
    if not isinstance(made, int) or not isinstance(ends, int) or not 0 < ends - made < _LONGEST:
        return _SHORTEST
    return float(ends - made)
