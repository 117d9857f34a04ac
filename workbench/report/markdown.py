"""The report as Markdown (GitHub's dialect), short enough for a chat or a pull request."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from workbench.report import formats, label_views, views
from workbench.report.characters import plain
from workbench.report.data import ReportData
from workbench.report.files import write_whole

ROWS_SHOWN = 25
CHARACTERS_SHOWN = 300
_SPECIAL = re.compile(r"([\\`*\[\]|~$#]|(?<![^\W_])_|_(?![^\W_]))")


def escaped(text: Any) -> str:
    """The text so that Markdown shows it as it stands, on one line, without markup, HTML or mentions of people.

    >>> escaped("a|b <i> *c* snake_case")
    'a\\\\|b &lt;i&gt; \\\\*c\\\\* snake_case'
    """
    line = " ".join(plain(str(text).replace("\n", " ").replace("\r", " ")).split())
    if len(line) > CHARACTERS_SHOWN:
        line = line[:CHARACTERS_SHOWN] + " …"
    line = line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    line = _SPECIAL.sub(r"\\\1", line)
    return line.replace("@", "&#64;").replace("://", "&#58;//")


def _table(header: Sequence[str], rows: Iterable[Sequence[str]], numbers: str) -> list[str]:
    """A table; `numbers` has one letter a column, `r` for those set to the right."""
    rule = ["---:" if one == "r" else "---" for one in numbers]
    lines = [header, rule, *rows]
    return ["| " + " | ".join(cell or " " for cell in line) + " |" for line in lines] + [""]


def _cut(shown: int, total: int, file: str, what: str) -> list[str]:
    return [f"First {shown:,} of {total:,} {what}; all in `{file}`.", ""] if shown < total else []


def _headline(data: ReportData) -> list[str]:
    overall = data.overall
    lines = [f"# {escaped(data.title)}", ""]
    where = f"Workspace {escaped(data.workspace)}, {formats.when(data.created_at)}"
    if data.run:
        where += f", {escaped(data.run.get('model', ''))} with {escaped(data.run.get('backend', ''))}"
    lines += [where + ".", ""]
    if overall:
        lines += [
            f"**WER {formats.rate(overall['wer'])}** (95 % interval "
            f"{formats.rate_interval(overall['wer_low'], overall['wer_high'])}), CER {formats.rate(overall['cer'])}; "
            f"{formats.count(overall['utterances'])} utterances, {formats.count(overall['speakers'])} speakers, "
            f"{formats.span(overall['audio_seconds'])}, {formats.count(overall['ref_words'])} reference words, "
            f"{formats.count(overall['substitutions'])} substituted, {formats.count(overall['deletions'])} deleted, "
            f"{formats.count(overall['insertions'])} inserted. Scoring {escaped(overall['scoring'])}.",
            "",
        ]
    else:
        lines += ["Nothing is scored yet: `workbench transcribe`, then `workbench score`.", ""]
    lines += [f"{formats.verdict(data.targets)}.", ""]
    if data.targets:
        rows = [
            (
                escaped(formats.metric_name(t.name)),
                escaped(formats.target_figure(t, t.value)),
                escaped(formats.target_figure(t, t.threshold)),
                formats.target_word(t),
            )
            for t in data.targets
        ]
        lines += _table(("Metric", "Value", "Target", "Verdict"), rows, "lrrl")
    return lines


def _backlog(data: ReportData) -> list[str]:
    table = views.rows(data.backlog.sort_values("rank"), "backlog", ROWS_SHOWN)
    if not table.rows:
        return ["No fix is ranked yet: `workbench backlog`.", ""]
    rows = [
        (
            str(r["rank"]),
            escaped(r["kind"]),
            escaped(r["title"]),
            formats.points(r["gain"]),
            formats.points_interval(r["gain_low"], r["gain_high"]),
            formats.hours(r["cost_hours"]),
            formats.points(r["gain_per_hour"]),
        )
        for r in table.rows
    ]
    header = ("#", "Kind", "Fix", "Gain, WER points", "95 % interval", "Cost", "Points per hour")
    return _table(header, rows, "rllrlrr") + _cut(len(rows), table.total, table.file, "fixes")


def _slices(data: ReportData) -> list[str]:
    table = views.rows(data.slices, "slices", ROWS_SHOWN * 2)
    if not table.rows:
        return ["There are no slices: `workbench slices`, once a run is scored.", ""]
    rows = [
        (
            escaped(r["slice"]),
            formats.rate(r["wer"]),
            formats.rate_interval(r["wer_low"], r["wer_high"]),
            formats.count(r["ref_words"]),
            formats.signed_points(r["gap"]),
            formats.points(r["gain"]),
        )
        for r in table.rows
    ]
    header = ("Slice", "WER", "95 % interval", "Words", "Gap, points", "Gain, points")
    return _table(header, rows, "lrlrrr") + _cut(len(rows), table.total, table.file, "slices")


def _confusions(data: ReportData) -> list[str]:
    corpus = data.confusions[data.confusions["slice"] == "all"]
    table = views.rows(corpus.sort_values("count", ascending=False, kind="stable"), "confusions", ROWS_SHOWN)
    if not table.rows:
        return ["No confusions: nothing is scored yet, or no word is wrong.", ""]
    rows = [(r["op"], escaped(r["reference"]), escaped(r["hypothesis"]), formats.count(r["count"])) for r in table.rows]
    return _table(("Error", "Reference", "Heard", "Times"), rows, "lllr") + _cut(
        len(rows), table.total, table.file, "confusions of the corpus"
    )


def _conflicts(data: ReportData) -> list[str]:
    view, kinds = views.conflicts_view(data)
    if not view.rows:
        return ["No two transcripts of the same audio are known to differ: `workbench check`.", ""]
    lines = [", ".join(f"{escaped(kind)} {n:,}" for kind, n in kinds) + " (groups).", ""]
    groups = view.rows[:ROWS_SHOWN]
    rows = []
    for group in groups:
        for i, (who, pieces) in enumerate(group.texts):
            ids = escaped(", ".join(group.utterance_ids)) if i == 0 else ""
            kind = escaped(", ".join(group.kinds)) if i == 0 else ""
            rows.append((ids, kind, escaped(", ".join(who)), escaped("".join(piece.text for piece in pieces))))
    lines += _table(("Utterance", "Kinds", "Annotator", "Text"), rows, "llll")
    return lines + _cut(len(groups), view.total, view.file, "groups")


def _suspects(data: ReportData) -> list[str]:
    table = label_views.suspects_view(data)
    if not table.rows:
        return ["No transcript is scored as it stands today: `workbench suspects`.", ""]
    rows = [
        (
            formats.number(r["score"], 2),
            *(escaped(r[name]) for name in ("utterance_id", "annotator", "text")),
            escaped(formats.plain_value(r["evidence"])),
        )
        for r in table.rows
    ]
    header = ("Score", "Utterance", "Annotator", "Transcript", "What speaks against it")
    return _table(header, rows, "rllll") + _cut(len(rows), table.total, table.file, "transcripts")


def _duplicates(data: ReportData) -> list[str]:
    found = label_views.duplicates_view(data)
    groups, parts = found.groups.rows[:ROWS_SHOWN], found.parts.rows[:ROWS_SHOWN]
    if not groups and not parts:
        return ["No recording is known to stand under several ids: `workbench duplicates`.", ""]
    rows = [(", ".join(map(_member, g.members)), ", ".join(g.kinds), formats.number(g.similarity, 3)) for g in groups]
    lines = _table(("The same recording", "Copies", "Similarity"), rows, "llr") if rows else []
    lines += _cut(len(rows), found.groups.total, found.groups.file, "groups")
    rows = [
        (
            f"{_member(p.utterance)} in {_member(p.whole)}",
            f"from {formats.span(p.offset)}",
            formats.number(p.similarity, 3),
        )
        for p in parts
    ]
    lines += _table(("A part of another", "Where", "Similarity"), rows, "llr") if rows else []
    return lines + _cut(len(rows), found.parts.total, found.parts.file, "parts")


def _member(one: tuple[str, str | None]) -> str:
    return escaped(one[0]) + (f" ({escaped(one[1])})" if one[1] is not None else "")


def _conventions(data: ReportData) -> list[str]:
    table = views.rows(data.conventions, "conventions", ROWS_SHOWN)
    if not table.rows:
        return ["Nothing is written in several ways, or it was not looked for yet: `workbench check`.", ""]
    rows = [
        (
            escaped(r["convention"]),
            escaped(r["form"]),
            formats.count(r["count"]),
            formats.rate(r["share"]),
            escaped(r["annotators"]),
        )
        for r in table.rows
    ]
    header = ("Convention", "Form", "Times", "Share", "Annotators")
    return _table(header, rows, "llrrl") + _cut(len(rows), table.total, table.file, "forms")


def _quality(data: ReportData) -> list[str]:
    histograms, tags = views.quality_view(data)
    if not histograms and not tags:
        return ["No audio is measured yet: `workbench normalize`.", ""]
    lines = [
        f"- {h.title}: median {formats.number(h.median)} {h.unit}, {formats.count(h.known)} utterances"
        + (f", {formats.count(h.missing)} not defined" if h.missing else "")
        for h in histograms
    ]
    lines += [f"- {escaped(tag)}: " + ", ".join(f"{escaped(v)} {n:,}" for v, n, _ in values) for tag, values in tags]
    return [*lines, ""]


def _worst(data: ReportData) -> list[str]:
    if not data.worst:
        return ["No utterance has an error, or nothing is scored yet: `workbench score`.", ""]
    rows = [
        (
            escaped(one.utterance_id),
            escaped(formats.plain_value(one.speaker)),
            formats.rate(one.wer),
            escaped(one.reference),
            escaped(one.hypothesis),
        )
        for one in list(data.worst)[:ROWS_SHOWN]
    ]
    return _table(("Utterance", "Speaker", "WER", "Reference", "Hypothesis"), rows, "llrll") + _cut(
        len(rows), len(data.worst), "tables/worst.csv", "utterances"
    )


def _rules(data: ReportData) -> list[str]:
    view = label_views.rules_view(data)
    found = view.found.rows[:ROWS_SHOWN]
    if not found and not view.quiet:
        return ["No rule was applied yet: `workbench check`.", ""]
    header = ["Rule", "Flags", "Transcripts", "Of all", "Conflicts", "Faults"]
    rows = []
    for r in found:
        counts = (formats.count(r[name]) for name in ("conflicts", "faults"))
        figures = [formats.count(r["flags"]), formats.count(r["transcripts"]), formats.rate(r["coverage"]), *counts]
        rows.append([escaped(r["rule_id"]), *figures, *([_precision(r)] if view.judged else [])])
    lines = (
        _table([*header, *(["Precision"] if view.judged else [])], rows, "lrrrrrr"[: 6 + view.judged]) if rows else []
    )
    lines += _cut(len(rows), view.found.total, view.found.file, "rules that found something")
    return lines + ([f"Rules that found nothing: {len(view.quiet):,}.", ""] if view.quiet else [])


def _precision(row: dict[str, Any]) -> str:
    if not row["judged"]:
        return formats.MISSING
    interval = formats.rate_interval(row["precision_low"], row["precision_high"])
    return f"{formats.rate(row['precision'])} ({interval}; {row['judged']:,} judged)"


def _planted(data: ReportData) -> list[str]:
    rows = [
        (escaped(r["kind"]), *(formats.count(r[name]) for name in ("planted", "found", "missed", "other_flags")))
        for r in views.planted_view(data) or []
    ]
    note = [escaped(data.planted_note), ""] if data.planted_note else []
    return note + _table(("Kind", "Planted", "Found", "Missed", "Other flags"), rows, "lrrrr")


def _faults(data: ReportData) -> list[str]:
    table = views.rows(data.faults, "faults", ROWS_SHOWN)
    if not table.rows:
        return ["Nothing was skipped.", ""]
    rows = [tuple(escaped(r[name]) for name in ("stage", "item", "location", "reason")) for r in table.rows]
    return _table(("Stage", "Item", "Where", "Reason"), rows, "llll") + _cut(
        len(rows), table.total, table.file, "faults"
    )


def _made(data: ReportData) -> list[str]:
    lines = [
        f"- {escaped(name)}: {escaped(formats.plain_value(value))}"
        for _, values in views.made_view(data)
        for name, value in values.items()
    ]
    lines = lines or ["No run yet: `workbench transcribe`."]
    return [*lines, "", *(f"{escaped(note)}\n" for note in data.notes)]


def render_markdown(data: ReportData) -> str:
    """The report as Markdown text, each table cut to its first rows."""
    lines = _headline(data)
    for title, section in (
        ("What to fix next", _backlog),
        ("Slices", _slices),
        ("Confusions", _confusions),
        ("Conflicting transcripts", _conflicts),
        ("Suspect transcripts", _suspects),
        ("Duplicate recordings", _duplicates),
        ("Conventions", _conventions),
        ("Audio quality", _quality),
        ("Worst utterances", _worst),
        ("Rules", _rules),
        *([("Planted problems", _planted)] if data.planted is not None else []),
        ("Faults", _faults),
        ("How it was made", _made),
    ):
        lines += [f"## {title}", "", *section(data)]
    return "\n".join(lines).rstrip() + "\n"


def write_markdown(data: ReportData, path: Path) -> Path:
    """The path of the Markdown file that was written."""
    return write_whole(path, render_markdown(data))
