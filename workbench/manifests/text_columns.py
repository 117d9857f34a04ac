"""Which column of a table holds the texts, when the table may hold references, hypotheses and much else.

| asked for | taken |
|---|---|
| references | the only one of `REFERENCE_NAMES`, else the only one of `PLAIN_NAMES` |
| hypotheses | the only one of `HYPOTHESIS_NAMES`, else the only one like `azure_transcription`, else as above |
| any text | the first of all these names, `text` before the others |

What is taken for the one is never taken for the other, and where several columns would do, none is: a reference scored
as its own hypothesis has no errors, and nothing would tell. Then the column is named: `FILE:COLUMN`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from workbench.errors import BadInput
from workbench.manifests.fields import FIELD_NAMES, cleaned_names

REFERENCE_NAMES = ("reference", "ref", "actual", "ground_truth")
HYPOTHESIS_NAMES = (
    "hypothesis", "hyp", "prediction", "pred_text", "predicted", "pred", "predicted_text", "recognized", "recognised",
    "asr", "asr_text",
)  # fmt: skip
PLAIN_NAMES = tuple(name for name in FIELD_NAMES["text"] if name not in REFERENCE_NAMES)
ANY_NAMES = (*FIELD_NAMES["text"], *HYPOTHESIS_NAMES)

# A recogniser's text under a name of its own: `azure_transcription`, `transcription_en-US`, `hyp_whisper`.
_SPOKEN_OF = re.compile(r"transcript|hypothes|predict|recogni[sz]ed|(?<![a-z])(?:hyp|pred|asr)(?![a-z])")
# The same words in the names of what is no recogniser's text: measures, and other forms of the reference.
_NOT_TEXT = re.compile(
    r"(?<![a-z])(?:wer|cer|error|errors|rate|score|scores|confidence|probability|length|count|words|time|seconds|date|"
    r"duration|start|end|id|path|file|source|method|type|kind|status|language|model|version|quality|author|by)(?![a-z])"
)
_OTHER_FORM = re.compile(r"(?<![a-z])(?:raw|original|norm|normali[sz]ed|clean|cleaned|lower|text)(?![a-z])")


def split_column(path: Path | str) -> tuple[Path, str | None]:
    """The file and the column of `FILE:COLUMN`; no column where the whole is a file, or nothing before a colon is."""
    written = str(path)
    if not os.path.exists(written):
        for match in re.finditer(":", written):
            if os.path.isfile(written[: match.start()]):
                return Path(written[: match.start()]), written[match.end() :]
    return Path(path), None


def text_column(names: Sequence[str], path: Path, line: int, role: str, column: str | None, exact: bool) -> str:
    """The name of the column that holds the texts of the role, cleaned as `cleaned_names` does.

    Args:
        names: the header's names, as written.
        role: `reference`, `hypothesis` or `any`.
        column: the name that is asked for.
        exact: upper and lower case differ, as in JSON.

    Raises:
        BadInput: there is no such column, or several.
    """
    cleaned = cleaned_names(names, exact)
    if column is not None:
        return _asked_for(column, cleaned, path, line)
    folded: dict[str, str] = {}
    for name in cleaned:
        folded.setdefault(name if exact else name.casefold(), name)
    if role == "any":
        candidates = [folded[name] for name in ANY_NAMES if name in folded][:1]
    else:
        named = REFERENCE_NAMES if role == "reference" else HYPOTHESIS_NAMES
        candidates = [folded[name] for name in named if name in folded]
        if not candidates and role == "hypothesis":
            candidates = [folded[name] for name in folded if name not in ANY_NAMES and _is_like_hypothesis(name)]
        if not candidates:
            candidates = [folded[name] for name in PLAIN_NAMES if name in folded]
            if role == "hypothesis":
                candidates += [folded[n] for n in folded if n not in PLAIN_NAMES and _is_other_form(n)]
    if len(candidates) == 1:
        return candidates[0]
    if candidates:
        raise BadInput(
            f"{path}:{line}: {len(candidates)} columns may hold {_spoken(role)}: "
            f"{', '.join(map(repr, candidates))}; name the one that is meant, as {path}:{candidates[0]}"
        )
    wanted = {"reference": (*REFERENCE_NAMES, *PLAIN_NAMES), "hypothesis": (*HYPOTHESIS_NAMES, *PLAIN_NAMES)}
    raise BadInput(
        f"{path}:{line}: found no column of {_spoken(role)} among {', '.join(map(repr, cleaned))}; expected one named "
        f"{', '.join(wanted.get(role, ANY_NAMES))}; rename it, or name the column that is meant, as {path}:COLUMN"
    )


def _asked_for(column: str, cleaned: list[str], path: Path, line: int) -> str:
    wanted = column.strip()
    found = [name for name in cleaned if name == wanted] or [n for n in cleaned if n.casefold() == wanted.casefold()]
    if len(found) == 1:
        return found[0]
    fact = f"{len(found)} columns named" if found else "no column"
    raise BadInput(
        f"{path}:{line}: found {fact} {wanted!r} among {', '.join(map(repr, cleaned))}; expected one; "
        "correct the name or the header"
    )


def _is_like_hypothesis(name: str) -> bool:
    name = name.casefold()
    return bool(_SPOKEN_OF.search(name)) and not _NOT_TEXT.search(name) and not _OTHER_FORM.search(name)


def _is_other_form(name: str) -> bool:
    """Whether it may be a text, as `raw_transcription` or `azure_text`, of which nobody can say whose."""
    name = name.casefold()
    return bool(_OTHER_FORM.search(name) and re.search("transcript|text", name) and not _NOT_TEXT.search(name))


def _spoken(role: str) -> str:
    return {"reference": "reference texts", "hypothesis": "a recogniser's texts"}.get(role, "texts")


def refuse_twice(names: Sequence[str], used: Sequence[str], path: Path, line: int) -> None:
    """Stop where a column that is used has the name of another one.

    Raises:
        BadInput: a used name stands more than once in the header.
    """
    folded = [name.casefold() for name in names]
    for name in used:
        positions = [str(i + 1) for i, other in enumerate(folded) if other == name.casefold()]
        if len(positions) > 1:
            raise BadInput(
                f"{path}:{line}: {len(positions)} columns are named {name!r}, the columns {', '.join(positions)}; "
                "expected one; rename or remove the others"
            )
