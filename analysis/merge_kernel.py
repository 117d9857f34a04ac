"""Several texts of the same audio merged into one network of slots, and what each slot's votes say, compiled by Numba.

A network is a table of slots in order, with a column for each text; a cell holds the word that the text has in the
slot, or `NOTHING`. It grows from the medoid, the text with the fewest edits to all others, outward: the nearest text is
aligned first, and the cost of a word against a slot is the mean of its costs against the words that are there already
(Fiscus's ROVER, ASRU 1997, takes the texts as they come and asks for equality). Words that are spelled alike cost less
than others, so that misspellings meet what they stand for.
"""

from __future__ import annotations

import numpy as np
from numba import njit

NOTHING = -1
MOST_CELLS = 1 << 28
"""Of a table of moves: two texts of 16,000 words each."""

_MOST_ALIKE = 4000
"""Beyond so many different words of one clip, words are equal or not: their likeness would not fit in memory."""
_SUBSTITUTE_FOR_NOTHING = 0.8
"""A word in a slot that another text leaves out; a new slot costs 1."""
_LONGEST_WORD = 64


@njit(cache=True, nogil=True)
def merge(clip_texts, text_words, words, letter_begins, letters):  # type: ignore[no-untyped-def]
    """The networks of all clips.

    Args:
        clip_texts: where each clip's texts begin, with the end.
        text_words: where each text's words begin in `words`, with the end.
        words: codes of the words, text after text.
        letter_begins, letters: the spelling of each code, as code points, with the end.

    Returns:
        The cells of all networks, slot after slot, a word's code or NOTHING for each text; where each clip's slots
        begin, with the end; and for each text the edits to the nearest other text of its clip, as a share of the
        longer of the two (0 where it is alone). A clip whose texts are too long for `MOST_CELLS` has no slots.
    """
    clips = len(clip_texts) - 1
    most = 0
    for clip in range(clips):
        first, last = clip_texts[clip], clip_texts[clip + 1]
        most += (text_words[last] - text_words[first]) * (last - first)
    cells = np.empty(most, np.int32)
    slot_begins = np.zeros(clips + 1, np.int64)
    local_of = np.full(len(letter_begins), -1, np.int32)
    nearest = np.zeros(len(text_words) - 1)
    at = 0
    for clip in range(clips):
        first, last = clip_texts[clip], clip_texts[clip + 1]
        begins = text_words[first : last + 1]
        slots = _merge_clip(begins, words, letter_begins, letters, local_of, nearest[first:last])
        slot_begins[clip + 1] = slot_begins[clip] + len(slots)
        for slot in range(len(slots)):
            for text in range(last - first):
                cells[at] = slots[slot, text]
                at += 1
    return cells[:at].copy(), slot_begins, nearest


@njit(cache=True, nogil=True)
def _merge_clip(begins, words, letter_begins, letters, local_of, nearest):  # type: ignore[no-untyped-def]
    """The network of one clip, (slots, texts), in codes; `nearest` is filled in place."""
    texts = len(begins) - 1
    start, total = begins[0], begins[texts] - begins[0]
    longest = 0
    for text in range(texts):
        longest = max(longest, begins[text + 1] - begins[text])
    if longest * total > MOST_CELLS and texts > 1:
        return np.empty((0, texts), np.int32)
    codes, local = np.empty(total, np.int32), np.empty(total, np.int32)
    different = 0
    for at in range(total):
        code = words[start + at]
        if local_of[code] < 0:
            local_of[code] = different
            codes[different] = code
            different += 1
        local[at] = local_of[code]
    for number in range(different):
        local_of[codes[number]] = -1
    unlike = np.full((different, different) if different <= _MOST_ALIKE else (0, 0), -1.0, np.float32)
    order = _outward(begins, local, nearest)
    slots = np.full((total, texts), NOTHING, np.int32)
    text = order[0]
    size = begins[text + 1] - begins[text]
    for at in range(size):
        slots[at, text] = local[begins[text] - start + at]
    for rank in range(1, texts):
        text = order[rank]
        new = local[begins[text] - start : begins[text + 1] - start]
        size = _add(slots, size, order[:rank], text, new, unlike, codes, letter_begins, letters)
    network = np.empty((size, texts), np.int32)
    for slot in range(size):
        for text in range(texts):
            word = slots[slot, text]
            network[slot, text] = NOTHING if word == NOTHING else codes[word]
    return network


