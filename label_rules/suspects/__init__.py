"""How likely each transcript is wrong."""
