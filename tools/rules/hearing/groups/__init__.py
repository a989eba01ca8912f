"""Groups: which things a message speaks of, how many, and which of its words are about which."""
