"""What each role may do where people are authenticated. Approvals have rules of their own (tools.rules.plans.approving).

A viewer looks, a requester asks for things and plans them, an operator handles runs, an admin may do all of it. Any other role is one that
a policy names: who holds it approves as it, and looks.
"""

from __future__ import annotations

from tools.values import effects
from tools.values.effects import Effect, Work
from tools.values.person import Person
from tools.values.trouble import RequestProblem

VIEWER, REQUESTER, OPERATOR, ADMIN = "viewer", "requester", "operator", "admin"
_ASKS = (effects.Understand, effects.Hear, effects.Take, effects.Resume, Work)
_HANDLES = (effects.Cancel, effects.Retry, effects.Leave, effects.PlanRemoval, effects.PlanWayBack)
CARRIED_OUT = (effects.Approve, effects.Start, effects.Retry, effects.Leave)
"""What changes something outside, or lets it be changed."""


def assert_may(person: Person, effect: Effect, requester: str | None = None) -> None:
    """`requester`: of the run that it is about. Raises RequestProblem."""
    if person.only_reads and isinstance(effect, CARRIED_OUT):
        raise RequestProblem(
            "Here Berth only reads and plans.",
            f"{person.only_reads} So nothing is approved or carried out.",
            "Talk to it on its own machine, at http://127.0.0.1, or start `berth serve`, which knows who you are.",
        )
    if person.roles is None or ADMIN in person.roles:
        return
    needed = REQUESTER if isinstance(effect, _ASKS) else OPERATOR if isinstance(effect, _HANDLES) else ""
    enough = {needed, OPERATOR} if needed else set(person.roles)
    own = needed == OPERATOR and requester == person.name and REQUESTER in person.roles
    if needed and not own and not enough & set(person.roles):
        raise RequestProblem(
            "Your roles do not allow that.",
            f"It takes the role {needed}, and {person.name} holds {', '.join(person.roles) or 'none'}.",
            "Ask whoever keeps the roles file.",
        )