@njit(cache=True, nogil=True)
def _outward(begins, local, nearest):  # type: ignore[no-untyped-def]
    """The texts in the order in which they are merged: the medoid, then by their edits to it; equals as they come.

    `nearest` is filled in place.
    """
    texts, start = len(begins) - 1, begins[0]
    edits = np.zeros((texts, texts), np.int64)
    for one in range(texts):
        for other in range(one):
            a = local[begins[one] - start : begins[one + 1] - start]
            b = local[begins[other] - start : begins[other + 1] - start]
            edits[one, other] = edits[other, one] = _edits(a, b)
    for text in range(texts if texts > 1 else 0):
        nearest[text] = 1.0
        for other in range(texts):
            longer = max(begins[text + 1] - begins[text], begins[other + 1] - begins[other], 1)
            if other != text:
                nearest[text] = min(nearest[text], edits[text, other] / longer)
    medoid = 0
    for text in range(1, texts):
        if edits[text].sum() < edits[medoid].sum():
            medoid = text
    apart = edits[medoid].copy()
    apart[medoid] = -1
    return np.argsort(apart, kind="mergesort")


@njit(cache=True, nogil=True)
def _edits(a, b):  # type: ignore[no-untyped-def]
    """Levenshtein's distance of two arrays."""
    row = np.arange(len(b) + 1)
    for i in range(len(a)):
        before, row[0] = row[0], i + 1
        for j in range(len(b)):
            cost = min(row[j] + 1, row[j + 1] + 1, before + (a[i] != b[j]))
            before, row[j + 1] = row[j + 1], cost
    return row[len(b)]


@njit(cache=True, nogil=True)
def _add(slots, size, merged, text, new, unlike, codes, letter_begins, letters):  # type: ignore[no-untyped-def]
    """Merge one more text's words into the slots, in place; returns how many slots there are then."""
    moves = np.zeros((size + 1, len(new) + 1), np.uint8)
    row = np.arange(len(new) + 1).astype(np.float64)
    moves[0, 1:] = 2
    for slot in range(size):
        empty = 0
        for other in merged:
            empty += slots[slot, other] == NOTHING
        skip = 1.0 - empty / len(merged)
        before = row[0]
        row[0] += skip
        moves[slot + 1, 0] = 1
        for at in range(len(new)):
            apart = empty * _SUBSTITUTE_FOR_NOTHING
            for other in merged:
                word = slots[slot, other]
                if word != NOTHING and word != new[at]:
                    apart += _unlike(word, new[at], unlike, codes, letter_begins, letters)
            best, move = before + apart / len(merged), 0
            if row[at + 1] + skip < best:
                best, move = row[at + 1] + skip, 1
            if row[at] + 1.0 < best:
                best, move = row[at] + 1.0, 2
            before, row[at + 1] = row[at + 1], best
            moves[slot + 1, at + 1] = move
    slot, at, added = size, len(new), 0
    while slot or at:
        move = moves[slot, at]
        added += move == 2
        slot -= move != 2
        at -= move != 1
    slot, at, place = size, len(new), size + added
    while slot or at:
        move = moves[slot, at]
        place -= 1
        slot -= move != 2
        at -= move != 1
        for other in merged:
            slots[place, other] = slots[slot, other] if move != 2 else NOTHING
        slots[place, text] = new[at] if move != 1 else NOTHING
    return size + added


@njit(cache=True, nogil=True)
def _unlike(one, other, known, codes, letter_begins, letters):  # type: ignore[no-untyped-def]
    """The edits between the spellings of two words as a share of the longer one, 0 to 1."""
    if len(known) and known[one, other] >= 0:
        return known[one, other]
    apart = 1.0
    if len(known):
        a = letters[letter_begins[codes[one]] : letter_begins[codes[one] + 1]]
        b = letters[letter_begins[codes[other]] : letter_begins[codes[other] + 1]]
        longer = max(len(a), len(b))
        if 0 < longer <= _LONGEST_WORD:
            apart = _edits(a, b) / longer
        known[one, other] = known[other, one] = apart
    return apart


