"""NeMo's JSON lines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from workbench.errors import BadInput
from workbench.manifests.manifest import Manifest, read_manifest, write_manifest
from workbench.tables import UTTERANCES


def read(tmp_path: Path, *lines: dict[str, Any] | str, strict: bool = True) -> Manifest:
    (tmp_path / "a.wav").touch()
    path = tmp_path / "m.jsonl"
    written = [line if isinstance(line, str) else json.dumps({"audio_filepath": "a.wav"} | line) for line in lines]
    path.write_text("\n".join(written), encoding="utf-8")
    return read_manifest(path, strict=strict)


def test_nemo_names(tmp_path: Path) -> None:
    manifest = read(tmp_path, {"text": "네", "duration": 0.2, "offset": 0.1, "speaker": 7})
    (row,) = manifest.utterances.to_dict("records")
    assert (row["utterance_id"], row["start"], row["end"], row["speaker"]) == ("a-0.1", 0.1, 0.3, "7")
    assert manifest.transcripts.to_dict("records") == [
        {"utterance_id": "a-0.1", "annotator": "reference", "text": "네", "source_detail": f"{tmp_path}/m.jsonl:1"}
    ]


def test_a_line_without_text_is_an_utterance_without_a_transcript(tmp_path: Path) -> None:
    manifest = read(tmp_path, {"id": "x", "text": None}, {"id": "y"}, {"id": "z", "text": ""})
    assert manifest.utterances["utterance_id"].tolist() == ["x", "y", "z"]
    assert manifest.transcripts["utterance_id"].tolist() == ["z"]


@pytest.mark.parametrize(
    ("values", "dtype", "expected"),
    [
        ([1, None], "Int64", [1, pd.NA]),
        ([1, 2.5], "float64", [1.0, 2.5]),
        ([True, False], "boolean", [True, False]),
        (["007", "  "], "str", ["007", None]),
        ([True, 1], "str", ["true", "1"]),
        (["a", [1, {"b": "네"}]], "str", ["a", '[1, {"b": "네"}]']),
        ([2**80, 1], "str", [str(2**80), "1"]),
    ],
)
def test_tags_keep_their_type(tmp_path: Path, values: list[Any], dtype: str, expected: list[Any]) -> None:
    manifest = read(tmp_path, *({"id": str(i), "tag": value} for i, value in enumerate(values)))
    pd.testing.assert_series_equal(manifest.utterances["tag"], pd.Series(expected, dtype=dtype, name="tag"))
    UTTERANCES.to_arrow(manifest.utterances)


def test_what_is_written(tmp_path: Path) -> None:
    manifest = read(
        tmp_path,
        {"id": "x", "text": "네", "offset": 1, "duration": 2, "n": 3, "ok": True, "list": [1, {"b": "네"}]},
        {"id": "y", "text": "a", "annotator": "ann_a", "json": '{"a":1}'},
    )
    write_manifest(tmp_path / "out.jsonl", "nemo", manifest.utterances, manifest.transcripts)
    assert (tmp_path / "out.jsonl").read_text(encoding="utf-8") == (
        f'{{"utterance_id": "x", "audio_filepath": "{tmp_path}/a.wav", "offset": 1.0, "duration": 2.0, "text": "네", '
        '"n": 3, "ok": true, "list": [1, {"b": "네"}], "json": null}\n'
        f'{{"utterance_id": "y", "audio_filepath": "{tmp_path}/a.wav", "text": "a", "annotator": "ann_a", '
        '"n": null, "ok": null, "list": null, "json": "{\\"a\\":1}"}\n'
    )


@pytest.mark.parametrize(
    ("line", "item", "reason"),
    [
        ("{", "line 2", "which is not JSON (Expecting property name enclosed in double quotes at character 2)"),
        ("[1]", "line 2", "which is no object"),
        ('{"id": "x", "id": "y"}', "line 2", "the key 'id' stands twice"),
        ({"id": "x", "text": 5}, "x", "text '5', which is not text"),
        ({"id": True}, "line 2", "utterance_id 'True'; expected text"),
        ({"id": "x", "audio_filepath": ["a.wav", "b.wav"]}, "x", "expected the path of one file"),
        ({"id": "x", "duration": "abc"}, "x", "duration 'abc'; expected seconds"),
        ({"id": "x", "duration": True}, "x", "duration 'True'; expected seconds"),
        ('{"id": "x", "tag": 1e999}', "line 2", "1e999 is too large"),
        ('{"id": "x", "tag": -Infinity}', "line 2", "-Infinity is not a number"),
        ('{"id": "x", "text": "\\ud800"}', "line 2", "surrogates not allowed"),
        ({"id": "x", "text": "a\0"}, "x", "the character NUL"),
        ({"id": "x\u2028"}, "line 2", "control characters or line breaks"),
        ("[" * 100_000, "line 2", "which is not JSON"),
    ],
)
def test_a_line_that_cannot_be_used(tmp_path: Path, line: dict[str, Any] | str, item: str, reason: str) -> None:
    manifest = read(tmp_path, {"id": "ok"}, line, {"id": "last"}, strict=False)
    (fault,) = manifest.faults
    assert (fault["item"], fault["location"]) == (item, f"{tmp_path}/m.jsonl:2")
    assert reason in fault["reason"]
    assert manifest.utterances["utterance_id"].tolist() == ["ok", "last"]


def test_nan_is_missing(tmp_path: Path) -> None:
    assert read(tmp_path, '{"audio_filepath": "a.wav", "age": NaN}').utterances["age"].isna().all()


def test_a_file_that_is_no_manifest(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="found a JSON list; expected one JSON object a line"):
        read(tmp_path, '[{"audio_filepath": "a.wav"}]')
    with pytest.raises(BadInput, match=r"m\.jsonl:1: found no key for audio files among 'id', 'text'"):
        read(tmp_path, '{"id": "x", "text": "a"}')
