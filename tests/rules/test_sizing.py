"""Sizes against the tables they come from, and against vendors' worked examples."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.data import table
from tools.rules.sizing import formulas, sizing
from tools.rules.sizing.application_formulas import Sized
from tools.rules.sizing.applications import Row, Unsized, applications, canonical, plain, published, rows, size_for, with_system

CONNECTIONS = [
    (1, "B1ms", 1, 2),
    (35, "B1ms", 1, 2),
    (36, "B2s", 2, 4),
    (100, "B2s", 2, 4),
    (414, "B2s", 2, 4),
    (415, "D2s_v3", 2, 8),
    (844, "D2s_v3", 2, 8),
    (1000, "D4s_v3", 4, 16),
    (1703, "D4s_v3", 4, 16),
    (2000, "D8s_v3", 8, 32),
    (4985, "D16s_v3", 16, 64),
]


@pytest.mark.parametrize(("connections", "sku", "cpu_count", "memory_gib"), CONNECTIONS)
def test_postgresql_takes_the_smallest_size_that_carries_the_connections(
    connections: int, sku: str, cpu_count: int, memory_gib: int
) -> None:
    size = sizing.postgresql(connections)
    assert size is not None
    assert (size.sku, size.cpu_count, size.memory_mib) == (sku, cpu_count, memory_gib * 1024)
    assert size.source.date == "2026-11-21"


def test_beyond_the_largest_published_size_there_is_none() -> None:
    assert sizing.postgresql(4986) is None


PGTUNE = [
    (2, 35, 1, "web", 524288, 1572864, 131072, 12192),
    (4, 100, 2, "web", 1048576, 3145728, 262144, 9709),
    (8, 200, 2, "web", 2097152, 6291456, 524288, 10082),
    (8, 100, 4, "mixed", 2097152, 6291456, 524288, 10082),
    (16, 300, 4, "oltp", 4194304, 12582912, 1048576, 13797),
    (32, 300, 8, "oltp", 8388608, 25165824, 2097152, 27235),
    (64, 40, 16, "dw", 16777216, 50331648, 8388608, 149796),
]


@pytest.mark.parametrize(("memory_gib", "connections", "cpus", "load", "shared", "cache", "maintenance", "work"), PGTUNE)
def test_settings_are_those_of_pgtune(
    memory_gib: int, connections: int, cpus: int, load: sizing.Load, shared: int, cache: int, maintenance: int, work: int
) -> None:
    settings = sizing.pgtune(memory_gib * 1024, connections, cpus, load)
    assert kilobytes(settings["shared_buffers"]) == shared
    assert kilobytes(settings["effective_cache_size"]) == cache
    assert kilobytes(settings["maintenance_work_mem"]) == maintenance
    assert kilobytes(settings["work_mem"]) == work


def kilobytes(setting: str) -> int:
    unit = setting.lstrip("0123456789")
    return int(setting.removesuffix(unit)) * {"kB": 1, "MB": 1024, "GB": 1024**2}[unit]


@given(st.integers(1, 4985), st.integers(1, 64), st.integers(1, 256))
def test_every_size_leaves_room_for_all_connections(connections: int, cpus: int, memory_gib: int) -> None:
    settings = sizing.pgtune(memory_gib * 1024, connections, cpus)
    assert int(settings["max_connections"]) > connections
    assert kilobytes(settings["work_mem"]) >= 4096
    assert kilobytes(settings["shared_buffers"]) * 4 == memory_gib * 1024**2


# Vendors' own figures at loads that no row of ours has; what each vendor publishes stands in the last columns.
BETWEEN = [
    ("K3s", {"agents": 900}, 4, 8),
    ("Rancher", {"clusters": 300}, 8, 32),
    ("Rancher database", {"clusters": 300}, 4, 16),
    ("K3s database", {"cluster_nodes": 250}, 4, 16),
    ("GitLab PostgreSQL", {"users": 3000}, 2, 7.5),
    ("GitLab PostgreSQL", {"users": 25000}, 16, 60),
    ("GitLab Gitaly", {"users": 25000}, 32, 120),
    ("etcd", {"cluster_nodes": 250}, 4, 16),
]


@pytest.mark.parametrize(("application", "load", "cpu_count", "memory_gib"), BETWEEN)
def test_between_two_rows_the_size_is_the_step_between_them(
    application: str, load: dict[str, float], cpu_count: float, memory_gib: float
) -> None:
    sized = size_for(application, load)
    assert isinstance(sized, Sized)
    assert sized.cpu_count
    assert sized.memory_gib
    assert (sized.cpu_count.value, sized.memory_gib.value) == (cpu_count, memory_gib)
    assert sized.source.grade == "between two rows"


@pytest.mark.parametrize(
    "row", [r for r in rows() if r.limits and r.limits[0][1] != float("inf")], ids=lambda r: f"{r.application} {r.load}"
)
def test_at_a_published_load_the_size_is_the_published_one(row) -> None:
    unit, limit = row.limits[0]
    sized = size_for(row.application, {unit: limit})
    assert isinstance(sized, Sized)
    assert (sized.cpu_count and sized.cpu_count.value) == row.cpu_count
    assert (sized.memory_gib and sized.memory_gib.value) == row.memory_gib
    assert row.source in sized.source.title


@given(st.sampled_from(sorted({r.application for r in rows() if r.limits})), st.floats(1, 1e6), st.floats(1, 1e6))
def test_more_load_is_never_a_smaller_machine(application: str, one: float, other: float) -> None:
    unit = next(r.limits[0][0] for r in rows() if r.application == application and r.limits)
    less, more = (size_for(application, {unit: load}) for load in sorted((one, other)))
    if isinstance(less, Sized) and isinstance(more, Sized) and less.source.grade != "formula" != more.source.grade:
        for smaller, larger in (
            (less.cpu_count, more.cpu_count),
            (less.memory_gib, more.memory_gib),
            (less.disk_gib, more.disk_gib),
        ):
            if smaller and larger:
                assert smaller.value <= larger.value


BY_FORMULA = [
    ("Immich", {"data_gib": 1000.0}, 4, 8, 1203),
    ("Redis Enterprise", {"data_gib": 16.0}, 2, 45.7, 137.1),
    ("Prometheus", {"samples_per_second": 100_000.0}, None, None, 301.7),
    ("Artifactory", {"data_gib": 500.0}, None, None, 1500),
    ("Mattermost", {"users": 500.0}, None, None, 150),
    ("TLJH", {"users": 100.0}, 25.2, 50.1, 502),
    ("OpenProject", {"users": 1000.0}, 12, 16, 100),
]


@pytest.mark.parametrize(("application", "load", "cpu_count", "memory_gib", "disk_gib"), BY_FORMULA)
def test_a_formula_sizes_what_it_speaks_of_and_rows_the_rest(
    application: str, load: dict[str, float], cpu_count: float | None, memory_gib: float | None, disk_gib: float
) -> None:
    sized = size_for(application, load)
    assert isinstance(sized, Sized)
    assert (sized.cpu_count and round(sized.cpu_count.value, 1)) == cpu_count
    assert (sized.memory_gib and round(sized.memory_gib.value, 1)) == memory_gib
    assert sized.disk_gib and round(sized.disk_gib.value, 1) == disk_gib


def test_a_load_beyond_every_row_is_asked_about() -> None:
    answer = size_for("GitLab", {"users": 5000})
    assert isinstance(answer, Unsized)
    assert "end at 1,000 users" in answer.because


def test_a_load_that_decides_is_asked_for() -> None:
    answer = size_for("gitlab", {})
    assert isinstance(answer, Unsized)
    assert answer.unit == "users"


def test_a_community_minimum_is_a_lower_bound_and_no_size() -> None:
    answer = size_for("Gitea", {})
    assert isinstance(answer, Unsized)
    assert (answer.cpu_count_min, answer.memory_gib_min) == (1, 1)
    assert "lower bound" in answer.because


@pytest.mark.parametrize("environment", ["production", "staging", "development"])
def test_what_is_recommended_goes_before_the_least(environment: str) -> None:
    sized = size_for("Harbor", {}, environment)
    assert isinstance(sized, Sized)
    assert sized.memory_gib and (sized.memory_gib.value, sized.memory_gib.low) == (8, 4)
    assert not sized.warning


def test_a_size_for_an_environment_is_that_environments() -> None:
    sizes = [size_for("Redis Enterprise", {}, environment) for environment in ("development", "production")]
    assert [one.memory_gib.value for one in sizes if isinstance(one, Sized) and one.memory_gib] == [4, 8]


@pytest.mark.parametrize(
    ("application", "load", "name", "value", "low"),
    [
        ("Jenkins", {}, "memory_gib", 4, 0.75),
        ("Jenkins", {}, "disk_gib", 50, 9),
        ("Grafana", {}, "memory_gib", 0.75, 0.75),
        ("Prometheus", {"samples_per_second": 100_000.0}, "disk_gib", 309.7, 292),
        ("OpenProject", {"users": 200.0}, "memory_gib", 4, 4),
    ],
)
def test_where_a_figure_is_the_applications_own_the_systems_need_comes_on_top(
    application: str, load: dict[str, float], name: str, value: float, low: float
) -> None:
    sized = size_for(application, load, "development")
    assert isinstance(sized, Sized)
    whole = with_system(sized)
    span = getattr(whole, name)
    assert (span.value, span.low) == (pytest.approx(value, abs=0.1), pytest.approx(low, abs=0.1))
    assert with_system(whole) == whole


def test_every_row_of_a_vendor_is_known_by_name_and_carried_in_every_environment() -> None:
    """`X for N` gives what its vendor's row for N says, and never less; X alone the row that is recommended, or asks for the load that
    decides. The figures are printed: `pytest -s`."""
    carried: list[str] = []
    asked: list[str] = []
    for row in rows():
        for environment in ("production", "staging", "development"):
            if row.tier in ("production", "development") and row.tier != environment:
                continue
            unit, limit = row.limits[0] if row.limits else ("", 0.0)
            sized = size_for(row.application.upper(), {unit: min(limit, 1e6)} if unit else {}, environment)
            if isinstance(sized, Unsized):
                assert sized.unit and not unit, row
                asked.append(row.application)
                continue
            whole = with_system(sized)
            for span, value in ((whole.cpu_count, row.cpu_count), (whole.memory_gib, row.memory_gib), (whole.disk_gib, row.disk_gib)):
                assert value is None or (span and (span.value >= value or row.tier == "minimum")), row
            carried.append(row.application)
    print(f"{len(rows())} published rows in 3 environments: {len(carried)} sizes, none below its row; {len(asked)} asks for the load")


@given(st.sampled_from([row for row in rows() if row.limits]), st.floats(0.01, 1), st.sampled_from(["production", "development"]))
def test_no_load_gets_less_than_the_row_below_it(row: Row, share: float, environment: str) -> None:
    unit, limit = row.limits[0]
    load = share * (limit if limit != float("inf") else 5000)
    sized = size_for(row.application, {unit: load}, environment)
    below = [one for one in rows() if one.application == row.application and 0 < one.limit(unit) <= load]
    assert isinstance(sized, Sized)
    for one in below:
        assert not (one.memory_gib and sized.memory_gib) or sized.memory_gib.value >= one.memory_gib
        assert not (one.cpu_count and sized.cpu_count) or sized.cpu_count.value >= one.cpu_count


def test_every_application_is_known_by_its_name_alone_or_behind_a_word_that_says_what_is_meant() -> None:
    names = applications()
    otherwise = {"Alpine", "Debian", "Ubuntu", "PostgreSQL", "Prometheus", "Prometheus-Alertmanager", "Redis"}
    for name in {*published(), *(row["application"] for row in table("community-minimums"))} - otherwise:
        words = names[canonical(name)]
        assert any(plain(word).endswith(plain(name).removesuffix(" server")) for word in words), name
    alone = sum(plain(name).removesuffix(" server") in map(plain, words) for name, words in names.items())
    print(f"{len(names)} applications known, {alone} by their name alone, {len(names) - alone} behind a word such as install, host or for")


@pytest.mark.parametrize(
    ("said", "known"),
    [
        ("K3s", "K3s server"),
        ("harbor", "Harbor"),
        ("Grafana server", "Grafana"),
        ("tljh", "Littlest JupyterHub"),
        ("nothing of the sort", ""),
    ],
)
def test_applications_are_known_by_what_they_are_called(said: str, known: str) -> None:
    assert canonical(said) == known


def test_littlest_jupyterhub_as_in_the_vendors_example() -> None:
    sizes = formulas.littlest_jupyterhub(100)
    assert sizes.memory_gib and round(sizes.memory_gib.value, 1) == 50.1
    assert sizes.cpu_count and round(sizes.cpu_count.value, 1) == 25.2
    assert sizes.disk_gib and sizes.disk_gib.value == 502


def test_odoo_as_in_the_vendors_example() -> None:
    sizes = formulas.odoo(60)
    assert sizes.cpu_count and sizes.cpu_count.value == 4
    assert formulas.odoo_workers(4) == 9
    assert sizes.memory_gib and round(sizes.memory_gib.value) == 3


def test_prometheus_as_in_the_worked_example() -> None:
    assert round(formulas.prometheus_data_gib(100_000)) == 241
    disk = formulas.prometheus_disk_gib(100_000)
    assert (round(disk.low), round(disk.high)) == (284, 302)


def test_keycloak_as_in_the_vendors_example() -> None:
    sizes = formulas.keycloak(45, 360, 360, machines=3)
    assert sizes.cpu_count and (sizes.cpu_count.value, sizes.cpu_count.high) == (3, 7.5)
    assert sizes.memory_gib and round(sizes.memory_gib.value * 1024) == 1250
    assert sizes.memory_gib and round(sizes.memory_gib.high * 1024) == 1357


OTHER_EXAMPLES = [
    (formulas.artifactory_disk_gib(500).value, 1500),
    (round(formulas.redis_enterprise(16).memory_gib.value), 46),  # type: ignore[union-attr]
    (formulas.mattermost_files_gb(500, 12).low, 30),
    (formulas.mattermost_files_gb(500, 12).high, 150),
    (round(formulas.immich_disk_gib(1000).low), 1101),
    (round(formulas.immich_disk_gib(1000).high), 1203),
    (formulas.openproject(1000).cpu_count.low, 8),  # type: ignore[union-attr]
    (formulas.openproject(1000).memory_gib.high, 16),  # type: ignore[union-attr]
]


@pytest.mark.parametrize(("computed", "published"), OTHER_EXAMPLES)
def test_other_formulas_give_what_their_vendors_say(computed: float, published: float) -> None:
    assert computed == pytest.approx(published)
