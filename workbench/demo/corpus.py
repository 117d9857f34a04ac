"""Where the bundled demo corpus lies."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

CORPUS = Path(str(files("workbench.demo"))) / "corpus"
"""The bundled directory: manifest.csv, audio/, planted.csv, truth.csv, README.md, LICENSES.md."""
