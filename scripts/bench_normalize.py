"""Seconds of audio normalised in a second on two cores, beside ffmpeg-normalize, pyloudnorm and a mere copy.

    python scripts/bench_normalize.py [--hours 1.1] [--repetitions 3] [--data DIRECTORY] [--json FILE]

16 kHz 16-bit WAV to the same, to -23 LUFS. The files are speechocean762's utterances (see the data's README), repeated;
without them, synthetic syllables. The files were written just before, so they come from memory and not from the disk.
Each tool gets two processes, each with one thread; ffmpeg-normalize, being slow, gets the first files only. Figures are
seconds of audio by seconds taken: `whole process` by the wall clock of a new process, start included; `once warm` by
the wall clock from when its workers have done some files; `a second of CPU` by what all its processes computed, start
included, which is the figure to trust on a busy machine. The workbench's last two are those of its function for one
file, called from the same pool as the others, because its own pool's workers are not this script's to count.
Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

DATA = Path(__file__).parents[1].parent / "shared" / "data"
RATE = 16_000
WARM_UP = 8


def ours(source: Path, target: Path) -> None:
    """Measure, gain, quality measures, hashes, write."""
    from workbench.audio.normalize import Settings, normalize_file

    normalize_file(source, None, None, target, Settings(audio_format="wav"))


def copy(source: Path, target: Path) -> None:
    """Decode and encode with soundfile, 16 bits, and nothing else."""
    import soundfile

    samples, rate = soundfile.read(source, dtype="int16")
    soundfile.write(target, samples, rate, subtype="PCM_16")


def pyloudnorm_measure(source: Path, target: Path) -> None:
    """Integrated loudness only; nothing is written."""
    import pyloudnorm
    import soundfile

    samples, rate = soundfile.read(source)
    pyloudnorm.Meter(rate).integrated_loudness(samples)


def pyloudnorm_write(source: Path, target: Path) -> None:
    """Integrated loudness, gain, write; no peak ceiling, no quality measures."""
    import pyloudnorm
    import soundfile

    samples, rate = soundfile.read(source)
    loudness = pyloudnorm.Meter(rate).integrated_loudness(samples)
    soundfile.write(target, samples * 10 ** ((-23 - loudness) / 20), rate, subtype="PCM_16")


TOOLS: dict[str, Callable[[Path, Path], None]] = {
    "ours": ours,
    "soundfile": copy,
    "pyloudnorm-measure": pyloudnorm_measure,
    "pyloudnorm": pyloudnorm_write,
}


def run_tool(tool: str, source: Path, target: Path) -> None:
    """One new process's work: every file, two workers. Prints the seconds it took once the workers were warm."""
    files = sorted(source.rglob("*.wav"))
    if tool == "directory":
        from workbench.audio.directory import normalize_directory
        from workbench.audio.normalize import Settings

        results, faults = normalize_directory(source, target, Settings(audio_format="wav"), workers=2)
        if len(results) != len(files) or faults:
            sys.exit(f"{len(results)} of {len(files)} done, {len(faults)} faults: {faults[:1]}")
        return
    function = TOOLS[tool]
    targets = [target / path.name for path in files]
    with ProcessPoolExecutor(2) as pool:
        list(pool.map(function, files[:WARM_UP], targets[:WARM_UP]))
        begin = time.perf_counter()
        list(pool.map(function, files, targets, chunksize=16))
        print(json.dumps({"steady": time.perf_counter() - begin}))


@dataclass(frozen=True)
class Seconds:
    """Seconds of audio, and how many a tool takes: its whole process, once warm, and of computing in all processes."""

    audio: float
    whole: float
    steady: float | None
    cpu: float | None

    def speed(self, kind: str) -> float | None:
        taken = getattr(self, kind)
        return self.audio / taken if taken else None


def cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def timed(tool: str, source: Path, repetitions: int, audio: float) -> Seconds:
    """Medians over new output directories."""
    whole, steady, cpu = [], [], []
    for _ in range(repetitions):
        with tempfile.TemporaryDirectory() as target:
            before, begin = cpu_seconds(), time.perf_counter()
            command = [sys.executable, __file__, "--tool", tool, "--source", str(source), "--target", target]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            whole.append(time.perf_counter() - begin)
            cpu.append(cpu_seconds() - before)
            if done.stdout.strip():
                steady.append(json.loads(done.stdout)["steady"])
    warm = statistics.median(steady) if steady else None
    return Seconds(audio, statistics.median(whole), warm, statistics.median(cpu))


