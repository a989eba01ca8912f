"""Monitoring from words to a reviewed part: what its disk comes to, what only the site can say, who watches what, and what it is told."""

from __future__ import annotations

import json

import pytest
from clusters import SITE, facts, four_nodes
from machine_chain import composed, only, reviewed
from pydantic import ValidationError

from tests.hearing.facts import said as said_by
from tools.capabilities import catalogue, chain
from tools.capabilities.monitoring import sizes
from tools.pipeline.drafting import WATCHES
from tools.rules.machines.watching import as_monitor, as_watched, monitor_of, monitors_of, targets, unwatched, watch
from tools.rules.plans.picking import pick_by_rule
from tools.values.manifest import Manifest, Part
from tools.values.requirements import Needs
from tools.values.review import Severity
from tools.values.run import MachineReceipt
from tools.values.shapes import written
from tools.values.site import Monitoring
from tools.values.situation import Situation
from tools.values.watched import Monitor, Watched

PLACED = {"environment": "production", "network": "20"}
OWN = SITE.model_copy(
    update={"monitoring": Monitoring(host="prometheus.example.org", alert_webhook="env:HOOK", proxmox_token="file:/etc/berth/token")}
)


def understand(site: object = SITE, **said: str) -> Needs:
    return catalogue()["monitoring"].ON["proxmox"].understand(facts(**(PLACED | said)), site)  # type: ignore[arg-type]


SENTENCES = [
    ("monitoring for production on network 20", ["monitoring"], {"retention": 15, "watched": 50}),
    ("a Prometheus server that keeps 90 days, production, on network 20", ["monitoring"], {"retention": 90}),
    ("Prometheus and Grafana for the cluster, production, network 20", ["monitoring"], {"retention": 15}),
    ("set up prometheus for 200 targets, network 20, staging", ["monitoring"], {"watched": 200}),
    ("monitoring with 90 days retention and 500 GB disk, production, network 20", ["monitoring"], {"retention": 90, "disk_gib": 500}),
    ("a web server, production, network 20, and monitoring for all of it", ["web_server", "monitoring"], {}),
    ("a web server with monitoring, production, network 20", ["web_server"], {}),
]


@pytest.mark.parametrize(("sentence", "services", "expected"), SENTENCES, ids=[s[0][:40] for s in SENTENCES])
def test_a_sentence_becomes_complete_needs(sentence: str, services: list[str], expected: dict[str, object]) -> None:
    requirements = chain.understand(said_by(sentence), SITE, "operator")
    assert [part.capability for part in requirements.parts] == services
    assert requirements.complete, [(part.missing, part.problems) for part in requirements.parts]
    assert {name: requirements.parts[-1].field(name).value for name in expected} == expected  # type: ignore[union-attr]


def test_the_disk_follows_prometheus_formula() -> None:
    # By hand: (50 × 800 + 750) / 15 = 2,716.7 a second, 15 days of 2 bytes = 6.56 GiB, in 80 % of it 8.2, and 8 for the system.
    assert (round(sizes.samples_per_second(50), 1), sizes.disk_gib(50, 15)) == (2716.7, 17)
    assert sizes.disk_gib(50, 90) == 58
    disk = understand(retention="90").field("disk_gib")
    assert disk is not None and disk.source is not None and disk.low is not None and disk.high is not None
    assert disk.low < disk.value == 58 < disk.high  # type: ignore[operator]
    assert disk.source.title.startswith("prometheus/docs storage.md")


def test_what_prometheus_may_fill_fits_the_disk_and_a_disk_that_is_too_small_is_told() -> None:
    part = only(composed("monitoring", PLACED))
    assert part.configure is not None
    assert part.configure.variables["monitoring_data_max_mib"] == int((part.machines[0].disk_gib - 8) * 0.8 * 1024)
    assert reviewed(composed("monitoring", PLACED)).clean
    [finding] = [
        f for f in reviewed(composed("monitoring", PLACED | {"retention": "90", "disk": "20 GB"})).findings if f.check == "size.disk"
    ]
    assert finding.severity is Severity.WARNING
    assert understand(disk="10 GB").problems


def test_only_the_site_can_say_where_alerts_go_and_how_the_cluster_is_looked_at() -> None:
    assert len(understand().not_included) == 2 and len(understand(grafana="yes").not_included) == 3
    needs = understand(OWN)
    assert (needs.not_included, needs.text("alert_webhook"), needs.text("proxmox_token")) == ((), "env:HOOK", "file:/etc/berth/token")


