"""A report as a voice-search team would have it, for the tests: Korean and English, gaps, and hostile text."""

from __future__ import annotations

import json
import math
import wave
from array import array
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from workbench import tables
from workbench.report.data import ReportData, Target, WorstUtterance

MADE_AT = datetime(2026, 3, 14, 9, 30, tzinfo=UTC)
SCRIPT = "<script>window.pwned = true</script>"
HOSTILE = [
    SCRIPT,
    "\"><img src=x onerror='window.pwned=true'>",
    "\u202egnp.exe\u202c and \u200bzero\u200bwidth\ufeff",
    "שלום, weather مرحبا",
    "Donaudampfschifffahrtsgesellschaft" * 12,
    "'; DROP TABLE; -- {{ 7*7 }} {% raw %} ${7*7} `code` | pipe | [link](javascript:alert(1)) *bold*",
    "line one\nline two\r\n\ttabbed\x00\x1b[31m",
    "a\u0300\u0301\u0302\u0303" + "\u0336" * 60,
]


def write_wav(path: Path, seconds: float = 1.2, rate: int = 16000) -> Path:
    """A WAV file with a tone that swells and fades."""
    n = int(seconds * rate)
    samples = array(
        "h", (int(9000 * math.sin(math.pi * i / n) * math.sin(2 * math.pi * 330 * i / rate)) for i in range(n))
    )
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.tobytes())
    return path


def table(name: str, rows: list[dict[str, Any]]) -> pd.DataFrame:
    """The rows as a frame of that table, types and all."""
    one = tables.TABLES[name]
    return one.to_arrow(pd.DataFrame(rows)).to_pandas() if rows else one.empty()


ROW_OF_RUN = {
    "run_id": "20260314-ctc-base",
    "backend": "transformers",
    "model": "voice-search/ctc-base-ko",
    "revision": "3f9c2ab",
    "parameters": json.dumps({"batch_size": 8, "chunk_seconds": 30.0, "language": "ko", "sampling_rate": 16000}),
    "device": "cpu",
    "library_versions": json.dumps({"torch": "2.11.0", "torchaudio": "2.11.0", "transformers": "5.23.0"}),
    "started_at": pd.Timestamp("2026-03-14T08:10:00Z"),
    "utterances": 1204,
    "audio_seconds": 5526.4,
    "wall_seconds": 912.1,
    "real_time_factor": 0.165,
    "latency_p50": 0.41,
    "latency_p90": 0.83,
    "latency_p99": float("nan"),
    "finished": True,
}

OVERALL = {
    "utterances": 1204,
    "speakers": 48,
    "audio_seconds": 5526.4,
    "ref_words": 9804,
    "substitutions": 1394,
    "deletions": 611,
    "insertions": 289,
    "wer": 2294 / 9804,
    "wer_low": 0.2112,
    "wer_high": 0.2587,
    "cer": 0.1123,
    "scoring": "korean-1/unit",
    "resampled": "speakers",
}

TARGETS = [
    Target("wer", 2294 / 9804, 0.20, "rate", False, optimise=True),
    Target("latency_p90", 0.83, 1.0, "s", True),
    Target("real_time_factor", 0.165, 0.5, "× real time", True),
    Target("latency_p99", None, 2.0, "s", None),
]

