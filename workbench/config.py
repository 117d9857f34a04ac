"""`workbench.toml`: the settings of a workspace, their defaults, and their validation."""

from __future__ import annotations

import difflib
import math
import tomllib
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any

from workbench.errors import BadInput

CONFIG_NAME = "workbench.toml"


@dataclass(frozen=True)
class WorkspaceSection:
    """`note` is shown in every report; `planted` is a CSV of problems put into the data on purpose, to be found."""

    name: str = "workspace"
    language: str = "en"
    note: str = ""
    planted: str = ""


@dataclass(frozen=True)
class ScopeSection:
    """What counts as good enough: one metric to optimise, others that only have to pass a threshold."""

    target_wer: float | None = None
    max_real_time_factor: float | None = None
    max_latency_p90: float | None = None


@dataclass(frozen=True)
class AudioSection:
    mode: str = "loudness"
    target: float = -23.0
    peak_ceiling: float = -1.0
    sampling_rate: int = 16000
    channel: str | int = "mix"
    audio_format: str = "flac"


@dataclass(frozen=True)
class AsrSection:
    backend: str = "pocketsphinx"
    model: str = ""
    parameters: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ScoringSection:
    """How scores are made; the path of a file of synonyms among `alternatives` begins at the workspace.

    An empty notation is the one that goes with the alignment.
    """

    normalizer: str = "basic"
    alignment: str = "unit"
    alternatives: list[str] = field(default_factory=list)
    fillers: str = "count"
    notation: str = ""


@dataclass(frozen=True)
class SlicesSection:
    """`bins` gives the upper edges of a numeric tag's groups; `skip` names tags that are not sliced by."""

    bins: dict[str, list[float]] = field(default_factory=lambda: {"age": [12, 20, 40]})
    skip: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class CostsSection:
    """Hours and minutes of work, which turn a gain into a gain per hour."""

    relabel_minutes_per_utterance: float = 1.0
    audio_minutes_per_utterance: float = 0.5
    collect_hours_per_item: float = 20.0
    tune_hours_per_run: float = 2.0


@dataclass(frozen=True)
class CheckSection:
    """`rules` names Python files of rules, by paths in the workspace; `disable` rules or families that are left out."""

    rules: list[str] = field(default_factory=list)
    disable: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class LabelStudioSection:
    """How utterances become tasks; the server's URL and token never stand here.

    `project` is the number of an existing project; 0 makes one, named as the workspace or `title`. `audio` says how the
    server gets at it: local (its local files storage, under `document_root` here), url (`url_template`), or upload.
    `regions` says which regions hypotheses bring along: segments (of utterances of `segment_seconds` or more), words,
    or none. `annotators` gives the names here of people there, by their email.
    """

    project: int = 0
    title: str = ""
    audio: str = "upload"
    document_root: str = ""
    url_template: str = ""
    regions: str = "segments"
    segment_seconds: float = 20.0
    annotators: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Config:
    workspace: WorkspaceSection = WorkspaceSection()
    scope: ScopeSection = ScopeSection()
    audio: AudioSection = AudioSection()
    asr: AsrSection = AsrSection()
    scoring: ScoringSection = ScoringSection()
    check: CheckSection = CheckSection()
    slices: SlicesSection = SlicesSection()
    costs: CostsSection = CostsSection()
    label_studio: LabelStudioSection = LabelStudioSection()


TEMPLATE = """\
# Settings of this workspace.

[workspace]
name = {name}
language = {language}
note = {note}                     # shown in every report
planted = {planted}                  # CSV of problems planted on purpose; reports then say how many were found

[scope]
# What counts as good enough. The first is the metric to optimise; the others only have to pass.
target_wer = {target_wer}            # fraction: 0.20 is 20 %
max_real_time_factor = 1.0    # seconds of computing per second of audio
max_latency_p90 = 5.0         # seconds for one utterance, 90th percentile

[audio]
mode = "loudness"             # loudness (LUFS), rms (dBFS) or peak (dBTP)
target = -23.0
peak_ceiling = -1.0           # dBTP
sampling_rate = 16000         # Hz
channel = "mix"               # mix, or a channel's number from 0
audio_format = "flac"         # flac or wav

[asr]
backend = "pocketsphinx"      # pocketsphinx (embedded, US English) or transformers
model = ""                    # transformers: a local directory or a hub name
[asr.parameters]

[scoring]
# How scores are made; a change makes other scores, and different ones are never mixed.
normalizer = {normalizer}          # none, case (lower case), basic, english or korean
alignment = "unit"            # unit, the fewest errors, as jiwer; or sclite, NIST's costs
alternatives = []             # what may stand for what, as ["english", "synonyms.glm"]
fillers = "count"             # count them as words, optional on either side, or remove them
notation = ""                 # how references are written: plain, alternations, nist, dual; empty: by the alignment

[check]
rules = []                    # your own rules, as ["rules/ours.py"]: code that runs with your rights
disable = []                  # rules or families of rules to leave out, as ["convention.dialect", "timing"]

[slices]
skip = []                     # tags not to slice by
[slices.bins]
age = [12, 20, 40]            # upper edges of a numeric tag's groups

[label_studio]
# How utterances become tasks. The server's URL and token stand elsewhere: see workbench sync connect --help.
project = 0                   # number of an existing project; 0: make one
audio = "upload"              # upload, local (files under document_root that the server sees too) or url
document_root = ""            # local: the directory here that is the server's LOCAL_FILES_DOCUMENT_ROOT
url_template = ""             # url: as "https://audio.example.com/{{path}}"; or {{utterance_id}}
regions = "segments"          # of hypotheses: segments (of long recordings), words or none
segment_seconds = 20.0        # utterances of this duration (s) or more are labelled by segments
[label_studio.annotators]     # names here of people there, as "kim@example.com" = "ann_a"

[costs]
relabel_minutes_per_utterance = 1.0
audio_minutes_per_utterance = 0.5
collect_hours_per_item = 20.0
tune_hours_per_run = 2.0
"""


