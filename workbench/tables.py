"""Every table of a workspace, with its columns, types and key: the vocabulary that the stages share.

A table is one of two kinds. A *rows* table grows: a later row with the same key supersedes an earlier one, which
stays on disk. A *snapshot* table holds the results of an analysis: every write is a whole, and readers see the
newest one of each scope (a scope is, say, one run's slices).
"""

from __future__ import annotations

import pyarrow as pa

from workbench.label_studio.tables import SYNC_TABLES
from workbench.rule_tables import FLAGS as FLAGS
from workbench.rule_tables import RULE_SUMMARY as RULE_SUMMARY
from workbench.rule_tables import VERDICTS as VERDICTS
from workbench.table import BOOLEAN, INTEGER, NUMBER, STRING, TIME, Column, Table

WORDS = pa.list_(pa.struct([("word", STRING), ("start", NUMBER), ("end", NUMBER), ("confidence", NUMBER)]))
ALIGNMENT = pa.list_(pa.struct([("op", STRING), ("reference", STRING), ("hypothesis", STRING)]))
FORGIVEN = pa.list_(pa.struct([("step", INTEGER), ("alternative", STRING), ("words", INTEGER), ("steps", INTEGER)]))
_HEARD = [*((name, NUMBER) for name in ("start_seconds", "end_seconds", "score")), ("heard", STRING)]
ALIGNED_WORDS = pa.list_(pa.struct([("start", INTEGER), ("end", INTEGER), *_HEARD]))
GAPS = pa.list_(pa.struct([("at", INTEGER), *_HEARD]))


def _c(name: str, type: pa.DataType, holds: str) -> Column:
    return Column(name, type, holds)


def _o(name: str, type: pa.DataType, holds: str) -> Column:
    return Column(name, type, holds, optional=True)


_UTTERANCE = _c("utterance_id", STRING, "the utterance's id, unique in the workspace")
_RUN = _c("run_id", STRING, "the run that made the hypotheses")
_SCORING = _c("scoring", STRING, "normalizer, version and alignment, as `basic-1/unit`")

UTTERANCES = Table(
    "utterances",
    (
        _UTTERANCE,
        _c("recording", STRING, "path of the recording; relative to the workspace where it lies inside"),
        _o("start", NUMBER, "start in the recording (s); empty: its beginning"),
        _o("end", NUMBER, "end in the recording (s); empty: its end"),
        _o("sampling_rate", INTEGER, "sampling rate of the recording (Hz)"),
        _o("duration", NUMBER, "duration of the utterance (s)"),
        _o("speaker", STRING, "who speaks"),
        _o("split", STRING, "train, dev, test, …"),
        _c("source", STRING, "manifest and line that it came from"),
    ),
    key=("utterance_id",),
    open=True,
)

TRANSCRIPTS = Table(
    "transcripts",
    (
        _UTTERANCE,
        _c("annotator", STRING, "who wrote it; `reference` when the manifest names nobody"),
        _c("revision", INTEGER, "1, 2, … for this utterance and annotator"),
        _c("text", STRING, "the text, as written"),
        _c("created_at", TIME, "when the revision was made"),
        _c("source", STRING, "import, edit, rule, consensus, undo, retract (no text stands) or label_studio"),
        _o("source_detail", STRING, "manifest and line, task and annotation id, or rule id"),
        _o("author", STRING, "who asked for this revision, where it is not the annotator"),
        _o("reason", STRING, "why the revision was made"),
    ),
    key=("utterance_id", "annotator", "revision"),
    immutable=True,
)