SLICES = [
    # tag, value, utterances, speakers, words, wer, low, high
    ("age_group", "child", 121, 5, 982, 0.561, 0.482, 0.634),
    ("age_group", "20–39", 602, 21, 4890, 0.158, 0.139, 0.181),
    ("age_group", "40–59", 301, 13, 2471, 0.199, 0.170, 0.231),
    ("age_group", "60+", 140, 8, 1150, 0.312, 0.251, 0.380),
    ("age_group", "(missing)", 40, 1, 311, 0.236, 0.122, 0.371),
    ("loudness_band", "too_quiet", 88, 11, 702, 0.482, 0.391, 0.570),
    ("loudness_band", "quiet", 240, 30, 1950, 0.264, 0.226, 0.305),
    ("loudness_band", "normal", 841, 47, 6880, 0.201, 0.180, 0.224),
    ("loudness_band", "loud", 35, 9, 272, 0.221, 0.140, 0.318),
    ("clipping", "clean", 1129, 48, 9192, 0.224, 0.202, 0.248),
    ("clipping", "clipped", 75, 14, 612, 0.382, 0.290, 0.471),
    ("snr_band", "under 10 dB", 96, 20, 770, 0.451, 0.377, 0.525),
    ("snr_band", "10 to 20 dB", 422, 41, 3430, 0.262, 0.231, 0.294),
    ("snr_band", "over 20 dB", 686, 46, 5604, 0.186, 0.166, 0.209),
    ("room", "거실", 420, 22, 3410, 0.211, 0.182, 0.243),
    ("room", "주방", 188, 19, 1520, 0.361, 0.308, 0.417),
    ("room", "차 안", 305, 18, 2487, 0.243, 0.209, 0.280),
    ("room", "침실", 251, 16, 2076, 0.163, 0.131, 0.196),
    ("room", "(missing)", 40, 6, 311, 0.236, 0.122, 0.371),
    ("dialect", "서울", 660, 25, 5380, 0.176, 0.154, 0.200),
    ("dialect", "경상", 284, 12, 2306, 0.311, 0.266, 0.358),
    ("dialect", "전라", 160, 7, 1302, 0.287, 0.229, 0.349),
    ("dialect", "제주", 12, 1, 14, 1.071, 0.412, 2.143),
    ("dialect", "(missing)", 88, 3, 802, 0.239, 0.166, 0.318),
    ("device", "phone", 702, 44, 5720, 0.209, 0.186, 0.233),
    ("device", "speaker, far field", 401, 31, 3270, 0.276, 0.241, 0.313),
    ("device", "car", 101, 10, 814, 0.243, 0.186, 0.305),
    ("duration_s", "0.4–1.2", 210, 45, 412, 0.354, 0.299, 0.412),
    ("duration_s", "1.2–2.5", 266, 47, 1330, 0.261, 0.229, 0.296),
    ("duration_s", "2.5–4.0", 249, 48, 2002, 0.231, 0.201, 0.262),
    ("duration_s", "4.0–6.5", 240, 47, 2720, 0.214, 0.189, 0.243),
    ("duration_s", "6.5–14.8", 239, 46, 3340, 0.217, 0.192, 0.245),
    ("note", HOSTILE[4], 3, 1, 20, 0.4, 0.1, 0.7),
    ("note", SCRIPT, 2, 1, 0, None, None, None),
]


def slice_rows(rows: list[tuple[Any, ...]]) -> pd.DataFrame:
    """Slices with the columns that follow from the given ones filled in."""
    total = OVERALL["ref_words"]
    made = []
    for tag, value, utterances, speakers, words, wer, low, high in rows:
        rest = None if wer is None else (2294 - wer * words) / (total - words)
        gap = None if wer is None else wer - rest
        gain = 0.0 if gap is None else max(0.0, gap * words / total)
        made.append(
            {
                "run_id": ROW_OF_RUN["run_id"],
                "scoring": OVERALL["scoring"],
                "slice": f"{tag} = {value}",
                "tag": tag,
                "value": value,
                "utterances": utterances,
                "speakers": speakers,
                "ref_words": words,
                "errors": round((wer or 0) * words),
                "wer": wer,
                "wer_low": low,
                "wer_high": high,
                "cer": None if wer is None else wer / 2,
                "word_share": words / total,
                "rest_wer": rest,
                "gap": gap,
                "gain": gain,
                "gain_low": gain * 0.6 if gain else None,
                "gain_high": gain * 1.4 if gain else None,
                "resampled": "speakers",
            }
        )
    return table("slices", made)


