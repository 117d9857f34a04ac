"""Fixtures that several test files share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests import label_studio_server
from tests.label_studio_server import fresh_label_studio as fresh_label_studio
from tests.label_studio_server import label_studio as label_studio


def pytest_collection_finish(session: pytest.Session) -> None:
    label_studio_server.begin(session)


def pytest_sessionfinish(session: pytest.Session) -> None:
    label_studio_server.end(session)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The directory of real data beside the repository; the test is skipped where it is absent."""
    beside = Path(__file__).resolve().parents[1].parent / "shared" / "data"
    directory = Path(os.environ.get("WORKBENCH_SHARED_DATA") or beside)
    if not directory.is_dir():
        pytest.skip(f"no real data: {directory} is not there; set WORKBENCH_SHARED_DATA to its directory")
    return directory
