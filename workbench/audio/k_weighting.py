"""K-weighting (ITU-R BS.1770-4, Annex 1) for any sampling rate, and the power of a K-weighted signal.

The standard prints coefficients for 48 kHz only. Re-deriving them with the bilinear transform bends the high shelf
at low rates, and the printed high-pass, whose numerator is not scaled, gains there: 0.15 dB too much at 16 kHz and
0.5 dB at 8 kHz. Here each stage is a second-order section whose *magnitude is fitted to the standard's
own 48 kHz response* up to the new Nyquist frequency (squared magnitude as a ratio of polynomials in sin², after
M. Vicanek, "Matched Second Order Digital Filters", 2016), so that a resampled recording keeps its
loudness.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

REFERENCE_RATE = 48_000
# BS.1770-4, Annex 1, tables 1 and 2: rows are b0 b1 b2 a0 a1 a2.
REFERENCE_SECTIONS = np.array(
    [
        [1.53512485958697, -2.69169618940638, 1.19839281085285, 1.0, -1.69065929318241, 0.73248077421585],
        [1.0, -2.0, 1.0, 1.0, -1.99004745483398, 0.99007225036621],
    ]
)
# The high-pass as an analogue filter (cutoff Hz, Q), found by inverting the bilinear transform at 48 kHz.
_HIGH_PASS = (38.13547087602444, 0.5003270373238773)
ROW = 64
"""Samples in one row of the blocked recursion; more costs arithmetic, fewer costs passes over the states."""
_STACK = 48
# Rows in one matrix product. BLAS starts threads for products over 2¹⁸ multiplications, and for ours waking them takes
# a hundred times longer than the product.


def magnitude(sections: NDArray[np.float64], frequencies: NDArray[np.float64], rate: int) -> NDArray[np.float64]:
    """The gain (linear) of second-order sections, shape (n, 6), at the frequencies (Hz)."""
    z = np.exp(-2j * np.pi * np.asarray(frequencies, dtype=float) / rate)[:, None]
    powers = np.concatenate([np.ones_like(z), z, z * z], axis=1)
    response = np.prod((powers @ sections[:, :3].T) / (powers @ sections[:, 3:].T), axis=1)
    return np.abs(response)


@lru_cache(maxsize=64)
def k_weighting(rate: int) -> NDArray[np.float64]:
    """Second-order sections, shape (2, 6), of the high shelf and the high-pass at a sampling rate (Hz).

    At 48 kHz they are the standard's own. At any other rate they have its magnitude from 20 Hz to the lower of
    20 kHz and the Nyquist frequency, within 0.003 dB from 16 kHz on and 0.03 dB at 8 kHz.

    >>> bool(np.array_equal(k_weighting(48_000), REFERENCE_SECTIONS))
    True
    """
    if rate == REFERENCE_RATE:
        sections = REFERENCE_SECTIONS.copy()
    else:
        sections = np.stack([_fit(REFERENCE_SECTIONS[0], rate), _high_pass(rate)])
    sections.setflags(write=False)
    return sections


def _high_pass(rate: int) -> NDArray[np.float64]:
    """The high-pass by the bilinear transform, which bends nothing so low, scaled to the standard's gain at 1 kHz."""
    cutoff, q = _HIGH_PASS
    k = np.tan(np.pi * cutoff / rate)
    a0 = 1 + k / q + k * k
    section = np.array([[1.0, -2.0, 1.0, 1.0, 2 * (k * k - 1) / a0, (1 - k / q + k * k) / a0]])
    at = np.array([1000.0])
    scale = magnitude(REFERENCE_SECTIONS[1:], at, REFERENCE_RATE) / magnitude(section, at, rate)
    section[0, :3] *= scale[0]
    return section[0]


def _fit(reference: NDArray[np.float64], rate: int) -> NDArray[np.float64]:
    """A second-order section at `rate` with the magnitude of `reference` at 48 kHz, gain 1 at 0 Hz."""
    frequencies = np.geomspace(20, min(rate / 2, 20_000), 400)
    wanted = magnitude(reference[None], frequencies, REFERENCE_RATE) ** 2
    sine = np.sin(np.pi * frequencies / rate) ** 2
    basis = np.stack([1 - sine, sine, 4 * sine * (1 - sine)])
    # |H|² = (b·basis) / (a·basis), with a[0] = b[0] = 1. Linear in a and b once multiplied out; the weights undo
    # the factor that multiplying out brings in (Sanathanan and Koerner), so that the error in dB is what is small.
    numerator, denominator = np.ones(3), np.ones(3)
    for _ in range(20):
        weight = 1 / (wanted * (denominator @ basis))
        matrix = np.concatenate([basis[1:], -wanted * basis[1:]]) * weight
        solution, *_ = np.linalg.lstsq(matrix.T, (wanted - 1) * basis[0] * weight, rcond=None)
        numerator, denominator = np.append(1.0, solution[:2]), np.append(1.0, solution[2:])
    b, a = _minimum_phase(numerator), _minimum_phase(denominator)
    return np.concatenate([b / a[0], a / a[0]])


def _minimum_phase(squared: NDArray[np.float64]) -> NDArray[np.float64]:
    """The polynomial in 1/z, roots inside the unit circle, whose squared magnitude is squared·(1 - s, s, 4s(1 - s))."""
    w = 0.5 * (np.sqrt(squared[0]) + np.sqrt(squared[1]))
    first = 0.5 * (w + np.sqrt(w * w + squared[2]))
    return np.array([first, 0.5 * (np.sqrt(squared[0]) - np.sqrt(squared[1])), -squared[2] / (4 * first)])


