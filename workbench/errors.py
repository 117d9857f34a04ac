"""The application's own exceptions. Each message is one sentence: what was found, where, and what to do."""

from __future__ import annotations


class WorkbenchError(Exception):
    """Anything that stops a command with exit code 2."""


class BadInput(WorkbenchError):
    """A file, a table or an argument that is not as it must be."""


class UnreadableAudio(WorkbenchError):
    """A recording that cannot be decoded; the reason says why. Stages turn it into a fault."""


class BackendUnavailable(WorkbenchError):
    """A speech recogniser that cannot be loaded here."""


class WorkspaceLocked(WorkbenchError):
    """Another process writes to the workspace."""
