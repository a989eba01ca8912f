"""The ledger keeps what it is told, once, in order, and says when it was tampered with. One table of backends: SQLite and PostgreSQL."""

from __future__ import annotations

import sqlite3
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tools.ledger.database import TABLES, Database, approval_uses, audit, drafts, leases, runs
from tools.ledger.leases import LeaseLost, Leases
from tools.ledger.ledger import Ledger
from tools.values.plan import Estimate
from tools.values.run import StepRecord
from tools.values.site import Held, Reserved
from tools.values.snapshot import ClusterSnapshot, Node
from tools.values.trouble import RequestProblem, WorldProblem

from .builders import NOON, Clock, add, approval, open_ledger, plan


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Iterator[Ledger]:
    url = request.getfixturevalue("postgresql_url") if request.param == "postgresql" else ""
    opened = open_ledger(tmp_path / "home", clock, url)
    yield opened
    opened.close()


def test_drafts_are_kept_by_conversation(ledger: Ledger) -> None:
    assert ledger.get("a") == {}
    ledger.put("a", {"phase": "asking", "heard": {"asks": []}})
    ledger.put("a", {"phase": "drafting"})
    ledger.put("b", {"phase": "listening"})
    assert ledger.get("a") == {"phase": "drafting"}


def test_a_plan_is_found_by_its_first_digits(ledger: Ledger) -> None:
    one = add(ledger, plan())
    assert ledger.plans.find(one.digest[:8]).plan == one
    for wrong in ("zzzzzzzz", "%" * 8, "_" * 64, one.digest + "0", "0" * 8):
        with pytest.raises(RequestProblem):
            ledger.plans.find(wrong)


def test_a_later_plan_of_the_conversation_voids_the_earlier_and_frees_its_promises(ledger: Ledger, clock: Clock) -> None:
    ledger.reservations.reserve("f1", "m1", Reserved(vm_ids=frozenset({20000})), NOON, clock.pass_by(minutes=30))
    first = add(ledger, plan(), "f1", Reserved(vm_ids=frozenset({20000})))
    add(ledger, plan("run-2", made_at=clock.pass_by(minutes=1)), "f2")
    assert ledger.plans.kept(first.digest).status == "void"
    assert ledger.reservations.held(NOON).vm_ids == frozenset()
    other = add(ledger, plan("run-3", "another talk"), "f3")
    assert ledger.plans.kept(other.digest).status == "open"


def test_an_id_is_promised_once_and_free_again_when_it_expires(ledger: Ledger, clock: Clock) -> None:
    promises = ledger.reservations
    wanted = Reserved(vm_ids=frozenset({20000}), names=frozenset({"db-01"}), memory_bytes=(("pve1", 8),), cpu_count=(("pve1", 2),))
    soon = clock.pass_by(minutes=30)
    assert promises.reserve("f1", "m1", wanted, NOON, soon)
    assert promises.reserve("f1", "m1", wanted, NOON, soon), "the same family again"
    assert not promises.reserve("f2", "m2", Reserved(vm_ids=frozenset({20000})), NOON, soon)
    assert not promises.reserve("f2", "m2", Reserved(names=frozenset({"db-01"})), NOON, soon)
    assert promises.held(NOON, besides="f1") == Reserved()
    late = clock.pass_by(minutes=31)
    assert promises.held(late) == Reserved()
    assert promises.reserve("f2", "m2", wanted, late, clock.pass_by(minutes=30))


def test_a_plan_that_waits_is_in_nobodys_way_and_one_that_is_carried_out_is(ledger: Ledger, clock: Clock) -> None:
    room = Reserved(vm_ids=frozenset({20000}), names=frozenset({"db-01"}), addresses=frozenset({"10.0.20.9"}), memory_bytes=(("pve1", 8),))
    same = room.model_copy(update={"vm_ids": frozenset({20001})})
    first, second = plan(), plan("run-2", "another talk")
    soon = clock.pass_by(minutes=30)
    assert ledger.reservations.reserve("f1", "m1", room, NOON, soon)
    waiting = ledger.reservations.held(NOON)
    assert waiting == Reserved(vm_ids=frozenset({20000}), waiting=frozenset({"db-01", "10.0.20.9"}))
    assert waiting.widest.names >= {"db-01"}
    assert not ledger.reservations.reserve("f2", "m2", same, NOON, soon), "chosen at the same moment: one of them chooses anew"
    assert ledger.reservations.reserve("f2", "m2", same, NOON, soon, waiting.waiting), "asked for by name"

    add(ledger, first, "f1", room)
    add(ledger, second, "f2", same)
    for which in (first, second):
        ledger.plans.approve(approval(which, nonce=which.run_id), NOON)
    assert ledger.runs.begin(first, (), NOON)
    assert ledger.reservations.held(NOON, besides="f2").names == {"db-01"}
    assert ledger.reservations.held(NOON, besides="f2").memory_bytes == (("pve1", 8),)
    assert ledger.runs.begin(second, (), clock.pass_by(minutes=1))
    began = [ledger.plans.used_at(which.digest) or 0.0 for which in (first, second)]
    assert ledger.reservations.held(NOON, besides="f1", before=began[0]).names == frozenset(), "it need not make way for a later one"
    assert ledger.reservations.held(NOON, besides="f2", before=began[1]).names == {"db-01"}


