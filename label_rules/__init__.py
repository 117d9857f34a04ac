"""Rules over transcripts, and over groups of transcripts of the same audio."""
