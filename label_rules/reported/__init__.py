"""Rules on what labellers themselves say of a clip or of their transcript."""
