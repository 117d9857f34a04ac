"""Several transcripts of the same audio to one, and how far each annotator and each transcript is to be believed."""
