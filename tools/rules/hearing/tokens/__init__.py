"""Tokens: numbers, sizes, sums of money, days, names, addresses and words, each at its place."""