def config_text(name: str, language: str, target_wer: float, note: str = "", planted: str = "") -> str:
    """The text of a new `workbench.toml`."""
    normalizer = {"ko": "korean"}.get(language, "basic")
    return TEMPLATE.format(
        name=_toml_string(name),
        language=_toml_string(language),
        normalizer=_toml_string(normalizer),
        target_wer=target_wer,
        note=_toml_string(note),
        planted=_toml_string(planted),
    )


def _toml_string(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in escaped) + '"'


def read_config(path: Path) -> Config:
    """The settings in a `workbench.toml`.

    Raises:
        BadInput: the file is not TOML, or a section, a key or a value is not known; the message says which.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise BadInput(f"{path} is not valid TOML: {problem}") from problem
    return _build(Config, document, str(path))


def _build(cls: type, values: dict[str, Any], where: str) -> Any:
    known = {f.name: f for f in fields(cls)}
    for name in values:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}"
            raise BadInput(f"{where}: {name!r} is not a setting; {hint}")
    default = cls()
    built = {}
    for name, value in values.items():
        expected = getattr(default, name)
        if is_dataclass(expected):
            if not isinstance(value, dict):
                raise BadInput(f"{where}: {name!r} must be a section, as [{name}]")
            built[name] = _build(type(expected), value, f"{where} [{name}]")
        else:
            built[name] = _checked(name, value, str(known[name].type), where)
            _check_choice(cls, name, value, where)
    return cls(**built)


_LABEL_STUDIO_CHOICES = {"audio": ("upload", "local", "url"), "regions": ("segments", "words", "none")}


def _check_choice(section: type, name: str, value: Any, where: str) -> None:
    if section is LabelStudioSection and value not in _LABEL_STUDIO_CHOICES.get(name, (value,)):
        raise BadInput(f"{where}: {name} = {value!r} must be one of {', '.join(_LABEL_STUDIO_CHOICES[name])}")
    if section is not ScoringSection or name == "alternatives":
        return
    from analysis.normalizers import NORMALIZERS
    from analysis.scoring import ALIGNMENTS, FILLERS, NOTATIONS

    allowed = {"normalizer": NORMALIZERS, "alignment": ALIGNMENTS, "fillers": FILLERS, "notation": NOTATIONS}[name]
    if value not in allowed and not (name == "notation" and not value):
        raise BadInput(f"{where}: {name} = {value!r} must be one of {', '.join(allowed)}")


def _checked(name: str, value: Any, annotation: str, where: str) -> Any:
    kinds: dict[str, tuple[type, ...]] = {
        "str": (str,),
        "float": (int, float),
        "int": (int,),
        "float | None": (int, float),
        "str | int": (str, int),
        "list[str]": (list,),
        "dict[str, list[float]]": (dict,),
        "dict[str, str]": (dict,),
        "dict[str, Any]": (dict,),
    }
    expected = kinds[annotation]
    wrong = not isinstance(value, expected) or isinstance(value, bool)
    if not wrong and annotation == "list[str]":
        wrong = not all(isinstance(one, str) for one in value)
    if not wrong and annotation == "dict[str, str]":
        wrong = not all(isinstance(one, str) and one.strip() for one in value.values())
    if not wrong and annotation == "dict[str, list[float]]":
        wrong = not all(isinstance(edges, list) and edges and all(map(_is_number, edges)) for edges in value.values())
    if not wrong and annotation.startswith("float"):
        wrong = not _is_number(value)
    if wrong:
        raise BadInput(f"{where}: {name} = {value!r} must be {_IN_WORDS[annotation]}")
    if _is_never_negative(name) and value < 0:
        raise BadInput(f"{where}: {name} = {value!r} must not be negative")
    number: Any = value
    return float(number) if annotation.startswith("float") else value


_IN_WORDS = {
    "str": "text",
    "float": "a number",
    "int": "a whole number",
    "float | None": "a number",
    "str | int": "text or a whole number",
    "list[str]": "a list of texts",
    "dict[str, list[float]]": "lists of numbers by tag, as age = [12, 20, 40]",
    "dict[str, str]": 'names by name, as "kim@example.com" = "ann_a"',
    "dict[str, Any]": "a section",
}


def _is_never_negative(name: str) -> bool:
    """Whether a setting is a cost or a threshold, which are never negative."""
    return (
        name.startswith(("target_", "max_"))
        or name in ("project", "segment_seconds")
        or "_hours_" in name
        or "_minutes_" in name
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
