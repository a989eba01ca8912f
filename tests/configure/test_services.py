"""Services that are a table, on real guests of one pod: configured side by side, used as their guides print it, changed, and found out when
a server did not hear of its settings."""

from __future__ import annotations

import subprocess
import tomllib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from cluster_sim.guests import Bodies, GuestProblem, open_bodies
from tests.hearing.facts import said
from tests.rules.clusters import NOTHING, SITE, four_nodes
from tools import capabilities
from tools.capabilities import catalogue, chain
from tools.clients.settings import Settings
from tools.pipeline.configure import configure, wait
from tools.pipeline.context import PartContext
from tools.pipeline.guide import write_guide
from tools.pipeline.verify import ran, verify
from tools.rules.plans.picking import pick_by_rule
from tools.values.manifest import Part
from tools.values.site import Acme
from tools.values.situation import Situation
from tools.values.trouble import WorldProblem

from .guests import NETWORK, OPERATOR_KEY, commands_in, new_run_folder, receipt_of, spec_for
from .test_made_good import quiet, quiet_pause

pytestmark = [pytest.mark.systems, pytest.mark.timeout(1200)]

PLACED = ", staging, on network 20"
FOLDER = Path(capabilities.__file__).parent
CASES = {
    path.parent.name: (words, case)
    # The proxy is in front of the broker's pages, so the broker has the first address.
    for path in sorted(FOLDER.glob("*/cases.toml"), key=lambda path: (path.parent.name != "rabbitmq", path))
    for words, case in tomllib.loads(path.read_text()).items()
    if case.get("on_a_guest")
}
ASKED = {name: words for name, (words, _) in CASES.items()}
CHANGED = {name: case["changed"] for name, (_, case) in CASES.items() if "changed" in case}
"""The same machine with other settings: they must be in force behind the run that writes them."""
AT_ONCE = 3
NOTHING_DONE = "Configured 1 machine: 0 changes made."


def part_for(words: str, acme: Acme | None = None) -> Part:
    situation = Situation({"proxmox": four_nodes()}, SITE.model_copy(update={"public_keys": (OPERATOR_KEY,), "acme": acme}), NOTHING)
    requirements = chain.understand(said(words), situation.site, "operator")
    offer = chain.offer(requirements, situation)
    return chain.compose(requirements, offer, pick_by_rule(offer), situation).parts[0]


@dataclass
class Site:
    bodies: Bodies
    contexts: dict[str, PartContext]

    def root(self, name: str, *argv: str) -> str:
        done = self.bodies.exec(name, argv)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


def configured(context: PartContext) -> str:
    heard: list[str] = []
    configure(context, heard.append)
    secrets = [path.read_text().strip() for path in (context.run_folder / "secrets").iterdir() if not path.name.startswith("ssh_key")]
    assert not any(secret in line for line in heard for secret in secrets)
    return heard[-1]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    run_folder = new_run_folder(tmp_path_factory.mktemp("services"))
    try:
        bodies = open_bodies("pod", tmp_path_factory.mktemp("pod"), (NETWORK,), print)
    except GuestProblem as problem:
        pytest.skip(f"No guests with a body here: {problem}")
    try:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            made = pool.map(lambda one: _made(bodies, run_folder, *one), zip(ASKED, range(60, 60 + len(ASKED)), strict=True))
            contexts = dict(zip(ASKED, made, strict=True))
            list(pool.map(configured, contexts.values()))
        yield Site(bodies, contexts)
    finally:
        bodies.close()


def _made(bodies: Bodies, run_folder: Path, name: str, number: int) -> PartContext:
    """A machine for what is asked, with the passwords of its run, once it answers."""
    part = part_for(ASKED[name])
    for secret in part.secrets:
        if secret.kind == "password":
            (run_folder / "secrets" / secret.name).write_text(f"pass-of-{secret.name}-9zQ\n")
    return met(bodies, run_folder, part, part.machines[0].name, f"10.20.0.{number}")


