"""Transcripts of the same audio that differ: where, in what kind, and who departs from the others."""
