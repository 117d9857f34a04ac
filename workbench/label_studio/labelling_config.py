"""Labelling configurations: the workbench's own, and what one that people wrote lacks. The SDK's only door."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree
from xml.sax.saxutils import quoteattr

from workbench.label_studio.records import (
    AUDIO,
    BAD_AUDIO,
    KEY,
    MARK,
    REMARKS,
    SEGMENT,
    SEGMENT_TEXT,
    TRANSCRIPT,
    UNSURE,
    WantedTask,
)
from workbench.label_studio.results import SPEECH

if TYPE_CHECKING:
    from label_studio_sdk.label_interface import LabelInterface

REFERENCE = "reference"
SUGGESTION = "suggestion"
WHY = "why"
FIELDS = (AUDIO, KEY, MARK, REFERENCE, SUGGESTION, WHY)
"""The fields that every task has, empty or not: a configuration may read these."""

_LARGEST = 100_000  # characters; the workbench's own configuration has about 1,000
_DECLARATION = re.compile(r"<!(?:DOCTYPE|ENTITY|ELEMENT|ATTLIST|NOTATION)", re.IGNORECASE)
_ENCODING = re.compile(r"^\s*<\?xml[^>]*\?>")

_WORDS = {
    "en": {
        "reference": "Label now",
        "suggestion": "Suggestion",
        "why": "Why",
        "transcript": "Transcript",
        "placeholder": "What is said",
        "bad_audio": "Bad audio",
        "unsure": "Unsure",
        "speech": "Speech",
        "placeholder_of_segments": "What is said; empty where the segments have it",
    },
    "ko": {
        "reference": "현재 라벨",
        "suggestion": "제안",
        "why": "이유",
        "transcript": "전사",
        "placeholder": "들리는 대로 입력하세요",
        "bad_audio": "음질 불량",
        "unsure": "확실하지 않음",
        "speech": "말소리",
        "placeholder_of_segments": "들리는 대로 입력하세요. 구간마다 입력했다면 비워 두세요",
    },
}

_TOLD = """
  <View className="wb-told">
    <Header value={title} size="5"/>
    <Text name="{name}" value="${name}"/>
  </View>"""
_STYLE = (
    ".wb-told{display:grid;grid-template-columns:7em 1fr;align-items:start}"
    ".wb-told:has(span:empty){display:none}"
    ".wb-told h4{margin:0!important;font-size:14px!important;opacity:.7}"
)
"""What is not known takes no room on the page."""


def labelling_config(language: str, with_segments: bool) -> str:
    """The XML of the workbench's labelling configuration; its words are Korean for `ko`, else English.

    Args:
        language: of the workspace.
        with_segments: some recordings are long, and are labelled by regions.
    """
    word = {name: quoteattr(text) for name, text in _WORDS["ko" if language.startswith("ko") else "en"].items()}
    told = "".join(_TOLD.format(title=word[name], name=name) for name in (REFERENCE, SUGGESTION, WHY))
    segments = f"""
  <Labels name="{SEGMENT}" toName="{AUDIO}" choice="single">
    <Label value={word["speech"]} alias="{SPEECH}" background="#2f7ed8"/>
  </Labels>
  <TextArea name="{SEGMENT_TEXT}" toName="{AUDIO}" perRegion="true" displayMode="region-list" editable="true" rows="2"
    maxSubmissions="1"/>"""
    return f"""<View>
  <Style>{_STYLE}</Style>
  <Audio name="{AUDIO}" value="${AUDIO}" height="120" zoom="true" speed="true" volume="true"/>{told}{
        segments if with_segments else ""
    }
  <Header value={word["transcript"]} size="5"/>
  <TextArea name="{TRANSCRIPT}" toName="{AUDIO}" editable="true" rows="3" maxSubmissions="1" placeholder={
        word["placeholder_of_segments" if with_segments else "placeholder"]
    }/>
  <Choices name="{REMARKS}" toName="{AUDIO}" choice="multiple" showInline="true">
    <Choice value={word["bad_audio"]} alias="{BAD_AUDIO}" hotkey="b"/>
    <Choice value={word["unsure"]} alias="{UNSURE}" hotkey="u"/>
  </Choices>
