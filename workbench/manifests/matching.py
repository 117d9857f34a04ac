"""References and hypotheses of two files, matched by id, and what has no counterpart."""

from __future__ import annotations

import unicodedata

import numpy as np
import pandas as pd

from workbench.errors import BadInput
from workbench.manifests.bad_rows import listed
from workbench.manifests.faults import shown
from workbench.manifests.line_files import first_word, looks_like_kaldi
from workbench.manifests.text_columns import ANY_NAMES
from workbench.manifests.trn import is_skipped, looks_like_trn, parse_line

# So many lines that each begin or end with an id of its own are no chance, even where the other file has none.
_SURE = 5


def match_ids(references: pd.DataFrame, hypotheses: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """The pairs whose id stands on both sides, and what does not, in sentences; none where all ids match.

    The pairs have the columns utterance_id, reference and hypothesis, then the references' other columns and those of
    the hypotheses that the references lack, but for the texts among these; in the order of the references. The
    sentences say how many have no counterpart, with the first five, and which differ from one of the other side only in
    upper and lower case or in Unicode form; the last one says what is assumed, and that `--partial` scores the rest. A
    caller that was not asked for this stops.

    Args:
        references: as `read_references` returns them.
        hypotheses: as `read_hypotheses` returns them.

    Raises:
        BadInput: an id stands twice on one side, nothing matches, or lines are matched by their numbers and the files
            are not of one length, or hold ids.
    """
    reference_file, hypothesis_file = _file(references, "the references"), _file(hypotheses, "the hypotheses")
    # As Python's texts they are looked up several times as fast as in Arrow's arrays.
    ids, heard = (
        pd.Index(frame["utterance_id"].to_numpy(dtype=object), dtype=object) for frame in (references, hypotheses)
    )
    for keys, name in ((ids, reference_file), (heard, hypothesis_file)):
        repeated = [] if keys.is_unique else keys[keys.duplicated()].unique()
        if len(repeated):
            raise BadInput(
                f"{name}: {len(repeated)} utterances stand more than once: {listed(list(repeated))}; keep one each"
            )
    _check_lines(references, hypotheses, reference_file, hypothesis_file)
    places = heard.get_indexer(ids)
    missing, extra = ids[places < 0].tolist(), heard[ids.get_indexer(heard) < 0].tolist()
    matching = len(ids) - len(missing)
    if not matching:
        raise BadInput(
            f"no utterance stands in both {reference_file} (its ids are {listed(ids[:6].tolist())}) and "
            f"{hypothesis_file} ({listed(heard[:6].tolist())}); expected the same ids in both; "
            f"{_alike(missing, extra) or 'correct them'}"
        )
    report = []
    if missing:
        report.append(_fact(missing, len(ids), "reference", f"no hypothesis in {hypothesis_file}"))
    if extra:
        report.append(_fact(extra, len(heard), "hypothesis", f"no reference in {reference_file}", hypothesis_file))
    if report:
        report.append(_alike(missing, extra))
        report.append(
            "texts are matched by id as written, and one without its counterpart counts neither as deleted nor as "
            f"inserted: correct the ids, or score the {matching} that "
            f"{'match' if matching > 1 else 'matches'} with --partial"
        )
    return _pairs(references, hypotheses, places), [sentence for sentence in report if sentence]


def _pairs(references: pd.DataFrame, hypotheses: pd.DataFrame, places: np.ndarray) -> pd.DataFrame:
    kept = references[places >= 0].reset_index(drop=True)
    matched = hypotheses.iloc[places[places >= 0]].reset_index(drop=True)
    pairs = kept[["utterance_id", "reference"]].assign(hypothesis=matched["hypothesis"])
    rest = kept.drop(columns=["utterance_id", "reference", "hypothesis"], errors="ignore")
    known = {*pairs.columns, *rest.columns, *ANY_NAMES, "tag_text"}
    new = [name for name in matched.columns if name not in known]
    return pd.concat([pairs, rest, matched[new]], axis=1)


def _file(frame: pd.DataFrame, otherwise: str) -> str:
    if "source_detail" not in frame.columns or frame.empty:
        return otherwise
    return str(frame["source_detail"].iloc[0]).rpartition(":")[0]


def _fact(ids: list[str], among: int, thing: str, fact: str, file: str = "") -> str:
    named = {"reference": "references", "hypothesis": "hypotheses"}[thing] if len(ids) > 1 else thing
    of_file = f" of {file}" if file else ""
    return f"{len(ids)} {named}{of_file} {'have' if len(ids) > 1 else 'has'} {fact}, of {among} ({listed(ids)})"


def _alike(missing: list[str], extra: list[str]) -> str:
    """Which ids differ from one of the other side in upper and lower case, or in Unicode form, alone."""
    others = {_folded(name): name for name in extra}
    alike = [(name, others[_folded(name)]) for name in missing if _folded(name) in others]
    if not alike:
        return ""
    name, other = alike[0]
    many = f"{len(alike)} ids differ" if len(alike) > 1 else "1 id differs"
    return (
        f"{many} only in upper and lower case or in Unicode form, as {name!r} and {other!r}: unlike sclite, ids are "
        "compared as written; write them alike"
    )


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


# -- lines that are matched by their numbers --------------------------------------------------------------------------


def _check_lines(references: pd.DataFrame, hypotheses: pd.DataFrame, reference_file: str, hypothesis_file: str) -> None:
    """Stop where a `.txt` is not what it is read as: one text a line, each line the counterpart of the same line."""
    sides = ((references, "reference", reference_file), (hypotheses, "hypothesis", hypothesis_file))
    numbered = [name.lower().endswith(".txt") for _, _, name in sides]
    if not any(numbered):
        return
    ids = [
        _ids_in(frame[column].tolist()) if by_number else set(frame["utterance_id"])
        for (frame, column, _), by_number in zip(sides, numbered, strict=True)
    ]
    alike = 2 * len(ids[0] & ids[1]) >= max(1, min(len(ids[0]), len(ids[1])))
    for (frame, column, name), by_number, own in zip(sides, numbered, ids, strict=True):
        if by_number and own and (alike or len(own) >= _SURE):
            texts = frame[column].tolist()
            remedy = "name it with the suffix .trn" if looks_like_trn(texts) else "name it `text`, as Kaldi does"
            raise BadInput(
                f"{name}: every line seems to hold its id, as {shown(texts[0])}, but a .txt is one text a line, and "
                f"the ids would be scored as words; expected texts alone, or {remedy}; if they are words indeed, give "
                "CSV or trn files with ids of their own"
            )
    if all(numbered) and len(references) != len(hypotheses):
        raise BadInput(
            f"{reference_file} has {len(references)} lines and {hypothesis_file} has {len(hypotheses)}; expected as "
            "many, because lines of .txt files are matched by their numbers, and one line lost shifts all that follow; "
            "correct them, or give files with ids"
        )


def _ids_in(texts: list[str]) -> set[str]:
    """The ids that every line of a file seems to hold, in front as in Kaldi's `text` or behind as in trn."""
    if looks_like_kaldi(texts):
        return {first_word(text) for text in texts if text.strip()}
    if looks_like_trn(texts):
        ids = [parse_line(text)[0] for text in texts if not is_skipped(text)]
        if len(ids) > 1 and len(set(ids)) == len(ids) and looks_like_kaldi([f"{key} text" for key in ids]):
            return set(ids)
    return set()