def backlog() -> pd.DataFrame:
    rows = [
        (
            "collect.age_group=child",
            "collect",
            "Record 6 hours more of children aged 6 to 12",
            121,
            0.0331,
            0.0242,
            0.0418,
            60.0,
            "The slice's WER follows the learning curve of three subsets (exponent 0.3) as its training data doubles. "
            "Assumes the new speakers resemble these five.",
        ),
        (
            "audio.too_quiet",
            "audio",
            "Normalise and re-transcribe 88 clips that are far too quiet",
            88,
            0.0182,
            0.0121,
            0.0240,
            0.75,
            "Measured: the same model on the normalised clips, paired over utterances.",
        ),
        (
            "label.conflict.content",
            "label",
            "Settle 31 clips whose transcripts say different things",
            31,
            0.0094,
            0.0051,
            0.0139,
            2.6,
            "Words in dispute, times the share of disputes in which the hypothesis agrees with the other transcript.",
        ),
        (
            "label.convention.filler",
            "label",
            "Write fillers in one way (음, 어, um) in 212 transcripts",
            212,
            0.0061,
            0.0048,
            0.0077,
            0.4,
            "Errors on filler words where another annotator's form would have counted as right.",
        ),
        (
            "label.conflict.number",
            "label",
            "Write numbers as spoken: (70%)/(칠십 퍼센트) in 64 transcripts",
            64,
            0.0058,
            0.0030,
            0.0089,
            1.1,
            "Errors inside spans that differ only in the way a number is written.",
        ),
        (
            "collect.room=주방",
            "collect",
            "Record or mix in kitchen noise (주방)",
            188,
            0.0049,
            -0.0008,
            0.0101,
            16.0,
            "Gap to the other rooms, halved: experience with noise mixing elsewhere. Perhaps no gain at all.",
        ),
        (
            "audio.clipped",
            "audio",
            "Re-record 75 clipped clips, or drop them from training",
            75,
            0.0034,
            None,
            None,
            9.5,
            "Upper bound: as if the clips were as good as the rest. No interval: too few recordings.",
        ),
        (
            "tune.learning_rate",
            "tune",
            "Learning-rate sweep, 5 runs",
            1204,
            0.0021,
            -0.0030,
            0.0068,
            40.0,
            "Spread of WER over the seeds of the present recipe; a sweep rarely beats the best of as many seeds.",
        ),
        (
            "label." + SCRIPT,
            "label",
            SCRIPT + " " + HOSTILE[2] + " " + HOSTILE[4],
            1,
            0.0002,
            0.0,
            0.0004,
            0.1,
            HOSTILE[5],
        ),
    ]
    return table(
        "backlog",
        [
            {
                "rank": rank,
                "item_id": item,
                "kind": kind,
                "title": title,
                "utterances": utterances,
                "gain": gain,
                "gain_low": low,
                "gain_high": high,
                "cost_hours": cost,
                "gain_per_hour": gain / cost,
                "how": how,
                "run_id": ROW_OF_RUN["run_id"],
                "scoring": OVERALL["scoring"],
            }
            for rank, (item, kind, title, utterances, gain, low, high, cost, how) in enumerate(rows, start=1)
        ],
    )


CONFLICTS = [
    ("c1", "clip-0007", "ann_a", "Um, today's weather", "filler, punctuation", "same utterance"),
    ("c1", "clip-0007", "ann_c", "Um... today's weather", "filler, punctuation", "same utterance"),
    ("c1", "clip-0007", "ann_d", "Today's weather", "filler, casing", "same utterance"),
    ("c2", "clip-0019", "ann_a", "오늘 날씨 어때", "spacing", "same utterance"),
    ("c2", "clip-0019", "ann_d", "오늘날씨 어때", "spacing", "same utterance"),
    ("c2", "clip-0019", "ann_c", "오늘 날씨 어때", "spacing", "same utterance"),
    ("c3", "clip-0042", "ann_a", "배터리 70% 남았어", "number", "same utterance"),
    ("c3", "clip-0042", "ann_d", "배터리 칠십 퍼센트 남았어", "number", "same utterance"),
    ("c4", "clip-0101", "ann_c", "불 켜 줘", "content", "same audio under two ids"),
    ("c4", "clip-0388", "ann_a", "불 꺼 줘", "content", "same audio under two ids"),
    ("c5", "clip-0666", "ann_a", HOSTILE[0] + HOSTILE[2], "content", "same utterance"),
    ("c5", "clip-0666", "ann_d", HOSTILE[1] + HOSTILE[3], "content", "same utterance"),
    ("c5", "clip-0666", "ann_c", "", "content", "same utterance"),
    ("c5", "clip-0666", "ann_b", HOSTILE[4] + HOSTILE[6] + HOSTILE[7], "content", "same utterance"),
]

