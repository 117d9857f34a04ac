"""Transcripts that cannot fit into the speech that there is."""
