"""`workbench sync connect`: whether the server can be reached, and as whom; what every command connects with."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workbench.cli.options import WorkspaceOption
from workbench.cli.output import Format, FormatOption, print_frame, say

if TYPE_CHECKING:
    from workbench.label_studio.connection import Connection
    from workbench.label_studio.credentials import Credentials

CredentialsOption = Annotated[
    Path | None,
    typer.Option(
        "--credentials",
        help="A file with the server's url and token, which only its owner can read.",
        show_default="LABEL_STUDIO_URL and LABEL_STUDIO_API_KEY, else ~/.config/workbench/label-studio.toml",
    ),
]


@contextlib.contextmanager
def connected(credentials: Path | None = None) -> Iterator[Connection]:
    """A connection with the credentials of this file; without one those of the environment or the default file.

    Raises:
        BadInput: there are none that can be used.
    """
    from workbench.label_studio.connection import Connection
    from workbench.label_studio.credentials import find_credentials

    with Connection(find_credentials(credentials)) as connection:
        yield connection


def connect(
    save: Annotated[
        bool,
        typer.Option("--save", help="Ask for URL and token, try them, and keep them in the file of credentials."),
    ] = False,
    credentials: CredentialsOption = None,
    workspace: WorkspaceOption = Path("."),
    format: FormatOption = Format.table,
) -> None:
    """Whether the server answers, which version it is, whose token this is, and which project is the workspace's.

    URL and token come from LABEL_STUDIO_URL and LABEL_STUDIO_API_KEY, or from a file of credentials with mode 0600,
    in TOML: url = "https://labels.example.com", token = "…", and for a certificate of one's own ca_file = "ca.pem".

    A legacy token or a personal access token: Account & Settings on the server shows it. With --save and no terminal,
    URL and token are the first two lines of standard input, a certificate's file may be the third.

    Example: workbench sync connect --save
    """
    import pandas as pd

    from workbench.label_studio.connection import Connection
    from workbench.label_studio.credentials import default_file, find_credentials, write_credentials
    from workbench.stages.sync.connected import described

    chosen = _asked() if save else find_credentials(credentials)
    with Connection(chosen) as connection:
        row, notes = described(connection, workspace)
    if save:
        file = credentials or default_file()
        write_credentials(file, chosen)
        notes.append(f"kept in {file}, which only you can read")
        if credentials is None:
            notes += _overruled()
    print_frame(pd.DataFrame([row]), format, "sync connect")
    for note in notes:
        say(note)


def _overruled() -> list[str]:
    """What to know about the environment, which goes before the default file."""
    import os

    from workbench.label_studio.credentials import TOKEN_VARIABLE, URL_VARIABLE

    given = [name for name in (URL_VARIABLE, TOKEN_VARIABLE) if os.environ.get(name)]
    return [f"{' and '.join(given)} in the environment will be used and not this file; unset it"] if given else []


def _asked() -> Credentials:
    """What a person types, the token unseen; or the lines of standard input."""
    import getpass

    from workbench.errors import BadInput
    from workbench.label_studio.credentials import Credentials, checked_token, checked_url

    by_hand = sys.stdin.isatty()
    url = checked_url(_line("URL of the server: ", by_hand), "URL")
    if by_hand:
        try:
            typed = getpass.getpass("Token (not shown): ")
        except EOFError:
            raise BadInput("no token was given; nothing is kept") from None
    else:
        typed = _line("", by_hand)
    token = checked_token(typed, "token")
    authority = ""
    if url.startswith("https://"):
        authority = _line("File of the certificate's authority (empty: those that this machine trusts): ", by_hand)
    if authority and not Path(authority).expanduser().is_file():
        raise BadInput(f"{authority} is not a file; expected a certificate in PEM format")
    return Credentials(url, token, str(Path(authority).expanduser().absolute()) if authority else True)


def _line(question: str, by_hand: bool) -> str:
    if by_hand:
        print(question, end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip()


def add_to(app: typer.Typer) -> None:
    app.command()(connect)
