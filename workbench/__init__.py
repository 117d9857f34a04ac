"""A workbench for data-centric labelling and error analysis of speech recognition."""

__version__ = "0.1.0"
