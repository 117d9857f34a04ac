"""What each utterance becomes: its fields, its predictions, its audio, and which are asked for."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from workbench.config import config_text
from workbench.demo.corpus import CORPUS
from workbench.errors import BadInput
from workbench.label_studio.labelling_config import FIELDS, labelling_config, problems_of_config
from workbench.label_studio.results import read_result
from workbench.stages.backlog import backlog
from workbench.stages.check import check
from workbench.stages.score import score_runs
from workbench.stages.suspects import suspects
from workbench.stages.sync.choice import Only, parse_only
from workbench.stages.sync.task_fields import NUMBER_FIELDS, TEXT_FIELDS
from workbench.stages.sync.wanted import Wanted, wanted_tasks
from workbench.stages.verdicts import accept_flags, judged_flags, reject_flags
from workbench.workspace import Workspace

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CLIPS = sorted((CORPUS / "audio").iterdir())
MARK = "f00d"


def workspace_of(root: Path, utterances: dict[str, dict[str, Any]], **settings: str) -> Workspace:
    toml = config_text("w", "en", 0.2)
    for name, value in settings.items():
        line = next(line for line in toml.splitlines() if line.startswith(f"{name} = "))
        toml = toml.replace(line, f"{name} = {json.dumps(value)}")
    workspace = Workspace.create(root, toml)
    rows = [
        {"utterance_id": name, "recording": str(CLIPS[n]), "source": f"m.csv:{n + 1}"} | own
        for n, (name, own) in enumerate(utterances.items())
    ]
    workspace.append("utterances", pd.DataFrame(rows))
    return workspace


def write(workspace: Workspace, texts: dict[str, dict[str, str]]) -> None:
    rows = [
        {"utterance_id": u, "annotator": a, "revision": 1, "text": text, "created_at": NOW, "source": "import"}
        for u, by in texts.items()
        for a, text in by.items()
    ]
    workspace.append("transcripts", pd.DataFrame(rows))


def transcribe(
    workspace: Workspace, heard: dict[str, Any], run_id: str = "r1", model: str = "m1", minute: int = 0
) -> None:
    run = {"run_id": run_id, "backend": "imported", "model": model, "parameters": "{}", "utterances": len(heard)}
    started = NOW.replace(minute=minute)
    workspace.append("runs", pd.DataFrame([run | {"started_at": started, "finished": True}]))
    rows = [
        {"utterance_id": u, "run_id": run_id, "audio": "", "confidence": None, "words": None}
        | (told if isinstance(told, dict) else {"text": told})
        for u, told in heard.items()
    ]
    workspace.append("hypotheses", pd.DataFrame(rows).astype({"confidence": "float64"}))


def fields(wanted: Wanted, *names: str) -> dict[str, Any]:
    """A field of each task, or a tuple of several."""
    values = {task.utterance_id: tuple(task.data[name] for name in names) for task in wanted.tasks}
    return {u: one[0] for u, one in values.items()} if len(names) == 1 else values


SPOKEN = "play the song again please and then stop"


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixteen utterances of four speakers, in two rooms; some labels are wrong, and one utterance has none."""
    names = [f"u{n:02}" for n in range(16)]
    utterances = {
        name: {"speaker": f"spk{n % 4}", "duration": 2.0, "room": "car" if n % 4 > 1 else "office", "age": 10 + n}
        for n, name in enumerate(names)
    }
    workspace = workspace_of(tmp_path_factory.mktemp("team") / "ws", utterances)
    texts = {name: {"ann_a": SPOKEN, "ann_b": SPOKEN} for name in names[:-1]}
    texts["u01"] = {"ann_a": SPOKEN.capitalize(), "ann_b": SPOKEN, "ann_c": SPOKEN}
    texts["u02"]["ann_a"] = "something else altogether was written here"
    texts["u03"] = {"ann_a": SPOKEN.replace("song", " song")}
    write(workspace, texts)
    heard = {name: SPOKEN if utterances[name]["room"] == "office" else "lay a song again" for name in names}
    transcribe(workspace, {name: {"text": text, "confidence": 0.9} for name, text in heard.items()})
    check(workspace)
    suspects(workspace)
    score_runs(workspace)
    backlog(workspace)
    return workspace.root


@pytest.fixture
def team(checked: Path, tmp_path: Path) -> Workspace:
    return Workspace.open(Path(shutil.copytree(checked, tmp_path / "ws")))


