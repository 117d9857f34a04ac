"""How well rules and audio tags find what was planted in a corpus: found, missed, and raised over nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from workbench.errors import BadInput

FINDS: dict[str, tuple[str, ...]] = {
    "filler": ("conflict.filler", "convention.filler", "convention.after_filler", "convention.filler_kept"),
    "punctuation": (
        "conflict.punctuation",
        "convention.final_punctuation",
        "convention.inner_punctuation",
        "convention.typography",
        "convention.marks",
    ),
    "casing": ("conflict.casing", "convention.casing"),
    "number": (
        "conflict.number",
        "convention.number",
        "convention.percent_number",
        "convention.date",
        "convention.time",
        "convention.money",
    ),
    "contraction": ("conflict.contraction", "convention.contraction", "convention.reduction"),
    "spelling": (
        "conflict.spelling",
        "convention.spelling",
        "convention.dialect",
        "convention.phrase",
        "convention.discovered",
    ),
    "spacing": ("conflict.spacing", "convention.spacing", "convention.phrase", "convention.discovered"),
    "content": ("conflict.content", "model.disagrees", "model.missing_words"),
    "duplicate": ("conflict",),
    "swapped": ("model.swapped", "model.disagrees", "timing"),
    "deleted_words": ("model.disagrees", "model.missing_words", "model.not_in_audio", "timing"),
    "substituted_words": ("model.disagrees", "model.missing_words", "model.not_in_audio"),
    "truncated": ("conflict.cut_off", "model.disagrees", "model.missing_words", "model.not_in_audio", "timing"),
    "too_quiet": ("audio.too_quiet",),
    "clipped": ("audio.clipped",),
    "noisy": ("audio.noisy",),
}
"""Which rules count as finding which kind. A name stands for the rule and for every rule under it (`timing` for
`timing.too_fast`). The audio's are rules, and tags that say the same and count once: `loudness_band` = too_quiet,
`clipping` = clipped, `snr_band` = noisy…."""

_TAGS = {
    "audio.too_quiet": ("loudness_band", "too_quiet"),
    "audio.clipped": ("clipping", "clipped"),
    "audio.noisy": ("snr_band", "noisy"),
}
_FLAG = ["utterance_id", "annotator", "rule_id"]
_COLUMNS = ("utterance_id", "annotator", "kind", "detail", "true_text")
_TWIN = re.compile(r"twin=([^;\s]+)")


@dataclass(frozen=True)
class PlantedResult:
    """What was found of what was planted.

    Attributes:
        table: one row a kind of planting, and one, `all`, for everything: kind, planted, found, missed, other_flags.
            The last counts flags of the rules that could find the kind, and found nothing planted. A rule that can
            find several kinds counts for each of them, and a flag's rule may be none's: `all` is not the sum.
        rules: one row a rule or audio tag that flagged: family, rule_id, flags, hits (it found something planted),
            beside (something of another kind is planted in that transcript or conflict), false_flags (nothing is).
        planted: the planted rows with `found` and `by` (the rules that found it, joined by `, `).
        false_flags: utterance_id, annotator, rule_id of each false flag.
    """

    table: pd.DataFrame
    rules: pd.DataFrame
    planted: pd.DataFrame
    false_flags: pd.DataFrame

    @property
    def note(self) -> str:
        """What became of all flags, in words."""
        flags, hits, beside, false = self.families().iloc[-1, 1:]
        return (
            f"{flags} flags and audio tags: {hits} found something planted, {beside} stand where something of another "
            f"kind is planted, {false} where nothing is. Other flags of a kind are those of its rules that found "
            "nothing planted; a rule that can find several kinds counts for each."
        )

    def families(self) -> pd.DataFrame:
        """The sums of `rules` by family (conflict, convention, timing, model, audio), and one row, `all`."""
        counts = ["flags", "hits", "beside", "false_flags"]
        sums = self.rules.groupby("family", sort=False)[counts].sum().reset_index()
        total = pd.DataFrame([{"family": "all", **self.rules[counts].sum().to_dict()}])
        return pd.concat([sums, total], ignore_index=True).astype(dict.fromkeys(counts, int))


def read_planted(path: Path) -> pd.DataFrame:
    """The planted rows of a corpus: utterance_id, annotator (empty text: its audio), kind, detail, true_text.

    Raises:
        BadInput: a column is missing, or a kind is not one of FINDS.
    """
    return _checked(pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8"), str(path))


def evaluate(planted: pd.DataFrame, flags: pd.DataFrame, quality_tags: pd.DataFrame) -> PlantedResult:
    """What the flags and the audio tags found of what was planted.

    A flag finds a planting when its rule may (FINDS) and it is raised on the same transcript. A conflict is between
    transcripts, and who is right is not the rule's to say: a `conflict.` flag on any transcript of the same audio finds
    the planting, and flags that share a `group` are flags on the same audio, as are a recording's two ids.

    Args:
        planted: as `read_planted` returns it.
        flags: the table `flags`; the columns utterance_id, annotator, rule_id, and, where there is one, group are used.
        quality_tags: tags of the audio, indexed by utterance_id: loudness_band, clipping, snr_band.

    Raises:
        BadInput: a column is missing, or a kind is not one of FINDS.
    """
    planted = _checked(planted, "planted").reset_index(drop=True)
    raised = pd.concat([_label_flags(flags), _audio_flags(quality_tags)], ignore_index=True)
    # A tag that a rule flags too, by the same threshold, is one finding.
    raised = raised[~(raised.duplicated(_FLAG) & raised["rule_id"].isin(_TAGS))].reset_index(drop=True)
    audio_of = _same_audio(planted, raised)
    scopes = {rule: [_scope(rule, u, a, audio_of) for u, a in _keys(planted)] for rule in raised["rule_id"].unique()}
    by: list[set[str]] = [set() for _ in range(len(planted))]
    outcomes = []
    for flag in raised.itertuples():
        rule = str(flag.rule_id)
        scope = _scope(rule, str(flag.utterance_id), str(flag.annotator), audio_of)
        near = [i for i, other in enumerate(scopes[rule]) if other == scope]
        hit = [i for i in near if _may_find(rule, planted["kind"][i])]
        for i in hit:
            by[i].add(rule)
        outcomes.append("hits" if hit else "beside" if near else "false_flags")
    raised["outcome"] = outcomes
    planted["found"] = [bool(rules) for rules in by]
    planted["by"] = [", ".join(sorted(rules)) for rules in by]
    false = raised.loc[raised["outcome"] == "false_flags", ["utterance_id", "annotator", "rule_id"]]
    return PlantedResult(_table(planted, raised), _rules(raised), planted, false.reset_index(drop=True))


def _checked(planted: pd.DataFrame, where: str) -> pd.DataFrame:
    missing = [name for name in _COLUMNS if name not in planted.columns]
    if missing:
        raise BadInput(f"{where}: column {missing[0]!r} is missing; expected {', '.join(_COLUMNS)}")
    unknown = sorted(set(planted["kind"]) - set(FINDS))
    if unknown:
        raise BadInput(f"{where}: kind {unknown[0]!r} is not one of {', '.join(FINDS)}")
    return planted.fillna({"annotator": "", "detail": ""})


def _label_flags(flags: pd.DataFrame) -> pd.DataFrame:
    wanted = ["utterance_id", "annotator", "rule_id"]
    missing = [name for name in wanted if name not in flags.columns]
    if missing:
        raise BadInput(f"flags: column {missing[0]!r} is missing; expected the table flags")
    return flags.reindex(columns=[*wanted, "group"]).fillna({"annotator": "", "group": ""}).astype(object)


def _audio_flags(tags: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for rule, (tag, value) in _TAGS.items():
        if tag not in tags.columns:
            raise BadInput(
                f"quality tags: column {tag!r} is missing; expected {', '.join(t for t, _ in _TAGS.values())}"
            )
        holds = tags[tag].astype("string").str.startswith(value).fillna(False)
        rows += [(utterance, "", rule, "") for utterance in tags.index[holds.to_numpy(dtype=bool)]]
    return pd.DataFrame(rows, columns=["utterance_id", "annotator", "rule_id", "group"], dtype=object)


def _same_audio(planted: pd.DataFrame, raised: pd.DataFrame) -> dict[str, str]:
    """Each utterance id of several for the same audio to one of them."""
    pairs = []
    for detail, utterance in zip(planted["detail"], planted["utterance_id"], strict=True):
        if twin := _TWIN.search(detail):
            pairs.append((twin[1], utterance))
    conflicts = raised[raised["rule_id"].astype(str).str.startswith("conflict.") & (raised["group"] != "")]
    for _, members in conflicts.groupby("group")["utterance_id"]:
        pairs += [(members.iloc[0], other) for other in members.iloc[1:].unique()]
    first: dict[str, str] = {}

    def root(utterance: str) -> str:
        while utterance in first:
            utterance = first[utterance]
        return utterance

    for a, b in pairs:
        if root(a) != root(b):
            first[root(b)] = root(a)
    return {utterance: root(utterance) for utterance in first}


def _keys(frame: pd.DataFrame) -> list[tuple[str, str]]:
    return list(zip(frame["utterance_id"], frame["annotator"], strict=True))


def _scope(rule: str, utterance: str, annotator: str, audio_of: dict[str, str]) -> tuple[str, str]:
    """What a flag of this rule is about: a transcript, the audio of one id, or all transcripts of the same audio."""
    if rule.startswith("conflict."):
        return (audio_of.get(utterance, utterance), "any annotator" if annotator else "")
    return (utterance, annotator)


def _may_find(rule: str, kind: str) -> bool:
    return any(rule == name or rule.startswith(name + ".") for name in FINDS[kind])


def _table(planted: pd.DataFrame, raised: pd.DataFrame) -> pd.DataFrame:
    idle = raised[raised["outcome"] != "hits"]
    rows = []
    for kind in FINDS:
        of_kind = planted[planted["kind"] == kind]
        other = sum(_may_find(str(rule), kind) for rule in idle["rule_id"])
        if len(of_kind) or other:
            rows.append((kind, len(of_kind), int(of_kind["found"].sum()), int((~of_kind["found"]).sum()), other))
    found = int(planted["found"].sum())
    rows.append(("all", len(planted), found, len(planted) - found, len(idle)))
    return pd.DataFrame(rows, columns=["kind", "planted", "found", "missed", "other_flags"])


def _rules(raised: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for rule, of_rule in raised.groupby("rule_id", sort=True):
        counts = [int((of_rule["outcome"] == outcome).sum()) for outcome in ("hits", "beside", "false_flags")]
        rows.append((str(rule).split(".")[0], rule, len(of_rule), *counts))
    return pd.DataFrame(rows, columns=["family", "rule_id", "flags", "hits", "beside", "false_flags"])
