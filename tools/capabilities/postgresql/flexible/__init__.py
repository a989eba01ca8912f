"""PostgreSQL as Azure runs it: a flexible server in a network of its own, sized by its connections. What is asked for is in ../facts.py.

facts.py: what is understood; choices.py: offer, compose and changes in place; checks.py: review; ../flexible.md.j2: the guide.
"""