def test_a_refined_manifest_shares_its_parents_promises(ledger: Ledger, clock: Clock) -> None:
    promises, soon = ledger.reservations, clock.pass_by(minutes=30)
    assert promises.reserve("m1", "m1", Reserved(vm_ids=frozenset({20000})), NOON, soon)
    family = promises.family_of("m1")
    assert promises.reserve(family, "m2", Reserved(vm_ids=frozenset({20000, 20001})), NOON, soon)
    assert promises.family_of("m2") == "m1"
    add(ledger, plan(), family, Reserved(vm_ids=frozenset({20001})))
    assert not promises.reserve("x", "x", Reserved(vm_ids=frozenset({20001})), NOON, soon), "the plan's own"
    assert promises.reserve("x", "x", Reserved(vm_ids=frozenset({20000})), NOON, soon), "what the plan did not take is free"


def test_many_want_the_same_id_and_one_gets_it(ledger: Ledger, clock: Clock) -> None:
    won: list[str] = []
    soon = clock.pass_by(minutes=30)

    def want(name: str) -> None:
        if ledger.reservations.reserve(name, name, Reserved(vm_ids=frozenset({20000})), NOON, soon):
            won.append(name)

    threads = [threading.Thread(target=want, args=(f"f{number}",)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(won) == 1


def test_an_approval_is_spent_once_however_many_start(ledger: Ledger) -> None:
    one = add(ledger, plan())
    ledger.plans.approve(approval(one), NOON)
    begun: list[bool] = []

    def begin() -> None:
        begun.append(ledger.runs.begin(one, [("web", "apply")], NOON))

    threads = [threading.Thread(target=begin) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(begun) == [False] * 11 + [True]
    with ledger.database.read() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(approval_uses)).scalar() == 1


def test_a_role_approves_a_plan_once(ledger: Ledger) -> None:
    one = add(ledger, plan())
    ledger.plans.approve(approval(one), NOON)
    with pytest.raises(RequestProblem, match="has approved already"):
        ledger.plans.approve(approval(one, nonce="n2"), NOON)
    assert len(ledger.plans.approvals(one.digest)) == 1


def test_only_the_holder_of_the_lease_writes(ledger: Ledger, tmp_path: Path) -> None:
    one = add(ledger, plan())
    ledger.plans.approve(approval(one), NOON)
    ledger.runs.begin(one, [("web", "apply")], NOON)
    lease = ledger.leases.take("run run-1")
    assert lease is not None
    assert ledger.leases.take("run run-1") is None
    step = StepRecord(part="web", name="apply", status="running")
    ledger.runs.put_step(lease, "run-1", 0, step)
    ledger.leases.release(lease)
    following = ledger.leases.take("run run-1")
    assert following is not None
    assert following.fence > lease.fence
    with pytest.raises(LeaseLost):
        ledger.runs.put_step(lease, "run-1", 0, step.model_copy(update={"status": "done"}))
    with pytest.raises(LeaseLost):
        ledger.runs.say("run-1", NOON, "web", "apply", "a late word", lease=lease)
    assert ledger.runs.get("run-1").steps[0].status == "running"
    assert ledger.runs.lines("run-1") == []


def test_the_parts_of_one_run_hold_a_lease_together_and_the_last_one_lets_it_go(ledger: Ledger) -> None:
    turn = ledger.leases.take("target proxmox", "run-1")
    assert turn is not None
    assert ledger.leases.take("target proxmox", "run-1") is turn
    ledger.leases.release(turn)
    assert ledger.leases.take("target proxmox", "run-2") is None
    assert ledger.leases.take("target proxmox") is None
    ledger.leases.release(turn)
    following = ledger.leases.take("target proxmox", "run-2")
    assert following is not None and following.fence > turn.fence


class FailsOnce:
    """A database that is away for one write."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.away = True

    @contextmanager
    def write(self) -> Iterator[Connection]:
        if self.away:
            self.away = False
            raise WorldProblem("The ledger is away.", "It does not answer.", "Try again.", retryable=True)
        with self.database.write() as connection:
            yield connection


def test_a_database_that_is_away_leaves_no_lock_behind(ledger: Ledger, tmp_path: Path, clock: Clock) -> None:
    database = FailsOnce(ledger.database)
    shaky = Leases(database, tmp_path / "home", "shaky", clock)  # type: ignore[arg-type]
    with pytest.raises(WorldProblem):
        shaky.take("run run-1")
    lease = shaky.take("run run-1")
    assert lease is not None
    database.away = True
    with pytest.raises(WorldProblem):
        shaky.release(lease)
    assert ledger.leases.take("run run-1") is not None, "who is told that it is released may take it"


def test_a_run_under_way_is_not_taken_over_by_another_plan(ledger: Ledger) -> None:
    one = add(ledger, plan())
    ledger.plans.approve(approval(one), NOON)
    assert ledger.runs.begin(one, [("web", "apply")], NOON)
    removal = add(ledger, plan(conversation="another", kind="remove"), "f2")
    ledger.plans.approve(approval(removal, nonce="n2"), NOON)
    with pytest.raises(RequestProblem, match="under way"):
        ledger.runs.begin(removal, [("web", "remove")], NOON)
    assert ledger.runs.row("run-1").plan_digest == one.digest
    assert [step.name for step in ledger.runs.get("run-1").steps] == ["apply"]
    assert ledger.runs.set_status("run-1", "done", "running", NOON)
    assert ledger.runs.begin(removal, [("web", "remove")], NOON), "the approval was not spent"


def test_another_machines_lease_ends_with_its_heartbeat(ledger: Ledger, tmp_path: Path, clock: Clock) -> None:
    wrong = Clock()
    wrong.pass_by(hours=-3)  # Two machines need not agree on the time.
    elsewhere = Ledger(ledger.database.url.render_as_string(hide_password=False), tmp_path / "elsewhere", wrong, 5.0)
    assert elsewhere.leases.take("run run-1") is not None
    assert ledger.leases.take("run run-1") is None
    for seconds in (4, 4):
        clock.pass_by(seconds=seconds)
        wrong.pass_by(seconds=seconds)
        elsewhere.leases.beat()
        assert ledger.leases.take("run run-1") is None
    clock.pass_by(seconds=4.9)
    assert ledger.leases.take("run run-1") is None
    clock.pass_by(seconds=0.1)
    assert ledger.leases.take("run run-1") is not None
    elsewhere.close()


WAITING = plan()
LATER = NOON + timedelta(hours=1)
WRITES: dict[str, Callable[[Ledger], object]] = {
    "what was said": lambda ledger: ledger.put("talk", {"phase": "drafting"}),
    "a plan": lambda ledger: add(ledger, plan(run_id="run-2")),
    "a plan made void": lambda ledger: ledger.plans.void(WAITING.digest, NOON),
    "an approval": lambda ledger: ledger.plans.approve(approval(WAITING, role="vp", nonce="n2"), NOON),
    "a run begun": lambda ledger: ledger.runs.begin(WAITING, [("web", "apply")], NOON),
    "a line of a journal": lambda ledger: ledger.runs.say("run-0", NOON, "web", "apply", "a late word"),
    "a run that goes on": lambda ledger: ledger.runs.begin_anew("run-0", NOON),
    "a promise": lambda ledger: ledger.reservations.reserve("f2", "m2", Reserved(names=frozenset({"db"})), NOON, LATER),
    "a promise kept longer": lambda ledger: ledger.keep_until("family", LATER),
    "a promise let go": lambda ledger: ledger.release("family"),
    "what a run has made": lambda ledger: ledger.release_made("family", "run-0", Reserved(), LATER, Reserved()),
    "a line of the audit": lambda ledger: ledger.audit.record(NOON, "looked"),
}


def rows_of(ledger: Ledger) -> dict[str, list[tuple[object, ...]]]:
    with ledger.database.read() as connection:
        return {
            table.name: sorted(map(tuple, connection.execute(sa.select(table))), key=repr)
            for table in TABLES.sorted_tables
            if table is not leases
        }


@pytest.mark.parametrize("write", WRITES)
def test_a_machine_that_was_cut_off_writes_nothing_of_what_another_one_has_by_now(
    ledger: Ledger, tmp_path: Path, clock: Clock, write: str
) -> None:
    begun = add(ledger, plan(run_id="run-0", conversation="before"), "f0")
    ledger.plans.approve(approval(begun, nonce="n0"), NOON)
    ledger.runs.begin(begun, [("web", "apply")], NOON)
    assert ledger.reservations.reserve("family", "m1", Reserved(names=frozenset({"web"})), NOON, LATER)
    add(ledger, WAITING)
    ledger.plans.approve(approval(WAITING), NOON)
    elsewhere = Ledger(ledger.database.url.render_as_string(hide_password=False), tmp_path / "elsewhere", clock, 5.0)
    lease = ledger.leases.take("conversation talk")
    assert lease is not None and elsewhere.leases.take("conversation talk") is None
    mine, before = ledger.view(lease), rows_of(ledger)
    clock.pass_by(seconds=5)
    assert elsewhere.leases.take("conversation talk") is not None
    with pytest.raises(LeaseLost):
        WRITES[write](mine)
    assert rows_of(ledger) == before
    WRITES[write](mine.whole)
    assert rows_of(ledger) != before, "it would have been written"
    elsewhere.close()


def test_a_tenant_has_its_own_rows_and_no_others(ledger: Ledger) -> None:
    """Each question and each change, by the names of what is there."""
    acme, rival = ledger.view(tenant="acme"), ledger.view(tenant="rival")
    one = add(acme, plan())
    acme.plans.approve(approval(one), NOON)
    assert not rival.plans.void(one.digest, NOON)
    assert acme.runs.begin(one, [("web", "apply")], NOON)
    lease = acme.leases.take("run run-1")
    assert lease is not None
    acme.runs.put_step(lease, "run-1", 0, StepRecord(part="web", name="apply", status="done"), {"outputs": {}})
    acme.runs.say("run-1", NOON, "web", "apply", "a line")
    for view, sees in ((acme, True), (ledger, True), (rival, False), (ledger.view(tenant=""), False)):
        assert [row.id for row in view.runs.rows()] == ["run-1"] * sees
        assert (list(view.runs.steps_told()) != [], view.runs.lines("run-1") != [], view.runs.results("run-1", "web") != {}) == (sees,) * 3
        assert (view.runs.counts(), view.plans.counts(NOON)) == (({"running": 1}, ({"used": 1}, 0)) if sees else ({}, ({}, 0)))
        assert (len(view.plans.approvals(one.digest)), len(view.plans.used("run-1")), len(view.plans.costs(["running"]))) == (sees,) * 3
        assert (view.plans.latest("talk") is not None, view.plans.used_at(one.digest) is not None) == (sees, sees)
        assert bool(view.audit.read()) == sees
        if not sees:
            for ask in (view.runs.row, view.runs.get, view.plans.row, view.plans.kept, view.plans.find):
                with pytest.raises(RequestProblem):
                    ask("run-1" if ask in (view.runs.row, view.runs.get) else one.digest)
            before = rows_of(ledger)
            assert not view.runs.want_cancel("run-1", NOON) and not view.runs.set_status("run-1", "done", "running", NOON)
            assert view.runs.begin_again("run-1", NOON) is None
            view.runs.put_step(lease, "run-1", 0, StepRecord(part="web", name="apply", status="failed"))
            assert rows_of(ledger) == before
    second = add(rival, plan("run-2", "other"), "f2")
    rival.plans.approve(approval(second, nonce="n2"), NOON)
    assert rival.runs.begin(second, [("web", "apply")], NOON), "runs are counted together"
    assert [len(view.runs.rows()) for view in (acme, rival, ledger)] == [1, 1, 2]
    for statement in (sa.text("SELECT * FROM runs"), sa.select(sa.select(runs).subquery()), sa.union(sa.select(runs), sa.select(runs))):
        with pytest.raises(AssertionError, match="narrowed"), acme.database.read() as connection:
            connection.execute(statement)


def test_machines_that_share_a_folder_have_one_key_and_one_line_of_checkpoints(tmp_path: Path, postgresql_url: str) -> None:
    homes, shared = (tmp_path / "one", tmp_path / "two"), tmp_path / "shared"
    both = [Ledger(postgresql_url, home, lambda: NOON, shared=shared) for home in homes]
    for ledger in both:
        ledger.audit.record(NOON, "said", by=ledger.holder)
    assert both[0].key == both[1].key
    assert [ledger.verify().holds for ledger in both] == [True, True]
    assert sorted(path.name for path in shared.iterdir()) == ["checkpoints.jsonl", "checkpoints.key", "ledger.key"]
    for ledger in both:
        ledger.close()


def test_a_line_is_said_once_a_key_and_numbered(ledger: Ledger) -> None:
    for text, key in (("one", "k1"), ("one again", "k1"), ("two", ""), ("three", "")):
        ledger.runs.say("run-1", NOON, "web", "apply", text, key)
    assert [(line.number, line.text) for line in ledger.runs.lines("run-1")] == [(1, "one"), (2, "two"), (3, "three")]
    assert [line.number for line in ledger.runs.lines("run-1", after=2)] == [3]


def test_the_audit_chain_may_only_grow(ledger: Ledger) -> None:
    for number in range(5):
        ledger.audit.record(NOON, "looked", number_of=number)
    assert ledger.verify().holds
    for statement in (audit.update().values(json="{}"), audit.delete()):
        with pytest.raises(sa.exc.DatabaseError, match="append-only"), ledger.database.write() as connection:
            connection.execute(statement)
    assert ledger.verify().records == 5


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE audit SET json = replace(json, 'looked', 'locked') WHERE number = 3",
        "UPDATE audit SET hash = '0' WHERE number = 2",
        "DELETE FROM audit WHERE number = 2",
        "UPDATE audit SET number = number + 100 WHERE number = 5",
        "INSERT INTO audit SELECT 6, json, previous, hash FROM audit WHERE number = 5",
    ],
)
def test_tampering_shows(tmp_path: Path, tampering: str) -> None:
    ledger = open_ledger(tmp_path)
    for _ in range(5):
        ledger.audit.record(NOON, "looked")
    with sqlite3.connect(tmp_path / "ledger.db") as connection:
        for trigger in ("audit_no_update", "audit_no_delete"):
            connection.execute(f"DROP TRIGGER {trigger}")
        connection.execute(tampering)
    assert not ledger.verify().holds
    ledger.close()


def test_another_key_verifies_nothing(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path)
    ledger.audit.record(NOON, "looked")
    ledger.close()
    (tmp_path / "ledger.key").write_bytes(b"x" * 32)
    again = open_ledger(tmp_path)
    assert not again.verify().holds
    again.close()


def test_its_files_are_private(tmp_path: Path) -> None:
    home = tmp_path / "a" / "b"
    ledger = open_ledger(home)
    ledger.put("talk", {"phase": "asking"})
    for path in (home, home / "ledger.key", home / "ledger.db"):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
    ledger.close()


def test_two_that_open_it_first_share_one_key(tmp_path: Path) -> None:
    keys: list[bytes] = []
    threads = [threading.Thread(target=lambda: keys.append(open_ledger(tmp_path).key)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(keys) == 4
    assert len(set(keys)) == 1


def test_a_database_that_is_away_is_a_sentence_without_its_password(tmp_path: Path) -> None:
    with pytest.raises(WorldProblem) as caught:
        open_ledger(tmp_path, url="postgresql://berth:hunter2@127.0.0.1:9/berth")
    assert "hunter2" not in str(caught.value)
    assert "BERTH_DATABASE_URL" in str(caught.value)


def test_what_a_run_made_is_remembered_until_a_history_knows_it_and_is_in_nobodys_way(ledger: Ledger, clock: Clock) -> None:
    held = Held(vm_id=20000, node="pve1", storage="ceph-vm", cpu_count=8, memory_mib=1024, disk_gib=10)
    soon, tomorrow = clock.pass_by(minutes=30), clock.pass_by(minutes=24 * 60)
    wanted = Reserved(vm_ids=frozenset({20000}), names=frozenset({"db-01"}), machines=(held,))
    assert ledger.reservations.reserve("f1", "m1", wanted, NOON, soon)
    made = Reserved(machines=(held.model_copy(update={"made": True}),))
    ledger.release_made("f1", "run-1", made, tomorrow, Reserved())
    assert ledger.reservations.held(NOON) == made
    assert ledger.reservations.held(NOON, besides="f1") == made, "a change of the same run counts it too"
    assert ledger.reservations.reserve("f2", "m2", wanted, NOON, soon), "its id and name are the world's to refuse"
    ledger.release_made("f1", "run-1", Reserved(), tomorrow, Reserved())
    assert not any(one.made for one in ledger.reservations.held(NOON).machines), "it was removed"
    ledger.release_made("f1", "run-1", made, tomorrow, Reserved())
    assert ledger.reservations.held(clock.pass_by(minutes=25 * 60)) == Reserved()


def test_an_address_that_moves_between_machines_is_kept_as_long_as_they_stand(ledger: Ledger, clock: Clock) -> None:
    kept = Reserved(addresses=frozenset({"10.20.0.9"}))
    ledger.release_made("f1", "run-1", Reserved(), clock.pass_by(minutes=1), kept)
    assert ledger.reservations.held(clock.pass_by(minutes=10**6)).addresses == {"10.20.0.9"}
    assert ledger.reservations.held(NOON, besides="f1") == Reserved(), "it is its own"
    ledger.release_made("f1", "run-1", Reserved(), clock.pass_by(minutes=1), Reserved())
    assert ledger.reservations.held(NOON) == Reserved()


def test_what_a_run_kept_is_free_when_it_is_removed_whatever_family_the_removal_is_of(ledger: Ledger, clock: Clock) -> None:
    kept = Reserved(addresses=frozenset({"10.20.0.200"}))
    for family, kind in (("f1", "create"), ("remove run-1", "remove")):
        add(ledger, plan(kind=kind), family)
        ledger.release_made(family, "run-1", Reserved(), clock.pass_by(minutes=1), kept if kind == "create" else Reserved())
        assert ledger.reservations.held(clock()).addresses == (kept.addresses if kind == "create" else frozenset())


def snapshot(name: str) -> ClusterSnapshot:
    return ClusterSnapshot(endpoint="https://pve", taken_at=NOON, nodes=(Node(name=name, online=True),))


def stored(ledger: Ledger) -> dict[str, str]:
    with ledger.database.read() as connection:
        return {row.conversation: row.json for row in connection.execute(sa.select(drafts)).all()}


def test_a_snapshot_is_written_once_however_often_its_conversation_is(ledger: Ledger, clock: Clock, tmp_path: Path) -> None:
    one, two = snapshot("pve1"), snapshot("pve2")
    ledger.put("a", {"phase": "drafting", "snapshots": {"proxmox": one}})
    first = stored(ledger)
    ledger.put("a", {"phase": "awaiting approval", "snapshots": {"proxmox": one}})
    assert {name for name, text in stored(ledger).items() if text != first.get(name)} == {"a"}
    assert len(stored(ledger)["a"]) < 200
    assert ledger.get("a")["snapshots"]["proxmox"] is one
    assert ledger.conversations() == ["a"]
    other = open_ledger(tmp_path / "home", clock, ledger.database.url.render_as_string(hide_password=False))
    assert other.get("a")["snapshots"] == {"proxmox": one}, "another process reads what was written"
    other.close()
    ledger.put("a", {"phase": "drafting", "snapshots": {"proxmox": two}})
    assert len(stored(ledger)) == 2, "what nobody looks at any more is gone"
    ledger.put("a", {"phase": "listening"})
    assert set(stored(ledger)) == {"a"}


def test_what_stands_costs_what_its_plans_say(ledger: Ledger) -> None:
    for number, total in enumerate((12.5, None, 30.0), start=1):
        one = add(ledger, plan(f"run-{number}", f"talk-{number}", estimate=Estimate(currency="USD", total=total)), f"f{number}")
        ledger.plans.approve(approval(one, nonce=f"n{number}"), NOON)
        assert ledger.runs.begin(one, [("web", "apply")], NOON)
    add(ledger, plan("run-4", "talk-4", estimate=Estimate(currency="USD", total=100)), "f4")
    assert sum(one.monthly for one in ledger.plans.costs(("running", "done"))) == 42.5
    assert ledger.runs.set_status("run-3", "removed", "running", NOON)
    assert sum(one.monthly for one in ledger.plans.costs(("running", "done"))) == 12.5
    assert sum(one.monthly for one in ledger.plans.costs(("stopped",))) == 0
