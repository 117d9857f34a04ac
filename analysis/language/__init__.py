"""Facts about English and Korean that scoring and the label rules share: numbers, contractions, spellings, fillers."""
