"""Review and refine, until the manifest is clean or the rounds are used up."""
