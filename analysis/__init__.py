"""Scoring and error analysis of speech recognition: pure functions from pandas frames to pandas frames."""
