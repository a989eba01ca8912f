"""An MQTT broker on a machine of its own. What it is stands in service.toml, what is asked for in facts.toml."""

from tools.capabilities.by_table import by_table

NAME, TITLE, WORDS, EXAMPLES, WANTED, ON = by_table(__package__)

__all__ = ["EXAMPLES", "NAME", "ON", "TITLE", "WANTED", "WORDS"]
