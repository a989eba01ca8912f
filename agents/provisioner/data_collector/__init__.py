"""Looks at the worlds that the requirements go to, and works out what the rules allow there."""
