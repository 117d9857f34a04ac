"""How many copies of recordings `workbench duplicates` finds, and how many other recordings it takes for copies.

Of every recording copies are made: as 64 kbit/s MP3, at other sampling rates, 12 dB quieter, as FLAC, with 50 ms of
silence in front, all of these at once, and as MP3 of 24 kbit/s; and a cut of its middle, which is a part and no copy.
All clips, originals and copies, are then searched at once. A pair is true where both come from one recording, and
found where both are in one group; precision and recall are over all pairs. The thresholds were chosen on the speakers
jackson, lucas and theo of FSDD, but one: that for clips under a second was raised after takes of george's four had been
found to reach 0.89. speechocean762 was looked at for how densely a clip is looked up and for what a cut is.

    python scripts/duplicate_pairs.py [--data ../shared/data] [--only fsdd|speechocean762] [--format markdown|json]
"""

from __future__ import annotations

import argparse
import io
import json
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from workbench.audio.acoustic_fingerprint import fingerprint
from workbench.audio.decode import Audio, read_audio
from workbench.audio.duplicates import Clip, Heard, comparisons, pairs
from workbench.audio.encode import to_pcm16
from workbench.audio.fingerprint import samples_hash
from workbench.audio.quality import measure
from workbench.audio.same_recording import Match, compare
from workbench.audio.speech_band import speech_band

CHOSEN_ON = ("jackson", "lucas", "theo")
ORIGINAL, CUT = "original", "middle 60 %"
SPEECH_LOST = 0.3  # s; a cut that lacks less of the speech is trimmed, and may be a copy
Samples = NDArray[np.float32]


class Made(NamedTuple):
    """A clip made of a recording: which, how, its speech band and what is heard of it."""

    recording: str
    variant: str
    speech: Samples
    heard: Heard
    lost: float
    "Seconds of speech of the recording that it lacks."


def mp3(samples: Samples, rate: int, bit_rate: int) -> Samples:
    """A mono signal as MP3 and back, in memory."""
    import av
    from av.audio.fifo import AudioFifo

    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp3") as container:
        stream = container.add_stream("libmp3lame", rate=rate)
        stream.layout, stream.bit_rate, stream.format = "mono", bit_rate, "s16p"
        frame = av.AudioFrame.from_ndarray(to_pcm16(samples[None]).T.copy(), format="s16p", layout="mono")
        frame.rate, frame.pts = rate, 0
        waiting = AudioFifo()
        waiting.write(frame)
        size = stream.codec_context.frame_size or 1152
        while (part := waiting.read(size, partial=True)) is not None:
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))
    buffer.seek(0)
    with av.open(buffer) as container:
        decoded = np.concatenate([frame.to_ndarray() for frame in container.decode(audio=0)], axis=1)[0]
    return decoded / np.float32(32768) if decoded.dtype == np.int16 else decoded


def flac(samples: Samples, rate: int) -> Samples:
    """A mono signal as 16-bit FLAC and back, in memory."""
    import soundfile

    buffer = io.BytesIO()
    soundfile.write(buffer, to_pcm16(samples[None]), rate, format="FLAC", subtype="PCM_16")
    buffer.seek(0)
    decoded: Samples = soundfile.read(buffer, dtype="float32")[0]
    return decoded


