"""Programs for the people who work on the workbench: they make its demo corpus and measure it."""
