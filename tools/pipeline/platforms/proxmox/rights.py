"""Looks up, with the token that will be used, whether it may do what a plan needs. What that is stands in the plan's parts."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from tools.clients.settings import Settings
from tools.clients.together import Away, together
from tools.rules.machines import rights, seeing
from tools.rules.machines.rights import Held, Rights
from tools.values.manifest import Part
from tools.values.trouble import RequestProblem, WorldProblem


def assert_rights(settings: Settings, parts: Iterable[Part]) -> None:
    """Raises RequestProblem that names every right that is lacking, and the lines that grant them."""
    needed = all_of(part.rights for part in parts)
    if not needed:
        return
    token_id, missing = look_up(settings, needed)
    if missing:
        pool = rights.pool_that_would_do(missing, needed, held(settings))
        raise RequestProblem(
            "The token may not do what this plan needs.",
            f"{token_id} lacks {rights.spelled(missing)}. Nothing was changed.",
            f"{pool}Grant it, on a node as root, and ask again:\n{rights.lines(token_id, missing, needed)}",
        )


def look_up(settings: Settings, needed: Rights) -> tuple[str, Rights]:
    """(the token that makes, what of these it lacks). Raises Away when it is refused or the cluster cannot be read."""
    from tools.clients.proxmox_acting import Acting  # Only here, so that a first prompt does not wait for proxmoxer to load.

    cluster = Acting(settings)
    answers = together({path: partial(cluster.read, "access", "permissions", path=path) for path, _ in needed})
    answered: dict[str, frozenset[str]] = {}
    for path, answer in answers.items():
        if isinstance(answer, Away):
            raise answer
        if not isinstance(answer, WorldProblem) and isinstance(answer, dict):
            found = answer.get(path)
            answered[path] = frozenset(name for name in found) if isinstance(found, dict) else frozenset()
    return cluster.token_id, rights.lacking(needed, answered)


def held(settings: Settings) -> Held:
    """What the token that makes may do, by each path that the cluster has a rule for. Empty where that cannot be read: then the look-up of
    what a plan needs says so."""
    from tools.clients.proxmox_acting import Acting

    try:
        return seeing.held(Acting(settings).read("access", "permissions"))
    except WorldProblem:
        return ()


def all_of(several: Iterable[Rights]) -> Rights:
    found: dict[str, set[str]] = {}
    for one in several:
        for path, privileges in one:
            found.setdefault(path, set()).update(privileges)
    return tuple((path, tuple(sorted(privileges))) for path, privileges in sorted(found.items()))
