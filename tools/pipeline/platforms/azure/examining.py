"""Whether the login may do what runs do in Azure, before anybody asks for one. Nothing is changed."""

from __future__ import annotations

from tools.pipeline.context import Examined
from tools.rules.azure import rights
from tools.values.snapshot import SubscriptionSnapshot


def examine(seen: SubscriptionSnapshot) -> Examined:
    if not seen.permissions:
        return Examined("azure, rights", False, "What this login may do could not be seen.", "Grant it the right to look: the role Reader.")
    lacking = rights.missing(rights.modules(), seen)
    if not lacking:
        return Examined("azure, rights", True, f"it may do all that {len(rights.modules())} modules need")
    role = rights.role_definition(rights.modules(), seen)
    remedy = f"{rights.grant(lacking, seen)}\nA role that may do just that, for `az role definition create --role-definition`:\n{role}"
    return Examined("azure, rights", False, f"it lacks {rights.spell(lacking)}", remedy)
