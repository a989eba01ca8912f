"""Words: what they mean, of one dictionary from what capabilities declare and from one file a language."""