def test_a_task_holds_what_is_known_of_its_utterance(team: Workspace) -> None:
    wanted = wanted_tasks(team, MARK)
    assert [task.utterance_id for task in wanted.tasks] == [f"u{n:02}" for n in range(16)]
    data = wanted.tasks[2].data
    score = data.pop("suspect_score")
    assert score > 0.5 and score == round(score, 2)
    why = data.pop("why")
    assert why.startswith("model.disagrees: 81% of the letters differ from what the model heard") and len(why) <= 240
    assert data == {
        "utterance_id": "u02",
        "workspace": MARK,
        "reference": "something else altogether was written here",
        "reference_by": "ann_a",
        "suggestion": "song again altogether was written here",
        "flags": "conflict.content, model.disagrees",
        "slices": "room = car, age <= 12",
        "backlog": "collect.room=car, label.conflict.content",
        "speaker": "spk2",
        "split": "",
        "duration": 2.0,
        "room": "car",
        "age": 12,
    }


def test_every_task_has_the_same_fields_and_they_are_plain_json(team: Workspace) -> None:
    wanted = wanted_tasks(team, MARK)
    assert len({tuple(task.data) for task in wanted.tasks}) == 1
    assert {*FIELDS, *TEXT_FIELDS, *NUMBER_FIELDS} - {"audio"} <= set(wanted.tasks[0].data)
    for task in wanted.tasks:
        assert json.loads(json.dumps(task.data, allow_nan=False)) == task.data
    unlabelled = wanted.tasks[-1].data
    assert (unlabelled["reference"], unlabelled["reference_by"], unlabelled["suspect_score"]) == ("", "", None)


def test_an_unchanged_workspace_gives_the_same_tasks(team: Workspace) -> None:
    first = wanted_tasks(team, MARK)
    for stage in (check, suspects, backlog):
        stage(team)
    again = wanted_tasks(Workspace.open(team.root), MARK)
    assert (again.tasks, again.audio) == (first.tasks, first.audio)


def test_slices_and_items_have_the_utterances_that_the_stages_count(team: Workspace) -> None:
    items = team.read("backlog")
    items = items[items["kind"] != "tune"]
    wanted = wanted_tasks(team, MARK)
    counts = pd.Series([item for held in fields(wanted, "backlog").values() for item in held.split(", ") if item])
    assert set(items["kind"]) >= {"label", "collect"}
    assert counts.value_counts().to_dict() == dict(zip(items["item_id"], items["utterances"], strict=True))
    slices = team.read("slices")
    scored = [held for name, held in fields(wanted, "slices").items() if name != "u15"]
    counts = pd.Series([name for held in scored for name in held.split(", ")])
    assert counts.value_counts().to_dict() == dict(zip(slices["slice"], slices["utterances"], strict=True))
    # The one without a label, which is not scored, is in the same slices by its tags.
    assert fields(wanted, "slices")["u15"] == "room = car, age = 21 to 40"


def test_flags_are_those_of_todays_texts_that_nobody_rejected(team: Workspace) -> None:
    assert fields(wanted_tasks(team, MARK), "flags", "suggestion")["u01"] == (
        "conflict.casing, convention.casing",
        "",
    )
    flags = judged_flags(team)
    of_rule = flags[flags["utterance_id"] == "u01"].set_index("rule_id")["flag"]
    reject_flags(team, [of_rule["conflict.casing"]], "ann_c")
    assert fields(wanted_tasks(team, MARK), "flags")["u01"] == "convention.casing"
    accept_flags(team, [of_rule["convention.casing"]], "ann_c")
    assert fields(wanted_tasks(team, MARK), "flags")["u01"] == ""
    # Accepted without a text to put in its place: the label is still wrong.
    accept_flags(team, list(flags["flag"][flags["rule_id"] == "conflict.content"]), "ann_c")
    assert fields(wanted_tasks(team, MARK), "flags")["u02"] == "conflict.content"


def test_the_suggestion_is_for_the_reference(tmp_path: Path) -> None:
    workspace = workspace_of(tmp_path / "ws", {"u1": {}, "u2": {}})
    write(workspace, {"u1": {"reference": "a  b"}, "u2": {"ann_a": "c", "ann_b": "c  d", "reference": "c d"}})
    check(workspace)
    assert fields(wanted_tasks(workspace, MARK), "suggestion", "reference_by") == {
        "u1": ("a b", "reference"),
        "u2": ("", "reference"),
    }