SUSPECTS = [
    (
        "clip-0012",
        "ann_b",
        0.31,
        "peers",
        "about 0.4 word errors in its 4 words, judging by 2 other texts",
        "창문 열어 줘",
    ),
    ("clip-0101", "ann_c", 0.97, "peers, model", "the model heard “꺼” where the transcript has “켜”", "불 켜 줘"),
    ("clip-0666", HOSTILE[0], 0.64, "model", HOSTILE[1] + HOSTILE[3], HOSTILE[4]),
    ("clip-0700", "ann_a", None, "none", None, "혼자"),
    ("clip-0702", "ann_a", 0.5, "peers", "no words, where other texts of the audio have some", ""),
]

DUPLICATES = [
    ("clip-0388", "clip-0101", "re-encoded", 0.98, 0.0, "aa", "bb", "aa"),
    ("clip-0390", "clip-0101", "identical samples", 1.0, 0.0, "aa", "aa", "aa"),
    ("clip-0501", HOSTILE[0], "re-encoded", 0.93, 0.2, "cc", "cd", "cc"),
    ("clip-0600", "clip-0601", "part of", 0.91, 4.5, None, "ee", "ff"),
]

CONVENTIONS = [
    ("filler.um", "음", 118, 0.562, True, "ann_a, ann_c"),
    ("filler.um", "um", 61, 0.290, False, "ann_d"),
    ("filler.um", "uhm…", 31, 0.148, False, "ann_c, ann_d"),
    ("number", "칠십 퍼센트", 64, 0.66, True, "ann_d, ann_b"),
    ("number", "70%", 33, 0.34, False, "ann_a"),
    ("spacing.compound", "오늘 날씨", 41, 0.82, True, "ann_a, ann_c, ann_b"),
    ("spacing.compound", "오늘날씨", 9, 0.18, False, "ann_d"),
    ("casing.brand", "YouTube", 12, 0.60, True, "ann_a"),
    ("casing.brand", SCRIPT, 8, 0.40, False, HOSTILE[2]),
]


def confusions() -> pd.DataFrame:
    corpus = [
        ("substitute", "날씨", "날시", 41),
        ("substitute", "켜", "꺼", 33),
        ("substitute", "weather", "whether", 18),
        ("substitute", "칠십", "70", 17),
        ("substitute", "주방", "주빵", 9),
        ("substitute", HOSTILE[4], SCRIPT, 2),
        ("delete", "음", "", 74),
        ("delete", "좀", "", 29),
        ("delete", "the", "", 22),
        ("delete", "요", "", 12),
        ("insert", "", "네", 31),
        ("insert", "", "아", 14),
        ("insert", "", HOSTILE[2], 1),
    ]
    children = [("substitute", "켜", "꺼", 19), ("delete", "좀", "", 11), ("insert", "", "네", 9)]
    return table(
        "confusions",
        [
            {
                "run_id": ROW_OF_RUN["run_id"],
                "scoring": OVERALL["scoring"],
                "slice": name,
                "op": op,
                "reference": reference,
                "hypothesis": hypothesis,
                "count": n,
            }
            for name, rows in (("all", corpus), ("age_group = child", children), ("room = 주방", children))
            for op, reference, hypothesis, n in rows
        ],
    )


