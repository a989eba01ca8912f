"""Kubernetes as Azure runs it (AKS): nodes in a network of their own, logins of Entra ID alone. What is asked for is in ../facts.py.

facts.py: what is understood; choices.py: offer, compose and changes in place; checks.py: review; ../aks.md.j2: the guide.
"""
