"""The story of a real guest with Redis: configured, verified, changed, cut short, started again, and described in a guide."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from cluster_sim.guests import Bodies, GuestProblem, open_bodies
from tools.capabilities.redis.commands import commands
from tools.capabilities.redis.variables import KEPT_AS, variables
from tools.clients.settings import Settings
from tools.pipeline.configure import configure, wait
from tools.pipeline.context import PartContext
from tools.pipeline.guide import write_guide
from tools.pipeline.verify import ran, verify
from tools.values.manifest import Configure, Part, Secret
from tools.values.requirements import Field, Origin
from tools.values.trouble import WorldProblem

from .guests import NETWORK, commands_in, new_run_folder, part_of, receipt_of, spec_for
from .test_made_good import quiet, quiet_pause

pytestmark = pytest.mark.systems

NAME, ADDRESS = "redis-01", "10.20.0.41"
PASSWORD = 'Zaq7:x\\y"9 w'  # what a line of redis-cli's input and a password file would each trip over
NOTHING = "Configured 1 machine: 0 changes made."


def part_with(data_mib: int, memory_mib: int = 2048, purpose: str = "store") -> Part:
    plain = part_of("virtual_machine", NAME)
    fields = tuple(Field(name=n, value=v, origin=Origin.SAID) for n, v in (("data_mib", data_mib), ("purpose", purpose)))
    machine = plain.machines[0].model_copy(update={"memory_mib": memory_mib})
    part = plain.model_copy(
        update={
            "label": "redis",
            "capability": "redis",
            "needs": plain.needs.model_copy(update={"capability": "redis", "fields": fields}),
            "machines": (machine,),
            "secrets": (Secret(name="ssh_key", kind="ssh_key"), Secret(name=KEPT_AS, kind="password")),
        }
    )
    wanted = Configure(kind="ansible", playbook="redis.yml", variables=variables(part))
    return part.model_copy(update={"configure": wanted, "commands": commands(machine, part)})


@dataclass
class Server:
    bodies: Bodies
    context: PartContext

    def with_part(self, part: Part) -> PartContext:
        return replace(self.context, part=part)

    def root(self, *argv: str) -> str:
        done = self.bodies.exec(NAME, argv)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def ask(self, *words: str) -> str:
        """As the account that logs in would, from the machine itself."""
        line = f'REDISCLI_AUTH="$(cat ~/.redis_password)" redis-cli -h {ADDRESS} ' + " ".join(words)
        return self.root("su", "-", "ops", "-c", line).strip()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    run_folder = new_run_folder(tmp_path_factory.mktemp("redis"))
    (run_folder / "secrets" / KEPT_AS).write_text(f"{PASSWORD}\n")
    try:
        bodies = open_bodies("pod", tmp_path_factory.mktemp("pod"), (NETWORK,), print)
    except GuestProblem as problem:
        pytest.skip(f"No guests with a body here: {problem}")
    try:
        bodies.boot(spec_for(NAME, ADDRESS, run_folder))
        (run_folder / "redis").mkdir()
        context = PartContext(
            settings=Settings(guest_proxy_command=bodies.proxy_command or ""),
            run_folder=run_folder,
            part_folder=run_folder / "redis",
            part=part_with(500),
            outputs={"machines": {NAME: {"addresses": [ADDRESS]}}},
        )
        context = replace(context, machines=wait(context, quiet))
        configured(context)
        yield Server(bodies, context)
    finally:
        bodies.close()


def configured(context: PartContext) -> str:
    said: list[str] = []
    configure(context, said.append)
    assert not any(PASSWORD in line for line in said)
    return said[-1]


def test_the_second_run_changes_nothing(server: Server) -> None:
    assert configured(server.context) == NOTHING


def test_every_command_of_the_guide_is_run_as_it_is_printed(server: Server) -> None:
    verified, not_verified = verify(server.context, quiet, quiet_pause)
    # A client that this computer has not is the only reason.
    assert len(not_verified) == (0 if shutil.which("redis-cli") else 1), not_verified
    assert len(verified) + len(not_verified) == len(server.context.part.commands)
    guide = write_guide(server.context, receipt_of(server.context)).read_text()
    assert commands_in(guide) == sorted(one.printed for one in ran(server.context.part_folder) if one.outcome == "answered")
    assert PASSWORD not in guide
    assert "up to 614 MiB of data" in guide


def test_the_password_is_kept_from_everybody_else(server: Server) -> None:
    assert server.root("stat", "-c", "%a %U", "/home/ops/.redis_password").split() == ["600", "ops"]
    assert server.root("stat", "-c", "%a %U %G", "/etc/redis/redis.conf").split() == ["640", "root", "redis"]
    assert PASSWORD not in server.root("cat", "/etc/redis/redis.conf")
    without = server.root("redis-cli", "-h", ADDRESS, "GET", "x")
    assert without.startswith("NOAUTH")


def test_what_was_written_is_there_after_the_server_was_killed(server: Server) -> None:
    assert server.ask("SET", "kept", "yes") == "OK"
    # Longer than a second, after which the log is on the disk; killed, nothing of it is written any more.
    server.root("sh", "-c", "sleep 2; systemctl kill --signal KILL redis-server; sleep 1; systemctl start redis-server")
    assert server.ask("GET", "kept") == "yes"


def test_settings_and_a_password_that_changed_are_in_force_and_the_data_is_still_there(server: Server) -> None:
    assert server.ask("SET", "stays", "here") == "OK"
    larger = server.with_part(part_with(1024, 4096, "cache"))
    with pytest.raises(WorldProblem, match="settings of this plan are in force"):
        verify(larger, quiet, quiet_pause)
    (larger.run_folder / "secrets" / KEPT_AS).write_text("another' one\n")
    configured(larger)
    verify(larger, quiet, quiet_pause)
    assert server.ask("CONFIG GET maxmemory").split()[-1] == str(1433 * 2**20)
    assert server.ask("GET", "stays") == "here"
    assert "WRONGPASS" in server.root("redis-cli", "-h", ADDRESS, "AUTH", PASSWORD)


def test_a_server_that_did_not_hear_of_its_settings_is_found_out(server: Server) -> None:
    """As after a run that was stopped behind the file, or a change by hand in the running server."""
    context = server.with_part(part_with(1024, 4096, "cache"))  # as the test before left it
    before = server.ask("CONFIG GET maxmemory-policy").split()[-1]
    assert server.ask("CONFIG SET maxmemory-policy volatile-ttl") == "OK"
    assert configured(context) == "Configured 1 machine: 1 change made."
    assert server.ask("CONFIG GET maxmemory-policy").split()[-1] == before != "volatile-ttl"


def test_what_is_kept_of_the_verification_holds_no_password(server: Server) -> None:
    kept = [path for path in server.context.part_folder.rglob("*") if path.is_file()]
    assert json.loads((server.context.part_folder / "verify.json").read_text())
    assert not [path for path in kept if PASSWORD in path.read_text(errors="replace")]