def quality(n: int = 240) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Measured audio, and its tags; the values run through their ranges without chance."""
    rows, tags = [], []
    for i in range(n):
        spread = math.sin(i * 2.399) + math.sin(i * 1.11) + math.cos(i * 0.37)
        loudness = None if i % 60 == 7 else -26.0 + 4.5 * spread - (14 if i % 13 == 0 else 0)
        snr = None if i % 40 == 3 else 19 + 6 * math.sin(i * 1.7) + 4 * math.cos(i * 0.9)
        rows.append(
            {
                "utterance_id": f"clip-{i:04d}",
                "content_hash": f"{i:08x}",
                "samples_hash": f"{i:08x}",
                "settings": "loudness-23",
                "sampling_rate": 16000,
                "channels": 1,
                "duration": 900.0 if i == 5 else 0.5 + (abs(spread) * 2.1) ** 1.4,
                "loudness": loudness,
                "loudness_method": "silence" if loudness is None else "integrated",
                "true_peak": -3.0,
                "gain": 3.0,
                "gain_limited": i % 9 == 0,
                "output_loudness": -23.0,
                "output_true_peak": -1.0,
                "clipped_share": 0.0,
                "snr": snr,
                "silence_share": 0.3,
                "speech_seconds": 2.0,
                "bandwidth": 7800.0,
                "dc_offset": 0.0001,
                "output": f"audio/{i:08x}.flac",
            }
        )
        tags.append(
            {
                "utterance_id": f"clip-{i:04d}",
                "loudness_band": None if loudness is None else "too_quiet" if loudness < -36 else "normal",
                "clipping": "clipped" if i % 17 == 0 else "clean",
                "snr_band": None if snr is None else "low" if snr < 12 else "high",
                "band": "narrowband" if i % 31 == 0 else "wideband",
            }
        )
    return table("audio_quality", rows), pd.DataFrame(tags).set_index("utterance_id")


def rules() -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rules' summary, and flags."""
    summary = [
        (
            "conflict.filler",
            "Fillers written by some annotators only teach the model to guess.",
            61,
            58,
            0.048,
            0,
            21,
            0,
        ),
        ("conflict.content", "Two people who hear different words cannot both be right.", 31, 31, 0.026, 0, 4, 0),
        (
            "timing.too_fast",
            "More characters a second than anyone speaks mean that text and audio do not match.",
            7,
            7,
            0.006,
            12,
            3,
            1,
        ),
        ("audio.silence", "A transcript of silence teaches the model to make things up.", 0, 0, 0.0, 1204, 0, 0),
        ("text.markup", SCRIPT, 2, 2, 0.0017, 0, 0, 0),
    ]
    names = tables.RULE_SUMMARY.names[:8]
    judged = {"accepted": 4, "rejected": 1, "precision": 0.8, "precision_low": 0.376, "precision_high": 0.964}
    made = [dict(zip(names, row, strict=True)) | {"conflicts": 0} for row in summary]
    made[0] |= judged  # what verdicts add is empty before the first
    flags = [
        (
            "clip-0007",
            "ann_a",
            "conflict.filler",
            0,
            3,
            "style",
            0.94,
            "2 of 3 annotators write a filler",
            "Today's weather",
            "c1",
        ),
        ("clip-0101", "ann_c", "conflict.content", 2, 3, "harmful", 0.81, "켜 against 꺼", None, "c4"),
        ("clip-0666", "ann_b", "text.markup", 0, 8, "harmful", 1.0, HOSTILE[1], SCRIPT, None),
        ("clip-0700", "", "audio.clipped", 0, 0, "harmful", 0.7, "3.1 % of samples at full scale", None, None),
        (
            "clip-0701",
            "ann_d",
            "text.formula",
            0,
            4,
            "style",
            0.2,
            '=HYPERLINK("http://example.org","x")',
            "+1 -2 @x",
            None,
        ),
    ]
    return (
        table("rule_summary", made),
        table(
            "flags", [dict(zip(tables.FLAGS.names, (*row, "today's weather", "run-1"), strict=True)) for row in flags]
        ),
    )


