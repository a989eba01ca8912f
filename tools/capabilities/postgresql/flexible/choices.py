"""Offers sizes that carry the connections, with and without a standby in another zone; composes the picked one; says what changes in
place."""

from __future__ import annotations

from collections.abc import Iterator

from tools.rules.azure import changes, placing
from tools.rules.azure.placing import for_operator
from tools.rules.names import regions as azure_regions
from tools.rules.request.choosing import candidate_of
from tools.rules.sizing import sizing
from tools.rules.sizing.sizing import PostgresqlSize
from tools.values.manifest import Part, Resource
from tools.values.offer import Candidate, Exclusion, PartOffer, Pick, Sum
from tools.values.requirements import Needs
from tools.values.situation import Situation

MODULE = "postgresql_flexible"
KINDS = ("postgresql", "network", "nsg", "logs", "action_group")
TIERS = {"burstable": "Burstable", "general purpose": "GeneralPurpose", "memory optimised": "MemoryOptimized"}
SIZES_MAX = 2
STANDBY, ALONE = "ZoneRedundant", "Disabled"
SUBNET_PREFIX = 28
"""The smallest that a flexible server takes; learn.microsoft.com azure/postgresql concepts-networking-private, 2026-11-29."""
SETTINGS = {"connection_throttle.enable": "on", "log_connections": "on", "log_disconnections": "on"}
"""Who came and went is in the logs, and who guesses passwords is slowed; everything else Azure sets by the size."""
THROTTLED = "its processors are throttled when its credits are used up, and Microsoft does not recommend it for production"
"""learn.microsoft.com azure/postgresql concepts-compute, 2026-01-13."""


def offer(needs: Needs, situation: Situation) -> PartOffer:
    seen = situation.subscription
    if no := placing.no_region(needs, seen):
        return no
    region, production = needs.text("region"), placing.must_survive(needs)
    fitting = [size for size in sizing.postgresql_sizes() if _carries(size, needs)]
    shut = [Exclusion(subject=s.sku, reason=THROTTLED) for s in fitting if production and s.series == "burstable"]
    sizes = [s for s in fitting if not (production and s.series == "burstable")][:SIZES_MAX]
    if not azure_regions.has_zones(region):
        shut.append(Exclusion(subject="a standby in another zone", reason=f"{region} has no availability zones"))
    found = [_candidate(size, mode, rank, needs) for rank, size in enumerate(sizes) for mode in _modes(size, region)]
    largest = sizing.postgresql_sizes()[-1]
    told = f"{largest.cpu_count} cores and {largest.memory_mib // 1024} GB"
    return PartOffer(
        label=needs.label,
        candidates=tuple(sorted(found, key=lambda c: (-c.score, c.id))),
        exclusions=tuple(shut),
        summary=f"{seen.subscription_name or 'The subscription'}, {azure_regions.display(region)}.",
        counter_offer="" if found else f"It would fit with at most {told}, the largest size that Berth has figures of.",
    )


def _carries(size: PostgresqlSize, needs: Needs) -> bool:
    return (
        size.connections_user_max >= needs.whole("concurrent_users")
        and size.cpu_count >= needs.whole("cpu_count")
        and size.memory_mib >= needs.whole("memory_mib")
    )


def _modes(size: PostgresqlSize, region: str) -> Iterator[str]:
    yield ALONE
    if size.series != "burstable" and azure_regions.has_zones(region):
        yield STANDBY


def _candidate(size: PostgresqlSize, mode: str, rank: int, needs: Needs) -> Candidate:
    """A standby for production and where high availability is asked for, none elsewhere: it costs the server a second time."""
    users, production = needs.whole("concurrent_users"), placing.must_survive(needs)
    room = Sum(
        subject=f"connections of {size.sku}",
        unit="connections",
        terms=(("asked for", users),),
        total=users,
        limit=size.connections_user_max,
    )
    standby = "A standby in another zone takes over when this one fails, and costs the server a second time."
    return Candidate(
        id=f"{size.sku.lower()}/{'zone-redundant' if mode == STANDBY else 'single'}",
        title=f"{size.sku}{', with a standby in another zone' if mode == STANDBY else ''}",
        score=round(0.9 - 0.2 * rank - (0.1 if (mode == STANDBY) != production else 0), 2),
        reasons=(
            f"{'The smallest size' if not rank else 'The next larger size'} that carries {users:,} connections: {size.cpu_count} vCPU, "
            f"{size.memory_mib // 1024} GiB, up to {size.connections_user_max:,} ({size.source.title}, {size.source.date}).",
            standby if mode == STANDBY else "Without a standby: Azure makes it anew when its machine fails.",
        ),
        binding=room.subject,
        sums=(room,),
        choice=(("size", size.sku), ("standby", mode)),
    )