def timed_ffmpeg_normalize(files: list[Path]) -> Seconds:
    """Two ffmpeg-normalize processes at once, each on half of the files."""
    program = Path(sys.executable).with_name("ffmpeg-normalize")
    with tempfile.TemporaryDirectory() as target:
        fixed = ["-t", "-23", "-tp", "-1", "-ar", str(RATE), "-c:a", "pcm_s16le", "-ext", "wav", "-of", target, "-q"]
        commands = [[str(program), *map(str, files[half::2]), *fixed] for half in (0, 1)]
        before, begin = cpu_seconds(), time.perf_counter()
        with ThreadPoolExecutor(2) as threads:
            list(threads.map(lambda command: subprocess.run(command, check=True, capture_output=True), commands))
        seconds = time.perf_counter() - begin
        if len(list(Path(target).glob("*.wav"))) != len(files):
            sys.exit("ffmpeg-normalize did not write every file")
        return Seconds(seconds_of(files), seconds, None, cpu_seconds() - before)


def make_files(directory: Path, data: Path, hours: float) -> float:
    """Fills the directory with WAV files of so many hours in all; returns the seconds that there are."""
    import numpy as np

    from workbench.audio.decode import read_audio
    from workbench.audio.encode import write_audio

    recordings = sorted((data / "speechocean762" / "audio").glob("*.flac"))
    if recordings:
        clips = [read_audio(path).samples for path in recordings]
    else:
        rng = np.random.default_rng(0)
        clips = []
        for seconds in rng.uniform(2, 8, 250):
            envelope = np.repeat(rng.gamma(0.5, 1, int(seconds * 5) + 1), RATE // 5)[: int(seconds * RATE)]
            clips.append((0.05 * envelope * rng.standard_normal(len(envelope))).astype(np.float32)[None])
    total, i = 0.0, 0
    while total < hours * 3600:
        clip = clips[i % len(clips)]
        write_audio(directory / f"{i:06d}.wav", clip, RATE, "wav")
        total, i = total + clip.shape[1] / RATE, i + 1
    return total


def seconds_of(files: list[Path]) -> float:
    return sum((path.stat().st_size - 44) / 2 / RATE for path in files)


def first_files(source: Path, target: Path, count: int) -> list[Path]:
    target.mkdir()
    return [Path(shutil.copy(path, target)) for path in sorted(source.glob("*.wav"))[:count]]


def benchmark(hours: float, repetitions: int, data: Path) -> dict[str, Seconds]:
    """What every tool takes, in one go over the same files."""
    with tempfile.TemporaryDirectory() as directory:
        source = Path(directory) / "all"
        source.mkdir()
        audio = make_files(source, data, hours)
        few = first_files(source, Path(directory) / "few", 24)
        by_file = timed("ours", source, repetitions, audio)
        return {
            "workbench": replace(by_file, whole=timed("directory", source, repetitions, audio).whole),
            "soundfile: read, write": timed("soundfile", source, repetitions, audio),
            "pyloudnorm: measure": timed("pyloudnorm-measure", source, repetitions, audio),
            "pyloudnorm: measure, write": timed("pyloudnorm", source, repetitions, audio),
            f"ffmpeg-normalize, {len(few)} files": timed_ffmpeg_normalize(few),
            f"workbench, the same {len(few)}": replace(
                timed("directory", few[0].parent, repetitions, seconds_of(few)), cpu=None
            ),
        }


def table(rows: dict[str, Seconds]) -> str:
    """The rows as Markdown: times real time (audio seconds by seconds), and how often the workbench is faster."""

    def shown(value: float | None, unit: str = "") -> str:
        return "" if value is None else f"{value:,.0f}{unit}" if value >= 10 else f"{value:.1f}{unit}"

    lines = [
        "| tool | audio (s) | whole process | once warm | a second of CPU | ours is faster: whole | warm | CPU |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for name, row in rows.items():
        own = rows["workbench"]
        speeds, ratios = [], []
        for kind in ("whole", "steady", "cpu"):
            mine, other = own.speed(kind), row.speed(kind)
            speeds.append(shown(other, " ×"))
            ratios.append(shown(mine / other, " ×") if mine and other else "")
        lines.append("| " + " | ".join([name, shown(row.audio), *speeds, *ratios]) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, default=1.1)
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--json", type=Path, help="also write the figures here")
    parser.add_argument("--tool", choices=["directory", *TOOLS], help=argparse.SUPPRESS)
    parser.add_argument("--source", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--target", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.tool:
        run_tool(options.tool, options.source, options.target)
        return
    rows = benchmark(options.hours, options.repetitions, options.data)
    names = ("numpy", "soundfile", "pyloudnorm", "ffmpeg-normalize")
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in names)
    print(f"Python {platform.python_version()}, {versions}; {os.cpu_count()} cores, load {os.getloadavg()[1]:.1f}\n")
    print(table(rows))
    steady, floor = rows["workbench"].steady, rows["soundfile: read, write"].steady
    if steady and floor:
        print(
            f"\nOnce warm, the workbench takes {steady / floor:.2f} of the time that soundfile takes to read and write."
        )
    if options.json:
        options.json.write_text(
            json.dumps({name: vars(row) for name, row in rows.items()}, indent=1) + "\n", encoding="utf-8"
        )


if __name__ == "__main__":
    main()
