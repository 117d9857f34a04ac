"""A key by which words that sound alike are found together, from their letters alone."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

# Letters that are one sound, in the order in which they are put; capitals stand for sounds of two letters.
_CONSONANTS = (
    (re.compile("^(?:kn|gn|pn)"), "n"), (re.compile("^wr"), "r"), (re.compile("^ps(?=[aeiouy])"), "s"),
    (re.compile("mb$"), "m"), (re.compile("tch"), "C"), (re.compile("dg(?=[eiy])"), "J"), (re.compile("ph"), "f"),
    (re.compile("(?<=[aeiou])gh(?=t|$)"), ""), (re.compile("^wh"), "w"), (re.compile("^rh"), "r"),
    (re.compile("sch|ch(?=[rl])"), "sk"), (re.compile("ch"), "C"), (re.compile("sh"), "S"), (re.compile("th"), "T"),
    (re.compile("(?<=[aeiouy])s(?=[aeiouy])"), "z"), (re.compile("ck|cq|cc(?![eiy])|c(?![eiy])|q"), "k"),
    (re.compile("c"), "s"), (re.compile("x"), "ks"), (re.compile("(?<=[^aeiouyCST])h|h(?![aeiouy])"), ""),
)  # fmt: skip
_SILENT_E = re.compile(r"(?<=[^aeiouyT][^aeiouyT])e$|(?<=[aeiou][aeiou][^aeiouyT])e$")
_DOUBLED = re.compile(r"([^aeiouy])\1+")
_VOWELS = re.compile("[aeiouy]+(?:w(?![aeiouy]))?")
_FIRST_VOWELS = {
    "ay": "A", "ey": "A", "ai": "A", "aye": "A", "y": "i", "ie": "E", "ei": "E", "ee": "E", "ea": "E",
    "au": "O", "aw": "O", "oo": "U", "ou": "U", "ew": "U", "ue": "U", "oe": "o", "oa": "o",
}  # fmt: skip
_LAST_VOWELS = {"ie": "I", "y": "I", "ey": "I", "i": "I", "ee": "I", "ah": "a"}
# From so many consonants on, a vowel behind the first syllable is hardly heard.
_LONG = 3
_CONSONANT = re.compile("[^aeiouy]")
# Endings whose vowel makes another word of it: `watchman`, `watchmen`.
_CLEAR_ENDING = re.compile("m[ae]n$")
# Where one word ends with it and another without, they are two: `princes`, `princess`; `inquires`, `inquiries`.
_OTHER_ENDINGS = ("ss", "ous", "ies")
_HANGUL = re.compile("[가-힣]+")
_ALIKE_VOWELS = str.maketrans("ᅦᅨᅤᅫᅰ", "ᅢᅢᅢᅬᅬ")
_ALIKE_FINALS = str.maketrans("ᆺᆻᆽᆾᇀᆩᆿᇁ", "ᆮᆮᆮᆮᆮᆨᆨᆸ")
_BEHIND_PALATALS = re.compile("(?<=[ᄉᄊᄌᄍᄎ])[ᅣᅧᅭᅲ]")
_LEAST_SYLLABLES = 3
_FIRST_VOWEL, _LAST_VOWEL = "ᅡ", "ᅵ"
# As in 컨텐츠 콘텐츠, 메세지 메시지, 디지탈 디지털, 악센트 액센트.
_CONFUSED_VOWELS = frozenset(map(frozenset, ("ᅥᅩ", "ᅢᅵ", "ᅥᅡ", "ᅢᅡ")))
_PLAIN_VOWEL = {"ᅣ": "ᅡ", "ᅧ": "ᅥ", "ᅭ": "ᅩ", "ᅲ": "ᅮ"}


@lru_cache(maxsize=500_000)
def sound_key(word: str) -> str:
    """The key of a lower-case word: words of one key are said alike, or nearly so, by the rules of spelling.

    It is coarse in unstressed vowels and strict in consonants and in the first vowel. Words that are said alike and
    mean different things share a key too; their contexts, not their letters, tell them apart. Apostrophes and hyphens
    count for nothing. Empty for what has no letters.

    >>> sound_key("katharine") == sound_key("catherine"), sound_key("grey") == sound_key("gray")
    (True, True)
    >>> sound_key("cat") == sound_key("cap"), sound_key("man") == sound_key("men"), sound_key("컨텐츠")[0]
    (False, False, 'ᄏ')
    """
    if _HANGUL.fullmatch(word):
        return _hangul_key(word)
    bare = "".join(c for c in unicodedata.normalize("NFD", word) if c.isalpha())
    if not bare.isascii():
        return bare
    heard = bare
    ending = next((ending for ending in _OTHER_ENDINGS if heard.endswith(ending)), "")
    for pattern, sound in _CONSONANTS:
        heard = pattern.sub(sound, heard)
    heard = _DOUBLED.sub(r"\1", _SILENT_E.sub("", _DOUBLED.sub(r"\1\1", heard)))
    first, long = True, len(_CONSONANT.findall(heard)) >= _LONG

    def vowels(found: re.Match[str]) -> str:
        nonlocal first
        written = found.group()
        is_first, first = first, False
        if is_first and not (found.start() == 0 and written in ("e", "i")):
            return _FIRST_VOWELS.get(written, written)
        if is_first:
            return "i"
        if found.end() == len(heard):
            return _LAST_VOWELS.get(written, written)
        return "_" if long and found.start() < clear else _FIRST_VOWELS.get(written, written)

    found = _CLEAR_ENDING.search(heard)
    clear = found.start() if found else len(heard)
    return _VOWELS.sub(vowels, heard) + ending


def vowel_keys(word: str) -> list[tuple[str, str]]:
    """For each vowel of a Hangul word of three syllables or more: the word's key without it, and the vowel.

    Two words with one key in common differ in this vowel only, as loan words do that are spelled in two ways. Empty for
    other words.

    >>> {key for key, _ in vowel_keys("콘텐츠")} & {key for key, _ in vowel_keys("컨텐츠")} != set()
    True
    >>> vowel_keys("날씨")
    []
    """
    if len(word) < _LEAST_SYLLABLES or not _HANGUL.fullmatch(word):
        return []
    letters = _hangul_key(word)
    places = [place for place, letter in enumerate(letters) if _FIRST_VOWEL <= letter <= _LAST_VOWEL]
    return [(f"{letters[:place]}*{letters[place + 1 :]}", letters[place]) for place in places]


def may_be_one_vowel(one: str, other: str) -> bool:
    """Whether Korean writers hear one vowel of a foreign word as either of the two, given as `vowel_keys` has them."""
    return frozenset((one, other)) in _CONFUSED_VOWELS


def _hangul_key(word: str) -> str:
    letters = unicodedata.normalize("NFD", word).translate(_ALIKE_VOWELS).translate(_ALIKE_FINALS)
    return _BEHIND_PALATALS.sub(lambda found: _PLAIN_VOWEL[found.group()], letters)
