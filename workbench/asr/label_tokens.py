"""A label as the tokens of a CTC model: folded to its alphabet, each word with its place in the text."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from label_rules.tokens import tokens as written_tokens
from workbench.asr.ctc import WORD_STARTS
from workbench.errors import BackendUnavailable

ANYTHING = -1
"""Stands for a word that the model's alphabet cannot write: it may sound like anything."""

_APOSTROPHES = dict.fromkeys("\u2018\u2019\u201b\u02bc\uff07", "'")


@dataclass(frozen=True)
class LabelWord:
    """A word: its first character in the text and one past its last, and its tokens (`ANYTHING` alone: not writable).

    `first` is the number of its first token among the label's.
    """

    start: int
    end: int
    tokens: tuple[int, ...]
    first: int

    @property
    def is_known(self) -> bool:
        """Whether the model's alphabet can write it."""
        return ANYTHING not in self.tokens


@dataclass(frozen=True)
class LabelTokens:
    """A label's words, and its tokens with those between the words."""

    words: tuple[LabelWord, ...]
    tokens: tuple[int, ...]


class Alphabet:
    """What a CTC model can write, and how labels are folded to it.

    A character that the model does not have is written as one that it has: in the other case, without its accent, as
    a plain apostrophe, as the letters that a Korean syllable is made of. Of the punctuation that it does not have,
    dashes and slashes part words and the rest is dropped. Whatever else it does not have (digits, most often) makes
    its word one that cannot be scored, and so does markup, as `[noise]`.

    Raises:
        BackendUnavailable: the model writes phonemes, to which labels cannot be folded.
    """

    def __init__(self, tokenizer: Any) -> None:
        if hasattr(tokenizer, "phonemize"):
            raise BackendUnavailable(
                "the model writes phonemes, and labels are words; choose a CTC model that writes letters"
            )
        self._tokenizer = tokenizer
        special = set(tokenizer.all_special_ids)
        delimiter = getattr(tokenizer, "word_delimiter_token", None)
        self._delimiter = None if delimiter is None else int(tokenizer.convert_tokens_to_ids(delimiter))
        pieces = {piece: int(i) for piece, i in tokenizer.get_vocab().items()}
        self._ids = {piece: i for piece, i in pieces.items() if i not in special and i != self._delimiter}
        self._by_letters = self._delimiter is not None
        if self._by_letters:
            self._characters = set(self._ids)
        else:
            self._characters = {character for piece in self._ids for character in piece} - set(WORD_STARTS)

    def tokens(self, text: str) -> LabelTokens:
        """The label's words as tokens; a word of nothing but dropped punctuation is none."""
        words: list[LabelWord] = []
        tokens: list[int] = []
        markup = [(token.start, token.end) for token in written_tokens(text) if token.kind == "markup"]
        for match in re.finditer(r"\S+", text):
            marked = any(start < match.end() and match.start() < end for start, end in markup)
            ids = [ANYTHING] if marked else self._word(match.group())
            if not ids:
                continue
            # What may be anything takes the spaces around it as well.
            if self._delimiter is not None and tokens and ANYTHING not in (tokens[-1], ids[0]):
                tokens.append(self._delimiter)
            words.append(LabelWord(match.start(), match.end(), tuple(ids), len(tokens)))
            tokens += ids
        return LabelTokens(tuple(words), tuple(tokens))

    def _word(self, word: str) -> list[int]:
        folded: list[str] = []
        for character in unicodedata.normalize("NFC", word):
            written = self._written(character)
            if written is None:
                return [ANYTHING]
            folded += written
        parts = [list(part) for is_space, part in groupby(folded, " ".__eq__) if not is_space]
        if not parts:
            return []
        if self._by_letters:
            between = [] if self._delimiter is None else [self._delimiter]
            spaced = [[self._ids[character] for character in part] for part in parts]
            return [i for n, part in enumerate(spaced) for i in (between if n else []) + part]
        ids = list(self._tokenizer.encode(" ".join(map("".join, parts)), add_special_tokens=False))
        return ids if set(ids) <= set(self._ids.values()) else [ANYTHING]

    def _written(self, character: str) -> Sequence[str] | None:
        """The model's characters for one of a label's; empty: it is dropped; None: the model cannot write it."""
        plain = _APOSTROPHES.get(character, character)
        apart = unicodedata.normalize("NFD", plain)
        bare = [part for part in apart if not unicodedata.combining(part)]
        compatible = unicodedata.normalize("NFKD", plain)
        for candidate in (plain, plain.lower(), plain.upper(), apart, bare, compatible, compatible.lower()):
            if candidate and all(part in self._characters for part in candidate):
                return list(candidate)
        for changed in (str.lower, str.upper):
            if bare and all(changed(part) in self._characters for part in bare):
                return [changed(part) for part in bare]
        if unicodedata.category(plain) == "Pd" or plain == "/":
            return " "
        return [] if unicodedata.category(plain)[0] in "PZCM" else None
