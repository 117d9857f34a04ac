"""Commands on audio: normalise it, find copies of it, transcribe it, align labels with it."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.cli.options import WorkersOption, WorkspaceOption, open_workspace
from workbench.cli.output import (
    EXIT_FAULTS,
    Format,
    FormatOption,
    finish,
    print_frame,
    progress_bar,
    say,
    say_faults,
    shown,
)

if TYPE_CHECKING:
    import pandas as pd

DUPLICATE_COLUMNS = ["group", "utterance_id", "other_id", "kind", "similarity", "offset"]


def normalize(
    in_dir: Annotated[Path | None, typer.Argument(help="Directory of recordings; without it, the workspace's.")] = None,
    out_dir: Annotated[Path | None, typer.Argument(help="Where the normalised files go.")] = None,
    mode: Annotated[str | None, typer.Option(help="loudness (LUFS), rms (dBFS) or peak (dBTP).")] = None,
    target: Annotated[float | None, typer.Option(help="What to bring it to.", show_default="-23")] = None,
    peak_ceiling: Annotated[float | None, typer.Option(help="True peak, dBTP.", show_default="-1")] = None,
    sampling_rate: Annotated[int | None, typer.Option(help="In Hz.", show_default="16000")] = None,
    channel: Annotated[str | None, typer.Option(help="mix, or a channel's number from 0.", show_default="mix")] = None,
    audio_format: Annotated[str | None, typer.Option(help="flac or wav.", show_default="flac")] = None,
    resume: Annotated[bool, typer.Option(help="Leave alone what is done already.")] = True,
    workers: WorkersOption = None,
    workspace: WorkspaceOption = Path("."),
    format: FormatOption = Format.table,
) -> None:
    """Bring recordings to one loudness.

    Also to one sampling rate and format; their quality is measured on the way. In a workspace the settings are
    those of [audio] in workbench.toml. The recordings are never changed.

    Example: workbench normalize recordings normalised --target -23 --audio-format wav
    """
    from workbench.errors import BadInput

    given = {
        "mode": mode,
        "target": target,
        "peak_ceiling": peak_ceiling,
        "sampling_rate": sampling_rate,
        "channel": int(channel) if channel is not None and channel.isdecimal() else channel,
        "audio_format": audio_format,
    }
    given = {name: value for name, value in given.items() if value is not None}
    if in_dir is not None and out_dir is not None:
        _normalize_directory(in_dir, out_dir, given, resume, workers, format)
    elif in_dir is not None:
        raise BadInput(f"where should the normalised files of {in_dir} go? workbench normalize {in_dir} OUT_DIR")
    elif given or not resume:
        raise BadInput("in a workspace the settings are those of [audio] in workbench.toml; change them there")
    else:
        from workbench.stages.normalize import normalize as stage

        opened = open_workspace(workspace)
        with progress_bar("normalize") as progress:
            outcome = stage(opened, workers, progress)
        finish(outcome, format)


def _normalize_directory(
    in_dir: Path, out_dir: Path, given: dict[str, Any], resume: bool, workers: int | None, format: Format
) -> None:
    from dataclasses import asdict

    from workbench.audio.decode import AUDIO_SUFFIXES
    from workbench.audio.directory import normalize_directory
    from workbench.audio.normalize import Settings
    from workbench.config import AudioSection
    from workbench.errors import BadInput
    from workbench.jobs.local import processors
    from workbench.stages.stage import Outcome, faults_frame

    settings = Settings(**(asdict(AudioSection()) | given))
    began = time.monotonic()
    with progress_bar("normalize") as progress:
        results, faults = normalize_directory(in_dir, out_dir, settings, workers or processors(), resume, progress)
    import pandas as pd

    table = pd.DataFrame(results)
    for name in ("source", "output"):  # file names need not be UTF-8
        if name in table:
            table[name] = [str(path).encode("utf-8", "replace").decode("utf-8") for path in table[name]]
    if not results and not faults:
        raise BadInput(f"{in_dir} holds no audio files; name a directory of {', '.join(sorted(AUDIO_SUFFIXES))} files")
    if format is Format.table:
        table = _summary(results, len(faults), time.monotonic() - began)
    print_frame(table, format, "normalize")
    say_faults(Outcome("normalize", {}, table, faults_frame(faults)), most=len(faults))
    if faults:
        raise typer.Exit(EXIT_FAULTS)


def _summary(results: list[dict[str, Any]], faults: int, wall: float) -> pd.DataFrame:
    import pandas as pd

    done = [row for row in results if not row["reused"]]
    seconds = sum(row["duration"] for row in done)
    counts = {
        "files": len(results) + faults,
        "normalised": len(done),
        "unchanged": len(results) - len(done),
        "faults": faults,
        "held_by_the_peak_ceiling": sum(row["gain_limited"] for row in results),
        "without_integrated_loudness": sum(row["loudness_method"] != "integrated" for row in results),
        "audio_seconds": round(seconds, 1),
        "times_real_time": round(seconds / wall) if seconds else None,
    }
    return pd.DataFrame([counts])


def duplicates(
    directory: Annotated[
        Path | None, typer.Argument(help="A directory of recordings; without it, the workspace's utterances.")
    ] = None,
    workers: WorkersOption = None,
    workspace: WorkspaceOption = Path("."),
    format: FormatOption = Format.table,
) -> None:
    """Find the same recording under several names.

    As it is, re-encoded, resampled, at another volume, with silence cut off or added, or as a part of another. Other
    takes of the same words are no copies. In a workspace the result is a table (workbench show duplicates), and
    `workbench check` compares the transcripts of copies as those of one clip.

    Example: workbench duplicates recordings --format csv > copies.csv
    """
    from workbench.stages.duplicates import duplicates as stage
    from workbench.stages.duplicates import duplicates_in

    with progress_bar("duplicates") as progress:
        if directory is not None:
            outcome = duplicates_in(directory, workers, progress)
        else:
            outcome = stage(open_workspace(workspace), workers, progress)
    say(", ".join(f"{name.replace('_', ' ')} {shown(name, value)}" for name, value in outcome.counts.items()))
    finish(outcome, format, DUPLICATE_COLUMNS)


def transcribe(
    backend: Annotated[str | None, typer.Option(help="pocketsphinx or transformers.", show_default="[asr]")] = None,
    model: Annotated[str | None, typer.Option(help="A local directory or a hub name.", show_default="[asr]")] = None,
    param: Annotated[
        list[str] | None, typer.Option(help="A parameter of the backend, as NAME=VALUE; may be given again.")
    ] = None,
    workers: WorkersOption = None,
    workspace: WorkspaceOption = Path("."),
    format: FormatOption = Format.table,
) -> None:
    """Transcribe with a baseline model.

    It does what the run lacks; killed and started again, it goes on where it was.

    A run is a backend, a model and its parameters. Other parameters make another run, for comparison.

    Example: workbench transcribe --backend transformers --model openai/whisper-small --param language=ko
    """
    from workbench.stages.transcribe import transcribe as stage

    opened = open_workspace(workspace)
    with progress_bar("transcribe") as progress:
        outcome = stage(opened, backend, model, parameters(param), workers, progress)
    finish(outcome, format)


def align_labels(
    backend: Annotated[
        str | None, typer.Option(help="transformers; pocketsphinx cannot.", show_default="[asr]")
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="A CTC model: a local directory or a hub name.", show_default="[asr]")
    ] = None,
    param: Annotated[
        list[str] | None, typer.Option(help="A parameter of the backend, as NAME=VALUE; may be given again.")
    ] = None,
    workers: WorkersOption = None,
    workspace: WorkspaceOption = Path("."),
    format: FormatOption = Format.table,
) -> None:
    """Align the labels with the audio by a CTC model.

    It scores each label, and each of its words, by how well the audio carries it, and finds where the audio has words
    that the label lacks; `workbench check` uses that. It does what is missing; killed and started again, it goes on
    where it was.

    Example: workbench align-labels --model facebook/wav2vec2-base-960h
    """
    from workbench.stages.label_scores import align_labels as stage

    opened = open_workspace(workspace)
    with progress_bar("align-labels") as progress:
        outcome = stage(opened, backend, model, parameters(param), workers, progress)
    finish(outcome, format)


def parameters(given: list[str] | None) -> dict[str, Any] | None:
    """`NAME=VALUE` pairs as a dictionary; a value that is JSON (a number, true, …) is read as such."""
    from workbench.errors import BadInput

    if not given:
        return None
    read: dict[str, Any] = {}
    for pair in given:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise BadInput(f"--param {pair!r} must be NAME=VALUE, as lw=8.0")
        try:
            read[name] = json.loads(value)
        except json.JSONDecodeError:
            read[name] = value
    return read


def add_to(app: typer.Typer) -> None:
    app.command()(normalize)
    app.command()(duplicates)
    app.command()(transcribe)
    app.command()(align_labels)
