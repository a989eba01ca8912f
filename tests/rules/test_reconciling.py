"""What a platform's log says was changed, against the runs that were approved."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tools.rules.plans.reconciling import carried, unapproved
from tools.rules.words import telling
from tools.rules.words.rendering import draw
from tools.values.act import Act, Carried, Reconciled

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
OURS, ROOT = "berth@pve!apply", "root@pam"


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def run(run_id: str, *things: str, begun: float = 0, ended: float | None = 10, removed: bool = False) -> Carried:
    span = (at(begun), None if ended is None else at(ended))
    return Carried(run_id=run_id, things=frozenset(things), uses=frozenset({"9000"}), spans=(span,), removed=removed)


def act(minutes: float, by: str, thing: str, ours: bool | None = False) -> Act:
    return Act(platform="proxmox", at=at(minutes), by=by, is_ours=ours, what="qmstart", thing=thing, where=f"VM {thing}", outcome="OK")


MADE = run("run-1", "110", "111")
GONE = run("run-2", "120", removed=True)
GOING = run("run-3", "130", begun=60, ended=None)
CLOUD = run("run-4", "sub/rg-ml")
RUNS = (MADE, GONE, GOING, CLOUD)


@pytest.mark.parametrize(
    ("one", "why"),
    [
        (act(5, OURS, "110", True), ""),
        (act(5, OURS, "9000", True), ""),
        (act(5, OURS, "", True), ""),
        (act(-1, OURS, "110", True), ""),
        (act(11, OURS, "110", True), ""),
        (act(500, OURS, "130", True), ""),
        (act(30, OURS, "110", True), "run-1 outside"),
        (act(30, OURS, "", True), " outside"),
        (act(30, OURS, "9000", True), " outside"),
        (act(70, OURS, "110", True), "run-1 unnamed"),
        (act(5, OURS, "777", True), " unnamed"),
        (act(5, ROOT, "110"), "run-1 others"),
        (act(900, ROOT, "111"), "run-1 others"),
        (act(5, ROOT, "777"), ""),
        (act(5, ROOT, "9000"), ""),
        (act(-30, ROOT, "110"), ""),
        (act(30, ROOT, "120"), ""),
        (act(5, ROOT, "120"), "run-2 others"),
        (act(5, "somebody", "sub/rg-ml", None), ""),
        (act(50, "somebody", "sub/rg-ml", None), "run-4 others"),
        (act(50, "somebody", "sub/mc_rg-ml_aks_eastus"), "run-4 others"),
        (act(50, "somebody", "sub/rg-ml2"), ""),
        (act(50, "somebody", "other/rg-ml"), ""),
    ],
)
def test_what_no_approved_run_explains(one: Act, why: str) -> None:
    assert [f"{found.run_id} {found.why}" for found in unapproved([one], RUNS)] == ([why] if why else [])


def test_a_tenant_is_told_of_its_own_things_alone() -> None:
    acts = [act(30, OURS, "110", True), act(30, OURS, "777", True), act(30, ROOT, "111")]
    assert [found.act.thing for found in unapproved(acts, [MADE], whole=False)] == ["110", "111"]


def test_a_run_is_carried_out_from_its_beginning_to_its_end_and_again_when_it_is_retried() -> None:
    records = [
        {"at": at(minutes).isoformat(), "action": action}
        for minutes, action in ((0, "begun"), (1, "applied"), (2, "ended"), (5, "retried"), (6, "ended"), (9, "begun"))
    ]
    assert carried("run-1", (), records, False).spans == ((at(0), at(2)), (at(5), at(6)), (at(9), None))


def test_what_was_changed_is_told_as_data() -> None:
    hostile = act(30, "![x](http://evil.example)", "110").model_copy(update={"where": "VM 110 | **Approved**"})
    found = Reconciled(since=NOON, looked_at=1, found=unapproved([hostile], RUNS), unread=("pve2 is silent.",))
    drawn = draw(telling.reconciled(found))
    assert "run-1" in drawn and "Not seen: pve2 is silent." in drawn
    assert "![x]" not in drawn and "**Approved**" not in drawn
    assert "none touched" in draw(telling.reconciled(Reconciled(since=NOON, looked_at=7, found=())))
