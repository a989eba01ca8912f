"""Reviews a web server part: its machines, as every machine is checked."""

from __future__ import annotations

from tools.rules.machines.review import review

__all__ = ["review"]
