"""The dynamic programme that aligns reference networks with hypotheses, compiled by Numba.

A network's nodes are numbered in topological order and its arcs, a word each, are sorted by the node that they enter:
the arcs into node v > 0 are `starts[v - 1]:starts[v]`. The programme is that of NIST's sclite (`Network_dpalign`): a
cell is an arc and a position in the hypothesis; of equal costs a substitution comes first and a deletion last, and of
several arcs into a node the first of the cheapest is taken.

Memory is linear: a move is a byte, and where moves would fill more than `MOST_CELLS` the costs that are needed at some
of the nodes are kept, and what lies between two of them is computed once more on the way back.
"""

from __future__ import annotations

import numpy as np
from numba import njit

MATCH, SUBSTITUTE, DELETE, INSERT = 0, 1, 2, 3
"""What a step takes: an arc and a word that equals it or does not, an arc alone, a word alone."""

MOST_CELLS = 1 << 28
UNREACHABLE = 1 << 40
"""More than any path costs, and exact in every type of costs."""


@njit(cache=True, nogil=True)
def align_pairs(  # type: ignore[no-untyped-def]
    pair_nodes, starts, pair_arcs, from_nodes, codes, match_costs, substitute_costs, delete_costs, extra_starts,
    extras, pair_words, word_codes, insert_costs, bands, most_cells,
):  # fmt: skip
    """The cheapest path through each pair's network and hypothesis: the steps of all pairs, one pair after the other.

    Args:
        pair_nodes: where each pair's entries of `starts` begin, with the end.
        starts: of each pair, 0 and then for each node after the first the number of arcs into it and those before it.
        pair_arcs: where each pair's arcs begin, with the end.
        from_nodes, codes, match_costs, substitute_costs, delete_costs: one each arc.
        extra_starts, extras: for each arc the positions in its hypothesis of words that equal it in spite of another
            code; the first has one entry more than there are arcs.
        pair_words: where each pair's hypothesis begins, with the end.
        word_codes, insert_costs: one each word of the hypotheses.
        bands: for each pair the least and the most that a path that could be the cheapest may be ahead in the
            hypothesis, (pairs, 2); in a network that is more than a single path it has to be unlimited.

    Returns:
        Moves (MATCH, SUBSTITUTE, DELETE, INSERT), arcs and words (positions in the pair; -1 where the move takes
        none), and where each pair's steps begin, with the end.
    """
    pairs = len(pair_arcs) - 1
    most = len(codes) + len(word_codes)
    moves, arcs, words = np.empty(most, np.uint8), np.empty(most, np.int32), np.empty(most, np.int32)
    begins = np.zeros(pairs + 1, np.int64)
    for pair in range(pairs):
        first, last = pair_arcs[pair], pair_arcs[pair + 1]
        begin, end = pair_words[pair], pair_words[pair + 1]
        network = starts[pair_nodes[pair] : pair_nodes[pair + 1]], from_nodes[first:last]
        costs = (
            codes[first:last], match_costs[first:last], substitute_costs[first:last], delete_costs[first:last],
            extra_starts[first : last + 1], extras, word_codes[begin:end], insert_costs[begin:end],
        )  # fmt: skip
        at = begins[pair]
        begins[pair + 1] = at + _align_pair(network, costs, bands[pair], most_cells, moves[at:], arcs[at:], words[at:])
    return moves[: begins[pairs]], arcs[: begins[pairs]], words[: begins[pairs]], begins


