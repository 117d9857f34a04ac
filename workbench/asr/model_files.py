"""Where a model's files lie, local or from the hub, and the revision that names their content."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.errors import BackendUnavailable

_INSTEAD = "or transcribe with the embedded default, the backend pocketsphinx"
# Never *.bin, *.pt or *.py: pickles and code would run on loading.
_SAFE_FILES = ("*.json", "*.safetensors", "*.txt", "*.model", "*.jinja")
_PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".h5", ".msgpack", ".pkl")
_HUB_SECONDS = 10.0


@dataclass(frozen=True)
class ModelFiles:
    """A directory with a model, and its revision: the hub's commit, or `sha256:` and a hash of a local directory."""

    directory: Path
    revision: str


def find_model(model: str, revision: str | None = None) -> ModelFiles:
    """The files of a local directory or of a hub model, which is downloaded unless the cache has it.

    Raises:
        BackendUnavailable: there is no such model, the hub is out of reach, or the weights are no safetensors.
    """
    if not model:
        raise BackendUnavailable(f"the transformers backend needs a model: give a directory or a hub name, {_INSTEAD}")
    directory = Path(model).expanduser()
    if directory.is_dir():
        return _local(directory)
    if directory.is_absolute() or model.startswith((".", "~")) or model.count("/") > 1 or directory.exists():
        raise BackendUnavailable(f"{model}: there is no such directory with a model; correct the path, {_INSTEAD}")
    return _from_hub(model, revision)


def content_hash(files: Iterable[Path]) -> str:
    """`sha256:` and 16 hex digits over the names and bytes of files and of the files directly in directories."""
    every = {inner for file in files for inner in (file.iterdir() if file.is_dir() else [file]) if inner.is_file()}
    digest = hashlib.sha256()
    for file in sorted(every, key=lambda path: path.name):
        digest.update(f"{file.name}\0{file.stat().st_size}\0".encode())
        with file.open("rb") as opened:
            while block := opened.read(1 << 22):
                digest.update(block)
    return f"sha256:{digest.hexdigest()[:16]}"


def _local(directory: Path) -> ModelFiles:
    if not (directory / "config.json").is_file():
        raise BackendUnavailable(
            f"{directory}: has no config.json: no transformers model; correct the path, {_INSTEAD}"
        )
    _check_weights(str(directory), [file.name for file in directory.iterdir()])
    files = [file for pattern in _SAFE_FILES for file in directory.glob(pattern)]
    return ModelFiles(directory, content_hash(files))


def _check_weights(model: str, names: list[str]) -> None:
    if any(name.endswith(".safetensors") for name in names):
        return
    pickled = [name for name in names if Path(name).suffix in _PICKLES]
    found = f"only {pickled[0]}, which may run code when it is loaded" if pickled else "no weights"
    raise BackendUnavailable(f"{model}: has {found}; save it as safetensors (save_pretrained does), {_INSTEAD}")


def _from_hub(model: str, revision: str | None) -> ModelFiles:
    from huggingface_hub import HfApi, snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError, RepositoryNotFoundError

    try:
        info: Any = HfApi().model_info(model, revision=revision, timeout=_HUB_SECONDS)
        _check_weights(model, [file.rfilename for file in info.siblings or []])
        directory = snapshot_download(model, revision=info.sha, allow_patterns=list(_SAFE_FILES))
        return ModelFiles(Path(directory), str(info.sha))
    except BackendUnavailable:
        raise
    except (HFValidationError, RepositoryNotFoundError) as problem:
        raise BackendUnavailable(
            f"{model!r} is neither a local directory nor a model that the hub shows you; correct the name, {_INSTEAD}"
        ) from problem
    except Exception as problem:  # the hub's client raises its HTTP library's own errors, which differ by version
        unreachable = problem
    try:
        directory = snapshot_download(model, revision=revision, local_files_only=True, allow_patterns=list(_SAFE_FILES))
    except (LocalEntryNotFoundError, OSError) as problem:
        raise BackendUnavailable(
            f"{model!r} is no local directory, the cache does not have it, and the hub cannot be asked "
            f"({type(unreachable).__name__}: {str(unreachable).splitlines()[0] if str(unreachable) else 'no detail'}); "
            f"give a local directory, {_INSTEAD}"
        ) from problem
    _check_weights(model, os.listdir(directory))
    return ModelFiles(Path(directory), Path(directory).name)
