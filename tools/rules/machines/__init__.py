"""Machines on a cluster: where they fit, what is checked of them, what a change keeps, and whose they are."""
