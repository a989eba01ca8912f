"""Virtual machines in Azure: in a network of their own, without a public address. What is asked for is in ../facts.py.

facts.py: what is understood; choices.py: offer, compose and changes in place; checks.py: review; ../azure_machines.md.j2: the guide.
"""
