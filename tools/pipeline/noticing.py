"""Tells people who are not in the conversation that a plan waits for them, or that a run has ended. Off, unless BERTH_NOTICES, or
the tenant whose it is, names receivers.

It is done beside everything else. A receiver that is away stops nothing; what was sent, and what was not, stands in the audit.
"""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor

from tools.clients.notices import send
from tools.clients.references import Secret
from tools.pipeline.world import World
from tools.rules.plans.approving import waits_for
from tools.rules.words import telling
from tools.rules.words.rendering import draw
from tools.values.effects import Tell
from tools.values.person import Person
from tools.values.plan import Plan
from tools.values.trouble import Trouble

log = logging.getLogger("berth.notices")
_BESIDE = ThreadPoolExecutor(1, thread_name_prefix="berth-notices")


def plan_waits(world: World, plan: Plan, person: Person) -> None:
    """Tells of a plan that somebody else than who asked for it has to approve."""
    if roles := waits_for(plan, person.name, person.roles):
        tenant = person.tenant.name if person.tenant else ""
        _tell(world, tenant, "a plan waits for you", telling.notice_waits(plan, roles), run_id=plan.run_id, plan=plan.digest)


def run_ended(world: World, run_id: str) -> None:
    try:
        row, run = world.ledger.runs.row(run_id), world.ledger.runs.get(run_id)
    except Trouble as trouble:
        log.warning("No notice that %s has ended: %s", run_id, trouble)
        return
    what = "a run has stopped" if run.status == "stopped" else f"a run is {run.status}"
    _tell(world, row.tenant, what, telling.notice_ended(run, row.requester), run_id=run_id, plan=run.plan_digest)


def _receivers(world: World, tenant: str) -> Secret:
    """The tenant's own where it names some, and then nobody else; otherwise the site's. Raises RequestProblem for a roles file that cannot
    be read: what is one tenant's is told to no other."""
    named = world.tenants().called(tenant) if tenant else None
    return Secret(named.notices) if named and named.notices else world.settings.notices


def _tell(world: World, tenant: str, what: str, tell: Tell, **about: str) -> None:
    if world.settings.notices or tenant:
        try:
            _BESIDE.submit(_send, world, tenant, what, draw(tell), about)
        except RuntimeError:
            log.warning("No notice that %s: this process is ending.", what)


def _send(world: World, tenant: str, what: str, body: str, about: dict[str, str]) -> None:
    try:
        receivers = _receivers(world, tenant)
        if not receivers:
            return
        refused = list(send(receivers.get_secret_value(), f"Berth: {what}", body))
        why = "the receiver did not take it" if refused else ""
    except Trouble as trouble:
        refused, why = ["all"], f"{trouble.summary} {trouble.detail}"
    except Exception as error:  # Nobody waits for what is done beside, so nothing else would tell of it.
        refused, why = ["all"], f"Berth made a mistake ({type(error).__name__})."
    try:
        world.ledger.whole.audit.record(world.now(), "not told" if refused else "told", what=what, receivers=refused, why=why, **about)
    except Exception as error:
        log.warning("That %s could not be recorded: %s", what, error if isinstance(error, Trouble) else type(error).__name__)
    if refused:
        log.warning("Not told that %s: %s (%s).", what, ", ".join(refused), why)