def variants(samples: Samples, rate: int) -> Iterator[tuple[str, Samples, int]]:
    """Each variant of a mono recording: what it is, its samples and its sampling rate."""
    from scipy.signal import resample_poly

    def at(new: int, signal: Samples) -> Samples:
        return resample_poly(signal, new, rate).astype(np.float32) if new != rate else signal

    def in_16_bits(signal: Samples) -> Samples:
        return to_pcm16(signal[None])[:, 0] / np.float32(32768)

    late = np.concatenate([np.zeros(round(0.05 * rate), np.float32), samples])
    quiet = np.float32(10 ** (-12 / 20))
    other = 16_000 if rate == 8_000 else 8_000
    yield ORIGINAL, samples, rate
    yield "FLAC", flac(samples, rate), rate
    yield "MP3, 64 kbit/s", mp3(samples, rate, 64_000), rate
    yield f"{other // 1000} kHz", in_16_bits(at(other, samples)), other
    if rate == 8_000:
        yield "6 kHz", in_16_bits(at(6_000, samples)), 6_000
    yield "12 dB quieter, 16 bits", in_16_bits(samples * quiet), rate
    yield "50 ms later", late, rate
    yield "all of these", mp3(at(other, late * quiet), other, 64_000), other
    yield "MP3, 24 kbit/s", mp3(samples, rate, 24_000), rate
    yield CUT, samples[len(samples) // 5 : -len(samples) // 5], rate


def made_of(path: Path) -> tuple[list[Made], float, float]:
    """All variants of a recording, the seconds of their audio, and the seconds that fingerprinting them took."""
    audio = read_audio(path)
    result, audio_seconds, seconds = [], 0.0, 0.0
    speech_seconds = measure(audio.samples, audio.sampling_rate).speech_seconds
    for variant, samples, rate in variants(audio.samples[0], audio.sampling_rate):
        one = Audio(np.ascontiguousarray(samples[None]), rate)
        began = time.process_time()
        speech = speech_band(one.samples, rate)
        heard = Heard("", samples_hash(one), one.duration, fingerprint(speech))
        seconds += time.process_time() - began
        audio_seconds += one.duration
        lost = speech_seconds - measure(one.samples, rate).speech_seconds if variant == CUT else 0.0
        result.append(Made(path.stem, variant, speech, heard, lost))
    return result, audio_seconds, seconds


class Searched(NamedTuple):
    """All clips of a corpus, what is found among them, and what it took."""

    made: list[Made]
    found: pd.DataFrame
    other: list[float]
    "Similarities of the clips of different recordings whose waveforms were compared."
    times: dict[str, float]


def search(paths: list[Path], workers: int) -> Searched:
    """The clips made of recordings, searched at once."""
    with ProcessPoolExecutor(workers) as pool:
        parts = list(pool.map(made_of, paths, chunksize=8))
        made = [one for part, _, _ in parts for one in part]
        audio_seconds, hearing = sum(part[1] for part in parts), sum(part[2] for part in parts)
        began = time.process_time()
        clips = [Clip(f"{one.recording} {one.variant}", Path()) for one in made]
        identical, wanted = comparisons(clips, [one.heard for one in made])
        searching = time.process_time() - began
        tasks = [(made[c.first].speech, made[c.second].speech, c.offset) for c in wanted]
        matches = list(zip(wanted, pool.map(_match, tasks, chunksize=64), strict=True))
    other = [match.similarity for c, match in matches if made[c.first].recording != made[c.second].recording]
    times = {
        "audio_hours": audio_seconds / 3600,
        "times_real_time_fingerprinting": audio_seconds / hearing,
        "seconds_searching": searching,
        "waveforms_compared": float(len(wanted)),
    }
    return Searched(made, pairs(identical, matches), other, times)


def _match(task: tuple[Samples, Samples, float]) -> Match:
    return compare(*task)


def _not_chosen_on(recording: str) -> bool:
    return recording.split("_")[1] not in CHOSEN_ON


def figures(name: str, searched: Searched, wanted: Callable[[str], bool] = bool) -> dict[str, Any]:
    """The figures of a corpus, or of the recordings of it that are wanted."""
    made, found, times = searched.made, searched.found, searched.times
    group = pd.Series(np.arange(len(made))) + len(made)  # each clip alone, but for those in a group
    same = found[found["group"] >= 0]
    group[same["first"].to_numpy()] = same["group"].to_numpy()
    group[same["second"].to_numpy()] = same["group"].to_numpy()
    frame = pd.DataFrame({"recording": [m.recording for m in made], "variant": [m.variant for m in made]})
    frame["group"] = group.to_numpy()
    frame = frame[frame["recording"].map(wanted)]
    copies = frame[frame["variant"] != CUT]
    true_pairs = _pairs_within(copies, ["recording"])
    true_found = _pairs_within(copies, ["recording", "group"])
    merged = frame.groupby("group")["recording"].agg(lambda names: sorted(set(names)))
    originals = copies[copies["variant"] == ORIGINAL].set_index("recording")["group"]
    direct = {frozenset(pair) for pair in zip(found["first"], found["second"], strict=True)}
    place = {(m.recording, m.variant): i for i, m in enumerate(made)}
    by_variant = []
    for variant, rows in copies[copies["variant"] != ORIGINAL].groupby("variant", sort=False):
        alone = [frozenset((place[r, ORIGINAL], place[r, variant])) in direct for r in rows["recording"]]
        in_group = rows["group"].to_numpy() == originals[rows["recording"]].to_numpy()
        by_variant.append(
            {"copy": variant, "recall": float(in_group.mean()), "recall_of_the_pair": float(np.mean(alone))}
        )
    of_kind = dict(zip(zip(found["first"], found["second"], strict=True), found["kind"], strict=True))
    shorter = [r for r in originals.index if made[place[r, CUT]].lost >= SPEECH_LOST]
    parts_found = [of_kind.get((place[r, CUT], place[r, ORIGINAL])) == "part of" for r in shorter]
    cut_merged = [group[place[r, CUT]] == group[place[r, ORIGINAL]] for r in shorter]
    return {
        "corpus": name,
        "recordings": len(originals),
        "clips": len(copies),
        "pairs": len(copies) * (len(copies) - 1) // 2,
        "true_pairs": true_pairs,
        "true_found": true_found,
        "found": _pairs_within(copies, ["group"]),
        "precision": true_found / max(_pairs_within(copies, ["group"]), 1),
        "recall": true_found / true_pairs,
        "different_recordings_merged": [names for names in merged if len(names) > 1],
        "cuts_that_lose_speech": len(shorter),
        "cuts_found_as_part": sum(parts_found),
        "cuts_merged": int(sum(cut_merged)),
        "by_copy": by_variant,
        "different_recordings_compared": len(searched.other),
        "highest_similarity_of_different": max(searched.other, default=None),
        "lowest_similarity_found": float(found["similarity"].min()),
        **times,
    }


def _pairs_within(frame: pd.DataFrame, by: list[str]) -> int:
    sizes = frame.groupby(by).size()
    return int((sizes * (sizes - 1) // 2).sum())


def as_markdown(results: list[dict[str, Any]]) -> str:
    """The figures as two tables."""
    names = [name for name in results[0] if name not in ("corpus", "by_copy")]
    lines = ["| | " + " | ".join(r["corpus"] for r in results) + " |", "|---|" + "---|" * len(results)]
    for name in names:
        cells = [_shown(r[name]) for r in results]
        lines.append(f"| {name.replace('_', ' ')} | " + " | ".join(cells) + " |")
    for result in results:
        lines += ["", f"| {result['corpus']}: copy | recall | of the pair itself |", "|---|---|---|"]
        lines += [f"| {r['copy']} | {r['recall']:.4f} | {r['recall_of_the_pair']:.4f} |" for r in result["by_copy"]]
    return "\n".join(lines)


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return f"{len(value)}" + "".join(f"; {' = '.join(names)}" for names in value[:10])
    return f"{value:.4f}" if isinstance(value, float) else "–" if value is None else f"{value:,}"


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    beside = Path(__file__).resolve().parents[1].parent / "shared" / "data"
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("WORKBENCH_SHARED_DATA") or beside))
    parser.add_argument("--only", choices=["fsdd", "speechocean762"])
    parser.add_argument("--most", type=int, help="recordings of each corpus, spread over it; for a quick look")
    parser.add_argument("--format", choices=["markdown", "json"], default="markdown")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    given = parser.parse_args()
    corpora = {
        "fsdd": sorted((given.data / "fsdd" / "recordings").glob("*.wav")),
        "speechocean762": sorted((given.data / "speechocean762" / "audio").glob("*.flac")),
    }
    results = []
    for name, paths in corpora.items():
        if given.only not in (None, name):
            continue
        if not paths:
            parser.error(f"{given.data} holds no recordings of {name}; give the directory of the data with --data")
        step = max(1, len(paths) // given.most) if given.most else 1
        searched = search(paths[::step], given.workers)
        results.append(figures(name, searched))
        if name == "fsdd":
            results.append(figures("fsdd, george, nicolas, yweweler", searched, _not_chosen_on))
    print(json.dumps(results, indent=2) if given.format == "json" else as_markdown(results))


if __name__ == "__main__":
    main()