@njit(cache=True, nogil=True)
def _align_pair(network, costs, band, most_cells, moves, arcs, words):  # type: ignore[no-untyped-def]
    """Write one pair's steps; return their number."""
    starts, from_nodes = network
    match_costs, insert_costs = costs[1], costs[7]
    width = len(insert_costs) + 1
    slots, bounds, slot_count = _plan(network, width, most_cells)
    # The last row is where an arc's costs are computed that share their node with other arcs.
    rows = np.empty((slot_count + 1, width), match_costs.dtype)
    blocks = len(bounds) - 1
    kept = np.empty((blocks, slot_count, width), match_costs.dtype)
    row = rows[slots[0]]
    row[0] = 0
    for word in range(1, width):
        row[word] = row[word - 1] + insert_costs[word - 1]
    kept[0] = rows[:slot_count]
    for block in range(blocks - 1):
        _fill(network, costs, band, bounds[block], bounds[block + 1], slots, rows, np.empty((0, 0), np.uint8),
              np.empty((0, 0), np.uint16))  # fmt: skip
        kept[block + 1] = rows[:slot_count]

    count, node, word, arc = 0, len(starts) - 1, width - 1, -1
    for block in range(blocks - 1, -1, -1):
        begin, end = bounds[block], bounds[block + 1]
        rows[:slot_count] = kept[block]
        first = starts[begin]
        taken = np.empty((starts[end] - first, width), np.uint8)
        joins = np.zeros(end - begin + 1, np.int32)
        for inner in range(begin + 1, end + 1):
            joins[inner - begin] = joins[inner - begin - 1] + (starts[inner] - starts[inner - 1] > 1)
        choices = np.empty((joins[end - begin], width), np.uint16)
        _fill(network, costs, band, begin, end, slots, rows, taken, choices)
        while node > begin:
            if arc < 0:
                arc = starts[node - 1]
                if starts[node] - arc > 1:
                    arc += choices[joins[node - begin] - 1, word]
            move = taken[arc - first, word]
            moves[count], arcs[count], words[count] = move, arc, word - 1
            if move == MATCH and not _equal(costs, arc, word - 1):
                moves[count] = SUBSTITUTE
            if move == INSERT:
                arcs[count] = -1
            if move == DELETE:
                words[count] = -1
            else:
                word -= 1
            if move != INSERT:
                node, arc = from_nodes[arc], -1
            count += 1
    while word > 0:
        word -= 1
        moves[count], arcs[count], words[count] = INSERT, -1, word
        count += 1
    for step in range(count // 2):
        other = count - 1 - step
        moves[step], moves[other] = moves[other], moves[step]
        arcs[step], arcs[other] = arcs[other], arcs[step]
        words[step], words[other] = words[other], words[step]
    return count


@njit(cache=True, nogil=True)
def _equal(costs, arc, word):  # type: ignore[no-untyped-def]
    codes, _, _, _, extra_starts, extras, word_codes, _ = costs
    for extra in range(extra_starts[arc], extra_starts[arc + 1]):
        if extras[extra] == word:
            return True
    return codes[arc] == word_codes[word]


@njit(cache=True, nogil=True)
def _plan(network, width, most_cells):  # type: ignore[no-untyped-def]
    """In which row each node's costs are kept, the nodes at which blocks of moves begin and end, the number of rows."""
    starts, from_nodes = network
    last_node = len(starts) - 1
    last_use = np.zeros(last_node + 1, np.int32)
    for node in range(1, last_node + 1):
        for arc in range(starts[node - 1], starts[node]):
            last_use[from_nodes[arc]] = node
    slots = np.zeros(last_node + 1, np.int32)
    free = np.empty(last_node + 1, np.int32)
    free_count, slot_count = 0, 1
    bounds = np.zeros(last_node + 2, np.int32)
    bound_count = 1
    for node in range(1, last_node + 1):
        if free_count:
            free_count -= 1
            slots[node] = free[free_count]
        else:
            slots[node] = slot_count
            slot_count += 1
        for arc in range(starts[node - 1], starts[node]):
            before = from_nodes[arc]
            if last_use[before] == node:
                last_use[before] = -1
                free[free_count] = slots[before]
                free_count += 1
        cells = (starts[node] - starts[bounds[bound_count - 1]]) * width
        if node == last_node or cells >= most_cells:
            bounds[bound_count] = node
            bound_count += 1
    if last_node == 0:
        bound_count = 2
    return slots, bounds[:bound_count], slot_count


@njit(cache=True, nogil=True)
def _fill(network, costs, band, begin, end, slots, rows, moves, choices):  # type: ignore[no-untyped-def]
    """Compute the costs from node `begin` to node `end`; keep the moves and the choices among arcs if there is room."""
    starts, from_nodes = network
    codes, match_costs, substitute_costs, delete_costs, extra_starts, extras, word_codes, insert_costs = costs
    first, join = starts[begin], 0
    keep = len(moves) > 0
    scratch = rows[len(rows) - 1]
    for node in range(begin + 1, end + 1):
        joined = starts[node] - starts[node - 1] > 1
        low, high = max(0, node + band[0]), min(rows.shape[1] - 1, node + band[1])
        for arc in range(starts[node - 1], starts[node]):
            heard = word_codes
            if extra_starts[arc] < extra_starts[arc + 1]:
                heard = word_codes.copy()
                for extra in range(extra_starts[arc], extra_starts[arc + 1]):
                    heard[extras[extra]] = codes[arc]
            before = rows[slots[from_nodes[arc]]]
            row = scratch if joined else rows[slots[node]]
            code, match, substitute, delete = codes[arc], match_costs[arc], substitute_costs[arc], delete_costs[arc]
            if keep:
                _row_and_moves(
                    before, row, low, high, code, match, substitute, delete, heard, insert_costs, moves[arc - first]
                )
            else:
                _row(before, row, low, high, code, match, substitute, delete, heard, insert_costs)
            if joined:
                best = rows[slots[node]]
                place = arc - starts[node - 1]
                for word in range(len(row)):
                    if place == 0 or row[word] < best[word]:
                        best[word] = row[word]
                        if keep:
                            choices[join, word] = place
        join += joined


@njit(cache=True, nogil=True)
def _row(before, row, low, high, code, match, substitute, delete, heard, insert_costs):  # type: ignore[no-untyped-def]
    """The costs after one arc, from those before it, at the positions from `low` to `high` in the hypothesis."""
    last = _first_cost(before, row, low, high, delete)
    diagonal = before[max(low - 1, 0)]
    for word in range(max(low - 1, 0), high):
        above = before[word + 1]
        cost = min(diagonal + (match if heard[word] == code else substitute), above + delete)
        last = min(cost, last + insert_costs[word])
        row[word + 1] = last
        diagonal = above


@njit(cache=True, nogil=True)
def _row_and_moves(  # type: ignore[no-untyped-def]
    before, row, low, high, code, match, substitute, delete, heard, insert_costs, moves
):  # fmt: skip
    last = _first_cost(before, row, low, high, delete)
    moves[0] = DELETE
    diagonal = before[max(low - 1, 0)]
    for word in range(max(low - 1, 0), high):
        above = before[word + 1]
        cost = diagonal + (match if heard[word] == code else substitute)
        deleted, inserted = above + delete, last + insert_costs[word]
        move = MATCH
        # Of equal costs a substitution comes first and a deletion last, as in sclite.
        if cost > deleted or cost > inserted:
            if deleted < inserted:
                cost, move = deleted, DELETE
            else:
                cost, move = inserted, INSERT
        row[word + 1] = last = cost
        moves[word + 1] = move
        diagonal = above


@njit(cache=True, nogil=True)
def _first_cost(before, row, low, high, delete):  # type: ignore[no-untyped-def]
    """The cost before the first position; what the next row may read just outside of the band is made unreachable."""
    if high + 1 < len(row):
        row[high + 1] = UNREACHABLE
    if low > 0:
        row[low - 1] = UNREACHABLE
        return row[low - 1]
    row[0] = before[0] + delete
    return row[0]
