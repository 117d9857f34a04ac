"""Makes the demo corpus: synthetic voices, real kitchen noise, and faults planted in audio and labels.

Needs the Debian packages flite and espeak-ng. Everything else is drawn from one seed, so that the same packages make
the same bytes. The README and the licences beside the corpus are written by hand; a test holds them to its counts.

    python scripts/make_demo_corpus.py [--out workbench/demo/corpus] [--noise ../shared/data/noise/kitchen.flac]
"""

from __future__ import annotations

import argparse
import csv
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from scripts.demo_audio import Recording, kitchen_noise, missing_packages, record
from scripts.demo_voices import SPEAKERS, Speaker

ROOT = Path(__file__).resolve().parents[1]
QUERIES = Path(__file__).with_name("demo_queries.txt")
SEED = 20
ANNOTATORS = ("ann_a", "ann_b", "ann_c")
KIND_OF = {"n": "number", "c": "contraction", "p": "spelling", "s": "spacing", "e": "content"}
_PLACE = re.compile(r"\[([fncpse]):([^|\]]+)\|([^\]]+)\] ?")

SEVERAL = {
    "filler": 8,
    "number": 6,
    "contraction": 5,
    "punctuation": 5,
    "casing": 4,
    "spelling": 4,
    "spacing": 4,
    "content": 8,
}
"Clips with several annotators, by what one of them does otherwise."
AGREED = 6
"Clips with several annotators who agree."
DUPLICATES = ("content", "content", "number", "filler")
"What the second transcript does otherwise, for each recording that is there under two ids."
WRONG = {"swapped": 6, "deleted_words": 5, "substituted_words": 5, "truncated": 4}
"Wrong labels in clips with one annotator. Swaps go by pairs."
DEPARTURES = {"number": 4, "punctuation": 8, "casing": 6, "contraction": 3, "spelling": 2, "filler": 2}
"Clips with one annotator who does not keep to the corpus's convention."

KITCHEN_SNRS = (0.0,) * 4 + (4.0,) * 6 + (8.0,) * 9 + (20.0,) * 13
CAR_SNRS = (4.0,) * 4 + (8.0,) * 5 + (20.0,) * 5
QUIET_SNR = 40.0
NOISY_UP_TO = 10.0
"dB; noise at a higher SNR is in the truth, but is no planted fault."
TOO_QUIET, CLIPPED = 6, 6
TOO_QUIET_LOUDNESS, CLIPPED_LOUDNESS = -50.0, -7.0  # LUFS; the second before the hard limit


@dataclass(frozen=True)
class Query:
    """A query with its places where writers differ."""

    marked: str

    def kinds(self) -> set[str]:
        return {"filler" if code == "f" else KIND_OF[code] for code, _, _ in _PLACE.findall(self.marked)}

    def text(self, other: str | None = None, filler: str = "kept") -> str:
        """The query as spoken, or with the places of one kind written the other way.

        The filler is kept ("Um, play"), dropped ("Play"), respelled ("Umm, play") or trails off ("Um... play").
        """

        def write(place: re.Match[str]) -> str:
            code, spoken, otherwise = place.groups()
            space = " " if place[0].endswith(" ") else ""
            if code == "f":
                return {
                    "kept": f"{spoken}, ",
                    "dropped": "",
                    "respelled": f"{otherwise}, ",
                    "trails off": f"{spoken}... ",
                }[filler]
            return (otherwise if KIND_OF[code] == other else spoken) + space

        text = _PLACE.sub(write, self.marked)
        return text[0].upper() + text[1:]


@dataclass
class Clip:
    """An utterance of the corpus: how it was spoken and recorded, what each annotator wrote, what was planted."""

    utterance_id: str
    query: Query
    recording: Recording
    environment: str = "quiet"
    device: str = "phone"
    texts: dict[str, str] = field(default_factory=dict)
    planted: list[tuple[str, str, str]] = field(default_factory=list)  # annotator, kind, detail

    @property
    def speaker(self) -> Speaker:
        return self.recording.speaker

    @property
    def truth(self) -> str:
        return self.query.text()

    @property
    def audio(self) -> str:
        return f"audio/{self.utterance_id}.flac"


def read_queries(path: Path) -> list[Query]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return [Query(line) for line in lines if line.strip() and not line.startswith("#")]


def plan(queries: list[Query], rng: Random) -> list[Clip]:
    """Every clip of the corpus with its faults, before anything is synthesised."""
    clips = _spoken(queries, rng)
    free = clips.copy()
    rng.shuffle(free)
    for kind, wanted in SEVERAL.items():
        for number, clip in enumerate(_take(free, wanted, _can(kind))):
            _several_annotators(clip, kind, number, rng)
    for number, clip in enumerate(_take(free, AGREED, lambda clip: True)):
        clip.texts = dict.fromkeys(rng.sample(ANNOTATORS, 2 + number % 2), clip.truth)
    for kind, wanted in DEPARTURES.items():
        for clip in _take(free, wanted, _can(kind)):
            _departure(clip, kind, rng)
    sources = [_take(free, 1, _can(kind))[0] for kind in DUPLICATES]
    for kind, wanted in WRONG.items():
        _wrong_labels(_take(free, wanted, _can_be_wrong), kind, clips, rng)
    for clip in [*free, *sources]:
        clip.texts = {rng.choice(ANNOTATORS): clip.truth}
    for kind, source in zip(DUPLICATES, sources, strict=True):
        clips.append(_duplicate(source, kind, f"q{len(clips) + 1:03d}", rng))
    return clips


