"""The emulated guest: what it understands of Ansible and of a shell, and that it says what it is and what it cannot."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import asyncssh
import pytest
from guest_worlds import Key, boot, make_key, spec, ssh
from test_both_bodies import PLAY, run_play

from cluster_sim.guests import Bodies
from cluster_sim.guests.emulated.commands import run_line
from cluster_sim.guests.emulated.host import Host, HostProblem, new_host
from cluster_sim.guests.emulated.modules import MODULES, run_module
from cluster_sim.guests.emulated.payload import Payload, read_payload
from cluster_sim.guests.emulated.postgres import connect, split_statements
from cluster_sim.guests.emulated.sftp import ModelledFiles
from cluster_sim.guests.emulated.shell import Session


@pytest.fixture
def host(key: Key) -> Host:
    return new_host(spec(key, 60))


def do(host: Host, module: str, who: str = "root", /, check: bool = False, **arguments: object) -> dict[str, object]:
    full = module if "." in module else f"ansible.modules.{module}"
    return run_module(host, who, Payload(full, arguments, check))


def type_in(host: Host, line: str, user: str = "ops", given: str = "") -> tuple[int, str, str]:
    out, complaints = bytearray(), bytearray()
    session = Session(user, lambda: given.encode(), out.extend, complaints.extend, host.accounts[user].home)
    status = run_line(host, session, line)
    return status, out.decode(), complaints.decode()


def test_it_says_everywhere_that_it_is_emulated(emulated: Bodies, key: Key) -> None:
    guest = spec(key, 61)
    boot(emulated, guest)
    words = [
        "ssh",
        "-F",
        "none",
        "-i",
        str(key.private),
        "-o",
        f"ProxyCommand={emulated.proxy_command}",
        "-o",
        "StrictHostKeyChecking=no",
    ]
    words += ["-o", "UserKnownHostsFile=/dev/null", f"ops@{guest.address.ip}"]
    asked = subprocess.run([*words, "cat /run/cluster_sim-emulated"], check=True, capture_output=True, text=True)
    assert "emulated" in asked.stdout
    assert "emulated guest of cluster_sim" in asked.stderr, "the banner"
    login = subprocess.run(words, check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert "runs nothing" in login.stdout
    assert "emulated" in ssh(emulated, guest, key, "cat /etc/motd").stdout
    facts = emulated.exec(guest.key, ["cat", "/run/cluster_sim-emulated"])
    assert facts.returncode == 0
    emulated.destroy(guest.key)


def test_its_facts_say_so_too(host: Host) -> None:
    facts = do(host, "setup")["ansible_facts"]
    assert isinstance(facts, dict)
    assert facts["ansible_virtualization_type"] == "cluster_sim-emulated"
    assert facts["ansible_default_ipv4"]["address"] == "10.10.20.60"


def test_without_pipelining_and_in_check_mode(emulated: Bodies, key: Key, tmp_path: Path) -> None:
    guest = spec(key, 62)
    boot(emulated, guest)
    play = "- hosts: all\n  become: true\n  gather_facts: false\n  tasks:\n"
    play += "    - ansible.builtin.apt: {name: nginx, update_cache: true}\n"
    play += "    - ansible.builtin.copy: {content: hi, dest: /srv/hi, mode: '0600'}\n"
    status, said = run_play(emulated, key, 62, tmp_path, play, "--check")
    assert status == 0, said
    assert "changed=2" in said
    assert emulated.exec(guest.key, ["cat", "/srv/hi"]).returncode == 1
    status, said = run_play(emulated, key, 62, tmp_path, play, pipelining=False)
    assert status == 0, said
    assert "changed=2" in said
    assert emulated.exec(guest.key, ["cat", "/srv/hi"]).stdout == "hi"
    emulated.destroy(guest.key)


def test_a_module_it_does_not_know_is_refused_in_a_sentence(emulated: Bodies, key: Key, tmp_path: Path) -> None:
    guest = spec(key, 63)
    boot(emulated, guest)
    play = "- hosts: all\n  gather_facts: false\n  tasks:\n    - ansible.builtin.cron: {name: nightly, job: /bin/true}\n"
    status, said = run_play(emulated, key, 63, tmp_path, play)
    assert status == 2
    assert "The module ansible.modules.cron is not emulated." in said
    assert "Traceback" not in said
    emulated.destroy(guest.key)


def test_the_play_of_both_bodies_uses_only_what_is_emulated() -> None:
    """So a failing story there is about behaviour, never about a module that is missing here."""
    used = {line.split("ansible.builtin.")[1].split(":")[0] for line in PLAY.splitlines() if "- ansible.builtin." in line}
    assert used - {"assert"} <= set(MODULES)


# What people and Ansible send over SSH, who sends it, and what they read: status, output.
LINES = [
    ("echo hello", 0, "hello\n"),
    ("echo 'a  b' \"c d\" e\\ f", 0, "a  b c d e f\n"),
    ('echo ~ ~root ~/x "~"', 0, "/home/ops /root /home/ops/x ~\n"),
    ("false || echo no; true && echo yes", 0, "no\nyes\n"),
    ("false && echo never", 1, ""),
    ('( umask 77 && mkdir -p "` echo /var/a `"&& mkdir "` echo /var/a/b `" && echo b="` echo /var/a/b `" )', 0, "b=/var/a/b\n"),
    ("echo note > n; cat n; echo more >> n; cat n", 0, "note\nnote\nmore\n"),
    ("cat /nowhere 2>/dev/null", 1, ""),
    ("cat /nowhere 2>&1", 1, "cat: /nowhere: No such file or directory\n"),
    ("rm -f -r /srv/none > /dev/null 2>&1 && sleep 0", 0, ""),
    ("sudo -n -u root id -un", 0, "root\n"),
    ("sudo -H -S -n -u root /bin/sh -c 'echo BECOME-SUCCESS-x ; id -un'", 0, "BECOME-SUCCESS-x\nroot\n"),
    ("/bin/sh -c '/bin/sh -c '\"'\"'echo deep'\"'\"' && sleep 0'", 0, "deep\n"),
    ("cloud-init status --wait", 0, "status: done\n"),
]


@pytest.mark.parametrize(("line", "status", "output"), LINES)
def test_its_shell(host: Host, line: str, status: int, output: str) -> None:
    assert type_in(host, line)[:2] == (status, output)


REFUSED_LINES = """for x in a b; do echo; done|echo 'open|(echo a|make all|python3 -c 1|nginx -t|echo `a|echo $HOME|a)
echo "$(id)"|ls /|systemctl stop ssh|sudo -i|chmod go-w /etc/motd|rm -x /etc/motd|echo *|id|echo a < /etc/motd"""


@pytest.mark.parametrize("line", [*REFUSED_LINES.replace("\n", "|").split("|"), "echo a | cat"])
def test_its_shell_refuses_in_words(host: Host, line: str) -> None:
    status, _, complaint = type_in(host, line)
    assert status != 0
    assert "emulated" in complaint
    assert "Traceback" not in complaint


def test_a_program_piped_to_python_is_not_run(host: Host, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    status, _, complaint = type_in(host, "python3", given=f"open({str(trace)!r}, 'w')")
    assert status == 1
    assert "runs no other program" in complaint
    assert not trace.exists()


def test_a_payload_is_read_and_never_run() -> None:
    params = json.dumps({"ANSIBLE_MODULE_ARGS": {"data": "x", "_ansible_check_mode": True}})
    program = f"raise SystemExit\n_ansiballz_main(\nmodule_fqn='ansible.modules.ping',\nparams={params!r},\nzip_data='',\n)\n"
    assert read_payload(program.encode()) == Payload("ansible.modules.ping", {"data": "x"}, True)
    for broken in (
        b"",
        b"print(1)",
        b"_ansiballz_main(",
        b"_ansiballz_main(params=open('/etc/passwd'))",
        b"_ansiballz_main(\xff)",
    ):
        assert read_payload(broken) is None


TWICE = [
    ("apt", {"name": ["nginx", "curl"], "update_cache": True}),
    ("user", {"name": "bob", "shell": "/bin/bash", "password": "*"}),
    ("file", {"path": "/srv/a/b", "state": "directory", "mode": "0750", "owner": "ops"}),
    ("file", {"src": "/usr/share/zoneinfo/Europe/Istanbul", "dest": "/etc/localtime", "state": "link"}),
    ("service", {"name": "ssh", "state": "stopped", "enabled": False}),
]


@pytest.mark.parametrize(("module", "arguments"), TWICE)
def test_a_module_changes_once(host: Host, module: str, arguments: dict[str, object]) -> None:
    rehearsed = do(host, module, check=True, **arguments)
    first, second = do(host, module, **arguments), do(host, module, **arguments)
    assert [answer.get("msg") for answer in (rehearsed, first, second) if answer.get("failed")] == []
    assert (rehearsed["changed"], first["changed"], second["changed"]) == (True, True, False)


REFUSED = [
    ("apt", {"name": "no-such-package"}, "No package matching 'no-such-package' is available"),
    ("apt", {"name": "curl", "allow_downgrade": True}, "unexpected keyword argument 'allow_downgrade'"),
    ("apt", {"name": "curl", "state": "absent"}, "the state absent of a package is not emulated"),
    ("service", {"name": "nowhere", "state": "started"}, "Could not find the requested service nowhere"),
    ("copy", {"src": "/etc/motd", "dest": "/no/such/folder/x"}, "Destination directory /no/such/folder does not exist"),
    ("copy", {"src": "/etc/motd", "dest": "/srv/x", "checksum": "0"}, "does not match the expected checksum"),
    ("file", {"path": "/srv/x", "state": "directory", "owner": "nobody-here"}, "failed to look up user nobody-here"),
    ("file", {"path": "/srv/none"}, "is absent, cannot continue"),
    ("file", {"path": "/etc/motd", "mode": "u=rw,g=r,o="}, "write it in octal digits"),
    ("user", {"name": "x", "groups": ["sudo"]}, "unexpected keyword argument 'groups'"),
    ("file", {"path": "/etc/motd", "state": "absent"}, "the state absent of a file is not emulated"),
    ("command", {"argv": ["make", "install"]}, "non-zero return code"),
    ("community.docker.docker_container", {"name": "x"}, "is not emulated"),
    ("apt", {"name": "curl"}, "needs `become: true`"),
]


@pytest.mark.parametrize(("module", "arguments", "why"), REFUSED)
def test_a_module_fails_as_a_real_one_would(host: Host, module: str, arguments: dict[str, object], why: str) -> None:
    answer = do(host, module, "ops" if "become" in why else "root", **arguments)
    assert answer["failed"] is True
    assert why in str(answer["msg"])


def test_a_broken_setting_keeps_nginx_from_starting(host: Host) -> None:
    do(host, "apt", name="nginx")
    assert do(host, "command", argv=["nginx", "-t"])["rc"] == 0
    host.write("/etc/nginx/conf.d/site.conf", b"server {\n")
    assert do(host, "command", argv=["nginx", "-t"])["rc"] == 1
    assert do(host, "service", name="nginx", state="restarted")["failed"] is True


def test_a_package_starts_its_service_unless_told_otherwise(host: Host) -> None:
    do(host, "apt", name="postgresql", policy_rc_d=101)
    assert not host.services["postgresql"].running
    assert do(host, "service", name="postgresql", state="started")["changed"] is True
    do(host, "apt", name="nginx")
    assert do(host, "service", name="nginx", state="started", enabled=True)["changed"] is False


def test_postgresql_keeps_its_passwords(host: Host) -> None:
    do(host, "apt", name="postgresql")
    script = """
    -- for the shop
    SET log_statement = 'none';
    SELECT 'CREATE ROLE "shop" LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'shop') \\gexec
    ALTER ROLE "shop" LOGIN PASSWORD 'it''s; secret';
    SELECT 'CREATE DATABASE "shop" OWNER "shop"' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'shop') \\gexec
    """
    for _ in range(2):
        assert do(host, "command", "postgres", argv=["psql", "--quiet", "--dbname", "postgres"], stdin=script)["rc"] == 0
    wanted = {"host": "10.10.20.60", "user": "shop", "dbname": "shop", "password": "it's; secret"}
    connection = connect(host, "ops", wanted)
    connection.run("SELECT current_user")
    assert connection.lines == ["shop"]
    for change, why in (
        ({"password": "guess"}, "password authentication failed"),
        ({"dbname": "none"}, 'database "none" does not exist'),
        ({"port": "5433"}, "Connection refused"),
        ({"host": "/var/run/postgresql"}, "Peer authentication failed"),
    ):
        with pytest.raises(HostProblem, match=why):
            connect(host, "ops", wanted | change)
    with pytest.raises(HostProblem, match="permission denied"):
        connection.run('CREATE DATABASE "more" OWNER "shop"')
    with pytest.raises(HostProblem, match="this SQL is not emulated"):
        connection.run("DROP TABLE users")
    host.write("/etc/postgresql/15/main/conf.d/berth.conf", b"port = 5433\nmax_connections = '120'\n")
    assert connect(host, "postgres", {"port": "5433"}).role == "postgres"


def test_statements_end_where_psql_ends_them() -> None:
    assert split_statements("A 'x;y' ; -- no; \nB \"q;\" \\gexec\nC") == [("A 'x;y'", ";"), ('B "q;"', "gexec"), ("C", ";")]
    with pytest.raises(HostProblem, match="not emulated"):
        split_statements("\\copy t from f")


def test_a_user_made_by_a_role_may_log_in_with_his_own_key(emulated: Bodies, key: Key, tmp_path: Path) -> None:
    guest = spec(key, 64)
    boot(emulated, guest)
    other = make_key(tmp_path)
    ada = spec(other, 64, user="ada")
    assert ssh(emulated, ada, other, "id -un").returncode == 255
    play = "- hosts: all\n  become: true\n  gather_facts: false\n  tasks:\n    - ansible.builtin.user: {name: ada}\n"
    play += "    - ansible.builtin.file: {path: /home/ada/.ssh, state: directory, owner: ada}\n"
    play += f"    - ansible.builtin.copy: {{content: '{other.public}', dest: /home/ada/.ssh/authorized_keys, owner: ada}}\n"
    status, said = run_play(emulated, key, 64, tmp_path, play)
    assert status == 0, said
    assert ssh(emulated, ada, other, "id -un").stdout == "ada\n"
    emulated.destroy(guest.key)


def test_files_are_copied_both_ways(emulated: Bodies, key: Key, tmp_path: Path) -> None:
    guest = spec(key, 65)
    boot(emulated, guest)
    (tmp_path / "sent").write_bytes(bytes(range(256)) * 4096)
    options = [
        "-F",
        "none",
        "-q",
        "-i",
        str(key.private),
        "-o",
        f"ProxyCommand={emulated.proxy_command}",
        "-o",
        "StrictHostKeyChecking=no",
    ]
    options += ["-o", "UserKnownHostsFile=/dev/null"]
    there = f"ops@{guest.address.ip}:there"
    subprocess.run(["scp", "-s", *options, str(tmp_path / "sent"), there], check=True, capture_output=True)
    subprocess.run(["scp", "-s", *options, there, str(tmp_path / "back")], check=True, capture_output=True)
    assert (tmp_path / "back").read_bytes() == (tmp_path / "sent").read_bytes()
    asked = subprocess.run(
        ["sftp", "-b", "-", *options, f"ops@{guest.address.ip}"],
        input="rename there x\n",
        capture_output=True,
        text=True,
        check=False,
    )
    assert asked.returncode == 1
    emulated.destroy(guest.key)


def test_no_sftp_request_reaches_this_machines_files() -> None:
    """Whatever the library would do by itself is done on the modelled host, or refused."""
    harmless = {"channel", "connection", "env", "logger", "map_path", "reverse_map_path", "convert_attrs"}
    harmless |= {"format_user", "format_group", "format_longname"}
    offered = {name for name in vars(asyncssh.SFTPServer) if not name.startswith("_")} - harmless
    assert offered - set(vars(ModelledFiles)) == set()
