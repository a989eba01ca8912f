"""From an offer to a manifest: a model picks among the candidates, code composes everything else."""
