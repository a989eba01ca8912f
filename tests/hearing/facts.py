"""What was heard, as plain facts: {capability: {fact: value}}."""

from tools.capabilities import catalogue
from tools.rules.hearing.hear import hear, merge
from tools.values.heard import Heard

Facts = dict[str, dict[str, str]]


def facts_of(heard: Heard) -> Facts:
    return {ask.capability: {fact.name: fact.value for fact in ask.facts} for ask in heard.asks}


def said(*texts: str) -> Heard:
    """Everything said in these messages, one after the other."""
    so_far = Heard()
    for text in texts:
        so_far = merge(so_far, hear(text, catalogue(), so_far))
    return so_far
