"""What is sent to a server and what is found there, as plain records."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Any

KEY = "utterance_id"
"""The field of a task's data that holds our key."""
MARK = "workspace"
"""The field of a task's data that holds the workspace's mark: a task of another mark, or of none, is not ours."""

AUDIO = "audio"
TRANSCRIPT = "transcript"
REMARKS = "remarks"
SEGMENT = "segment"
SEGMENT_TEXT = "segment_text"
"""Names of the tags of the labelling configuration, and of the fields that they read."""

BAD_AUDIO = "bad_audio"
UNSURE = "unsure"
"""The remarks that a labeller can choose, as results hold them (a choice's alias)."""


@dataclass(frozen=True)
class WantedPrediction:
    """A hypothesis as the server is to hold it; the score is in [0, 1], or None where nothing is known."""

    model_version: str
    score: float | None
    result: list[dict[str, Any]]


@dataclass(frozen=True)
class WantedTask:
    """An utterance as the server is to hold it. `data` has our fields only, KEY and MARK among them."""

    utterance_id: str
    data: dict[str, Any]
    predictions: tuple[WantedPrediction, ...] = ()


@dataclass(frozen=True)
class FoundTask:
    """A task of the server. Its key is None where it is not one of this workspace."""

    task_id: int
    utterance_id: str | None
    data: dict[str, Any]
    updated_at: str
    annotations: int
    cancelled: int


@dataclass(frozen=True)
class FoundPrediction:
    """A prediction of the server."""

    prediction_id: int
    task_id: int
    model_version: str
    score: float | None
    result: list[dict[str, Any]]


@dataclass(frozen=True)
class FoundAnnotation:
    """An annotation, or a draft of one, as the server holds it now.

    Attributes:
        uid: the annotation's unique id, which no server uses twice; of a draft `draft-` and its number.
        user: who wrote it, by email; `user-7` where the server does not say more.
        updated_by: who changed it last, in the same way.
        updated_at: when, as the server writes it: with uid the version of the annotation.
        prediction_id: the prediction that it was begun from.
        begun_from: this prediction, where it is known as it was then.
    """

    uid: str
    annotation_id: int
    task_id: int
    user: str
    updated_by: str | None
    is_draft: bool
    was_cancelled: bool
    ground_truth: bool
    result: list[dict[str, Any]]
    created_at: str
    updated_at: str
    lead_time: float | None
    prediction_id: int | None = None
    begun_from: FoundPrediction | None = None


@dataclass(frozen=True)
class Account:
    """A user of the server."""

    user_id: int
    email: str
    name: str = ""


@dataclass(frozen=True)
class Server:
    """What a server says of itself: its version, and whose token this is."""

    version: str
    account: Account
    accounts: dict[int, Account] = field(default_factory=dict)


def fix_uid(mark: str, utterance_id: str, annotator: str, revision: int, text: str) -> str:
    """The unique id of the annotation that carries a revision of this workspace: the same at every try.

    The server refuses a second annotation with an id that it has, so that one sent twice exists once, and it tells
    our annotations from people's, whoever the token belongs to. The text is part of it, because two copies of a
    workspace number their revisions alike.

    >>> fix_uid("f00d", "utt1", "ann_a", 2, "hello") == fix_uid("f00d", "utt1", "ann_a", 2, "hello")
    True
    """
    return str(
        uuid.uuid5(uuid.NAMESPACE_URL, "\0".join(("speech-workbench", mark, utterance_id, annotator, str(revision))))
    )
