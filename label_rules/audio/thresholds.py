"""From where on a measure of a recording is called bad: one place for the rules, the tags and the slices.

They are choices, and said to be: a corpus may set its own by rules of its own.
"""

from __future__ import annotations

TOO_QUIET = -40.0
"""LUFS. Speech at 17 LU under the level that broadcasts have; 16-bit rounding and the microphone's noise come near."""
CLIPPED = 1e-4
"""Share of samples at the rails: 16 samples in 10 s at 16 kHz, where hearing it begins."""
NOISY = 10.0
"""dB of signal over noise; recognisers trained on clean speech begin to fail under about this."""
EDGE_LEVEL = -10.0
"""dB of the first or last 10 ms against the speech's mean level. Sounds of speech lie around that mean, the breath and
the room before and after them lower."""
EDGE_SECONDS = 0.07
"""How near its end the speech of a clip must come to be at it: two frames of the measure, which leaves out the last one
where it is not full. At the start it is one frame."""
