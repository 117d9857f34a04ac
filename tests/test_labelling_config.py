"""The labelling configuration, and what is told of one before the server sees it."""

from __future__ import annotations

import pytest

from workbench.label_studio.labelling_config import (
    FIELDS,
    labelling_config,
    problems_of_config,
    problems_of_task,
    problems_of_tasks,
)
from workbench.label_studio.records import WantedPrediction, WantedTask
from workbench.label_studio.results import prediction_result

WORDS = [{"word": "so", "start": 0.0, "end": 0.5}, {"word": "it", "start": 1.5, "end": 2.0}]
SMALLEST = """<View>
  <Audio name="audio" value="$audio"/>
  <TextArea name="transcript" toName="audio"/>
</View>"""


def task(*predictions: WantedPrediction, **data: object) -> WantedTask:
    return WantedTask("u1", dict.fromkeys(FIELDS, "") | {"audio": "/data/u1.flac"} | data, predictions)


@pytest.mark.parametrize("language", ["en", "ko", "ko-KR", "fr"])
@pytest.mark.parametrize("with_segments", [False, True])
def test_ours_has_no_problems_and_takes_our_predictions(language: str, with_segments: bool) -> None:
    config = labelling_config(language, with_segments)
    assert problems_of_config(config, with_segments) == []
    kinds = ("none", "words", "segments") if with_segments else ("none",)
    predictions = [WantedPrediction(kind, 0.5, prediction_result("so it", WORDS, kind, 2.0)) for kind in kinds]
    assert problems_of_task(config, task(*predictions, WantedPrediction("silent", None, []))) == []


def test_its_words_are_the_workspaces_language() -> None:
    assert "Bad audio" in labelling_config("en", True)
    korean = labelling_config("ko", True)
    assert "음질 불량" in korean and "Bad audio" not in korean
    # What results hold is the same in every language.
    assert all(f'alias="{name}"' in korean for name in ("bad_audio", "unsure", "Speech"))


def test_a_persons_configuration_needs_the_audio_and_the_transcript_only() -> None:
    assert problems_of_config(SMALLEST) == []
    assert problems_of_config(SMALLEST, with_segments=True) == [
        "no Labels named segment",
        "no TextArea named segment_text",
    ]


@pytest.mark.parametrize(
    ("written", "instead", "problem"),
    [
        ('"transcript"', '"text"', "no TextArea named transcript"),
        ('name="audio"', 'name="sound"', "no Audio named audio"),
        ('"$audio"', '"$file"', "Audio audio has the value '$file', and must have '$audio'"),
        ("TextArea", "Choices", "transcript names a Choices, and must name a TextArea"),
        ('toName="audio"', 'toName="video"', "TextArea transcript has toName 'video', and must have 'audio'"),
        ('toName="audio"', 'toName="audio" perRegion="true"', "TextArea transcript is perRegion, and must be of the "),
        ("</View>", '<Text name="t" value="$split"/></View>', "it reads $split, a field that tasks need not have"),
        (
            "</View>",
            '<Choices name="remarks" toName="audio"><Choice value="bad_audio"/></Choices></View>',
            "Choices remarks has no Choice with the alias unsure",
        ),
        ("</View>", "", "the configuration is not XML"),
        ("</View>", '<Rating name="transcript" toName="audio"/></View>', "names a Rating"),
        ("<View>", '<View><Labels name="l" toName="none"><Label value="x"/></Labels>', "Label Studio would not take"),
    ],
)
def test_what_a_configuration_lacks_is_named(written: str, instead: str, problem: str) -> None:
    problems = problems_of_config(SMALLEST.replace(written, instead))
    assert any(problem in told for told in problems), problems


def test_fields_that_every_task_has_may_be_read() -> None:
    config = SMALLEST.replace("</View>", '<Text name="t" value="$room"/></View>')
    assert problems_of_config(config, fields=[*FIELDS, "room"]) == []


LAUGHS = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))


@pytest.mark.parametrize(
    ("hostile", "problem"),
    [
        (f'<!DOCTYPE v [<!ENTITY a0 "ha">{LAUGHS}]><View>&a9;</View>', "declares a document type or entities"),
        ('<!doctype v SYSTEM "file:///etc/passwd"><View/>', "declares a document type or entities"),
        ("<View>" * 10_000 + "</View>" * 10_000, "the most that is read is 100000"),
        ("<View>" * 5_000 + "</View>" * 5_000, "no Audio named audio"),
        ("\x00", "is not XML"),
        ("", "is not XML"),
        ("<View>\ud800</View>", "is not XML"),
    ],
)
def test_hostile_configurations_are_refused(hostile: str, problem: str) -> None:
    assert problem in problems_of_config(hostile)[0]


def test_deep_nesting_around_what_is_needed_is_refused() -> None:
    assert "Label Studio would not take it" in problems_of_config("<View>" * 2_000 + SMALLEST + "</View>" * 2_000)[0]


def test_a_task_that_the_server_would_refuse_is_told_before() -> None:
    config = labelling_config("en", with_segments=False)
    foreign = [{"from_name": "segment", "to_name": "audio", "type": "labels", "value": {"labels": ["Speech"]}}]
    assert problems_of_task(config, task(audio="")) == ["the task has no audio"]
    assert problems_of_task(config, task(why=None)) == ["the task has no field why"]
    assert "score" in problems_of_task(config, task(WantedPrediction("r1", 1.5, [])))[0].lower()
    (problem,) = problems_of_task(config, task(WantedPrediction("r1", 0.5, foreign)))
    assert problem.startswith("the prediction of r1: ") and "'segment' not found" in problem


def test_only_tasks_with_problems_are_named() -> None:
    config = labelling_config("en", with_segments=False)
    assert problems_of_tasks(config, [task(), task(audio="")]) == {"u1": ["the task has no audio"]}