@pytest.mark.parametrize(
    "wrong", [{"proxmox_token": "root@pam!x=secret"}, {"alert_webhook": "alerts"}, {"host": "a b"}, {"targets": "/etc/$(id)"}]
)
def test_a_site_file_holds_no_secret_and_no_nonsense(wrong: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        Monitoring.model_validate(wrong)


def manifest(sentence: str, **seen: object) -> Manifest:
    situation = Situation({"proxmox": four_nodes()}, SITE, **seen)  # type: ignore[arg-type]
    requirements = chain.understand(said_by(sentence), SITE, "operator")
    offer = chain.offer(requirements, situation)
    proposal = pick_by_rule(offer)
    assert proposal is not None
    return chain.compose(requirements, offer, proposal, situation)


def test_who_watches_whom() -> None:
    both = manifest("a web server and a postgres for 50 users, production, network 20, and monitoring for all of it")
    assert [(part.label, part.watches, part.watched_by) for part in both.parts] == [
        ("web_server", False, ("monitor-01",)),
        ("postgresql", False, ("monitor-01",)),
        ("monitoring", True, ()),
    ]
    assert WATCHES in written(both), "as the ledger looks for it"
    alone = manifest("a web server, production, network 20")
    assert alone.parts[0].watched_by == () and WATCHES not in written(alone)
    [watched] = manifest("a web server, production, network 20", monitors=(Monitor(names=("m-01", "m-02")),)).parts
    assert watched.watched_by == ("m-01", "m-02")


def test_the_nearest_monitoring_watches() -> None:
    part = only(manifest("a web server, staging, network 20"))
    own = Monitor(names=("own",))
    there = [
        Monitor(names=("b",), environment="production", run_id="run-b"),
        Monitor(names=("site",)),
        Monitor(names=("a",), environment="staging", run_id="run-a"),
    ]
    assert monitor_of(part, (own,), there) == own
    assert monitor_of(part, (), there) == there[2]
    assert monitor_of(part, (), there[:2]) == there[1]
    assert monitor_of(part, (), there[:1]) == there[0]
    assert monitor_of(part, (), ()) is None


def test_a_monitoring_takes_over_what_nobody_watches_any_more() -> None:
    web = only(manifest("a web server, production, network 20"))
    monitor = only(manifest("monitoring for production on network 20"))
    lost = web.model_copy(update={"label": "lost", "watched_by": ("gone-01",)})
    known = web.model_copy(update={"label": "known", "watched_by": ("monitor-01",)})
    taken = web.model_copy(update={"label": "taken"})
    monitor = monitor.model_copy(update={"takes_over": (("run-b-taken.json", "web-01"),)})
    standing = [("run-a", web), ("run-a", lost), ("run-a", known), ("run-b", taken), ("run-c", monitor)]
    monitors = monitors_of(standing, OWN)
    assert [one.names for one in monitors] == [("monitor-01",), ("prometheus.example.org",)]
    found = unwatched(standing, monitors)
    assert [one.listed for one in found] == ["run-a-web_server.json", "run-a-lost.json"]
    [second] = watch([monitor], monitors, found)
    assert second.takes_over == (("run-a-web_server.json", "web-01"), ("run-a-lost.json", "web-01")) and second.watched_by == ()
    assert as_monitor("run-c", monitor).run_id == "run-c" and as_watched("run-a", web) == Watched(
        run_id="run-a", label="web_server", names=("web-01",)
    )


def test_a_list_of_targets_has_every_port_that_gives_figures() -> None:
    part: Part = only(manifest("a postgres for 50 users, production, network 20"))
    machines = [MachineReceipt(name="db-01", address="10.20.0.5"), MachineReceipt(name="db-02", address="fd00::5")]
    found = json.loads(targets("run-a", part, machines))
    assert [(one["labels"]["job"], one["labels"]["instance"], *one["targets"]) for one in found] == [
        ("node", "db-01", "10.20.0.5:9100"),
        ("postgresql", "db-01", "10.20.0.5:9187"),
        ("node", "db-02", "[fd00::5]:9100"),
        ("postgresql", "db-02", "[fd00::5]:9187"),
    ]
    assert {(one["labels"]["run"], one["labels"]["part"], one["labels"]["environment"]) for one in found} == {
        ("run-a", "postgresql", "production")
    }
