"""Random texts in NIST's notation, for comparing with the real sclite."""

from __future__ import annotations

import random

_WORDS = ("a", "b", "c", "d", "ab", "abc")


def hypothesis(rng: random.Random, marked: float = 0.2) -> str:
    """Up to a dozen words, some of them optional or fragments."""
    return " ".join(_word(rng, rng.random() < marked) for _ in range(rng.randint(0, 12)))


def reference(rng: random.Random) -> str:
    """Some words, optional words, fragments and alternations up to three deep."""
    return _sequence(rng, rng.randint(1, 10), 0)


def _word(rng: random.Random, marked: bool = True) -> str:
    word = rng.choice(_WORDS)
    if marked and rng.random() < 0.12:
        word = f"{word}-" if rng.random() < 0.6 else f"-{word}"
    return f"({word})" if marked and rng.random() < 0.12 else word


def _sequence(rng: random.Random, length: int, depth: int) -> str:
    parts = []
    for _ in range(length):
        if depth < 3 and rng.random() < 0.2:
            options = ("@" if rng.random() < 0.2 else _sequence(rng, rng.randint(1, 3), depth + 1) for _ in range(3))
            parts.append(f"{{ {' / '.join(list(options)[: rng.randint(1, 3)])} }}")
        else:
            parts.append(_word(rng))
    return " ".join(parts)