def worst(directory: Path) -> list[WorstUtterance]:
    """Utterances with many errors; the first two can be played."""
    return [
        WorstUtterance(
            "clip-0311",
            "아이-03",
            "거실 불 좀 켜 줘",
            "거실 물 꺼 주 네",
            0.8,
            4,
            [
                ("equal", "거실", "거실"),
                ("substitute", "불", "물"),
                ("delete", "좀", ""),
                ("substitute", "켜", "꺼"),
                ("substitute", "줘", "주"),
                ("insert", "", "네"),
            ],
            write_wav(directory / "one.wav"),
            {"age_group": "child", "room": "거실", "snr": 9.25, "split": None},
        ),
        WorstUtterance(
            "clip-0512",
            "spk-17",
            "Um, what's the weather like in Busan tomorrow morning?",
            "whether like and boo san tomorrow",
            0.875,
            7,
            [
                ("delete", "um", ""),
                ("delete", "what's", ""),
                ("delete", "the", ""),
                ("substitute", "weather", "whether"),
                ("equal", "like", "like"),
                ("substitute", "in", "and"),
                ("insert", "", "boo"),
                ("substitute", "busan", "san"),
                ("equal", "tomorrow", "tomorrow"),
                ("delete", "morning", ""),
            ],
            write_wav(directory / "two.wav", 0.6),
            {"age_group": "60+", "dialect": "경상"},
        ),
        WorstUtterance(
            "clip-0666",
            None,
            "".join(HOSTILE),
            " ".join(reversed(HOSTILE)),
            None,
            9,
            [
                ("substitute", HOSTILE[0], HOSTILE[1]),
                ("insert", "", HOSTILE[2]),
                ("delete", HOSTILE[4], ""),
                ("equal", HOSTILE[3], HOSTILE[3]),
                ("substitute", HOSTILE[7], HOSTILE[5]),
            ],
            directory / "not-there.wav",
            {SCRIPT: HOSTILE[1]},
        ),
        WorstUtterance("clip-0900", "spk-02", "", "네", None, 1, [("insert", "", "네")], None, {}),
    ]


def sample(directory: Path, hostile_title: bool = False) -> ReportData:
    """A full report; clips are written into the directory."""
    measured, tags = quality()
    summary, flags = rules()
    return ReportData(
        title=SCRIPT if hostile_title else "Voice search, March round",
        workspace="voice-search-ko",
        created_at=MADE_AT,
        language="ko",
        targets=TARGETS,
        run=ROW_OF_RUN,
        overall=OVERALL,
        quality=measured,
        quality_tags=tags,
        conflicts=table("conflicts", [dict(zip(tables.CONFLICTS.names, row, strict=True)) for row in CONFLICTS]),
        suspects=table(
            "suspects", [dict(zip(tables.SUSPECTS.names, (*row, "run-1"), strict=True)) for row in SUSPECTS]
        ),
        duplicates=table("duplicates", [dict(zip(tables.DUPLICATES.names, row, strict=True)) for row in DUPLICATES]),
        splits={"clip-0101": "train", "clip-0388": "test", "clip-0600": "train", "clip-0601": "train"},
        conventions=table(
            "conventions", [dict(zip(tables.CONVENTIONS.names, row, strict=True)) for row in CONVENTIONS]
        ),
        rule_summary=summary,
        flags=flags,
        slices=slice_rows(SLICES),
        confusions=confusions(),
        backlog=backlog(),
        faults=table(
            "faults",
            [
                {
                    "stage": "normalize",
                    "item": "clip-1203",
                    "location": "recordings/broken.wav",
                    "reason": "the header names 0 channels; expected 1 or more",
                },
                {"stage": "import", "item": SCRIPT, "location": "manifest.csv, line 77", "reason": HOSTILE[6]},
            ],
        ),
        worst=worst(directory),
        planted=pd.DataFrame(
            [("quiet clip", 8, 8, 0, 1), ("filler conflict", 12, 11, 1, 3), ("wrong word", 6, 3, 3, 0)],
            columns=["kind", "planted", "found", "missed", "other_flags"],
        ),
        planted_note="Planted with seed 7 into 60 of 240 clips; the checks are not told where.",
        notes=["Spacing counts as an error in this scoring; see the character error rate beside it."],
    )


def empty() -> ReportData:
    """The report of a workspace in which nothing was done yet."""
    return ReportData("A new workspace", "new", MADE_AT)
