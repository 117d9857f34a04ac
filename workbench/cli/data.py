"""Commands that make a workspace and move data in and out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workbench.cli.options import WorkspaceOption, open_workspace
from workbench.cli.output import Format, FormatOption, finish, print_frame, say

ManifestFormat = Annotated[
    str | None,
    typer.Option(
        "--manifest-format",
        help="csv, tsv, nemo or kaldi; to import also librispeech and common_voice.",
        show_default="recognised",
    ),
]


def init(
    directory: Annotated[Path, typer.Argument(help="Where to make it.")] = Path("."),
    name: Annotated[str | None, typer.Option(help="Its name in reports.", show_default="the directory's")] = None,
    language: Annotated[str, typer.Option(help="Language of the speech, as ISO 639-1; ko sets Korean scoring.")] = "en",
    target_wer: Annotated[float, typer.Option(min=0.0, max=1.0, help="The WER to reach: 0.2 is 20 %.")] = 0.2,
) -> None:
    """Make a workspace.

    It is a directory with workbench.toml, the settings, and tables.

    Example: workbench init voice-search --language en --target-wer 0.15
    """
    import re

    from workbench.config import CONFIG_NAME, config_text
    from workbench.errors import BadInput
    from workbench.workspace import Workspace

    if not re.fullmatch(r"[a-z]{2,3}(-[A-Za-z0-9]+)*", language):
        raise BadInput(f"--language {language!r} must be an ISO 639 code, as en, ko or zh-TW")

    title = name or directory.resolve().name or "workspace"
    workspace = Workspace.create(directory, config_text(title, language, target_wer))
    say(f"made {workspace.root / CONFIG_NAME}; next: workbench import MANIFEST -w {directory}")


def import_(
    manifest: Annotated[Path, typer.Argument(help="A manifest file, or a Kaldi or LibriSpeech directory.")],
    manifest_format: ManifestFormat = None,
    strict: Annotated[bool, typer.Option(help="Stop at the first row that cannot be used.")] = False,
    workspace: WorkspaceOption = Path("."),
    format: FormatOption = Format.table,
) -> None:
    """Import a manifest.

    Utterances, tags and transcripts are added; run again, it adds only what is new. Labels are never overwritten.

    Example: workbench import data/train.csv
    """
    from workbench.stages.import_manifest import import_manifest

    finish(import_manifest(open_workspace(workspace), manifest, manifest_format, strict), format)


def import_hypotheses(
    file: Annotated[Path, typer.Argument(help="CSV, TSV, JSONL, trn or Kaldi text with utterance ids and texts.")],
    run_id: Annotated[str, typer.Option("--run", help="The name that the run gets.")],
    model: Annotated[str | None, typer.Option(help="The model that made it; runs of one model are compared.")] = None,
    workspace: WorkspaceOption = Path("."),
    format: FormatOption = Format.table,
) -> None:
    """Import another recogniser's texts.

    They become a run of their own, scored and compared like any other.

    Example: workbench import-hypotheses cloud.csv --run cloud-2026-05
    """
    from workbench.stages.import_hypotheses import import_hypotheses

    finish(import_hypotheses(open_workspace(workspace), file, run_id, model or run_id), format)


def export(
    destination: Annotated[Path, typer.Argument(help="A new file, or for kaldi a new directory.")],
    manifest_format: ManifestFormat = None,
    workspace: WorkspaceOption = Path("."),
) -> None:
    """Write a manifest.

    It holds the utterances, their tags and the current transcripts.

    Example: workbench export fixed.jsonl --manifest-format nemo
    """
    from workbench.stages.export_manifest import export_manifest

    say(export_manifest(open_workspace(workspace), destination, manifest_format))


def show(
    table: Annotated[str, typer.Argument(help="utterances, transcripts, hypotheses, flags, faults, …")],
    history: Annotated[bool, typer.Option(help="Every row ever written, superseded ones too.")] = False,
    workspace: WorkspaceOption = Path("."),
    format: FormatOption = Format.table,
) -> None:
    """Print one of the workspace's tables.

    Example: workbench show flags --format csv > flags.csv
    """
    from workbench.errors import BadInput
    from workbench.tables import TABLES

    if table not in TABLES:
        raise BadInput(f"no table {table!r}; the tables are {', '.join(TABLES)}")
    print_frame(open_workspace(workspace).read(table, history=history), format, table)


def add_to(app: typer.Typer) -> None:
    app.command()(init)
    app.command("import")(import_)
    app.command("import-hypotheses")(import_hypotheses)
    app.command()(export)
    app.command()(show)
