"""What each role may do where people are authenticated. Approvals have rules of their own (tools.rules.plans.approving).

A viewer looks, a requester asks for things and plans them, an operator handles runs, an admin may do all of it. Any other role is one that
a policy names: who holds it approves as it, and looks.
"""

from __future__ import annotations

from collections.abc import Iterable

from tools.values import effects
from tools.values.effects import Effect, Work
from tools.values.person import Person
from tools.values.snapshot import ClusterSnapshot, Snapshot
from tools.values.tenant import Tenant, Tenants
from tools.values.trouble import RequestProblem
from tools.values.value import sha256

NOT_SHOWN = "not shown"
"""In the place of the name of a machine, or of who has an address, that is not this tenant's. No machine can be called so."""
GROUP = "group:"
VIEWER, REQUESTER, OPERATOR, ADMIN = "viewer", "requester", "operator", "admin"
_ASKS = (effects.Understand, effects.Hear, effects.Take, effects.Resume, Work)
_HANDLES = (effects.Cancel, effects.Retry, effects.Leave, effects.PlanRemoval, effects.PlanWayBack)
CARRIED_OUT = (effects.Approve, effects.Start, effects.Retry, effects.Leave)
"""What changes something outside, or lets it be changed."""


def tenant_of(name: str, groups: Iterable[str], tenants: Tenants, chosen: str = "") -> Tenant | None:
    """Whose this person is, by name or group; None where there are no tenants. `chosen`: by somebody who may be in several. Raises
    RequestProblem where that is none of theirs, and for somebody in several who has chosen none: what they ask for would belong to
    either."""
    if not tenants.named:
        return None
    known = {f"{GROUP}{group}" for group in groups} | ({name.casefold()} if not name.startswith(GROUP) else set())
    found = [one for one in tenants.named if known.intersection(m if m.startswith(GROUP) else m.casefold() for m in one.members)]
    own = [one for one in found if one.name == chosen] if chosen else found
    if len(own) > 1:
        raise RequestProblem(
            "You are in more than one tenant.",
            f"{name} is in {' and '.join(one.name for one in own)}, and what you ask for belongs to one.",
            f"Choose one: open /tenant/{own[0].name} in the browser; a program sends the header X-Berth-Tenant: {own[0].name}; a command "
            f"takes --tenant {own[0].name}.",
        )
    if chosen and not own:
        raise RequestProblem(
            "That is not your tenant.",
            f"{name} is in no tenant called {chosen}.",
            "Choose one of yours: open /tenant/NAME in the browser, or /tenant/ for none in particular; name it to a program or command.",
        )
    return own[0] if own else tenants.called("")


def visible(seen: Snapshot, tenant: Tenant | None) -> Snapshot:
    """As this tenant sees it. What others have on the cluster takes room, ids and names, and nothing else of it is told."""
    if tenant is None or not isinstance(seen, ClusterSnapshot):
        return seen
    others = {guest.vm_id: guest for guest in seen.guests if not tenant.sees_pool(guest.pool)}
    guests = tuple(
        guest.model_copy(update={"name": NOT_SHOWN, "tags": (), "pool": ""}) if guest.vm_id in others else guest for guest in seen.guests
    )
    own = {guest.vm_id for guest in seen.guests} - others.keys()
    registered = tuple(one if one.vm_id in own else one.model_copy(update={"who": NOT_SHOWN}) for one in seen.registered)
    hidden = tuple(sorted(sha256(guest.name.encode()) for guest in others.values() if guest.name and not guest.template))
    return seen.model_copy(update={"guests": guests, "registered": registered, "hidden_names": hidden})


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
