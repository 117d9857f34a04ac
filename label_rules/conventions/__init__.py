"""What a corpus writes in several ways, which way most of it writes, and who departs from it."""
