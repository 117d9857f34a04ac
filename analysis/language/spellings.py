"""Words with several spellings: fixed variants, British and American, and slips that sound the same."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from analysis.align import align

# One word a line of spellings; none of them is also another word.
VARIANTS: tuple[tuple[str, ...], ...] = (
    ("okay", "ok", "o.k", "okey"), ("alright", "allright"), ("yeah", "yea", "yeh"), ("hello", "hallo"),
    ("whoa", "woah"), ("hey", "heyy"), ("oh", "ohh"), ("mister", "mr"), ("missus", "mrs"), ("doctor", "dr"),
    ("whisky", "whiskey"), ("email", "e-mail"), ("website", "web-site"), ("adviser", "advisor"),
    ("omelet", "omelette"), ("yogurt", "yoghurt"),
    ("&", "and"), ("@", "at"), ("versus", "vs"), ("donut", "doughnut"), ("though", "tho"),
    ("through", "thru"), ("judgment", "judgement"), ("naive", "naïve"), ("cafe", "café"),
    ("에요", "예요"), ("되요", "돼요"), ("웬지", "왠지"), ("몇일", "며칠"), ("할께", "할게"), ("할께요", "할게요"),
    ("왠만하면", "웬만하면"), ("어떻해", "어떡해"), ("메세지", "메시지"), ("컨텐츠", "콘텐츠"), ("케익", "케이크"),
    ("초콜렛", "초콜릿"), ("알러지", "알레르기"), ("쥬스", "주스"), ("로보트", "로봇"),
)  # fmt: skip
# American, British. Endings are added below to those that take them.
_AMERICAN_BRITISH = """
    color colour|favor favour|honor honour|labor labour|neighbor neighbour|behavior behaviour|flavor flavour
    harbor harbour|humor humour|rumor rumour|vapor vapour|odor odour|parlor parlour|armor armour|splendor splendour
    favorite favourite|honorable honourable|favorable favourable|colorful colourful|neighborhood neighbourhood
    center centre|theater theatre|meter metre|liter litre|fiber fibre|somber sombre|specter spectre|luster lustre
    organize organise|realize realise|recognize recognise|apologize apologise|criticize criticise|analyze analyse
    emphasize emphasise|memorize memorise|summarize summarise|minimize minimise|maximize maximise|civilize civilise
    organization organisation|realization realisation|civilization civilisation|specialize specialise
    traveled travelled|traveling travelling|traveler traveller|canceled cancelled|canceling cancelling
    labeled labelled|labeling labelling|modeling modelling|modeled modelled|marvelous marvellous|jewelry jewellery
    counselor counsellor|quarreled quarrelled|quarreling quarrelling|woolen woollen|fulfill fulfil|skillful skilful
    enroll enrol|installment instalment|defense defence|offense offence|pretense pretence
    catalog catalogue|dialog dialogue|plow plough|mold mould|smolder smoulder|gray grey
    mustache moustache|pajamas pyjamas|tire tyre|mom mum|math maths
    skeptic sceptic|skeptical sceptical|learned learnt|burned burnt|dreamed dreamt|spelled spelt
    encyclopedia encyclopaedia|anesthetic anaesthetic|maneuver manoeuvre|esthetic aesthetic
    savior saviour|endeavor endeavour|fervor fervour|vigor vigour|valor valour
    clamor clamour|candor candour|ardor ardour|rigor rigour|tumor tumour|check cheque|curb kerb|story storey
