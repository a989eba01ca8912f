"""From words to facts: what was said, each with its quote. It knows no product by name."""