@njit(cache=True, nogil=True)
def judge(clip_texts, slot_begins, cells, errors, correlation, wrong_ways):  # type: ignore[no-untyped-def]
    """What the votes in every slot say of each text's words.

    A text writes the right word with the chance 1 - e, else one of `wrong_ways` others. The votes of several texts
    count less than independent ones would: their log-odds are divided by 1 + correlation * (votes - 1).

    Args:
        errors: e of each text, above 0 and below 1.

    Returns:
        For each text the expected number of its slots that are wrong as all votes have it, the variance of that
        number, and the expected number of wrong ones as the other texts' votes alone have it. A slot of a text that
        nothing stands beside is judged by the text itself.
    """
    texts = clip_texts[-1]
    wrong, variance, by_others = np.zeros(texts), np.zeros(texts), np.zeros(texts)
    at = 0
    for clip in range(len(clip_texts) - 1):
        first, several = clip_texts[clip], clip_texts[clip + 1] - clip_texts[clip]
        odds = np.empty(several)
        for text in range(several):
            error = errors[first + text]
            odds[text] = np.log((1 - error) * wrong_ways / error)
        all_share = 1 / (1 + correlation * (several - 1))
        others_share = 1 / (1 + correlation * max(several - 2, 0))
        forms, votes = np.empty(several, np.int32), np.empty(several)
        form_of = np.empty(several, np.int64)
        for _ in range(slot_begins[clip + 1] - slot_begins[clip]):
            different = _count(cells[at : at + several], odds, forms, votes, form_of)
            at += several
            for text in range(several):
                own = form_of[text]
                right = _share(votes, different, own, -1, 0.0, all_share)
                wrong[first + text] += 1 - right
                variance[first + text] += right * (1 - right)
                if several > 1:
                    by_others[first + text] += 1 - _share(votes, different, own, own, odds[text], others_share)
                else:
                    by_others[first + text] += errors[first + text]
    return wrong, variance, by_others


@njit(cache=True, nogil=True)
def _count(cells, odds, forms, votes, form_of):  # type: ignore[no-untyped-def]
    """The different words of a slot and the sum of their votes, in place; returns how many there are."""
    different = 0
    for text in range(len(cells)):
        form = 0
        while form < different and forms[form] != cells[text]:
            form += 1
        if form == different:
            forms[form] = cells[text]
            votes[form] = 0.0
            different += 1
        votes[form] += odds[text]
        form_of[text] = form
    return different


@njit(cache=True, nogil=True)
def _share(votes, different, of, less_of, less, scale):  # type: ignore[no-untyped-def]
    """The chance of one word among those of a slot, with the vote `less` taken from the word `less_of`."""
    highest = -np.inf
    for form in range(different):
        highest = max(highest, votes[form] - (less if form == less_of else 0.0))
    total = own = 0.0
    for form in range(different):
        weight = np.exp(scale * (votes[form] - (less if form == less_of else 0.0) - highest))
        total += weight
        if form == of:
            own = weight
    return own / total


@njit(cache=True, nogil=True)
def elect(clip_texts, slot_begins, cells, weights, alike, letter_begins, letters):  # type: ignore[no-untyped-def]
    """The word with the most weight in every slot, as the number of the first text that has it.

    A word that is spelled like another's takes `alike` times their likeness of the other's weight too. Of equal words
    the first text's is taken.

    Returns:
        For each slot the text, counted within the clip, and the chosen word's share of the slot's weight.
    """
    chosen, shares = np.empty(slot_begins[-1], np.int32), np.empty(slot_begins[-1])
    at = slot = 0
    for clip in range(len(clip_texts) - 1):
        first, several = clip_texts[clip], clip_texts[clip + 1] - clip_texts[clip]
        for _ in range(slot_begins[clip + 1] - slot_begins[clip]):
            best, best_votes, own_votes, total = 0, -1.0, 0.0, 0.0
            for text in range(several):
                word, votes, own = cells[at + text], 0.0, 0.0
                total += weights[first + text]
                for other in range(several):
                    against, weight = cells[at + other], weights[first + other]
                    if against == word:
                        votes += weight
                        own += weight
                    elif word != NOTHING and against != NOTHING:
                        a = letters[letter_begins[word] : letter_begins[word + 1]]
                        b = letters[letter_begins[against] : letter_begins[against + 1]]
                        longer = max(len(a), len(b))
                        if longer <= _LONGEST_WORD:
                            votes += alike * weight * (1 - _edits(a, b) / longer)
                if votes > best_votes + 1e-12:
                    best, best_votes, own_votes = text, votes, own
            chosen[slot], shares[slot] = best, own_votes / total
            at += several
            slot += 1
    return chosen, shares
