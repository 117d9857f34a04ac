"""workbench.toml: what is accepted, and what a mistake in it says."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench.config import Config, config_text, read_config
from workbench.errors import BadInput


def config(tmp_path: Path, text: str) -> Config:
    path = tmp_path / "workbench.toml"
    path.write_text(text, encoding="utf-8")
    return read_config(path)


def test_a_new_file_reads_back_and_holds_awkward_names(tmp_path: Path) -> None:
    read = config(tmp_path, config_text('음성 "검색"\\\n', "ko", 0.15))
    assert (read.workspace.name, read.workspace.language) == ('음성 "검색"\\\n', "ko")
    assert (read.scoring.normalizer, read.scope.target_wer) == ("korean", 0.15)


def test_an_empty_file_is_all_defaults(tmp_path: Path) -> None:
    assert config(tmp_path, "") == Config()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[audoi]\n", "'audoi' is not a setting; did you mean 'audio'"),
        ("[audio]\ntargt = -20\n", r"\[audio\]: 'targt' is not a setting; did you mean 'target'"),
        ("[audio]\ntarget = 'loud'\n", "target = 'loud' must be a number"),
        ("[audio]\ntarget = true\n", "target = True must be a number"),
        ("audio = 3\n", r"'audio' must be a section, as \[audio\]"),
        ("[slices.bins]\nage = 12\n", r"bins = {'age': 12} must be lists of numbers by tag"),
        ("[costs]\ntune_hours_per_run = -1\n", "must not be negative"),
        ("[slices]\nskip = [1]\n", r"skip = \[1\] must be a list of texts"),
        ("[scope]\ntarget_wer = nan\n", "must be a number"),
        ("[audio\n", "is not valid TOML"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        config(tmp_path, text)