def compose(needs: Needs, offer: PartOffer, pick: Pick, situation: Situation) -> Part:
    candidate = candidate_of(offer, pick)
    choice = dict(candidate.choice)
    size = next(one for one in sizing.postgresql_sizes() if one.sku == choice["size"])
    names = placing.names_of(needs, situation, *KINDS)
    called = dict(names)
    group, server, database = called["resource_group"], called["postgresql"], needs.text("database_name")
    az = ("az", "postgres", "flexible-server")
    on_server = ("--resource-group", group, "--name", server)
    admin = needs.text("administrators")
    return placing.part_of(
        needs,
        candidate,
        pick,
        situation,
        module=MODULE,
        names=names,
        resources=_resources(needs, called, size, str(choice["standby"])),
        variables={
            "address_space": placing.address_space(needs, situation, group, SUBNET_PREFIX),
            "sku": {"name": f"Standard_{size.sku}", "tier": TIERS[size.series]},
            "storage_gib": needs.whole("storage_gib"),
            "engine_version": needs.text("version"),
            "standby": choice["standby"],
            "databases": [database],
            "settings": SETTINGS,
            "administrators": admin,
            "backup_days": needs.whole("backup_days"),
            "alert_email": needs.text("alert_email"),
            "hub_id": placing.joined(needs, situation.site)["hub_id"],
        },
        commands=(
            for_operator("See the server and its state", *az, "show", *on_server),
            for_operator("List its databases", *az, "db", "list", "--resource-group", group, "--server-name", server),
            for_operator(
                "See its settings that are not Azure's own",
                *az,
                "parameter",
                "list",
                "--resource-group",
                group,
                "--server-name",
                server,
                "--query",
                "[?source=='user-override'].[name, value]",
                "--output",
                "table",
            ),
        ),
        facts=(("database", database), ("administrators", admin), ("server", server), ("group", group)),
        savings=("Without a standby the server is paid for once instead of twice.",) if choice["standby"] == STANDBY else (),
    )


def _resources(needs: Needs, names: dict[str, str], size: PostgresqlSize, standby: str) -> tuple[Resource, ...]:
    """Meters of what has no list price among the rows are named as not priced, and not left out."""
    made = placing.resources_in(needs, names["resource_group"])
    servers, storage, logs = (2 if standby == STANDBY else 1), needs.whole("storage_gib"), needs.whole("log_gb")

    return (
        made(names["resource_group"], "resource group", "", "So that it goes together."),
        made(names["network"], "virtual network", "one subnet, delegated", "The server has no public door.", ("dns.zone", 1.0)),
        made(
            names["postgresql"],
            "PostgreSQL flexible server",
            f"{size.sku}, {storage:,} GiB{', with a standby' if servers == 2 else ''}",
            f"Version {needs.text('version')}, backups of {needs.whole('backup_days')} days; people and programs log in as themselves, "
            "and no password exists.",
            (f"postgresql.{size.sku}", 730.0 * servers),
            ("postgresql.storage", float(storage * servers)),
        ),
        made(needs.text("database_name"), "database", "", "On that server."),
        made(
            names["logs"],
            "Log Analytics workspace",
            f"{logs} GB a month",
            "Who connected, and what went wrong.",
            *placing.log_meters(logs),
            ("alert.metric", 1.0),
        ),
    )


def keep(old: Part, new: Part) -> Part:
    """With the addresses of its network as well, and joined to what it is joined to."""
    kept = changes.keep(old, new)
    network = {"address_space": old.variables["address_space"], "hub_id": old.variables.get("hub_id", "")}
    return kept.model_copy(update={"variables": {**kept.variables, **network}})


def stay(old: Part, needs: Needs, situation: Situation) -> PartOffer:
    return changes.stay(old, needs, situation, offer, lambda candidate: _reason(old, needs))


def _reason(old: Part, needs: Needs) -> str:
    if needs.whole("storage_gib") < old.variables["storage_gib"]:
        return "the storage of a server only ever grows"
    if [needs.text("database_name")] != old.variables["databases"]:
        return "a change takes no database away, and renames none"
    return ""