AUDIO_QUALITY = Table(
    "audio_quality",
    (
        _UTTERANCE,
        _c("content_hash", STRING, "hash of the recording's bytes and the span"),
        _c("samples_hash", STRING, "hash of the decoded samples: equal for equal audio under two names"),
        _c("settings", STRING, "fingerprint of the normalisation settings"),
        _c("sampling_rate", INTEGER, "sampling rate as recorded (Hz)"),
        _c("channels", INTEGER, "channels as recorded"),
        _c("duration", NUMBER, "duration (s)"),
        _o("loudness", NUMBER, "integrated loudness as recorded (LUFS); empty: not defined"),
        _c("loudness_method", STRING, "integrated, ungated (clips under 400 ms), or silence"),
        _o("true_peak", NUMBER, "true peak as recorded (dBTP); empty: digital silence"),
        _c("gain", NUMBER, "gain applied (dB)"),
        _c("gain_limited", BOOLEAN, "the peak ceiling held the gain back"),
        _o("output_loudness", NUMBER, "integrated loudness after normalisation (LUFS)"),
        _o("output_true_peak", NUMBER, "true peak after normalisation (dBTP)"),
        _c("clipped_share", NUMBER, "share of samples in runs at full scale, 0 to 1"),
        _o("snr", NUMBER, "estimated signal-to-noise ratio (dB); empty: no speech or no noise to measure"),
        _c("silence_share", NUMBER, "share of the duration without speech, 0 to 1"),
        _c("speech_seconds", NUMBER, "seconds with speech"),
        _o("bandwidth", NUMBER, "highest frequency that carries signal (Hz)"),
        _c("dc_offset", NUMBER, "mean of the samples, full scale 1"),
        _o("speech_start", NUMBER, "first speech (s); empty: none"),
        _o("speech_end", NUMBER, "last speech (s); empty: none"),
        _o("speech_before", NUMBER, "speech (s, up to 0.5) going on before its start; empty: the recording's start"),
        _o("speech_after", NUMBER, "speech (s, up to 0.5) going on behind its end; empty: the recording's end"),
        _o("start_level", NUMBER, "level of its first 10 ms against its speech (dB); empty: no speech"),
        _o("end_level", NUMBER, "level of its last 10 ms against its speech (dB); empty: no speech"),
        _c("output", STRING, "path of the normalised audio, relative to the workspace"),
    ),
    key=("utterance_id",),
)

FINGERPRINTS = Table(
    "fingerprints",
    (
        _UTTERANCE,
        _c("content_hash", STRING, "hash of the recording's bytes and the span"),
        _c("samples_hash", STRING, "hash of the decoded samples"),
        _c("version", INTEGER, "version of the fingerprint; those of others are made anew"),
        _c("duration", NUMBER, "duration (s)"),
        _c("codes", STRING, "base64 of a 32-bit number for each 8 ms: 24 bits, and whether there is sound"),
        _c("keys", STRING, "base64 of five 32-bit numbers for each frame to look up: its number, its weakest bits"),
    ),
    key=("utterance_id",),
)

DUPLICATES = Table(
    "duplicates",
    (
        _c("utterance_id", STRING, "an utterance; of `part of` the part"),
        _c("other_id", STRING, "the utterance that it is a copy, or a part, of"),
        _c("kind", STRING, "identical samples, re-encoded (or resampled, at another volume, shifted), or part of"),
        _c("similarity", NUMBER, "correlation of the waveforms where both sound, 0 to 1"),
        _c("offset", NUMBER, "where the utterance begins in the other (s); negative: the other begins later"),
        _o("group", STRING, "id of the group of copies, shared by all of them; empty for `part of`"),
        _c("samples_hash", STRING, "hash of the utterance's samples, as they were compared"),
        _c("other_samples_hash", STRING, "hash of the other's samples"),
    ),
    key=("utterance_id", "other_id"),
    scope=(),
)

RUNS = Table(
    "runs",
    (
        _RUN,
        _c("backend", STRING, "pocketsphinx, transformers or imported"),
        _c("model", STRING, "model name or directory"),
        _o("revision", STRING, "model revision or content hash"),
        _c("parameters", STRING, "every parameter, as JSON with sorted keys"),
        _o("device", STRING, "cpu, cuda:0, …"),
        _o("library_versions", STRING, "versions of the libraries, as JSON"),
        _c("started_at", TIME, "when the run was begun"),
        _c("utterances", INTEGER, "utterances transcribed so far"),
        _o("audio_seconds", NUMBER, "seconds of audio transcribed"),
        _o("wall_seconds", NUMBER, "seconds it took, all sessions together"),
        _o("real_time_factor", NUMBER, "wall_seconds / audio_seconds"),
        _o("latency_p50", NUMBER, "median seconds of computing for one utterance"),
        _o("latency_p90", NUMBER, "90th percentile of the same"),
        _o("latency_p99", NUMBER, "99th percentile of the same"),
        _c("finished", BOOLEAN, "every utterance there was is transcribed or a fault"),
    ),
    key=("run_id",),
)

