"""Words that count as equal to what is written: one small file a source."""
