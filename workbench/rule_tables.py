"""The tables that rules fill, and the verdicts on what they found."""

from __future__ import annotations

from functools import partial

from workbench.table import INTEGER, NUMBER, STRING, TIME, Column, Table

_c, _o = Column, partial(Column, optional=True)
_UTTERANCE = _c("utterance_id", STRING, "the utterance's id, unique in the workspace")

FLAGS = Table(
    "flags",
    (
        _UTTERANCE,
        _c("annotator", STRING, "whose transcript is flagged; empty text: the utterance's audio"),
        _c("rule_id", STRING, "the rule, as `conflict.filler`"),
        _c("start", INTEGER, "first character of the span in the transcript"),
        _c("end", INTEGER, "one past its last character; equal to start: something is missing there"),
        _c("severity", STRING, "harmful (changes what was said) or style"),
        _c("score", NUMBER, "how sure the rule is, in [0, 1]"),
        _c("evidence", STRING, "what the rule saw, in one line"),
        _o("suggestion", STRING, "the transcript as the rule would have it"),
        _o("group", STRING, "the group of transcripts that the flag belongs to"),
        _c("text", STRING, "the transcript that was checked"),
        _o("run_id", STRING, "the run whose hypotheses the rules saw; empty: none"),
    ),
    key=("utterance_id", "annotator", "rule_id", "start", "end"),
    scope=(),
)

VERDICTS = Table(
    "verdicts",
    (
        _UTTERANCE,
        _c("annotator", STRING, "whose transcript was flagged; empty text: the utterance's audio"),
        _c("rule_id", STRING, "the rule"),
        _c("start", INTEGER, "first character of the flagged span"),
        _c("end", INTEGER, "one past its last character"),
        _c("text", STRING, "the transcript that was judged"),
        _c("verdict", STRING, "accepted, rejected, or withdrawn"),
        _o("evidence", STRING, "what the rule had seen"),
        _o("suggestion", STRING, "the text that the rule suggested"),
        _o("written_to", STRING, "the annotator whose transcript took the suggestion; empty: none did"),
        _o("revision", INTEGER, "the revision of it that was written"),
        _o("author", STRING, "who judged"),
        _o("reason", STRING, "why"),
        _c("created_at", TIME, "when"),
        _c("source", STRING, "cli, or label_studio"),
    ),
    key=("utterance_id", "annotator", "rule_id", "start", "end", "text"),
)

RULE_SUMMARY = Table(
    "rule_summary",
    (
        _c("rule_id", STRING, "the rule"),
        _c("reason", STRING, "why it exists, in one sentence"),
        _c("flags", INTEGER, "flags raised"),
        _c("transcripts", INTEGER, "transcripts flagged"),
        _c("coverage", NUMBER, "share of all transcripts that it flags, 0 to 1"),
        _c("abstained", INTEGER, "transcripts that it had no opinion on for want of data"),
        _c("overlaps", INTEGER, "flagged transcripts that another rule flags too"),
        _c("faults", INTEGER, "times the rule crashed"),
        _o("needs", STRING, "tables and columns that it needs, joined by `, `"),
        _o("conflicts", INTEGER, "transcripts where another rule has another suggestion for overlapping characters"),
        _o("accepted", INTEGER, "flags that reviewers accepted"),
        _o("rejected", INTEGER, "flags that reviewers rejected"),
        _o("precision", NUMBER, "accepted of all that were judged, 0 to 1; empty: none was"),
        _o("precision_low", NUMBER, "lower end of its 95 % interval (Wilson)"),
        _o("precision_high", NUMBER, "upper end"),
        _o("posterior", NUMBER, "expected precision given the verdicts, 0.5 with none: what flags are ranked by"),
    ),
    key=("rule_id",),
    scope=(),
)
