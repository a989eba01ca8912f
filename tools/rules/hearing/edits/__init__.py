"""Edits: what a message changes of the request, takes away, brings back, answers or asks, and what of it came to nothing."""