def met(bodies: Bodies, run_folder: Path, part: Part, machine: str, address: str) -> PartContext:
    bodies.boot(replace(spec_for(machine, address, run_folder), user=part.machines[0].user_name))
    (run_folder / machine).mkdir()
    context = PartContext(
        settings=Settings(guest_proxy_command=bodies.proxy_command or ""),
        run_folder=run_folder,
        part_folder=run_folder / machine,
        part=part.model_copy(update={"machines": (part.machines[0].model_copy(update={"name": machine}),)}),
        outputs={"machines": {machine: {"addresses": [address]}}},
    )
    return replace(context, machines=wait(context, quiet))


@pytest.mark.parametrize("name", ASKED)
def test_the_second_run_changes_nothing(site: Site, name: str) -> None:
    assert configured(site.contexts[name]) == NOTHING_DONE


@pytest.mark.parametrize("name", ASKED)
def test_every_command_of_the_guide_is_run_as_it_is_printed(site: Site, name: str) -> None:
    context = site.contexts[name]
    verified, not_verified = verify(context, quiet, quiet_pause)
    # A client that this computer has not, or a kernel of its own that a container has not, is the only reason.
    assert all("from this computer" in one or "shares its kernel" in one for one in not_verified), not_verified
    assert len(verified) + len(not_verified) == len(context.part.commands)
    guide = write_guide(context, receipt_of(context)).read_text().split("\n# " + catalogue()[name].TITLE)[-1]
    own = [one.printed for one in ran(context.part_folder) if one.outcome == "answered"]
    assert set(own) <= set(commands_in(guide))
    kept = [path for path in context.part_folder.rglob("*") if path.is_file()]
    assert not [path for path in kept if "pass-of-" in path.read_text(errors="replace")]


@pytest.mark.parametrize("name", CHANGED)
def test_settings_that_changed_are_in_force(site: Site, name: str) -> None:
    before, changed = site.contexts[name], part_for(CHANGED[name])
    context = replace(before, part=changed)
    assert configured(context) != NOTHING_DONE
    verify(context, quiet, quiet_pause)
    assert configured(context) == NOTHING_DONE


def test_a_run_that_was_stopped_behind_a_file_is_made_good_by_the_next_one(site: Site) -> None:
    """The file is there as it should be, and the server runs since before."""
    context = replace(site.contexts["mariadb"], part=part_for(CHANGED["mariadb"]))
    site.root("mariadb-01", "touch", "/etc/mysql/mariadb.conf.d/90-berth.cnf")
    assert configured(context) == "Configured 1 machine: 1 change made."
    assert configured(context) == NOTHING_DONE


def test_a_key_that_is_not_the_certificates_takes_the_place_of_nothing(site: Site) -> None:
    context = site.contexts["reverse_proxy"]
    [name] = (machine.name for machine in context.part.machines)
    kept = context.run_folder / "secrets" / "tls_certificate"
    good, before = kept.read_text(), site.root(name, "sha256sum", "/etc/nginx/tls/site.pem")
    other = subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519"], check=True, capture_output=True, text=True).stdout
    kept.write_text(good[: good.index("-----BEGIN PRIVATE KEY-----")] + other)
    with pytest.raises(WorldProblem, match="Configuring failed"):
        configured(context)
    assert site.root(name, "sha256sum", "/etc/nginx/tls/site.pem") == before
    kept.write_text(good)
    assert configured(context) == NOTHING_DONE


def test_what_is_kept_is_there_after_a_restart(site: Site) -> None:
    site.root("mariadb-01", "mariadb", "app", "--execute", "CREATE TABLE kept (n INT); INSERT INTO kept VALUES (42)")
    site.root("mariadb-01", "systemctl", "restart", "mariadb")
    assert "42" in site.root("mariadb-01", "mariadb", "app", "--execute", "SELECT n FROM kept")
