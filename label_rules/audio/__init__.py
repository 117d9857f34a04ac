"""Recordings that cannot carry a label, whatever it says: empty, cut off, clipped, too quiet, noisy."""
