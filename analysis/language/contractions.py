"""English contractions and the full forms that they stand for."""

from __future__ import annotations

from functools import lru_cache

WHOLE_WORDS = {
    "won't": ("will not",), "can't": ("can not", "cannot"), "shan't": ("shall not",), "ain't": ("is not", "am not"),
    "i'm": ("i am",), "let's": ("let us",), "'em": ("them",), "y'all": ("you all",), "ma'am": ("madam",),
    "gonna": ("going to",), "wanna": ("want to", "want a"), "gotta": ("got to", "have got to", "got a"),
    "hafta": ("have to",), "oughta": ("ought to",), "gimme": ("give me",), "lemme": ("let me",),
    "dunno": ("do not know", "don't know"), "kinda": ("kind of",), "sorta": ("sort of",), "outta": ("out of",),
    "lotta": ("lot of",), "coulda": ("could have",), "shoulda": ("should have",), "woulda": ("would have",),
    "cause": ("because",), "cuz": ("because",), "cos": ("because",), "til": ("until",), "till": ("until",),
    "bout": ("about",), "whatcha": ("what are you",), "gotcha": ("got you",), "cannot": ("can not",),
    "c'mon": ("come on",), "'tis": ("it is",), "'twas": ("it was",), "twas": ("it was",), "tis": ("it is",),
}  # fmt: skip
"Words that stand for others as a whole, with those."
_ENDINGS = {
    "n't": (" not",), "'re": (" are",), "'ve": (" have",), "'ll": (" will", " shall"), "'d": (" would", " had", " did"),
    "'s": (" is", " has"),
}  # fmt: skip
# Words that end like a verb with a dropped g, but are others: `kin` is not `king`.
_NO_DROPPED_G = frozenset(
    ("sin", "win", "thin", "kin", "pin", "bin", "tin", "fin", "din", "gin", "spin", "chin", "cabin", "robin", "ruin")
)


@lru_cache(maxsize=100_000)
def full_forms(word: str) -> tuple[str, ...]:
    """The full forms of a lower-case contraction, empty when it is none.

    >>> full_forms("it's"), full_forms("gonna"), full_forms("cat")
    (('it is', 'it has'), ('going to',), ())
    """
    if word in WHOLE_WORDS:
        return WHOLE_WORDS[word]
    for ending, stands_for in _ENDINGS.items():
        if word.endswith(ending) and len(word) > len(ending):
            return tuple(word[: -len(ending)] + full for full in stands_for)
    return ()


@lru_cache(maxsize=100_000)
def same_in_full(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Whether two runs of lower-case words are the same once their contractions are written out.

    >>> same_in_full(("it's",), ("it", "is")), same_in_full(("can",), ("can't",))
    (True, False)
    """
    if len(one) == len(other) == 1 and dropped_g(one[0], other[0]):
        return True
    if not any(map(full_forms, one + other)):
        return one == other
    written, others = _written_out(one), _written_out(other)
    return not written.isdisjoint(others)


def _written_out(words: tuple[str, ...]) -> set[str]:
    texts = {""}
    for word in words:
        texts = {f"{text} {form}".strip() for text in texts for form in (word, *full_forms(word))}
    # Once more, for contractions whose full form holds another.
    return texts | {" ".join(text.split()).replace("don't", "do not") for text in texts}


def dropped_g(one: str, other: str) -> bool:
    """Whether the words are one, written with and without its last g.

    >>> dropped_g("going", "goin"), dropped_g("king", "kin")
    (True, False)
    """
    if abs(len(one) - len(other)) != 1:
        return False
    short, long = sorted((one, other), key=len)
    return long == short + "g" and short.endswith("in") and len(short) > 3 and short not in _NO_DROPPED_G
