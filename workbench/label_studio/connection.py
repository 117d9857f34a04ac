"""Requests to the server: reads are repeated, writes never blindly. The only place that speaks HTTP."""

from __future__ import annotations

import random
import ssl
import time
from collections.abc import Mapping, Sequence
from http.cookiejar import CookieJar, DefaultCookiePolicy
from types import TracebackType
from typing import Any

import httpx

from workbench import __version__
from workbench.errors import BadInput
from workbench.label_studio import accounts
from workbench.label_studio.access import Access
from workbench.label_studio.credentials import Credentials
from workbench.label_studio.errors import BadReply, NotReached, Refused, ServerError, Unanswered
from workbench.label_studio.hushed_logs import Hushed
from workbench.label_studio.records import Server
from workbench.label_studio.replies import Reply, kind_of, own_refusal, seconds_asked, server_words, where_to
from workbench.label_studio.secret import Secret

Params = Mapping[str, Any] | Sequence[tuple[str, Any]]

_LARGEST_REPLY = 1 << 29  # bytes: an export of half a million tasks
_LONGEST_PAUSE = 20.0  # seconds
_LONGEST_ASKED = 60.0  # seconds that a server's Retry-After is heeded
_TRIES_OF_STRANGERS = 3
_WHOLE = 10  # time-outs that a reply may take that comes bit by bit
# What others unpack, or several after one another, one part of a reply could grow to more than there is memory.
_PACKED = ("gzip", "deflate")
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError, httpx.UnsupportedProtocol)


class _Failed(Exception):
    """A request without a whole reply; `sent` tells whether the server may have seen it."""

    def __init__(self, reason: str, sent: bool, final: bool = False) -> None:
        super().__init__(reason)
        self.reason, self.sent, self.final = reason, sent, final


