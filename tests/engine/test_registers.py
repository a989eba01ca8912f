"""A name server (ISC BIND) and a small NetBox are told of what is made and of what is gone; what is another's there is left alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.registers.name_server import SECRET, SHUT, ZONES, Bind, name_server
from tests.registers.netbox import Netbox, netbox
from tools.clients.name_server import open_updates
from tools.pipeline import carry_out, engine
from tools.pipeline.prepare import prepare_removal
from tools.pipeline.registering import FILE, register, release, reserve, withdraw
from tools.pipeline.steps import Work
from tools.pipeline.world import World
from tools.rules.machines.registering import registering
from tools.values.manifest import Part
from tools.values.names import Kind, Record
from tools.values.run import Run
from tools.values.site import Site
from tools.values.trouble import RequestProblem, Trouble

from .builders import counting, lines, manifest_of, part_named, planned, world_at
from .test_story import approve_and_start

TAKEN = "db-00 IN A 10.0.30.9\nsame-00 IN A 10.0.30.11\nalias IN CNAME ns\n"
OWNER, ANOTHER = "Berth run-a web:", "Berth run-b web:"


@pytest.fixture(scope="module")
def bind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bind]:
    with name_server(tmp_path_factory.mktemp("bind"), TAKEN) as server:
        yield server


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Bind]:
    """One that may be stopped."""
    with name_server(tmp_path) as server:
        yield server


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Netbox]:
    with netbox(tmp_path, datetime.now(UTC)) as made:
        yield made


def there(name: str, data: str, kind: Kind = "A", zone: str = "example.org") -> Record:
    return Record(zone=zone, name=name, kind=kind, data=data)


@pytest.mark.parametrize(
    "record",
    [
        there("a.example.org", "10.0.30.1"),
        there("b.example.org", "2001:db8::1", "AAAA"),
        there("1.30.0.10.in-addr.arpa", "a.example.org", "PTR", "30.0.10.in-addr.arpa"),
    ],
)
def test_a_record_is_put_once_and_taken_away_once(bind: Bind, record: Record) -> None:
    server = open_updates(bind.site)
    assert [server.put(record, OWNER), server.put(record, OWNER)] == [True, False]
    assert bind.has(record.name, record.kind) == (record.data,)
    with pytest.raises(RequestProblem, match="did not put there"):
        server.put(record, ANOTHER)
    assert server.drop(record, ANOTHER) is False
    assert [server.drop(record, OWNER), server.drop(record, OWNER)] == [True, False]
    assert bind.has(record.name, record.kind) == bind.has(record.name, "TXT") == ()


@pytest.mark.parametrize(
    ("name", "data", "shown"),
    [
        ("db-00.example.org", "10.0.30.1", "10.0.30.9"),
        ("same-00.example.org", "10.0.30.11", "10.0.30.11"),
        ("alias.example.org", "10.0.30.1", "an alias of ns.example.org"),
    ],
)
def test_what_an_administrator_made_is_neither_taken_over_nor_taken_away(bind: Bind, name: str, data: str, shown: str) -> None:
    server, before = open_updates(bind.site), bind.has(name)
    with pytest.raises(RequestProblem, match=shown):
        server.put(there(name, data), OWNER)
    assert server.drop(there(name, data), OWNER) is False
    assert bind.has(name) == before


def test_a_name_of_ours_may_lead_to_several_addresses(bind: Bind) -> None:
    server, several = open_updates(bind.site), [there("two.example.org", f"10.0.30.{n}") for n in (21, 22)]
    assert [server.put(one, OWNER) for one in (*several, *several)] == [True, True, False, False]
    assert bind.has("two.example.org") == ("10.0.30.21", "10.0.30.22")
    assert [server.drop(one, OWNER) for one in several] == [True, True] and bind.has("two.example.org", "TXT") == ()


@pytest.mark.parametrize(
    ("change", "key", "said"),
    [
        ({"zones": (SHUT,)}, None, "lets this key change nothing"),
        ({"zones": ("example.com",)}, None, "no such zone"),
        ({}, f"hmac-sha256:other:{SECRET}", "does not take the key other"),
        ({}, "hmac-sha256:berth:c29tZXRoaW5nIGVsc2U=", "does not take the key berth"),
        ({}, "a password", "is no TSIG key"),
        ({"port": 1}, None, "did not answer"),
    ],
)
def test_a_server_that_refuses_or_is_away_is_a_sentence(
    bind: Bind, tmp_path: Path, change: dict[str, object], key: str | None, said: str
) -> None:
    site = bind.site.model_copy(update=change)
    if key is not None:
        (tmp_path / "key").write_text(key)
        site = site.model_copy(update={"key": f"file:{tmp_path / 'key'}"})
    with pytest.raises(Trouble) as met:
        open_updates(site).assert_changes(site.zones[0])
    assert said in met.value.detail and met.value.remedy and SECRET not in str(met.value)


def test_what_doctor_asks_for_changes_nothing(bind: Bind) -> None:
    for zone in ZONES:
        before = bind.has(zone, "SOA")
        open_updates(bind.site).assert_changes(zone)
        assert bind.has(zone, "SOA") == before  # Its serial would count up.


def run_at(world: World, part: Part, effects: Path) -> Run:
    engine.launch(world, with_names(effects))
    run_id = approve_and_start(world, planned(world, manifest_of(part)).digest)
    list(carry_out.follow(world, run_id))
    return carry_out.run_of(world, run_id)


def with_names(effects: Path) -> tuple[object, ...]:
    own = {"reserve": (reserve, release), "register": (register, withdraw)}
    return tuple(replace(one, do=own[one.name][0], undo=own[one.name][1]) if one.name in own else one for one in counting(effects))


def at_addresses(part: Part, *last: int) -> Part:
    first = part.machines[0]
    made = (first.model_copy(update={"name": f"{part.label}-{n:02d}", "address": f"10.0.30.{one}/24"}) for n, one in enumerate(last))
    return part.model_copy(update={"machines": tuple(made)})


def part_at(site: Site, effects: Path, label: str = "web", machines: int = 1) -> Part:
    part = part_named(label, effects, machines=machines)
    fixed = tuple(one.model_copy(update={"address": f"10.0.30.{11 + n}/24"}) for n, one in enumerate(part.machines))
    (made,) = registering([part.model_copy(update={"machines": fixed})], site)
    return made


@pytest.fixture
def homes(tmp_path: Path) -> Iterator[list[World]]:
    made: list[World] = []
    yield made
    engine.close()
    for one in made:
        one.ledger.close()


def test_names_and_addresses_come_with_a_run_and_go_with_its_removal(
    own: Bind, book: Netbox, tmp_path: Path, effects: Path, homes: list[World]
) -> None:
    world = world_at(tmp_path / "home", site=Site(names=own.site, ipam=book.site()))
    homes.append(world)
    run = run_at(world, part_at(world.site, effects, machines=2), effects)
    assert run.status == "done"
    mark = f"Berth {run.id} web: VM"
    assert book.known() == {
        "10.0.30.11/24": f"{mark} 20000 (web-00)|web-00.example.org",
        "10.0.30.12/24": f"{mark} 20001 (web-01)|web-01.example.org",
    }
    assert own.has("web-01.example.org") == ("10.0.30.12",) and own.has("12.30.0.10.in-addr.arpa", "PTR") == ("web-01.example.org",)
    assert run.receipt is not None
    assert "NetBox has 10.0.30.11, 10.0.30.12 as web's." in run.receipt.parts[0].verified
    assert "web-01.example.org leads to 10.0.30.12, and 10.0.30.12 leads back." in run.receipt.parts[0].verified

    removal = prepare_removal(world, "talk", run.id, "ops")
    own.stop()
    approve_and_start(world, removal.digest)
    list(carry_out.follow(world, run.id))
    stopped = carry_out.run_of(world, run.id)
    assert stopped.status == "stopped" and "removed web-00" not in lines(effects)
    assert "did not answer" in stopped.steps[0].summary and "say retry" in stopped.steps[0].remedy
    assert len(book.known()) == 2, "the machines stand, and have their addresses"

    own.start()
    carry_out.retry(world, run.id)
    list(carry_out.follow(world, run.id))
    assert carry_out.run_of(world, run.id).status == "removed"
    assert book.known() == {}
    assert own.has("web-00.example.org") == own.has("web-01.example.org") == own.has("12.30.0.10.in-addr.arpa", "PTR") == ()


@pytest.mark.parametrize(("label", "stands"), [("db", "10.0.30.9"), ("same", "10.0.30.11")])
def test_a_name_that_is_another_s_stops_a_run_before_anything_is_made(
    bind: Bind, tmp_path: Path, effects: Path, homes: list[World], label: str, stands: str
) -> None:
    world = world_at(tmp_path / "home", site=Site(names=bind.site))
    homes.append(world)
    run = run_at(world, part_at(world.site, effects, label), effects)
    assert run.status == "stopped" and not any("made" in line for line in lines(effects))
    assert next(step for step in run.steps if step.status == "failed").name == "reserve"
    assert bind.has(f"{label}-00.example.org") == (stands,)


def test_an_address_that_is_another_s_stops_a_run_before_anything_is_made_and_none_stays_registered(
    book: Netbox, tmp_path: Path, effects: Path, homes: list[World]
) -> None:
    world = world_at(tmp_path / "home", site=Site(ipam=book.site()))
    homes.append(world)
    part = part_at(world.site, effects, machines=3)
    book.has("10.0.30.13/24", description="a printer")
    run = run_at(world, part, effects)
    failed = next(step for step in run.steps if step.status == "failed")
    assert failed.name == "reserve" and "10.0.30.13 is taken by NetBox (a printer)" in failed.summary
    assert not any("made" in line for line in lines(effects))
    assert book.known() == {"10.0.30.13/24": "a printer|"}

    book.rows.clear()
    carry_out.retry(world, run.id)
    list(carry_out.follow(world, run.id))
    assert carry_out.run_of(world, run.id).status == "done" and len(book.known()) == 3


def test_what_a_change_takes_away_goes_from_both_and_what_stays_is_left_alone(
    bind: Bind, book: Netbox, tmp_path: Path, effects: Path, homes: list[World]
) -> None:
    world = world_at(tmp_path / "home", site=Site(names=bind.site, ipam=book.site()))
    homes.append(world)
    run = run_at(world, part_at(world.site, effects, "app", machines=2), effects)
    assert bind.has("app-01.example.org") == ("10.0.30.12",), run
    kept, lease = world.ledger.plans.kept(run.plan_digest), world.ledger.leases.take("a change")
    assert lease is not None
    fewer = part_at(world.site, effects, "app", machines=1)
    said: list[str] = []
    more = {"results": world.ledger.runs.results(run.id, "app"), "resumed": False, "cancelled": lambda: False, "look_again": reserve}
    work = Work(world, run.id, kept, fewer, "register", lease, tell=lambda text, key: said.append(text), **more)  # type: ignore[arg-type]
    book.has("10.0.30.13/24", description="a printer")
    with pytest.raises(RequestProblem, match=r"10\.0\.30\.13 is taken"):
        reserve(replace(work, part=at_addresses(fewer, 11, 14, 13)))
    assert list(book.known()) == ["10.0.30.11/24", "10.0.30.12/24", "10.0.30.13/24"], "machines that stand keep theirs"
    said.clear()
    for again in (False, True):
        reserve(work)
        assert register(work)["registered"] == [
            "app-00.example.org leads to 10.0.30.11, and 10.0.30.11 leads back.",
            "NetBox has 10.0.30.11 as app's.",
        ]
        assert bind.has("app-01.example.org") == bind.has("12.30.0.10.in-addr.arpa", "PTR") == (), again
        assert bind.has("app-00.example.org") == ("10.0.30.11",) and list(book.known()) == ["10.0.30.11/24", "10.0.30.13/24"]
    assert len([one for one in said if "10.0.30.12" in one or "app-01" in one]) == 3, said

    written = json.dumps([one.model_dump() for one in (there("db-00.example.org", "10.0.30.9"), there("app-00.example.org", "10.0.30.11"))])
    (work.part_folder / FILE).write_text(written)
    withdraw(work)
    assert bind.has("app-00.example.org") == () and bind.has("db-00.example.org") == ("10.0.30.9",), "whatever stands in the run's folder"
    assert "db-00.example.org leads to 10.0.30.9" in said[-2] and "it is left there" in said[-2]


def test_whoever_takes_the_name_server_out_of_the_site_file_goes_on_without(
    bind: Bind, tmp_path: Path, effects: Path, homes: list[World]
) -> None:
    away = bind.site.model_copy(update={"port": 1})
    world = world_at(tmp_path / "home", site=Site(names=away))
    homes.append(world)
    run = run_at(world, part_at(world.site, effects), effects)
    failed = next(step for step in run.steps if step.status == "failed")
    assert failed.name == "reserve" and "take `names` out of the site file, start Berth again and say retry" in failed.remedy
    engine.close()

    again = replace(world, site=Site())
    engine.launch(again, with_names(effects))
    carry_out.retry(again, run.id)
    list(carry_out.follow(again, run.id))
    done = carry_out.run_of(again, run.id)
    assert done.status == "done" and done.receipt is not None
    assert [line for line in done.receipt.parts[0].not_verified if "names no name server any more" in line]
