"""Nothing is lost or doubled when requests meet faults, or the server or the client dies: short, on a real server.

`scripts/sync_faults.py` is the long version of the same, of which this uses the rounds and the checks.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from scripts.sync_faults import CLIENT, SERVER, begun, tokens, with_faults, with_kills
from scripts.sync_round import project_of, there, transcript_result
from tests.label_studio_server import RealServer

TASKS = 24


@pytest.mark.parametrize("seed", [1, 2])
def test_with_faults_everything_exists_exactly_once(label_studio: RealServer, tmp_path: Path, seed: int) -> None:
    result = with_faults(label_studio, tokens(label_studio), tmp_path / "w", TASKS, seed, 0.3)
    assert result.problems == []
    assert (result.tasks, result.predictions) == (TASKS, 3 * TASKS)
    assert sum(result.faults.values()) > 3


def test_a_server_that_dies_in_push_and_pull_costs_nothing(fresh_label_studio: RealServer, tmp_path: Path) -> None:
    result = with_kills(fresh_label_studio, tokens(fresh_label_studio), tmp_path / "w", TASKS, 1, SERVER, 1)
    assert result.problems == []
    assert (result.tasks, result.predictions) == (TASKS, 3 * TASKS)


def test_a_client_that_dies_in_push_and_pull_costs_nothing(label_studio: RealServer, tmp_path: Path) -> None:
    result = with_kills(label_studio, tokens(label_studio), tmp_path / "w", TASKS, 2, CLIENT, 1)
    assert result.problems == []
    assert result.tries[0] == 2 and result.tries[1] == 2, "the command was killed once, and went on"
    assert (result.tasks, result.predictions) == (TASKS, 3 * TASKS)


def test_the_checks_see_what_is_wrong(label_studio: RealServer, tmp_path: Path) -> None:
    with begun(label_studio, tokens(label_studio), tmp_path / "w", 12, 5, 0.0) as run:
        run.push()
        run.annotate(random.Random(0))
        assert [one.split(",")[0] for one in run.check()] == [
            f"{len(run.people.said)} annotations in the workspace missing",
            f"{sum(one.state == 'submitted' for one in run.people.said.values())} submitted texts in the transcripts "
            "missing",
            *(
                f"{one.annotator}'s transcript of {one.utterance_id} is not {one.text!r}"
                for one in run.people.said.values()
                if one.state == "submitted"
            ),
        ]
        run.pull()
        assert run.check() == []

        held = there(label_studio, project_of(run.workspace))
        first, second, third = [task for task in held.tasks if not task["annotations"] and not task["drafts"]][:3]
        label_studio.ask("POST", f"/api/projects/{first['project']}/import", [{"data": first["data"]}])
        label_studio.ask("DELETE", f"/api/tasks/{second['id']}/")
        prediction = next(one for one in held.predictions if one["task"] == third["id"])
        copied = {name: prediction[name] for name in ("task", "model_version", "result")}
        label_studio.ask("POST", "/api/predictions/", copied)
        edited = next(one for one in run.people.said.values() if one.state == "submitted")
        result = transcript_result("somebody else's words")
        label_studio.ask("PATCH", f"/api/annotations/{edited.number}/", {"result": result})
        pulled = run.workspace.read("transcripts").query("source == 'label_studio'")
        twice = pulled[pulled["source_detail"].str.contains(edited.uid)].assign(revision=99)
        run.workspace.append("transcripts", twice)
        name = second["data"]["utterance_id"]
        assert run.check() == [
            f"1 tasks missing, as {name}",
            f"1 tasks more than once, as {first['data']['utterance_id']}",
            f"2 predictions missing, as ('{name}', 'run-1')",
            f"1 predictions more than once, as ('{third['data']['utterance_id']}', '{prediction['model_version']}')",
            f"annotation {edited.uid} is not as {edited.annotator} left it",
            f"1 submitted texts in the transcripts more than once, as ('{edited.versions[0]}', '{edited.uid}')",
        ]