HYPOTHESES = Table(
    "hypotheses",
    (
        _UTTERANCE,
        _RUN,
        _c("text", STRING, "what the model heard; may be empty text"),
        _o("confidence", NUMBER, "the utterance's confidence in [0, 1]"),
        _o("words", WORDS, "words with start and end (s) and confidence in [0, 1]"),
        _c("audio", STRING, "samples_hash/settings of the normalised audio, recording/hash, or empty text: not known"),
        _o("audio_seconds", NUMBER, "its duration (s)"),
        _o("compute_seconds", NUMBER, "seconds of computing; an equal share of its batch"),
    ),
    key=("utterance_id", "run_id"),
)

LABEL_SCORES = Table(
    "label_scores",
    (
        _UTTERANCE,
        _c("annotator", STRING, "whose label it is"),
        _c("aligner", STRING, "the CTC model that aligned it: backend, model and a hash of its parameters"),
        _c("text", STRING, "the label that was aligned"),
        _c("outcome", STRING, "aligned, empty (no word to align), too_long for the audio, or no_sound in it"),
        _o("label_score", NUMBER, "log-likelihood of the label less that of what the model heard (nats, 0 at best)"),
        _c("heard", STRING, "what the model heard"),
        _c("words", ALIGNED_WORDS, "the words by characters, with times (s), scores (nats) and what was heard there"),
        _c("gaps", GAPS, "where something was heard that the label lacks: the character, times (s), score (nats)"),
        _c("audio", STRING, "samples_hash/settings of the normalised audio, or recording/hash"),
        _c("created_at", TIME, "when it was aligned"),
    ),
    key=("utterance_id", "annotator", "aligner", "text"),
)

CONFLICTS = Table(
    "conflicts",
    (
        _c("group", STRING, "id of the group of transcripts of the same audio"),
        _UTTERANCE,
        _c("annotator", STRING, "who wrote it"),
        _c("text", STRING, "the transcript"),
        _c("kinds", STRING, "how it differs from the group's other transcripts, kinds joined by `, `"),
        _c("why", STRING, "same utterance, or same audio under two ids"),
    ),
    key=("group", "utterance_id", "annotator"),
    scope=(),
)

SUSPECTS = Table(
    "suspects",
    (
        _UTTERANCE,
        _c("annotator", STRING, "whose transcript it is"),
        _o("score", NUMBER, "how likely it is wrong, in [0, 1]; empty: nothing to judge it by"),
        _c("basis", STRING, "what the score was made of: peers, model, annotator, audio, or none"),
        _o("evidence", STRING, "what speaks against it, in one line"),
        _c("text", STRING, "the transcript that was judged"),
        _o("run_id", STRING, "the run whose hypotheses were the main ones; empty: none"),
    ),
    key=("utterance_id", "annotator"),
    scope=(),
)

CONVENTIONS = Table(
    "conventions",
    (
        _c("convention", STRING, "what is written in several ways, as `filler.um` or `number`"),
        _c("form", STRING, "one of the ways"),
        _c("count", INTEGER, "how often it is found"),
        _c("share", NUMBER, "its share among the convention's forms, 0 to 1"),
        _c("majority", BOOLEAN, "the form most often found"),
        _c("annotators", STRING, "who writes it, most often first, joined by `, `"),
    ),
    key=("convention", "form"),
    scope=(),
)

_COUNTS = (
    _c("ref_words", INTEGER, "words in the normalised reference"),
    _c("hits", INTEGER, "words equal"),
    _c("substitutions", INTEGER, "words substituted"),
    _c("deletions", INTEGER, "words deleted"),
    _c("insertions", INTEGER, "words inserted"),
    _c("ref_chars", INTEGER, "characters in the normalised reference, spaces between words included"),
    _c("char_hits", INTEGER, "characters equal"),
    _c("char_substitutions", INTEGER, "characters substituted"),
    _c("char_deletions", INTEGER, "characters deleted"),
    _c("char_insertions", INTEGER, "characters inserted"),
)

SCORES = Table(
    "scores",
    (
        _UTTERANCE,
        _RUN,
        _SCORING,
        *_COUNTS,
        _c("reference", STRING, "the reference that was scored against, before normalisation"),
        _c("hypothesis", STRING, "the hypothesis that was scored, before normalisation"),
        _c("alignment", ALIGNMENT, "equal, substitute, delete and insert steps over words"),
        _o("forgiven", FORGIVEN, "alternatives taken: the first step, the name, how many words, how many steps"),
    ),
    key=("utterance_id", "run_id", "scoring"),
)