"""
# Pairs that are also other words, or said differently: a table of dialects, but not of spellings.
_ALSO_OTHERS = frozenset(("tire", "mom", "math", "check", "curb", "story", "learned", "burned", "dreamed", "spelled"))
_ENDINGS = ("", "s", "ed", "d", "ing", "ful", "less", "er", "ers")


def _dialects() -> tuple[dict[str, str], dict[str, str]]:
    american, british = {}, {}
    for pair in re.split(r"[|\n]", _AMERICAN_BRITISH.strip()):
        us, gb = pair.split()
        if us in _ALSO_OTHERS:
            continue
        for ending in _ENDINGS:
            if ending == "d" and not us.endswith("e"):
                continue
            one, other = us + ending, gb + ending
            if ending == "ing" and us.endswith("e"):
                one, other = us[:-1] + ending, gb[:-1] + ending
            american[one], british[other] = other, one
    return american, british


AMERICAN, BRITISH = _dialects()
"American spelling to British, and British to American."

# Different words that look like slips of one another.
_CONFUSABLE_PAIRS = """
    desert dessert|angel angle|quiet quite|principal principle|stationary stationery|compliment complement
    advice advise|device devise|personal personnel|message massage|thorough through|precede proceed|descent decent
    council counsel|coarse course|bridal bridle|altar alter|prosecute persecute|become became|forget forgot
    overcome overcame|foresee foresaw|costume custom|moral morale|human humane|lessen lesson|manner manor
    mantel mantle|naval navel|palate palette|palate pallet|palette pallet|accept except|conscience conscious
    confident confidant|discreet discrete|dairy diary|canvas canvass|profit prophet|prescribe proscribe
    statue statute|wander wonder|wandered wondered|wandering wondering|wanders wonders|better bitter|batter better
    batter bitter|matter mutter|letter latter|ladder leader|leader louder|mister muster|master mister|master muster
    minster minister|ballet ballot|bullet ballet|barren baron|border broader|carton cartoon|collar cellar
    career carrier|corps corpse|county country|farther further|farthest furthest|feather father|floor flour
    hollow hallow|hollow hello|important impotent|lighting lightning|loose lose|losing loosing|marital martial
    marshal martial|passed past|pasture posture|perfect prefect|pillar pillow|pitcher picture|poring pouring
    potion portion|reality realty|sailer sailor|shepherd sheppard|singed signed|slipper sleeper|sliver silver
    stranger stronger|strong string|strung strong|string strung|strange strung|thought though|thrown throne
    trail trial|waist waste|warning warming|weather whether|women woman|breath breathe|breaths breathes|bathe bath
    clothes cloths|clothe cloth|choose chose|freight fright|horse hoarse|heroin heroine|hoping hopping|later latter
    planed planned|planing planning|scared scarred|staring starring|striped stripped|dinner diner|writer writter
    super supper|bared barred|tapper taper|holy wholly|filing filling|filed filled|robed robbed|coma comma
    furry fury|tinny tiny|wined winned|spirit sprite|spirits sprites|corral coral|corporal corporeal
    sensual sensuous|continual continuous|ingenious ingenuous|eminent imminent|emigrant immigrant
    veracious voracious
"""
_CONFUSABLE = frozenset(frozenset(pair.split()) for pair in re.split(r"[|\n]", _CONFUSABLE_PAIRS.strip()))
_LEAST_LENGTH = 6


@lru_cache(maxsize=1)
def _variant_of() -> dict[str, int]:
    return {spelling: number for number, spellings in enumerate(VARIANTS) for spelling in spellings}


@lru_cache(maxsize=200_000)
def same_word(one: str, other: str) -> bool:
    """Whether two different case-folded words are spellings of one word, rather than two words.

    They are when they are listed variants, differ by an apostrophe only, or by a slip that leaves the consonants
    in a word of at least six letters. What may be another word counts as one: a missed slip costs less than a
    misheard word that passes for one.

    >>> same_word("colour", "color"), same_word("definately", "definitely"), same_word("sea", "see")
    (True, True, False)
    """
    if AMERICAN.get(one) == other or BRITISH.get(one) == other:
        return True
    variants = _variant_of()
    if one in variants and variants[one] == variants.get(other):
        return True
    if "'" in one + other:
        bare = one.replace("'", "")
        return bare == other.replace("'", "") and bare not in _WITHOUT_APOSTROPHE
    if one > "가" and other > "가":
        return _korean_same_sound(one, other)
    return _slip(one, other)


# Without the apostrophe these are other words, said differently.
_WITHOUT_APOSTROPHE = frozenset(["well", "hell", "shell", "ill", "wed", "shed", "id", "were"])


def _slip(one: str, other: str) -> bool:
    shorter, longer = sorted((len(one), len(other)))
    if shorter < _LEAST_LENGTH or longer - shorter > 2 or one[0] != other[0]:
        return False
    if _skeleton(one) != _skeleton(other) or _inflected(one, other) or frozenset((one, other)) in _CONFUSABLE:
        return False
    changed = sum(step.op != "equal" for step in align(one, other))
    return changed <= (2 if shorter >= 8 else 1) or sorted(one) == sorted(other)


def _inflected(one: str, other: str) -> bool:
    """Whether the words differ at the end, where endings make other words of them (`human`, `humane`)."""
    short, long = sorted((one, other), key=len)
    return long.startswith(short) or (one[:-1] == other[:-1]) or (len(one) == len(other) and one[:-2] == other[:-2])


def _skeleton(word: str) -> str:
    bare = "".join(c for c in unicodedata.normalize("NFD", word) if not unicodedata.combining(c))
    consonants = re.sub("[aeiouy]", "", bare.replace("ph", "f").replace("ck", "k"))
    return re.sub(r"(.)\1+", r"\1", consonants)


def _korean_same_sound(one: str, other: str) -> bool:
    if len(one) != len(other) or len(one) < 3 or one[0] in "네내":
        return False
    return _fold_vowels(one) == _fold_vowels(other)


def _fold_vowels(word: str) -> str:
    letters = unicodedata.normalize("NFD", word)
    return letters.translate(_VOWELS)


# Vowels that today's Korean says alike, as the conjoining letters of decomposed text.
_VOWELS = str.maketrans("\u1166\u1168\u116b\u1170", "\u1162\u1164\u116c\u116c")
