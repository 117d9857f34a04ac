"""The shape of the code: imports go in one direction, and every outside library has its doors."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("workbench", "label_rules", "analysis")
ALLOWED = {"analysis": {"analysis"}, "label_rules": {"label_rules", "analysis"}, "workbench": set(PACKAGES)}

DOORS = {
    "transformers": {"workbench/asr/", "analysis/normalizers.py"},
    "torch": {"workbench/asr/", "workbench/audio/resample.py"},
    "torchaudio": {"workbench/audio/resample.py", "workbench/asr/forced_alignment.py"},
    "soundfile": {"workbench/audio/decode.py", "workbench/audio/encode.py"},
    "av": {"workbench/audio/decode.py"},
    "scipy": {"workbench/audio/"},
    "pocketsphinx": {"workbench/asr/"},
    "rapidfuzz": {"analysis/align.py"},
    "jinja2": {"workbench/report/"},
    "markupsafe": {"workbench/report/"},
    "typer": {"workbench/cli/"},
    "rich": {"workbench/cli/"},
    "huggingface_hub": {"workbench/asr/"},
    "numba": {"analysis/kernel.py", "analysis/merge_kernel.py"},
    "jiwer": set(),
    "kaldialign": set(),
    "label_studio_sdk": {"workbench/label_studio/labelling_config.py"},
    "httpx": {"workbench/label_studio/connection.py"},
    "fastapi": {"workbench/server/"},
    "uvicorn": {"workbench/server/"},
    "pickle": set(),
}


def sources() -> list[Path]:
    return [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]


def imported(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.split(".")[0])
    return names


@pytest.mark.parametrize("path", sources(), ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_go_one_way_and_through_the_doors(path: Path) -> None:
    place = str(path.relative_to(ROOT))
    names = imported(path)
    assert names & set(PACKAGES) <= ALLOWED[place.split("/")[0]]
    through = {name for name in names & set(DOORS) if not any(place.startswith(door) for door in DOORS[name])}
    assert not through, f"{place} imports {through}, which has its door elsewhere"


def test_no_file_is_a_place_for_everything() -> None:
    assert not [p for p in sources() if p.stem in ("utils", "helpers", "common", "misc")]
    assert not [p for p in sources() if len(p.read_text(encoding="utf-8").splitlines()) > 400]


def test_help_loads_nothing_heavy() -> None:
    program = (
        "import sys\nfrom typer.testing import CliRunner\nfrom workbench.cli.app import app\n"
        "assert CliRunner().invoke(app, ['--help']).exit_code == 0\n"
        "print(sorted({'torch', 'transformers', 'pandas', 'numpy', 'pyarrow', 'scipy', 'numba'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"
