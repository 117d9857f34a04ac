"""Which of the words that a recogniser heard in a recording belong to which reference segment, as sclite decides it.

The rule is that of `segment_hyp_for_utt` in sclite (sctk 2.4, stm2ctm.c). Within a channel, segments and words go in
order of their starts. A segment takes the words that are left up to the first one whose middle lies at its end or
later; the last segment of the channel takes all that are left. So

- a word between two segments goes to the later one, one after the last segment to that, and counts there;
- where segments overlap, the earlier one has the words;
- the words of an ignored segment, and those before it in the gap, are not scored.

sclite relies on the order of the files, which must be sorted by recording, channel and start; here the order of the
lines decides between equal starts only. It holds the ends of segments in 32 bits, and so does this module, because it
decides on words whose middle is a segment's end.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from workbench.errors import BadInput
from workbench.manifests import stm as stm_file

Channel = tuple[str, str]
_NAMED = 5


@dataclass(frozen=True)
class Unpaired:
    """What a reader of the scores must know of the pairing; words are rows of the ctm.

    Attributes:
        unknown: words of channels that have no reference segment; they count nowhere. sclite stops at them.
        ignored: words that fall to ignored segments; they count nowhere.
        outside: words that count although their middle lies outside of the segment that they fall to.
        silent: recordings and channels that have segments to score and no word; all their words are deleted.
    """

    unknown: pd.DataFrame
    ignored: pd.DataFrame
    outside: pd.DataFrame
    silent: list[Channel]

    def facts(self) -> list[str]:
        """One sentence on each kind that there is, with its count and the first five."""
        found = []
        if len(self.silent):
            found.append(
                f"{_count(len(self.silent), 'channel has', 'channels have')} references and no word in the hypothesis "
                f"({_listed([_channel(key) for key in self.silent])}); every reference word there counts as deleted"
            )
        if len(self.unknown):
            channels = list(dict.fromkeys(zip(self.unknown["recording"], self.unknown["channel"], strict=True)))
            found.append(
                f"{_count(len(self.unknown), 'word is', 'words are')} of {len(channels)} channels without a reference "
                f"({_listed([_channel(key) for key in channels])}) and left out"
            )
        if len(self.ignored):
            found.append(
                f"{_count(len(self.ignored), 'word falls', 'words fall')} to ignored segments and "
                f"{'is' if len(self.ignored) == 1 else 'are'} left out ({_listed(_words(self.ignored))})"
            )
        if len(self.outside):
            found.append(
                f"{_count(len(self.outside), 'word lies', 'words lie')} outside of their segment, the next or the last "
                f"one, which counts them as in sclite ({_listed(_words(self.outside))})"
            )
        return found


def pair_by_time(stm: pd.DataFrame, ctm: pd.DataFrame) -> tuple[pd.DataFrame, Unpaired]:
    """The scored segments with the words that fall to them, in the stm's order, and what was left out.

    The columns are utterance_id, reference, hypothesis, recording, channel, speaker, start, end (s), then the stm's
    columns of labels. Ids are sclite's (with its option -s) without the parentheses: the speaker and a number from
    000 that counts the speaker's scored segments through the file. Names of recordings and channels are compared
    without regard to case, as sclite does without -s, unless one of the files tells two apart by case alone.

    Args:
        stm: as `workbench.manifests.stm.read_stm` returns it.
        ctm: as `workbench.manifests.ctm.read_ctm` returns it.

    Raises:
        BadInput: no channel of a recording is in both.
    """
    stm, ctm = stm.reset_index(drop=True), ctm.reset_index(drop=True)
    segments_of, words_of = _by_channel(stm, ctm)
    if not segments_of.keys() & words_of.keys():
        raise BadInput(
            f"no channel stands in both the references ({_listed(_channels(stm))}) and the hypothesis "
            f"({_listed(_channels(ctm)) or 'no word'}); give the recordings and channels the same names in both"
        )
    segment_of_word = np.full(len(ctm), -1)
    for key, segments in segments_of.items():
        words = words_of.get(key, [])
        segment_of_word[words] = _segments_of_words(stm.iloc[segments], ctm.iloc[words])
    return _pairs(stm, ctm, segment_of_word), _unpaired(stm, ctm, segment_of_word, segments_of, words_of)


def _by_channel(stm: pd.DataFrame, ctm: pd.DataFrame) -> tuple[dict[Channel, list[int]], dict[Channel, list[int]]]:
    """The rows of each channel, by start, equal ones in their order."""
    fold = _folding(stm, ctm)
    both: list[dict[Channel, list[int]]] = []
    for frame in (stm, ctm):
        rows_of: dict[Channel, list[int]] = {}
        ordered = frame["start"].sort_values(kind="stable").index
        keys = list(zip(frame["recording"].map(fold), frame["channel"].map(fold), strict=True))
        for row in ordered:
            rows_of.setdefault(keys[row], []).append(row)
        both.append(rows_of)
    return both[0], both[1]


def _folding(stm: pd.DataFrame, ctm: pd.DataFrame) -> Callable[[str], str]:
    for frame in (stm, ctm):
        keys = set(zip(frame["recording"], frame["channel"], strict=True))
        if len({(recording.lower(), channel.lower()) for recording, channel in keys}) < len(keys):
            return str
    return str.lower


def _segments_of_words(segments: pd.DataFrame, words: pd.DataFrame) -> list[int]:
    """The row of the segment that each word of one channel falls to; both in order of their starts."""
    middles = (words["start"] + words["duration"] / 2.0).to_list()
    ends = segments["end"].astype("float32").astype("float64").to_list()
    ends[-1] = np.inf
    found: list[int] = []
    for row, end in zip(segments.index, ends, strict=True):
        while len(found) < len(middles) and middles[len(found)] < end:
            found.append(row)
    return found


def _pairs(stm: pd.DataFrame, ctm: pd.DataFrame, segment_of_word: np.ndarray) -> pd.DataFrame:
    texts: list[list[str]] = [[] for _ in range(len(stm))]
    words, places = ctm["word"].to_list(), segment_of_word.tolist()
    for row in ctm["start"].sort_values(kind="stable").index:
        if places[row] >= 0:
            texts[places[row]].append(words[row])
    scored = stm[~stm["ignored"]]
    numbers = Counter[Hashable]()
    ids = []
    for speaker in scored["speaker"]:
        ids.append(f"{speaker}-{numbers[speaker]:03}")
        numbers[speaker] += 1
    named = {
        "utterance_id": pd.Series(ids, index=scored.index, dtype="str"),
        "reference": scored["text"],
        "hypothesis": pd.Series([" ".join(texts[row]) for row in scored.index], index=scored.index, dtype="str"),
    }
    kept = scored[["recording", "channel", "speaker", "start", "end"]]
    tags = scored.drop(columns=list(stm_file.COLUMNS))
    return pd.concat([pd.DataFrame(named), kept, tags], axis=1).reset_index(drop=True)


def _unpaired(
    stm: pd.DataFrame, ctm: pd.DataFrame, segment_of_word: np.ndarray,
    segments_of: dict[Channel, list[int]], words_of: dict[Channel, list[int]],
) -> Unpaired:  # fmt: skip
    known = segment_of_word >= 0
    segments = stm.iloc[segment_of_word[known]].reset_index(drop=True)
    words = ctm[known]
    ignored = segments["ignored"].to_numpy()
    middles = (words["start"] + words["duration"] / 2.0).to_numpy()
    outside = (middles < segments["start"].to_numpy()) | (middles > segments["end"].to_numpy())
    silent = [rows for key, rows in segments_of.items() if key not in words_of and not stm["ignored"].iloc[rows].all()]
    return Unpaired(
        ctm[~known].reset_index(drop=True),
        words[ignored].reset_index(drop=True),
        words[outside & ~ignored].reset_index(drop=True),
        sorted((stm["recording"][rows[0]], stm["channel"][rows[0]]) for rows in silent),
    )


def _channels(frame: pd.DataFrame) -> list[str]:
    return [_channel(key) for key in dict.fromkeys(zip(frame["recording"], frame["channel"], strict=True))]


def _channel(key: Channel) -> str:
    return repr(f"{key[0]} {key[1]}")


def _words(words: pd.DataFrame) -> list[str]:
    return [
        f"{row.word!r} at {row.start:.2f} s of {_channel((row.recording, row.channel))}"
        for row in words[: _NAMED + 1].itertuples()
    ]


def _listed(items: Sequence[str]) -> str:
    return ", ".join(items[:_NAMED]) + (", …" if len(items) > _NAMED else "")


def _count(number: int, one: str, several: str) -> str:
    return f"{number} {one if number == 1 else several}"
