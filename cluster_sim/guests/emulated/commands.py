"""The commands an emulated host knows: what Ansible's plumbing calls, what the roles call, and what says who and where one is.

Every other command, and every other option, is refused in words: a guest with a body runs it.
"""

from __future__ import annotations

import argparse
import json
import posixpath
from collections.abc import Callable
from dataclasses import replace

from cluster_sim.guests.emulated import drives, modules, nginx, postgres
from cluster_sim.guests.emulated.host import Host, HostProblem
from cluster_sim.guests.emulated.payload import read_payload
from cluster_sim.guests.emulated.shell import Session, run_shell

Command = Callable[[Host, Session, list[str]], int]
NOT_FOUND = 127


def run_command(host: Host, session: Session, words: list[str]) -> int:
    """Runs one simple command and returns its exit status."""
    name = posixpath.basename(words[0])
    try:
        if name not in COMMANDS or NEEDS.get(name, "sudo") not in host.packages:
            session.complain(f"{words[0]}: command not found on this emulated guest. A guest with a body runs any command.\n".encode())
            return NOT_FOUND
        return COMMANDS[name](host, session, words[1:])
    except HostProblem as problem:
        session.complain(f"{name}: {problem}\n".encode())
        return 1


def run_line(host: Host, session: Session, line: str) -> int:
    """Runs one line as `sh -c` would, and returns its exit status."""
    return run_shell(host, session, line, run_command)


def _say(session: Session, text: str) -> int:
    session.write(f"{text}\n".encode())
    return 0


def _options(words: list[str], known: str = "") -> tuple[str, list[str]]:
    """The letters of the options, and the other words. Raises HostProblem for an option that is not in `known`."""
    letters = "".join(word[1:] for word in words if word.startswith("-"))
    if strange := set(letters) - set(known):
        raise HostProblem(f"the option {sorted(strange)[0]} is not emulated")
    return letters, [word for word in words if not word.startswith("-")]


def _path(session: Session, word: str) -> str:
    return posixpath.join(session.folder, word)


def _shell(host: Host, session: Session, words: list[str]) -> int:
    if words[:1] != ["-c"] or len(words) != 2:
        raise HostProblem("only `sh -c LINE` is emulated")
    return run_line(host, session, words[1])


def _sudo(host: Host, session: Session, words: list[str]) -> int:
    user = "root"
    while words and words[0].startswith("-"):
        option, words = words[0], words[1:]
        if option == "-u" and words:
            user, words = words[0], words[1:]
        elif option not in ("-H", "-S", "-n"):
            raise HostProblem(f"the option {option} is not emulated")
    if session.user != "root" and "sudo" not in host.account(session.user).groups:
        raise HostProblem(f"{session.user} is not in the sudoers file.")
    return run_command(host, replace(session, user=host.account(user).name), words) if words else 0


def _python(host: Host, session: Session, words: list[str]) -> int:
    source = host.read(_path(session, words[0])) if words and not words[0].startswith("-") else session.read()
    payload = read_payload(source)
    if payload is None or words[:1] == ["-c"]:
        raise HostProblem("this emulated guest understands Ansible's modules, and runs no other program.")
    answer = modules.run_module(host, session.user, payload)
    _say(session, json.dumps(answer))
    return 1 if answer.get("failed") else 0


def _mkdir(host: Host, session: Session, words: list[str]) -> int:
    options, paths = _options(words, "p")
    for path in (_path(session, word) for word in paths):
        if "p" not in options and host.entry(path):
            raise HostProblem(f"cannot create directory '{path}': File exists")
        host.make_folder(path, 0o700 if session.user != "root" else 0o755, session.user)
    return 0


def _rm(host: Host, session: Session, words: list[str]) -> int:
    options, paths = _options(words, "rf")
    for path in (_path(session, word) for word in paths):
        if not host.remove(path) and "f" not in options:
            raise HostProblem(f"cannot remove '{path}': No such file or directory")
    return 0


def _test(host: Host, session: Session, words: list[str]) -> int:
    if words[:1] != ["-e"] or len(words) != 2:
        raise HostProblem("only `test -e FILE` is emulated")
    return 0 if host.entry(_path(session, words[1])) else 1


def _chmod(host: Host, session: Session, words: list[str]) -> int:
    for entry in [host.existing(_path(session, word)) for word in words[1:]]:
        entry.mode = modules.mode_of(words[0], entry.mode)
    return 0


def _cat(host: Host, session: Session, words: list[str]) -> int:
    for word in _options(words)[1]:
        session.write(host.read(_path(session, word)))
    return 0


