"""The nouns: frozen values, no behaviour but arithmetic on themselves. A request is a chain of them."""