def _spoken(queries: list[Query], rng: Random) -> list[Clip]:
    """Who says which query, where, into what, and which recordings are bad."""
    speakers = [speaker for speaker in SPEAKERS for _ in range(speaker.clips)]
    if len(speakers) != len(queries):
        raise SystemExit(
            f"{QUERIES}: holds {len(queries)} queries where the speakers say {len(speakers)}; make them equal"
        )
    rooms = [("kitchen", snr) for snr in KITCHEN_SNRS] + [("car", snr) for snr in CAR_SNRS]
    rooms += [("quiet", QUIET_SNR)] * (len(queries) - len(rooms))
    rng.shuffle(speakers)
    rng.shuffle(rooms)
    clips = []
    for number, (query, speaker, (environment, snr)) in enumerate(zip(queries, speakers, rooms, strict=True), start=1):
        recording = Recording(number, query.text(), speaker, environment, snr, loudness=round(rng.uniform(-28, -20), 1))
        clip = Clip(f"q{number:03d}", query, recording, environment, rng.choice(("phone", "speaker", "tablet")))
        if snr <= NOISY_UP_TO:
            clip.planted.append(("", "noisy", f"snr_db={snr:g}; noise={environment}"))
        clips.append(clip)
    bad = rng.sample([clip for clip in clips if clip.environment == "quiet"], TOO_QUIET + CLIPPED)
    for clip in bad[:TOO_QUIET]:
        clip.recording = replace(clip.recording, loudness=TOO_QUIET_LOUDNESS)
        clip.planted.append(("", "too_quiet", f"loudness_lufs={TOO_QUIET_LOUDNESS:g}"))
    for clip in bad[TOO_QUIET:]:
        clip.recording = replace(clip.recording, loudness=CLIPPED_LOUDNESS, hard_limit=True)
        clip.planted.append(("", "clipped", f"loudness_before_limit_lufs={CLIPPED_LOUDNESS:g}"))
    return clips


def _can(kind: str) -> Callable[[Clip], bool]:
    """Whether a query has a place for this kind, and, so that fillers stay a kind of their own, no other filler."""

    def fits(clip: Clip) -> bool:
        kinds = clip.query.kinds()
        if kind in ("punctuation", "casing"):
            return not kinds
        return kind in kinds and (kind == "filler" or "filler" not in kinds)

    return fits


def _can_be_wrong(clip: Clip) -> bool:
    """Long enough to lose words, and recorded at a level that can be heard: its faults are to be the label's."""
    words = clip.truth.split()
    bad_level = {"too_quiet", "clipped"} & {kind for _, kind, _ in clip.planted}
    return len(words) >= 5 and sum(len(word) > 3 for word in words[1:]) >= 2 and not bad_level


def _take(free: list[Clip], wanted: int, fits: Callable[[Clip], bool]) -> list[Clip]:
    chosen = [clip for clip in free if fits(clip)][:wanted]
    if len(chosen) < wanted:
        raise SystemExit(
            f"{QUERIES}: only {len(chosen)} of {wanted} queries are left for one of the plantings; add some"
        )
    free[:] = [clip for clip in free if clip not in chosen]
    return chosen


def _several_annotators(clip: Clip, kind: str, number: int, rng: Random) -> None:
    annotators = rng.sample(ANNOTATORS, 3 if kind == "filler" or number % 2 == 0 else 2)
    clip.texts = dict.fromkeys(annotators, clip.truth)
    departs = annotators[-1]
    if kind == "filler":
        way = "dropped" if number % 2 == 0 else "respelled"
        clip.texts[departs] = clip.query.text(filler=way)
        clip.planted.append((departs, kind, way))
        if number % 4 == 0:
            clip.texts[annotators[1]] = clip.query.text(filler="trails off")
            clip.planted.append((annotators[1], "punctuation", "filler trails off"))
    elif kind in ("punctuation", "casing"):
        clip.texts[departs], detail = _restyled(clip.truth, kind, number)
        clip.planted.append((departs, kind, detail))
    else:
        clip.texts[departs] = clip.query.text(other=kind)
        clip.planted.append((departs, kind, "misheard" if kind == "content" else "written the other way"))


def _departure(clip: Clip, kind: str, rng: Random) -> None:
    annotator = rng.choice(ANNOTATORS)
    if kind in ("punctuation", "casing"):
        text, detail = _restyled(clip.truth, kind, 0)
    elif kind == "filler":
        text, detail = clip.query.text(filler="respelled"), "respelled"
    else:
        text, detail = clip.query.text(other=kind), "written the other way"
    clip.texts = {annotator: text}
    clip.planted.append((annotator, kind, detail))


