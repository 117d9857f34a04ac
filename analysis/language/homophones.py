"""Different English words that are said alike, or nearly so: no spellings of one another, whatever their contexts."""

from __future__ import annotations

import re

_SETS = """
    ad add|coma comma|color collar|emigrate immigrate|genius genus|super supper|tea tee
    accept except|affect effect|aid aide|ail ale|air heir ere|aisle isle|all awl|allowed aloud|altar alter
    ant aunt|arc ark|ascent assent|ate eight|bail bale|ball bawl|band banned|bard barred|bare bear|baron barren
    base bass|be bee|beach beech|bean been|beat beet|beau bow|beer bier|bell belle|berry bury|berth birth
    billed build|bite byte|blew blue|boar bore|board bored|boarder border|bold bowled|bolder boulder|born borne
    bough bow|boy buoy|brake break|bread bred|breath breathe|breadth breath|bridal bridle|bruise brews
    buy by bye|cache cash|cannon canon|canvas canvass|capital capitol|carat carrot|cast caste|caring carrying
    caught court|ceiling sealing|cell sell|cellar seller|censor sensor|cent scent sent|cereal serial
    chased chaste|cheap cheep|check cheque|chews choose|chord cord|cite sight site|clause claws|climb clime
    coarse course|colonel kernel|complement compliment|coo coup|core corps|councillor counsellor|council counsel
    creak creek|crews cruise|crises crisis|cue queue|currant current|cymbal symbol|dam damn|days daze|dear deer
    desert dessert|dew due do|die dye|dies dyes|discreet discrete|doe dough|done dun|dual duel|earn urn|eave eve
    elicit illicit|emerge immerge|ewe you yew|eye i|faint feint|fair fare|farther father|fate fete|faun fawn
    feat feet|find fined|fir fur|flair flare|flea flee|flew flu flue|flour flower|for four fore|foreword forward
    fort forte|forth fourth|foul fowl|frees freeze|gait gate|gamble gambol|gilt guilt|gnu knew new
    gorilla guerrilla|grate great|grease greece|groan grown|guessed guest|guise guys|hail hale|hair hare
    hall haul|hart heart|hay hey|heal heel|hear here|heard herd|heroin heroine|hi high|higher hire|him hymn
    hoard horde|hoarse horse|hole whole|holy wholly|hour our|human humane|idle idol idyll|in inn|incite insight
    its it's|jam jamb|key quay|knead need|knight night|knit nit|knot not|know no|knows nose|lade laid|lain lane
    lead led|leak leek|leased least|lessen lesson|levee levy|liar lyre|lie lye|links lynx|loan lone|loose lose
    loot lute|made maid|mail male|main mane maine|maize maze|manner manor|mantel mantle|marry mary merry
    marshal martial|mask masque|mead meed|mean mien|meat meet mete|medal meddle|metal mettle|meter metre
    might mite|mind mined|miner minor|missed mist|moan mown|moat mote|mode mowed|moor more|morn mourn
    morning mourning|muscle mussel|mustard mustered|naval navel|nay neigh|none nun|oar or ore|of off|one won
    ordinance ordnance|overdo overdue|paced paste|packed pact|pail pale|pain pane|pair pare pear
    palate palette pallet|passed past|patience patients|pause paws|peace piece|peak peek pique|peal peel
    pearl purl|pedal peddle|peer pier|personal personnel|pi pie|pidgin pigeon|plain plane|plait plate
    pleas please|plum plumb|pole poll|poor pore pour|populace populous|practice practise|pray prey
    precede proceed|precedent president|presence presents|price prize|pride pried|prince prints
    principal principle|prise prize|profit prophet|prophecy prophesy|prophecies prophesies|quarts quartz
    quiet quite|rain reign rein|raise rays raze|rap wrap|rapped rapt wrapped|read reed red|real reel|reek wreak
    rest wrest|retch wretch|review revue|rhyme rime|right rite write wright|ring wring|road rode rowed|roe row
    role roll|rose rows|rote wrote|rouse rows|rude rued|rung wrung|rye wry|sail sale|sauce source|saw soar sore
    scene seen|sea see|seam seem|seas sees seize cease|seized ceased
    sects sex|serf surf|sew so sow|shear sheer|shell she'll
    shoe shoo|side sighed|sighs size|singed signed|slay sleigh|sleight slight|sloe slow|soared sword|sole soul
    some sum|son sun|soot suit|spade spayed|staid stayed|stair stare|stake steak|stationary stationery
    statue statute|steal steel|step steppe|stile style|storey story|straight strait|suite sweet|tacks tax
    tail tale|taught taut|team teem|tear tier|teas tease|tern turn|than then|the thee|their there they're
    theirs there's|thou though|threw through|throne thrown|throws throes|thyme time|tic tick|tide tied|tire tyre
    to too two|toad toed towed|toe tow|told tolled|ton tun|tool tulle|tough tuff|troop troupe|trussed trust
    urban urbane|vain vane vein|vale veil|vial vile|vice vise|wade weighed|wail whale|waist waste|wait weight
    waive wave|wander wonder|wandered wondered|wandering wondering|war wore|ward warred|ware wear where
    warn worn|way weigh whey|we wee|weak week|weather whether|we'd weed|we'll well|were we're where|wet whet
    which witch|while wile|whine wine|whirled world|whit wit|white wight|who's whose|wood would|yoke yolk
    your you're|bath bathe|cloth clothe|cloths clothes|sooth soothe|teeth teethe|wreath wreathe|loath loathe
    lath lathe|finally finely|impassable impossible|later latter|diner dinner|filed filled|planed planned
    staring starring|scared scarred|hoping hopping|griped gripped|striped stripped|tiled tilled|holed hold
    ladder latter|petal pedal|tenor tenure|idea ideal|carry curry|moral morale|corral coral|choral coral
    lightning lightening|eminent imminent|immanent imminent|elude allude|elusion allusion illusion
    adverse averse|device devise|advice advise|insure ensure|assure insure|collage college|content contend
    lets let's|ill i'll|id i'd|hell he'll|shed she'd|wed we'd|its it's|were we're|heres here's|begin began begun
    become became|overcome overcame|forget forgot|model modal|moral mural|ballet ballot bullet
    metal mettle medal|canon cannon|civil cavil|lever liver|everyday every|sometime sometimes|alot allot
    apart part|awhile while|maybe may
"""
_NOT_DIFFERENT = frozenset((frozenset(("enquire", "inquire")), frozenset(("practice", "practise"))))
_PAIRS = (
    frozenset(
        frozenset((one, other))
        for words in re.split(r"[|\n]", _SETS.strip())
        for one in words.split()
        for other in words.split()
        if one != other
    )
    - _NOT_DIFFERENT
)
_PLURALS = ("s", "es", "ed", "d", "ing", "'s", "er")


def are_homophones(one: str, other: str) -> bool:
    """Whether two lower-case words are known to be different words that are said alike, with the same ending or none.

    >>> are_homophones("flour", "flower"), are_homophones("cellars", "sellers"), are_homophones("grey", "gray")
    (True, True, False)
    """
    if frozenset((one, other)) in _PAIRS:
        return True
    return any(
        frozenset((one[: -len(ending)], other[: -len(ending)])) in _PAIRS
        for ending in _PLURALS
        if one.endswith(ending) and other.endswith(ending)
    )