class Connection:
    """A way to the server, with one request at a time; a context manager.

    `get` and `repeat` try again after a drop, a time-out, 429 and 5xx, with growing pauses; `send` and `upload` do
    not, because a request that was not answered may have been carried out. Redirects are not followed, no cookie is
    kept, and no exception holds a token, nor the request that it was sent with.

    Args:
        timeout: seconds without a byte after which a request counts as not answered.
        tries: of a request that may be repeated.
        pause: seconds before the second try; each further one waits twice as long.

    Raises:
        BadInput: the token or the file of certificates cannot be used.
    """

    def __init__(self, credentials: Credentials, timeout: float = 60.0, tries: int = 6, pause: float = 0.5) -> None:
        self.server = credentials.url
        self._timeout, self._tries, self._pause = timeout, tries, pause
        self._met = False
        self._access = Access(credentials.token, self._buy)
        self.kind = self._access.kind
        self._client = _client(credentials, timeout)
        self._hushed = Hushed(self._access.hide)
        self._hushed.begin()

    def __enter__(self) -> Connection:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._client.close()
        self._hushed.end()

    def get(self, path: str, params: Params | None = None, missing_ok: bool = False) -> Any:
        """The JSON that the server answers.

        Args:
            missing_ok: there may be nothing there, and the answer is None then.

        Raises:
            NotReached: no usable answer after the last try.
            Refused: the server does not give it: 401, 403, 404, …
            BadReply: the answer is not JSON.
        """
        reply = self._repeated("GET", path, params=params, gone_ok=missing_ok)
        return None if reply is None else self._json(reply, "GET", path)

    def repeat(self, method: str, path: str, body: Any = None, gone_ok: bool = False) -> Any:
        """The JSON that the server answers to a change that may be carried out twice: the same PATCH, PUT or DELETE.

        Args:
            gone_ok: that there is nothing at this address is as good, and the answer is None then.

        Raises:
            NotReached, Refused, BadReply: as of `get`.
            Unanswered: the last try was not answered, or one before it, and nobody knows.
        """
        reply = self._repeated(method, path, body=body, gone_ok=gone_ok)
        return None if reply is None else self._json(reply, method, path)

    def send(self, method: str, path: str, body: Any = None, params: Params | None = None) -> Any:
        """The JSON that the server answers to a change that must not be carried out twice; it is sent once.

        Raises:
            NotReached: nothing was sent.
            Refused: the server itself says that it has not carried it out.
            Unanswered: anything else that is no good answer.
        """
        return self._once(method, path, params, json=body)

    def upload(self, path: str, name: str, content: bytes, params: Params | None = None) -> Any:
        """The JSON that the server answers to a file, which is sent once.

        Raises:
            NotReached, Refused, Unanswered: as of `send`.
        """
        return self._once("POST", path, params, files={"file": (name, content)})

    def describe(self) -> Server:
        """The server's version, whose token this is, and who else has an account there.

        Raises:
            NotReached, Refused, BadReply: as of `get`.
        """
        return accounts.describe(self)

    def _once(self, method: str, path: str, params: Params | None, **content: Any) -> Any:
        try:
            reply = self._authorized(method, path, params, **content)
        except _Failed as failed:
            problem = failed
        else:
            refused = own_refusal(reply) is not None
            self._met = self._met or refused or (reply.is_good() and reply.is_json())
            if refused or reply.status == 413:
                raise self._refused(reply, method, path)
            self._refuse_redirect(reply, path)
            try:
                if reply.is_good():
                    return reply.document
            except ValueError:
                pass
            raise Unanswered(
                f"{self.server}: answered {reply.status} to {method} {path}{self._words(reply)}; nobody knows whether "
                "it was carried out, until the server is asked what it holds"
            )
        if not problem.sent:
            raise NotReached(f"{self.server}: {problem.reason}")
        raise Unanswered(
            f"{self.server}: no answer to {method} {path} ({problem.reason}); nobody knows whether it was carried out"
        )

    def _repeated(
        self, method: str, path: str, params: Params | None = None, body: Any = None, gone_ok: bool = False
    ) -> Reply | None:
        """A good reply, or None for what is not there and may be absent."""
        changes = method != "GET"
        unsure, problem = False, ""
        for number in range(1, self._tries + 1):
            asked = ""
            try:
                reply = self._authorized(method, path, params, **({} if body is None else {"json": body}))
            except _Failed as failed:
                problem, final = failed.reason, failed.final
                unsure |= failed.sent
                # A server that never answered is not there: nobody should wait for the news.
                if final or not (self._met or failed.sent):
                    break
            else:
                if reply.is_good() and (not self._met or reply.is_json()):
                    self._met = self._met or reply.is_json()
                    return reply
                self._refuse_redirect(reply, path)
                if own_refusal(reply) is not None and reply.status != 429:
                    self._met = True
                    if reply.status == 404 and gone_ok:
                        return None
                    raise self._refused(reply, method, path)
                # Where nobody has answered yet the URL may be wrong, and nobody should wait long for that news.
                last = number >= (self._tries if self._met else min(self._tries, _TRIES_OF_STRANGERS))
                if reply.status in (400, 401, 403, 413, 414, 431) or (reply.status == 404 and last and not changes):
                    raise self._refused(reply, method, path)
                unsure, asked = True, reply.retry_after
                problem = f"the answer was {reply.status}{self._words(reply)}"
            if number < self._tries:
                time.sleep(self._wait(number, asked))
        times = "" if number == 1 else f", {number} times"
        if changes and unsure:
            raise Unanswered(f"{self.server}: {method} {path} was not answered: {problem}{times}")
        raise NotReached(f"{self.server}: {problem}{times}")

    def _wait(self, number: int, asked: str) -> float:
        """Seconds before the next try: what the server asks for, within reason, or twice as long as before."""
        growing = min(self._pause * 2 ** (number - 1), _LONGEST_PAUSE)
        return max(growing * random.uniform(0.5, 1.0), min(seconds_asked(asked), _LONGEST_ASKED))

    def _authorized(self, method: str, path: str, params: Params | None, **content: Any) -> Reply:
        """The reply; after a 401, that to one more try with another access token where there is one."""
        reply = self._request(method, path, params, self._access.header(), **content)
        # What the server itself does not accept it has not carried out, so that even a write may follow once more.
        if reply.status == 401 and own_refusal(reply) is not None and self._access.renew():
            reply = self._request(method, path, params, self._access.header(), **content)
        return reply

    def _buy(self, token: Secret) -> Secret:
        """An access token for a personal access token."""
        path = "api/token/refresh/"
        for number in range(1, self._tries + 1):
            asked = ""
            try:
                reply = self._request("POST", path, None, None, bought_with=token)
            except _Failed as failed:
                problem = failed
                if failed.final or not (self._met or failed.sent):
                    break
            else:
                self._refuse_redirect(reply, path)
                if reply.is_good():
                    return self._bought(reply, path)
                if own_refusal(reply) is not None or reply.status in (400, 401, 403):
                    raise self._refused(reply, "POST", path)
                problem = _Failed(f"the answer was {reply.status}{self._words(reply)}", sent=False)
                asked = reply.retry_after
            if number < self._tries:
                time.sleep(self._wait(number, asked))
        # Whatever the access token is for has not been sent.
        raise NotReached(f"{self.server}: no access token: {problem.reason}")

    def _bought(self, reply: Reply, path: str) -> Secret:
        document = self._json(reply, "POST", path)
        access = document.get("access") if isinstance(document, dict) else None
        if not isinstance(access, str) or not access or any(not 0x21 <= ord(letter) <= 0x7E for letter in access):
            raise BadReply(f"{self.server}: the answer to POST {path} holds no access token")
        return Secret(access)

    def _request(
        self,
        method: str,
        path: str,
        params: Params | None,
        authorization: Secret | None,
        bought_with: Secret | None = None,
        **content: Any,
    ) -> Reply:
        """Whatever is answered, whole.

        Raises:
            _Failed: there is no whole answer.
        """
        # No variable holds a token in the clear, for those who have tracebacks with variables.
        assert "://" not in path.partition("?")[0], f"{path} is an address, expected a path below {self.server}"
        headers = httpx.Headers({} if authorization is None else {"Authorization": authorization.reveal()})
        url = f"{self.server}/{path.lstrip('/')}"
        query = list(params.items() if isinstance(params, Mapping) else params or [])
        settings: dict[str, Any] = {"params": query or None, "headers": headers} | content
        try:
            with self._client.stream(method, url, **settings, **_purchase(bought_with)) as answer:
                body = _whole(answer, time.monotonic() + _WHOLE * self._timeout)
                location, after = answer.headers.get("location", ""), answer.headers.get("retry-after", "")
                # What a server repeats of a token would go into messages, faults and tables like all that it says.
                said = body if bought_with is not None else self._access.hide_in(body)
                return Reply(answer.status_code, said, location, after)
        except _Failed as failed:
            problem = failed
        except httpx.TimeoutException as late:
            sent = not isinstance(late, _NOT_SENT)
            problem = _Failed(f"no answer within {self._timeout:g} s" if sent else "it cannot be reached in time", sent)
        except _NOT_SENT as unreached:
            problem = _not_reached(unreached)
        except (httpx.InvalidURL, httpx.LocalProtocolError):
            problem = _Failed("the URL cannot be asked; correct it", sent=False, final=True)
        except httpx.HTTPError:
            problem = _Failed("the connection broke off", sent=True)
        # Raised here and not in a handler: httpx's exceptions hold the request, and the request the token.
        raise problem

    def _json(self, reply: Reply, method: str, path: str) -> Any:
        try:
            return reply.document
        except ValueError:
            pass
        raise BadReply(
            f"{self.server}: the answer to {method} {path} is {kind_of(reply)} and not Label Studio's data; "
            "correct the URL to that of its front page"
        )

    def _refuse_redirect(self, reply: Reply, path: str) -> None:
        if not 300 <= reply.status < 400:
            return
        target = self._access.hide(where_to(reply.location, self.server, path))
        raise NotReached(f"{self.server}: redirects to {target}; if that is your server, write this URL instead")

    def _refused(self, reply: Reply, method: str, path: str) -> ServerError:
        said = self._words(reply)
        if reply.status == 401:
            fact = f"does not accept the {self.kind}{said}; copy a new one from Account & Settings there"
        elif reply.status == 403:
            fact = f"does not allow {method} {path} to this account{said}"
        elif reply.status == 404 and not self._met and own_refusal(reply) is None:
            fact = f"no Label Studio answers there ({method} {path} is not found); correct the URL"
        elif reply.status == 413:
            fact = f"{method} {path} is larger than the server, or a proxy before it, takes; raise its limit"
        else:
            fact = f"refused {method} {path} with {reply.status}{said}"
        return Refused(f"{self.server}: {fact}", reply.status)

    def _words(self, reply: Reply) -> str:
        return self._access.hide(server_words(reply))


