"""Where the server is and who asks: from the environment, or from a file that only its owner can read."""

from __future__ import annotations

import json
import os
import stat
import tomllib
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from workbench.errors import BadInput
from workbench.label_studio.secret import Secret

URL_VARIABLE, TOKEN_VARIABLE = "LABEL_STUDIO_URL", "LABEL_STUDIO_API_KEY"
_NAMES = ("url", "token", "ca_file")
_LARGEST_FILE = 65_536  # bytes
_LONGEST_TOKEN = 8_192  # characters; servers refuse longer headers


@dataclass(frozen=True)
class Credentials:
    """A server's URL without a slash at its end, a token, and how its certificate is checked.

    Attributes:
        verify: True for the authorities that this machine trusts, or a file of other ones.
    """

    url: str
    token: Secret
    verify: bool | str = True


def default_file() -> Path:
    """The file that is read where the environment says nothing: `~/.config/workbench/label-studio.toml`."""
    home = os.environ.get("XDG_CONFIG_HOME", "")
    # A relative path there is to be ignored, says the specification.
    base = Path(home) if os.path.isabs(home) else Path.home() / ".config"
    return base / "workbench" / "label-studio.toml"


def find_credentials(file: Path | None = None) -> Credentials:
    """The URL and the token of this file; without one those of the environment, else of the default file.

    Both always come from one place, so that a token never goes to a server that it was not given for.

    Raises:
        BadInput: there are none, only half of them, or they cannot be used; no message holds a token.
    """
    if file is not None:
        return read_credentials(file)
    url, token = os.environ.get(URL_VARIABLE, "").strip(), os.environ.get(TOKEN_VARIABLE, "").strip()
    if url and token:
        return Credentials(checked_url(url, URL_VARIABLE), checked_token(token, TOKEN_VARIABLE))
    if url or token:
        given, missing = (URL_VARIABLE, TOKEN_VARIABLE) if url else (TOKEN_VARIABLE, URL_VARIABLE)
        raise BadInput(f"{given} is set and {missing} is not; set both, or neither and use a file of credentials")
    if not default_file().exists():
        raise BadInput(
            f"no server is known: set {URL_VARIABLE} and {TOKEN_VARIABLE}, or run `workbench sync connect --save`, "
            f"which writes {default_file()}"
        )
    return read_credentials(default_file())


def read_credentials(file: Path) -> Credentials:
    """The credentials in a TOML file: `url`, `token`, and `ca_file` where the certificate is one of one's own.

    Raises:
        BadInput: others can read the file, or it is not as it must be.
    """
    try:
        text = read_private(file, "token")
    except FileNotFoundError:
        raise BadInput(f"{file}: there is no such file; `workbench sync connect --save` writes one") from None
    values, place = None, ""
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        place = str(problem).rpartition("(")[2].rstrip(")")
    # Outside of the handler: an exception that is chained to this one would carry the file's text along.
    if values is None:
        raise BadInput(f'{file}: not TOML ({place}); expected url = "https://…" and token = "…"')
    more = sorted(set(values) - set(_NAMES))
    if more:
        raise BadInput(f"{file}: {len(more)} unknown setting(s) beside url, token and ca_file; remove them")
    missing = [name for name in ("url", "token") if not values.get(name)]
    if missing:
        raise BadInput(f"{file}: {' and '.join(missing)} missing; write both url and token")
    wrong = [name for name, value in values.items() if not isinstance(value, str)]
    if wrong:
        raise BadInput(f"{file}: {' and '.join(wrong)} must be text in quotation marks")
    url, token = checked_url(values["url"], f"{file}: url"), checked_token(values["token"], f"{file}: token")
    verify: bool | str = True
    if values.get("ca_file"):
        authority = file.parent / Path(values["ca_file"]).expanduser()
        if not authority.is_file():
            raise BadInput(f"{file}: ca_file {authority} is not a file; expected a certificate in PEM format")
        verify = str(authority)
    return Credentials(url, token, verify)


