"""Azure in one dialect: names, regions, sizes, places, checks, changes."""