def _client(credentials: Credentials, timeout: float) -> httpx.Client:
    """Raises BadInput where the URL or this machine's settings make none."""
    verify: ssl.SSLContext | bool = True
    reason = ""
    try:
        _ = httpx.URL(credentials.url).host
    except (httpx.InvalidURL, UnicodeError):
        reason = "the URL names a host that cannot be; correct it"
    try:
        if isinstance(credentials.verify, str):
            verify = ssl.create_default_context(cafile=credentials.verify)
    except (OSError, ssl.SSLError):
        reason = f"{credentials.verify}: no certificate can be read from it; expected PEM format"
    if not reason:
        try:
            return httpx.Client(
                verify=verify,
                # A session's cookie would be a second way in, and it is asked for before the token.
                cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
                headers={
                    "User-Agent": f"speech-workbench/{__version__}",
                    "Accept": "application/json",
                    "Accept-Encoding": ", ".join(_PACKED),
                },
                timeout=httpx.Timeout(timeout, connect=min(timeout, 15.0)),
                limits=httpx.Limits(max_connections=1),
                follow_redirects=False,
            )
        except (OSError, ssl.SSLError):
            reason = "the certificates that SSL_CERT_FILE or SSL_CERT_DIR names cannot be read; correct it"
        except (ImportError, ValueError, httpx.InvalidURL):
            reason = "the proxy that HTTP_PROXY, HTTPS_PROXY or ALL_PROXY names cannot be used; correct or unset it"
    raise BadInput(reason)