</View>
"""


def problems_of_config(xml: str, with_segments: bool = False, fields: Collection[str] = FIELDS) -> list[str]:
    """What a labelling configuration lacks for the workbench's tasks, each in one sentence; none: it can be used.

    A person's own configuration may have more tags than the workbench's; it may lack the remarks and, unless regions
    are sent, the regions.

    Args:
        with_segments: regions are sent.
        fields: that every task has; a task without a field that the configuration reads is refused by the server.
    """
    if len(xml) > _LARGEST:
        return [f"the configuration has {len(xml)} characters; the most that is read is {_LARGEST}"]
    if _DECLARATION.search(xml):
        return ["the configuration declares a document type or entities, which are not read; take them out"]
    try:
        root = ElementTree.fromstring(_ENCODING.sub("", xml))
    except (ElementTree.ParseError, ValueError, RecursionError) as problem:
        return [f"the configuration is not XML: {problem}"]
    return [*_missing(root, with_segments), *_unknown_fields(root, fields)] or _problems_of_sdk(xml)


def _missing(root: ElementTree.Element, with_segments: bool) -> list[str]:
    named = {name: tag for tag in root.iter() if (name := tag.get("name"))}
    problems = []

    def need(kind: str, name: str, required: bool = True) -> ElementTree.Element | None:
        tag = named.get(name)
        if tag is None:
            if required:
                problems.append(f"no {kind} named {name}")
            return None
        if tag.tag != kind:
            problems.append(f"{name} names a {tag.tag}, and must name a {kind}")
            return None
        if kind != "Audio" and tag.get("toName") != AUDIO:
            problems.append(f"{kind} {name} has toName {tag.get('toName')!r}, and must have {AUDIO!r}")
        return tag

    audio = need("Audio", AUDIO)
    if audio is not None and audio.get("value") != f"${AUDIO}":
        problems.append(f"Audio {AUDIO} has the value {audio.get('value')!r}, and must have '${AUDIO}'")
    transcript = need("TextArea", TRANSCRIPT)
    if transcript is not None and transcript.get("perRegion") == "true":
        problems.append(f"TextArea {TRANSCRIPT} is perRegion, and must be of the whole audio")
    remarks = need("Choices", REMARKS, required=False)
    if remarks is not None:
        offered = {choice.get("alias") or choice.get("value") for choice in remarks.iter("Choice")}
        problems += [
            f"Choices {REMARKS} has no Choice with the alias {name}"
            for name in (BAD_AUDIO, UNSURE)
            if name not in offered
        ]
    segment = need("Labels", SEGMENT, required=with_segments)
    if segment is not None and SPEECH not in {label.get("alias") or label.get("value") for label in segment}:
        problems.append(f"Labels {SEGMENT} has no Label {SPEECH}")
    segment_text = need("TextArea", SEGMENT_TEXT, required=with_segments)
    if segment_text is not None and segment_text.get("perRegion") != "true":
        problems.append(f"TextArea {SEGMENT_TEXT} is not perRegion")
    return problems


def _unknown_fields(root: ElementTree.Element, fields: Collection[str]) -> list[str]:
    read = {text[1:] for tag in root.iter() if (text := tag.get("value") or "").startswith("$")}
    return [f"it reads ${name}, a field that tasks need not have" for name in sorted(read - set(fields))]


def _problems_of_sdk(xml: str) -> list[str]:
    try:
        _interface(xml).validate()
    except Exception as problem:  # the SDK raises what its parsers raise: every one of them says that it is not valid
        return [f"Label Studio would not take it: {str(problem)[:300] or type(problem).__name__}"]
    return []


@lru_cache(maxsize=4)
def _interface(xml: str) -> LabelInterface:
    from label_studio_sdk.label_interface import LabelInterface

    return LabelInterface(xml)


def problems_of_task(xml: str, task: WantedTask) -> list[str]:
    """Why the server would refuse a task or its predictions under a configuration, each in one sentence.

    Args:
        xml: a configuration without problems.
    """
    interface = _interface(xml)
    problems = [
        f"the task has no field {tag.value_name}"
        for tag in interface.objects
        if tag.value_is_variable and task.data.get(tag.value_name) is None
    ]
    if not task.data.get(AUDIO):
        problems.append("the task has no audio")
    for prediction in task.predictions:
        result = _one_of_each_shape(prediction.result)
        record: dict[str, Any] = {"result": result, "model_version": prediction.model_version}
        if prediction.score is not None:
            record["score"] = prediction.score
        found = interface.validate_prediction(record, return_errors=True)
        problems += [f"the prediction of {prediction.model_version}: {problem}" for problem in found]
    return problems


def problems_of_tasks(xml: str, tasks: Iterable[WantedTask]) -> dict[str, list[str]]:
    """The problems of those tasks that have any, by utterance. See `problems_of_task`."""
    return {task.utterance_id: problems for task in tasks if (problems := problems_of_task(xml, task))}


def _one_of_each_shape(result: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The first of the parts that the server tells apart: an hour of words takes as long to validate as one word."""
    shapes: dict[Any, dict[str, Any]] = {}
    for part in result:
        value = part.get("value")
        inside = [(name, type(v).__name__) for name, v in value.items()] if isinstance(value, dict) else value
        kind = (part.get("from_name"), part.get("to_name"), part.get("type"))
        shapes.setdefault(repr((kind, inside, value.get("labels") if isinstance(value, dict) else None)), part)
    return list(shapes.values())
