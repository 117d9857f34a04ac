"""English contractions: what was heard in full, and what was heard contracted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from analysis.alternatives.source import Alternative, Heard
from analysis.language.contractions import WHOLE_WORDS, dropped_g, full_forms

# A normalizer takes the outer apostrophe of `'em` and `'cause`, and some recognisers write none at all.
_MARKLESS = {
    word.strip("'"): word for word in WHOLE_WORDS if word.strip("'") != word and word.strip("'") not in WHOLE_WORDS
}
_MORE = {
    "ain't": ("are not", "is not", "am not", "has not", "have not"), "tryna": ("trying to",), "musta": ("must have",),
    "mighta": ("might have",), "betcha": ("bet you",), "lotsa": ("lots of",), "whaddya": ("what do you",),
    "d'you": ("do you",),
}  # fmt: skip
_PLAIN = frozenset(word for word in (*WHOLE_WORDS, *_MARKLESS, *_MORE) if "'" not in word)
# Without the apostrophe these would be other words; `its` and `lets` are too.
_OTHER_WORDS = frozenset(("well", "hell", "shell", "ill", "wed", "shed", "id", "were", "its", "lets"))
_ENDINGS = ("n't", "'re", "'ve", "'ll", "'m")
# What `'s` belongs to when it is never a possessive.
_BEFORE_S = frozenset(
    ("that", "what", "he", "she", "there", "here", "who", "where", "how", "it", "when", "why", "let", "everything")
)
# `how'd it go`; elsewhere `'d` is never `did`.
_BEFORE_DID = ("wh", "how", "d'")
_MOST_DEPTH = 3


@dataclass(frozen=True)
class Contractions:
    """`it is` or `it has` for `it's`, `going to` for `gonna`, `going` for `goin`, and each the other way round.

    A possessive looks like a contraction (`john's`, `john is`), and is taken for one as in NIST's mapping rules. A
    contraction without its apostrophe (`dont`, `don t`) is the same one, unless that is another word (`well`, `its`).

    >>> list(Contractions().find(("we'll", "see"), Heard("we will see".split())))
    [Alternative(start=0, end=1, words=('we', 'will'))]
    """

    name: str = "contractions"
    version: int = 1

    def find(self, reference: tuple[str, ...], heard: Heard) -> Iterator[Alternative]:
        """What was heard in full or with another apostrophe, then what was heard contracted, for each place."""
        contracted = heard.memo("contractions", _contracted)
        for start, word in enumerate(reference):
            if "'" in word or word in _PLAIN:
                for form in forms(word):
                    if heard.holds(form):
                        yield Alternative(start, start + 1, form)
            if word[-2:] == "in" or word[-3:] == "ing":
                other = word + "g" if word[-1] == "n" else word[:-1]
                if other in heard.vocabulary and dropped_g(word, other):
                    yield Alternative(start, start + 1, (other,))
            if word in contracted:
                for form, short in contracted[word]:
                    if reference[start : start + len(form)] == form:
                        yield Alternative(start, start + len(form), (short,))


@lru_cache(maxsize=100_000)
def forms(word: str) -> tuple[tuple[str, ...], ...]:
    """The words that a contraction stands for and the ways to write it without its apostrophe.

    >>> forms("don't"), forms("em"), forms("cat")
    ((('do', 'not'), ('dont',), ('don', 't')), (('them',),), ())
    """
    found: dict[tuple[str, ...], None] = {}
    pending: list[tuple[str, ...]] = [(word,)]
    for _ in range(_MOST_DEPTH):
        pending = [form for words in pending for form in _expanded_once(words)]
        found.update(dict.fromkeys(pending))
    if word.endswith(_ENDINGS) or (word.endswith("'s") and word[:-2] in _BEFORE_S):
        bare = word.replace("'", "")
        if bare not in _OTHER_WORDS:
            found[(bare,)] = None
        found[tuple(part for part in word.split("'") if part)] = None
    found.pop((word,), None)
    return tuple(found)


def _expanded_once(words: tuple[str, ...]) -> list[tuple[str, ...]]:
    for at, word in enumerate(words):
        full = _MORE.get(word) or full_forms(word) or full_forms(_MARKLESS.get(word, ""))
        if word.endswith("'d") and not word.startswith(_BEFORE_DID):
            full = tuple(form for form in full if not form.endswith(" did"))
        if full:
            return [(*words[:at], *form.split(), *words[at + 1 :]) for form in full]
    return []


def _contracted(heard: Heard) -> dict[str, list[tuple[tuple[str, ...], str]]]:
    """The contractions in the hypothesis, by the first word of each of their forms."""
    found: dict[str, list[tuple[tuple[str, ...], str]]] = {}
    for word in dict.fromkeys(heard.words):
        if "'" in word or word in _PLAIN:
            for form in forms(word):
                found.setdefault(form[0], []).append((form, word))
    return found