def _restyled(text: str, kind: str, number: int) -> tuple[str, str]:
    if kind == "casing":
        return (text.lower(), "lower case") if number % 2 == 0 else (text.upper(), "upper case")
    question = text.split()[0].lower() in {"how", "when", "why", "who", "which", "is", "are", "can", "do", "what"}
    return text + ("?" if question else "."), "final mark"


def _duplicate(source: Clip, kind: str, utterance_id: str, rng: Random) -> Clip:
    """The same samples and tags under a second id, with a transcript that says otherwise."""
    annotator = rng.choice([name for name in ANNOTATORS if name not in source.texts])
    text = source.query.text(filler="dropped") if kind == "filler" else source.query.text(other=kind)
    twin = replace(source, utterance_id=utterance_id, texts={annotator: text})
    twin.planted = [row for row in source.planted if row[0] == ""]
    twin.planted += [(annotator, "duplicate", f"twin={source.utterance_id}; differs={kind}")]
    twin.planted += [(annotator, kind, f"twin={source.utterance_id}")]
    return twin


def _wrong_labels(chosen: list[Clip], kind: str, clips: list[Clip], rng: Random) -> None:
    for number, clip in enumerate(chosen):
        annotator, words, detail = rng.choice(ANNOTATORS), clip.truth.split(), ""
        if kind == "swapped":
            other = chosen[number ^ 1]
            words, detail = other.truth.split(), f"with={other.utterance_id}"
        elif kind == "deleted_words":
            at = rng.randrange(1, len(words) - 2)
            gone = words[at : at + max(2, len(words) // 3)]
            del words[at : at + len(gone)]
            detail = f"deleted={' '.join(gone)}"
        elif kind == "substituted_words":
            places = sorted(rng.sample([i for i, word in enumerate(words) if len(word) > 3 and i > 0], 2))
            pool = sorted(
                {word for c in clips for word in c.truth.split()[1:] if len(word) > 3 and word.isalpha()} - set(words)
            )
            for place in places:
                words[place] = rng.choice(pool)
            detail = f"places={' '.join(map(str, places))}"
        else:
            words = words[: max(1, round(0.4 * len(words)))]
            detail = f"kept={len(words)} words"
        text = " ".join(words)
        clip.texts = {annotator: text[0].upper() + text[1:]}
        clip.planted.append((annotator, kind, detail))


def manifest_rows(clips: list[Clip]) -> Iterator[list[str]]:
    yield ["utterance_id", "audio", "text", "annotator", "speaker", "age_group", "gender", "environment", "device"]
    for clip in clips:
        who = clip.speaker
        for annotator in sorted(clip.texts):
            tags = [who.speaker, who.age_group, who.gender, clip.environment, clip.device]
            yield [clip.utterance_id, clip.audio, clip.texts[annotator], annotator, *tags]


def planted_rows(clips: list[Clip]) -> Iterator[list[str]]:
    yield ["utterance_id", "annotator", "kind", "detail", "true_text"]
    for clip in clips:
        for annotator, kind, detail in clip.planted:
            yield [clip.utterance_id, annotator, kind, detail, clip.truth]


def truth_rows(clips: list[Clip]) -> Iterator[list[str]]:
    yield ["utterance_id", "text", "voice", "snr_db"]
    for clip in clips:
        yield [clip.utterance_id, clip.truth, clip.speaker.description, f"{clip.recording.snr:g}"]


def _write_table(path: Path, rows: Iterator[list[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description="Makes the bundled demo corpus.")
    parser.add_argument("--out", type=Path, default=ROOT / "workbench" / "demo" / "corpus")
    parser.add_argument("--noise", type=Path, default=ROOT.parent / "shared" / "data" / "noise" / "kitchen.flac")
    arguments = parser.parse_args()
    if missing := missing_packages():
        raise SystemExit(
            f"not installed: {', '.join(missing)}; the voices are theirs: apt-get install {' '.join(missing)}"
        )
    if not arguments.noise.is_file():
        raise SystemExit(f"{arguments.noise}: no such file; pass 16 kHz kitchen noise with --noise (see LICENSES.md)")
    clips = plan(read_queries(QUERIES), Random(SEED))
    kitchen = kitchen_noise(arguments.noise)
    audio = arguments.out / "audio"
    audio.mkdir(parents=True, exist_ok=True)
    for old in audio.glob("q*.flac"):
        old.unlink()
    first: dict[int, Path] = {}
    for clip in clips:
        path = arguments.out / clip.audio
        if clip.recording.number in first:
            shutil.copyfile(first[clip.recording.number], path)
        else:
            record(clip.recording, kitchen, path, SEED)
            first[clip.recording.number] = path
    _write_table(arguments.out / "manifest.csv", manifest_rows(clips))
    _write_table(arguments.out / "planted.csv", planted_rows(clips))
    _write_table(arguments.out / "truth.csv", truth_rows(clips))
    size = sum(path.stat().st_size for path in audio.glob("q*.flac"))
    print(f"{len(clips)} clips, {size / 1e6:.1f} MB, in {arguments.out}")


if __name__ == "__main__":
    main()