def _whole(answer: httpx.Response, until: float) -> bytes:
    """The body, as long as it is neither endless nor larger than anything that is asked for."""
    packed = answer.headers.get("content-encoding", "identity").strip().lower()
    if packed not in (*_PACKED, "identity"):
        raise _Failed("the answer is packed in a way that was not asked for", sent=True, final=True)
    parts, size = [], 0
    for part in answer.iter_bytes():
        size += len(part)
        if size > _LARGEST_REPLY:
            raise _Failed(f"the answer is larger than {_LARGEST_REPLY >> 20} MiB", sent=True, final=True)
        if time.monotonic() > until:
            raise _Failed("the answer came too slowly", sent=True)
        parts.append(part)
    return b"".join(parts)


def _not_reached(problem: Exception) -> _Failed:
    """Why nothing could be sent, in words."""
    text = str(problem)
    cause = problem.__cause__ or problem.__context__
    while cause is not None and not isinstance(cause, OSError):
        cause = cause.__cause__ or cause.__context__
    if isinstance(problem, httpx.ProxyError):
        return _Failed("the proxy that the environment names does not let through to it", sent=False, final=True)
    if isinstance(cause, ssl.SSLCertVerificationError):
        why = cause.verify_message or "not trusted"
        advice = "if it is your own, name its authority's file as ca_file beside url and token"
        return _Failed(f"its certificate cannot be trusted ({why}); {advice}", sent=False, final=True)
    if isinstance(cause, ssl.SSLError):
        return _Failed("no encrypted connection can be made; is it an http:// server?", sent=False, final=True)
    if "refused" in text:
        return _Failed("nothing answers there; start the server, or correct the URL", sent=False)
    if any(word in text for word in ("Name or service", "Temporary failure", "nodename", "No address", "getaddrinfo")):
        return _Failed("no such host is known; correct the URL", sent=False)
    return _Failed("it cannot be reached; is the network up?", sent=False)


def _purchase(token: Secret | None) -> dict[str, Any]:
    """The body that buys an access token; nothing where there is no token to buy one with."""
    return {} if token is None else {"json": {"refresh": token.reveal()}}