def test_tags_keep_their_kind_and_take_no_name_that_is_taken(tmp_path: Path) -> None:
    tags: list[dict[str, Any]] = [
        {"why": "mine", "audio": 1, "a.b": "x", "a__b": 0.1 + 0.2, "is_far": True, "나이": 3},
        {"why": None, "audio": None, "a.b": None, "a__b": None, "is_far": None, "나이": None},
    ]
    workspace = workspace_of(tmp_path / "ws", {"u1": tags[0], "u2": tags[1]})
    first, second = (task.data for task in wanted_tasks(workspace, MARK).tasks)
    names = ("tag_why", "tag_audio", "a_b", "tag_a_b", "is_far", "나이")
    assert [first[name] for name in names] == ["mine", 1, "x", 0.3, True, 3]
    assert [second[name] for name in names] == ["", None, "", None, None, None]
    assert (first["why"], "audio" in first) == ("", False)


# predictions


def test_predictions_are_of_the_newest_run_of_each_model(tmp_path: Path) -> None:
    workspace = workspace_of(tmp_path / "ws", {"u1": {}, "u2": {}})
    transcribe(workspace, {"u1": "old"}, "r1", "m1", minute=1)
    transcribe(workspace, {"u1": "other", "u2": "two"}, "r2", "m2", minute=2)
    transcribe(workspace, {"u1": {"text": "new", "confidence": 0.123456789}}, "r3", "m1", minute=3)
    one, two = wanted_tasks(workspace, MARK).tasks
    told = [(p.model_version, p.score, read_result(p.result).text) for p in one.predictions]
    assert told == [("r3", 0.123457, "new"), ("r2", None, "other")]
    assert [p.model_version for p in two.predictions] == ["r2"]


@pytest.mark.parametrize("confidence", [1.5, -0.1, float("inf")])
def test_a_confidence_that_is_none_is_a_fault_and_no_score(tmp_path: Path, confidence: float) -> None:
    workspace = workspace_of(tmp_path / "ws", {"u1": {}})
    transcribe(workspace, {"u1": {"text": "so", "confidence": confidence}})
    wanted = wanted_tasks(workspace, MARK)
    assert wanted.tasks[0].predictions[0].score is None
    (fault,) = wanted.faults
    assert (fault["item"], fault["location"]) == ("u1", "run r1")
    assert fault["reason"] == f"the confidence {confidence} is not in [0, 1]; its prediction has no score"


@pytest.mark.parametrize(
    ("regions", "of_long", "of_short"),
    [("segments", ["a", "b"], []), ("words", ["a", "b"], ["a", "b"]), ("none", [], [])],
)
def test_regions_are_as_the_settings_ask(tmp_path: Path, regions: str, of_long: list[str], of_short: list[str]) -> None:
    workspace = workspace_of(tmp_path / "ws", {"long": {"duration": 20.0}, "short": {"duration": 2.0}}, regions=regions)
    words = [{"word": "a", "start": 0.0, "end": 0.5}, {"word": "b", "start": 1.5, "end": 2.0}]
    words = [{**word, "confidence": 0.5} for word in words]
    transcribe(workspace, {name: {"text": "a b", "words": words} for name in ("long", "short")})
    wanted = wanted_tasks(workspace, MARK)
    readings = {task.utterance_id: read_result(task.predictions[0].result) for task in wanted.tasks}
    assert [s.text for s in readings["long"].segments] == of_long
    assert [s.text for s in readings["short"].segments] == of_short
    assert {reading.text for reading in readings.values()} == {"a b"}
    # Long recordings are labelled by regions whatever the hypotheses bring along.
    assert wanted.with_segments
    assert problems_of_config(labelling_config("en", wanted.with_segments), wanted.with_segments) == []


def test_short_utterances_need_no_regions(tmp_path: Path) -> None:
    assert not wanted_tasks(workspace_of(tmp_path / "ws", {"u1": {"duration": 2.0}}), MARK).with_segments


# audio


