"""Transcripts that a recogniser's hypothesis speaks against."""