_RATE = (
    _o("wer", NUMBER, "word error rate; empty when there are no reference words"),
    _o("wer_low", NUMBER, "lower end of its 95 % interval"),
    _o("wer_high", NUMBER, "upper end"),
)

SLICES = Table(
    "slices",
    (
        _RUN,
        _SCORING,
        _c("slice", STRING, "the predicate, as `age_group = child`"),
        _c("tag", STRING, "the tag"),
        _c("value", STRING, "its value or bin; `(missing)` where there is none"),
        _c("utterances", INTEGER, "utterances in the slice"),
        _c("speakers", INTEGER, "known speakers in the slice"),
        _c("ref_words", INTEGER, "reference words in the slice"),
        _c("errors", INTEGER, "substitutions, deletions and insertions"),
        *_RATE,
        _o("cer", NUMBER, "character error rate"),
        _c("word_share", NUMBER, "share of the corpus's reference words, 0 to 1"),
        _o("rest_wer", NUMBER, "WER of everything outside the slice"),
        _o("gap", NUMBER, "wer - rest_wer, in WER points as a fraction"),
        _o("gain", NUMBER, "corpus WER points (fraction) that closing the gap would buy; 0 where there is no gap"),
        _o("gain_low", NUMBER, "lower end of its 95 % interval"),
        _o("gain_high", NUMBER, "upper end"),
        _c("resampled", STRING, "what the intervals resample: speakers, recordings or utterances"),
    ),
    key=("run_id", "scoring", "slice"),
    scope=("run_id", "scoring"),
)

CONFUSIONS = Table(
    "confusions",
    (
        _RUN,
        _SCORING,
        _c("slice", STRING, "the slice; `all` for the corpus"),
        _c("op", STRING, "substitute, delete or insert"),
        _c("reference", STRING, "the reference word; empty text for an insertion"),
        _c("hypothesis", STRING, "the hypothesis word; empty text for a deletion"),
        _c("count", INTEGER, "how often"),
    ),
    key=("run_id", "scoring", "slice", "op", "reference", "hypothesis"),
    scope=("run_id", "scoring"),
)

BACKLOG = Table(
    "backlog",
    (
        _c("rank", INTEGER, "1 is the largest expected gain"),
        _c("item_id", STRING, "stable id, as `label.conflict.content` or `collect.age_group=child`"),
        _c("kind", STRING, "label, audio, collect or tune"),
        _c("title", STRING, "what to do"),
        _c("utterances", INTEGER, "utterances to touch, or that the estimate rests on"),
        _c("gain", NUMBER, "expected gain in corpus WER points, as a fraction"),
        _o("gain_low", NUMBER, "lower end of its 95 % interval"),
        _o("gain_high", NUMBER, "upper end"),
        _c("cost_hours", NUMBER, "hours of work, from the costs in workbench.toml"),
        _o("gain_per_hour", NUMBER, "gain / cost_hours"),
        _c("how", STRING, "how the gain was computed, and what it assumes"),
        _c("run_id", STRING, "the run that it was computed from"),
        _c("scoring", STRING, "the scoring that it was computed from"),
    ),
    key=("item_id",),
    scope=("run_id", "scoring"),
)

FAULTS = Table(
    "faults",
    (
        _c("stage", STRING, "import, normalize, transcribe, check, score, …"),
        _c("item", STRING, "utterance id, file or rule"),
        _c("location", STRING, "file and line, or the path"),
        _c("reason", STRING, "what was wrong, what was expected"),
    ),
    key=("stage", "item", "location", "reason"),
    scope=("stage", "subject"),
)

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        UTTERANCES,
        TRANSCRIPTS,
        AUDIO_QUALITY,
        FINGERPRINTS,
        DUPLICATES,
        RUNS,
        HYPOTHESES,
        LABEL_SCORES,
        FLAGS,
        VERDICTS,
        CONFLICTS,
        SUSPECTS,
        CONVENTIONS,
        RULE_SUMMARY,
        SCORES,
        SLICES,
        CONFUSIONS,
        BACKLOG,
        FAULTS,
        *SYNC_TABLES,
    )
}