def test_the_normalised_audio_else_the_whole_recording_else_a_fault(tmp_path: Path) -> None:
    utterances: dict[str, dict[str, Any]] = {
        "normalised": {"start": 1.0, "end": 2.0},
        "whole": {"start": 0.0},
        "part": {"start": 1.0, "end": 2.0},
        "gone": {"recording": "not/there.wav"},
    }
    workspace = workspace_of(tmp_path / "ws", utterances)
    made = workspace.root / "audio" / "settings" / "0123-settings.flac"
    made.parent.mkdir(parents=True)
    made.touch()
    measured = dict.fromkeys(("content_hash", "samples_hash", "settings", "loudness_method"), "x")
    numbers = dict.fromkeys(("gain", "clipped_share", "silence_share", "speech_seconds", "bandwidth", "dc_offset"), 0.0)
    quality = {"utterance_id": "normalised", "sampling_rate": 16000, "channels": 1, "duration": 1.5}
    row = quality | measured | numbers | {"gain_limited": False, "output": str(made.relative_to(workspace.root))}
    workspace.append("audio_quality", pd.DataFrame([row]))
    wanted = wanted_tasks(workspace, MARK)
    assert {name: (file.path, file.name) for name, file in wanted.audio.items()} == {
        "normalised": (made, "0123-settings.flac"),
        "whole": (CLIPS[1], ""),
    }
    assert wanted.audio["normalised"].within == "audio/settings/0123-settings.flac"
    assert fields(wanted, "duration")["normalised"] == 1.5
    assert {fault["item"]: fault["reason"] for fault in wanted.faults} == {
        "part": "there is no audio of its part of the recording; run `workbench normalize`",
        "gone": f"{workspace.root / 'not/there.wav'} is not there; correct the manifest and import it again",
    }
    assert wanted.ids == set(utterances)


def test_an_address_from_the_id_needs_no_file(tmp_path: Path) -> None:
    utterances: dict[str, dict[str, Any]] = {"u1": {"recording": "not/there.wav"}, "u2": {"start": 1.0, "end": 2.0}}
    by_id = workspace_of(
        tmp_path / "id", utterances, audio="url", url_template="https://a.example.com/{utterance_id}.flac"
    )
    assert list(wanted_tasks(by_id, MARK).audio) == ["u1", "u2"]
    by_recording = workspace_of(
        tmp_path / "recording", utterances, audio="url", url_template="https://a.example.com/{recording}"
    )
    wanted = wanted_tasks(by_recording, MARK)
    assert list(wanted.audio) == ["u1"]
    assert "but the utterance is a part of it" in wanted.faults[0]["reason"]


def test_a_template_with_an_unknown_placeholder_is_refused_at_once(tmp_path: Path) -> None:
    workspace = workspace_of(tmp_path / "ws", {"u1": {}}, audio="url", url_template="https://a.example.com/{id}")
    with pytest.raises(BadInput, match=r"placeholder \{id\}"):
        wanted_tasks(workspace, MARK)


def test_no_utterances_are_bad_input(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="workbench import MANIFEST"):
        wanted_tasks(Workspace.create(tmp_path / "ws", config_text("w", "en", 0.2)), MARK)


# what is asked for


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["conflict.casing"], ["u01"]),
        (["room = office"], ["u00", "u01", "u04", "u05", "u08", "u09", "u12", "u13"]),
        (["room=office"], ["u00", "u01", "u04", "u05", "u08", "u09", "u12", "u13"]),
        (["label.convention.spaces"], ["u03"]),
        (["u03"], ["u03"]),
        (["u03", "conflict.casing", "u03"], ["u01", "u03"]),
    ],
)
def test_a_slice_a_rule_an_item_or_an_utterance_can_be_asked_for(
    team: Workspace, names: list[str], found: list[str]
) -> None:
    wanted = wanted_tasks(team, MARK, parse_only(names))
    assert [task.utterance_id for task in wanted.tasks] == found
    assert len(wanted.ids) == 16


@pytest.mark.parametrize(
    ("name", "near"),
    [("conflict.casings", "'conflict.casing'"), ("room = offices", "'room = office'"), ("u3", "'u03'")],
)
def test_a_wrong_name_gets_the_nearest_ones(team: Workspace, name: str, near: str) -> None:
    with pytest.raises(BadInput) as refused:
        wanted_tasks(team, MARK, parse_only([name]))
    assert near in str(refused.value)


def test_a_rule_that_raised_nothing_gives_no_task_and_says_so(team: Workspace) -> None:
    wanted = wanted_tasks(team, MARK, Only(("audio.too_quiet",)))
    assert (wanted.tasks, wanted.notes) == ([], ["no utterance is in audio.too_quiet now"])


def test_nothing_asked_for_is_everything_and_an_empty_name_is_refused() -> None:
    assert parse_only([]) is None
    with pytest.raises(BadInput):
        parse_only(["conflict.casing", " "])
