"""The hand-off: the plan that is approved, and the run that carries it out."""
