"""Figures and formulas: how large something has to be for a stated load, each with its source."""