def write_credentials(file: Path, credentials: Credentials) -> None:
    """Write the file in place of the one before, whole or not at all, and at no moment for others to read."""
    lines = [f"url = {json.dumps(credentials.url)}", f"token = {json.dumps(credentials.token.reveal())}"]
    if isinstance(credentials.verify, str):
        lines.append(f"ca_file = {json.dumps(os.path.abspath(credentials.verify))}")
    file = file.resolve()
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    beside = file.with_name(f".{file.name}.{os.getpid()}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with open(descriptor, "w", encoding="utf-8") as opened:
            opened.write("\n".join([*lines, ""]))
            opened.flush()
            os.fsync(opened.fileno())
        beside.replace(file)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def read_private(file: Path, secret: str) -> str:
    """The text of a file that only its owner can read; rights and text are those of one and the same file.

    Args:
        secret: what the file holds, for messages.

    Raises:
        BadInput: others can read the file, or it is no short file of text; no message holds any of it.
        FileNotFoundError: it is not there.
    """
    descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise BadInput(f"{file}: not a file of text; expected one with the {secret}")
    with open(descriptor, "rb") as opened:
        found = os.fstat(descriptor)
        if found.st_mode & 0o077:
            mode = stat.S_IMODE(found.st_mode)
            raise BadInput(f"{file}: others can read the {secret} (mode {mode:04o}); run: chmod 600 {file}")
        if found.st_uid not in (os.getuid(), 0):
            raise BadInput(f"{file}: it belongs to another user; use a file of your own")
        content = opened.read(_LARGEST_FILE + 1)
    if len(content) > _LARGEST_FILE:
        raise BadInput(f"{file}: more than {_LARGEST_FILE} bytes; expected a short file with the {secret}")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    raise BadInput(f"{file}: not UTF-8; save it as UTF-8 text")


def checked_url(url: str, where: str) -> str:
    """The URL without spaces around it and slashes at its end, its host in small letters.

    Raises:
        BadInput: it cannot be a server's; the message never repeats it, because it may hold a password or a token.
    """
    url = url.strip()
    expected = "expected something like https://labels.example.com"
    if any(letter.isspace() or not letter.isprintable() or letter in '\\"<>' for letter in url):
        raise BadInput(f"{where}: the URL holds a space or a character that URLs cannot hold; {expected}")
    try:
        parts, known = urlsplit(url), True
        host, _ = parts.hostname, parts.port
    except ValueError:
        known = False
    # Not in the handler, because its exception repeats parts of the URL.
    if not known:
        raise BadInput(f"{where}: the URL has a host or a port that cannot be; {expected}")
    if parts.scheme not in ("http", "https"):
        raise BadInput(f"{where}: the URL does not begin with http:// or https://; {expected}")
    if not host:
        raise BadInput(f"{where}: the URL names no host; {expected}")
    if "@" in parts.netloc:
        raise BadInput(f"{where}: the URL holds a user name or a password; leave them out, a token is enough")
    if "?" in url or "#" in url:
        raise BadInput(f"{where}: the URL has a part after ? or #; give the server's address only")
    return parts._replace(netloc=parts.netloc.lower()).geturl().rstrip("/")


def checked_token(token: str, where: str) -> Secret:
    """The token without whitespace around it.

    Raises:
        BadInput: it holds what no header can carry, or is no token; the message does not repeat it.
    """
    token = token.strip()
    if not token:
        raise BadInput(f"{where}: the token is empty; copy it from Account & Settings on the server")
    if "://" in token:
        raise BadInput(f"{where}: a URL stands where the token belongs; copy the token from Account & Settings")
    if any(not 0x21 <= ord(letter) <= 0x7E for letter in token) or len(token) > _LONGEST_TOKEN:
        raise BadInput(
            f"{where}: the token holds a space or a character that no token has; paste the token alone, "
            "without the word Token or Bearer"
        )
    return Secret(token)
