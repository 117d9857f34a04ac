"""Small boosted trees: chances from features without a library, and fast enough to be learned on every corpus anew."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

_BINS = 24
_RATE = 0.1
_LEAST_WEIGHT = 40.0
_RIDGE = 40.0
_SHARE = 0.6


class _Tree(NamedTuple):
    features: np.ndarray
    "The feature of each inner node, breadth first; -1 where it is not parted."
    bins: np.ndarray
    "What is above this bin goes to the right."
    values: np.ndarray


@dataclass
class Boosted:
    """Trees whose sum, added to what was known before, is the logit of the chance."""

    edges: list[np.ndarray]
    depth: int
    trees: list[_Tree] = field(default_factory=list)

    def logits(self, features: np.ndarray, base: np.ndarray) -> np.ndarray:
        """The logit of each row, with features (rows, features) that may be NaN."""
        binned = _binned(features, self.edges)
        logits = base.astype(float).copy()
        for tree in self.trees:
            logits += tree.values[_leaves(tree, binned, self.depth)]
        return logits


def learn(
    features: np.ndarray, wanted: np.ndarray, weights: np.ndarray, base: np.ndarray, rounds: int, depth: int = 3
) -> Boosted:
    """Trees that tell the wanted rows from the others (logistic loss, Newton steps, histograms of the features).

    After Friedman (Annals of Statistics 29, 2001). Leaves hold a weight of 40 at least and are drawn towards
    0, so that examples of little weight change what was known before, `base`, by little or nothing.
    """
    edges = [np.unique(np.nanquantile(c, np.linspace(0, 1, _BINS)[1:-1])) if len(c) else c for c in _known(features)]
    model = Boosted(edges, depth)
    binned = _binned(features, edges)
    logits = base.astype(float).copy()
    rng = np.random.default_rng(0)
    for _ in range(rounds):
        chance = 1 / (1 + np.exp(-logits))
        drawn = np.flatnonzero(rng.random(len(wanted)) < _SHARE)
        slope = (weights * (wanted - chance))[drawn]
        curve = (weights * chance * (1 - chance))[drawn]
        tree = _grow(binned[drawn], slope, curve, weights[drawn], depth)
        model.trees.append(tree)
        logits += tree.values[_leaves(tree, binned, depth)]
    return model


def _known(features: np.ndarray) -> list[np.ndarray]:
    return [column[np.isfinite(column)] for column in features.T]


def _binned(features: np.ndarray, edges: list[np.ndarray]) -> np.ndarray:
    """Bin numbers, (rows, features); 0 is for what is not known."""
    binned = np.zeros(features.shape, np.int64)
    for number, edge in enumerate(edges):
        column = features[:, number]
        known = np.isfinite(column)
        binned[known, number] = 1 + np.searchsorted(edge, column[known], "left")
    return binned


def _leaves(tree: _Tree, binned: np.ndarray, depth: int) -> np.ndarray:
    node = np.zeros(len(binned), np.int64)
    rows = np.arange(len(binned))
    for _ in range(depth):
        feature = tree.features[node]
        right = (feature >= 0) & (binned[rows, feature] > tree.bins[node])
        node = 2 * node + 1 + right
    return node - (2**depth - 1)


def _grow(binned: np.ndarray, slope: np.ndarray, curve: np.ndarray, weights: np.ndarray, depth: int) -> _Tree:
    several = binned.shape[1]
    features = np.full(2**depth - 1, -1, np.int64)
    bins = np.zeros(2**depth - 1, np.int64)
    node = np.zeros(len(binned), np.int64)
    places = binned + np.arange(several) * (_BINS + 1)
    rows = np.arange(len(binned))
    for level in range(depth):
        first, nodes = 2**level - 1, 2**level
        at = (places + ((node - first) * several * (_BINS + 1))[:, None]).ravel()
        shape = (nodes, several, _BINS + 1)
        sums = [
            np.bincount(at, np.repeat(each, several), nodes * several * (_BINS + 1)).reshape(shape).cumsum(axis=2)
            for each in (slope, curve, weights)
        ]
        left_slope, left_curve, left_weight = sums
        right_slope, right_curve, right_weight = (each[:, :, -1:] - each for each in sums)
        gain = left_slope**2 / (left_curve + _RIDGE) + right_slope**2 / (right_curve + _RIDGE)
        gain -= (left_slope + right_slope) ** 2 / (left_curve + right_curve + _RIDGE)
        gain[(left_weight < _LEAST_WEIGHT) | (right_weight < _LEAST_WEIGHT)] = 0.0
        best = gain.reshape(nodes, -1).argmax(axis=1)
        parted = gain.reshape(nodes, -1)[np.arange(nodes), best] > 1e-6
        features[first : first + nodes] = np.where(parted, best // (_BINS + 1), -1)
        bins[first : first + nodes] = best % (_BINS + 1)
        feature = features[node]
        node = 2 * node + 1 + ((feature >= 0) & (binned[rows, feature] > bins[node]))
    leaf = node - (2**depth - 1)
    up, down = (np.bincount(leaf, each, 2**depth) for each in (slope, curve))
    return _Tree(features, bins, _RATE * up / (down + _RIDGE))