def _id(host: Host, session: Session, words: list[str]) -> int:
    if words != ["-un"]:
        raise HostProblem("only `id -un` is emulated")
    return _say(session, session.user)


def _nginx(host: Host, session: Session, words: list[str]) -> int:
    if words[:1] != ["-t"] or (words[1:] and (words[1] != "-c" or len(words) != 3)):
        raise HostProblem("only `nginx -t` is emulated, with `-c FILE` or without")
    path = words[2] if words[1:] else nginx.SETTINGS
    try:
        nginx.check(host, path)
    except HostProblem as problem:
        session.complain(f"{problem}\nnginx: configuration file {path} test failed\n".encode())
        return 1
    session.complain(f"nginx: configuration file {path} test is successful\n".encode())
    return 0


def _psql_words() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    for flag in (
        ("--no-psqlrc", "-X"),
        ("--quiet", "-q"),
        ("--no-password", "-w"),
        ("--tuples-only", "-t"),
        ("--no-align", "-A"),
    ):
        parser.add_argument(*flag, action="store_true")
    parser.add_argument("--command", "-c", action="append")
    parser.add_argument("--set", "-v", choices=["ON_ERROR_STOP=1"])
    for option in (("--port", "-p"), ("--host", "-h"), ("--dbname", "-d")):
        parser.add_argument(*option)
    parser.add_argument("--username", "-U", dest="user")
    parser.add_argument("conninfo", nargs="?", default="")
    return parser


def _psql(host: Host, session: Session, words: list[str]) -> int:
    try:
        given = _psql_words().parse_args(words)
    except SystemExit:
        raise HostProblem("one of these options is not emulated") from None
    said = {name: getattr(given, name) for name in ("port", "host", "user", "dbname") if getattr(given, name) is not None}
    if "=" in given.conninfo:
        said |= dict(part.partition("=")[::2] for part in given.conninfo.split())
    elif given.conninfo:
        said["dbname"] = given.conninfo
    try:
        connection = postgres.connect(host, session.user, said)
        for script in given.command or [session.read().decode("utf-8", "replace")]:
            connection.run(script)
        if connection.lines and not given.tuples_only:
            raise HostProblem("emulated guest: only rows are emulated, no tables: say --tuples-only")
    except HostProblem as problem:
        session.complain(f"{problem}\n".encode())
        return 2 if str(problem).startswith("psql: error") else 3
    for line in connection.lines:
        _say(session, line if given.no_align else f" {line}")
    return 0


def _pg_lsclusters(host: Host, session: Session, words: list[str]) -> int:
    if words != ["--no-header"]:
        raise HostProblem("only `pg_lsclusters --no-header` is emulated")
    if "postgresql-15" not in host.packages:
        return 0
    state = "online" if host.services["postgresql"].running else "down"
    log = "/var/log/postgresql/postgresql-15-main.log"
    return _say(session, f"15  main    {postgres.settings(host)['port']} {state} postgres /var/lib/postgresql/15/main {log}")


COMMANDS: dict[str, Command] = {
    "echo": lambda host, session, words: _say(session, " ".join(words)),
    "true": lambda *_: 0,
    "false": lambda *_: 1,
    "sleep": lambda *_: 0,
    "umask": lambda *_: 0,
    "hostname": lambda host, session, words: _say(session, host.hostname),
    "sh": _shell,
    "bash": _shell,
    "sudo": _sudo,
    "python3": _python,
    "mkdir": _mkdir,
    "rm": _rm,
    "chmod": _chmod,
    "test": _test,
    "cat": _cat,
    "id": _id,
    "lsblk": drives.lsblk,
    "findmnt": drives.findmnt,
    "wipefs": drives.wipefs,
    "mkfs.ext4": drives.mkfs,
    "resize2fs": drives.resize2fs,
    "find": drives.find,
    "nginx": _nginx,
    "psql": _psql,
    "pg_lsclusters": _pg_lsclusters,
    # Whatever a file says is taken, and each figure asked for is there: Prometheus' own words are judged by a guest with a body.
    "amtool": lambda *_: 0,
    "promtool": lambda host, session, words: _say(session, "{} => 1 @[0]") if "query" in words else 0,
    "cloud-init": lambda host, session, words: _say(session, "status: done"),
}
NEEDS = {
    "nginx": "nginx",
    "psql": "postgresql-client-15",
    "pg_lsclusters": "postgresql-common",
    "amtool": "prometheus-alertmanager",
    "promtool": "prometheus",
}
"""Commands that come with a package."""