@dataclass(frozen=True)
class _Blocked:
    """A recursive filter as matrix products over rows of ROW samples; `n` is its order, 4.

    One row of output is `row @ direct + state @ free`, and the next row's state is `row @ into + state @ carry`.
    The state's basis is chosen so that `free` has orthonormal rows: no digits are lost in float32.
    """

    combined: NDArray[np.float32]  # (ROW, ROW + n): direct, then into
    free: NDArray[np.float32]  # (n, ROW)
    carries: tuple[NDArray[np.float64], ...]  # carry, carry², carry⁴, … until it is nothing


@lru_cache(maxsize=64)
def _blocked(rate: int) -> _Blocked:
    a, b, c, d = _state_space(k_weighting(rate))
    states = [b]
    observed = [c]
    for _ in range(ROW - 1):
        states.append(a @ states[-1])
        observed.append(observed[-1] @ a)
    into = np.stack(states[::-1])
    free = np.stack(observed)
    impulse = np.append(d, into[::-1][:-1] @ c)
    direct = np.zeros((ROW, ROW))
    for i in range(ROW):
        direct[i, i:] = impulse[: ROW - i]
    orthonormal, r = np.linalg.qr(free)
    carry = (r @ np.linalg.matrix_power(a, ROW) @ np.linalg.inv(r)).T
    carries = [carry]
    while np.abs(carries[-1]).max() > 1e-12:
        carries.append(carries[-1] @ carries[-1])
    combined = np.concatenate([direct, into @ r.T], axis=1)
    return _Blocked(combined.astype(np.float32), orthonormal.T.astype(np.float32).copy(), tuple(carries))


def _state_space(
    sections: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], float]:
    """Matrices a, b, c, d of a cascade: s' = a s + b x, y = c s + d x (transposed direct form II)."""
    n = 2 * len(sections)
    a, b, c, d = np.zeros((n, n)), np.zeros(n), np.zeros(n), 1.0
    for i, (b0, b1, b2, _, a1, a2) in enumerate(sections):
        here = slice(2 * i, 2 * i + 2)
        drive = np.array([b1 - a1 * b0, b2 - a2 * b0])
        a[here, here] = [[-a1, 1.0], [-a2, 0.0]]
        a[here] += np.outer(drive, c)  # c is still the output of the sections before
        b[here] = drive * d
        c = c * b0
        c[2 * i] = 1.0
        d = d * b0
    return a, b, c, d


def step_energies(samples: NDArray[np.float32], rate: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Energy of the K-weighted channels in steps of 100 ms, shape (channels, steps), and in the whole, (channels,).

    Args:
        samples: float32, shape (channels, samples), full scale 1.
        rate: sampling rate (Hz).

    Returns:
        Sums of squares of each whole step, and of everything including the end that fills no step.
    """
    channels, n = samples.shape
    steps = int(n * 10 // rate)
    # A stretch that is whole in rows and in steps, so that each is finished before the next: memory stays bounded.
    stretch = (rate // 10 if rate % 10 == 0 else rate) * ROW
    per_stretch = stretch * 10 // rate
    energies = np.empty((channels, steps))
    totals = np.zeros(channels)
    for channel in range(channels):
        state = np.zeros(4)
        for i, begin in enumerate(range(0, n, stretch)):
            weighted, state = _weighted(samples[channel, begin : begin + stretch], rate, state)
            sums, rest = _step_sums(weighted, rate)
            energies[channel, i * per_stretch : i * per_stretch + len(sums)] = sums
            totals[channel] += float(sums.sum()) + rest
    return energies, totals


def _weighted(
    samples: NDArray[np.float32], rate: int, state: NDArray[np.float64]
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """One channel's stretch of samples K-weighted, and the filter's state after it (if it is whole rows)."""
    blocked = _blocked(rate)
    n = len(samples)
    stacks = -(-n // (ROW * _STACK))
    rows = stacks * _STACK
    if n < rows * ROW:
        samples = np.concatenate([samples, np.zeros(rows * ROW - n, dtype=np.float32)])
    product = (samples.reshape(stacks, _STACK, ROW) @ blocked.combined).reshape(rows, -1)
    states = np.empty((rows + 1, 4))
    states[0] = state
    states[1:] = product[:, ROW:]
    # states[k + 1] += states[k] @ carry for k = 0, 1, … in log₂ passes; what is left after the last is under 1e-12.
    for power, carry in enumerate(blocked.carries):
        shift = 1 << power
        if shift > rows:
            break
        states[shift:] += states[:-shift] @ carry
    weighted = states[:-1].astype(np.float32).reshape(stacks, _STACK, 4) @ blocked.free
    weighted = weighted.reshape(rows, ROW)
    weighted += product[:, :ROW]
    return weighted.reshape(-1)[:n], states[n // ROW]


def _step_sums(weighted: NDArray[np.float32], rate: int) -> tuple[NDArray[np.float64], float]:
    n = len(weighted)
    steps = n * 10 // rate
    if rate % 10 == 0:
        hop = rate // 10
        whole = weighted[: steps * hop].reshape(steps, hop)
        sums = np.einsum("ij,ij->i", whole, whole).astype(np.float64)
        rest = weighted[steps * hop :]
        return sums, float(rest @ rest)
    edges = np.arange(steps + 1) * rate // 10
    totals = np.concatenate([[0.0], np.cumsum(np.square(weighted, dtype=np.float64))])
    return np.diff(totals[edges]), float(totals[-1] - totals[edges[-1]])
