"""The commands an emulated host knows: what Ansible's own plumbing calls, and what operators and roles ask of a fresh server."""

from __future__ import annotations

import json
import posixpath
import time
from collections.abc import Callable
from zoneinfo import available_timezones

from cluster_sim.guests.emulated import modules, network
from cluster_sim.guests.emulated.host import CODENAME, VERSION, Host, HostProblem
from cluster_sim.guests.emulated.payload import read_payload
from cluster_sim.guests.emulated.shell import Session, run_shell

Command = Callable[[Host, Session, list[str]], int]
SHELLS = ("sh", "bash", "dash", "ash")
NOT_FOUND = 127


def run_command(host: Host, session: Session, words: list[str]) -> int:
    """Runs one simple command and returns its exit status."""
    name = posixpath.basename(words[0])
    known = COMMANDS.get(name)
    try:
        if known is None or (name in NEEDS and NEEDS[name] not in host.packages):
            _refuse(session, words[0])
            return NOT_FOUND
        return known(host, session, words[1:])
    except HostProblem as problem:
        session.complain(f"{name}: {problem}\n".encode())
        return 1


def run_line(host: Host, session: Session, line: str) -> int:
    return run_shell(host, session, line, run_command)


def _refuse(session: Session, name: str) -> None:
    session.complain(f"{name}: command not found on this emulated guest. A guest with a body runs any command.\n".encode())


def _say(session: Session, text: str) -> int:
    session.write(text.encode() if text.endswith("\n") or not text else f"{text}\n".encode())
    return 0


def _plain(words: list[str]) -> list[str]:
    return [word for word in words if not word.startswith("-")]


def _path(host: Host, session: Session, word: str) -> str:
    return host.resolve(posixpath.join(session.folder, word))


def _echo(host: Host, session: Session, words: list[str]) -> int:
    end = "" if words[:1] == ["-n"] else "\n"
    session.write((" ".join(words[1:] if not end else words) + end).encode())
    return 0


def _shell(host: Host, session: Session, words: list[str]) -> int:
    while words and words[0].startswith("-") and "c" not in words[0]:
        words = words[1:]
    if words and words[0].startswith("-") and len(words) > 1:
        return run_line(host, session.to(), words[1])
    text = host.read(_path(host, session, words[0])).decode() if words else session.read().decode("utf-8", "replace")
    return run_line(host, session.to(), text)


def _sudo(host: Host, session: Session, words: list[str]) -> int:
    user, login = "root", False
    while words and words[0].startswith("-"):
        option, words = words[0], words[1:]
        login = login or option in ("-i", "--login")
        if option in ("-u", "--user", "-p", "-g") and words:
            user = words[0] if option in ("-u", "--user") else user
            words = words[1:]
        if option == "--":
            break
    person = host.people.get(session.user)
    if session.user != "root" and not (person and "sudo" in person.groups):
        session.complain(f"{session.user} is not in the sudoers file.\n".encode())
        return 1
    return _as(host, session, user, words, login)


def _runuser(host: Host, session: Session, words: list[str]) -> int:
    user, line = "root", ""
    rest = list(words)
    command: list[str] = []
    while rest:
        word = rest.pop(0)
        if word == "-u" and rest:
            user = rest.pop(0)
        elif word in ("-c", "--command") and rest:
            line = rest.pop(0)
        elif word == "--":
            command, rest = rest, []
        elif not word.startswith("-"):
            if user != "root":
                command, rest = [word, *rest], []
            else:
                user = word
    if session.user != "root":
        session.complain(b"Authentication failure: only root may change to another user here\n")
        return 1
    return _as(host, session, user, ["sh", "-c", line] if line else command, False)


def _as(host: Host, session: Session, user: str, words: list[str], login: bool) -> int:
    person = host.people.get(user)
    if person is None:
        raise HostProblem(f"unknown user {user}")
    there = session.to(user=user, folder=person.home if login else session.folder)
    return run_command(host, there, words) if words else 0


def _python(host: Host, session: Session, words: list[str]) -> int:
    if words and words[0].startswith("-") and words[0] != "-":
        _refuse(session, f"python3 {words[0]}")
        return NOT_FOUND
    source = host.read(_path(host, session, words[0])) if words and words[0] != "-" else session.read()
    payload = read_payload(source)
    if payload is None:
        session.complain(b"python3: this emulated guest understands Ansible's modules, and runs no other program.\n")
        return 1
    answer = modules.run_module(host, session.user, payload)
    session.write(json.dumps(answer).encode() + b"\n")
    return 1 if answer.get("failed") else 0


def _mkdir(host: Host, session: Session, words: list[str]) -> int:
    for word in _plain(words):
        path = _path(host, session, word)
        if "-p" not in words and host.entry(path):
            raise HostProblem(f"cannot create directory '{word}': File exists")
        host.make_folder(path, 0o700 if session.user != "root" else 0o755, session.user)
    return 0


def _rm(host: Host, session: Session, words: list[str]) -> int:
    options = "".join(word for word in words if word.startswith("-"))
    for word in _plain(words):
        path = posixpath.join(session.folder, word)
        if not host.remove(path) and "f" not in options:
            raise HostProblem(f"cannot remove '{word}': No such file or directory")
    return 0


def _chmod(host: Host, session: Session, words: list[str]) -> int:
    mode, *paths = _plain(words)
    for word in paths:
        entry = host.entry(_path(host, session, word))
        if entry is None:
            raise HostProblem(f"cannot access '{word}': No such file or directory")
        entry.mode = modules.mode_of(mode, entry)
    return 0


def _chown(host: Host, session: Session, words: list[str]) -> int:
    owner, *paths = _plain(words)
    for word in paths:
        entry = host.entry(_path(host, session, word))
        if entry is None:
            raise HostProblem(f"cannot access '{word}': No such file or directory")
        user, _, group = owner.partition(":")
        entry.owner, entry.group = user or entry.owner, group or entry.group
    return 0


def _cat(host: Host, session: Session, words: list[str]) -> int:
    for word in _plain(words):
        session.write(host.read(_path(host, session, word)))
    if not _plain(words):
        session.write(session.read())
    return 0


def _test(host: Host, session: Session, words: list[str]) -> int:
    words = [word for word in words if word != "]"]
    turned = words[:1] == ["!"]
    words = words[1:] if turned else words
    if len(words) == 2 and words[0] in ("-e", "-f", "-d", "-r", "-s", "-x", "-n", "-z"):
        kind, what = words
        entry = None if kind in ("-n", "-z") else host.entry(_path(host, session, what))
        wanted = {"-f": "file", "-d": "directory"}.get(kind)
        true = bool(what) if kind == "-n" else not what if kind == "-z" else entry is not None and wanted in (None, entry.kind)
    elif len(words) == 3 and words[1] in ("=", "==", "!="):
        true = (words[0] == words[2]) == (words[1] != "!=")
    else:
        true = bool(words and words[0])
    return 0 if true != turned else 1


def _dd(host: Host, session: Session, words: list[str]) -> int:
    given = dict(word.partition("=")[::2] for word in words)
    if "of" in given:
        host.write(_path(host, session, given["of"]), session.read(), owner=session.user)
    else:
        session.write(host.read(_path(host, session, given["if"])))
    return 0


def _id(host: Host, session: Session, words: list[str]) -> int:
    name = next(iter(_plain(words)), session.user)
    person = host.people.get(name)
    if person is None:
        raise HostProblem(f"'{name}': no such user")
    if "-u" in words or "-un" in words:
        return _say(session, name if "n" in "".join(words) else str(person.uid))
    groups = ",".join(f"{host.groups[group]}({group})" for group in [host.group_of(name), *sorted(person.groups)])
    return _say(session, f"uid={person.uid}({name}) gid={person.gid}({host.group_of(name)}) groups={groups}")


def _ls(host: Host, session: Session, words: list[str]) -> int:
    for word in _plain(words) or ["."]:
        path = _path(host, session, word)
        entry = host.entry(path)
        if entry is None:
            raise HostProblem(f"cannot access '{word}': No such file or directory")
        names = [posixpath.basename(each) for each in host.children(path)] if entry.kind == "directory" else [word]
        _say(session, "\n".join(names))
    return 0


def _systemctl(host: Host, session: Session, words: list[str]) -> int:
    verb, *units = _plain(words) or ["list-units"]
    if verb == "daemon-reload":
        return 0
    if verb == "is-system-running":
        return _say(session, "running")
    if verb in ("list-units", "--failed"):
        return _say(
            session, "\n".join(f"{name}.service loaded active running" for name, s in sorted(host.services.items()) if s.running)
        )
    status = 0
    for unit in units:
        service = host.service(unit)
        if verb == "is-active":
            running = service is not None and service.running
            _say(session, "active" if running else "inactive")
            status = status or (0 if running else 3)
        elif verb == "is-enabled":
            enabled = service is not None and service.enabled
            _say(session, "enabled" if enabled else "disabled")
            status = status or (0 if enabled else 1)
        elif service is None:
            raise HostProblem(f"Unit {unit} could not be found.")
        elif verb == "status":
            _say(session, f"{unit} (emulated)\n     Active: {'active (running)' if service.running else 'inactive (dead)'}")
            status = status or (0 if service.running else 3)
        elif verb in ("start", "restart", "reload", "stop", "enable", "disable"):
            if session.user != "root":
                raise HostProblem("Access denied")
            service.running = (
                verb in ("start", "restart", "reload")
                if verb not in ("enable", "disable")
                else service.running or "--now" in words
            )
            service.enabled = verb == "enable" if verb in ("enable", "disable") else service.enabled
        else:
            raise HostProblem(f"`systemctl {verb}` is not emulated")
    return status


def _service(host: Host, session: Session, words: list[str]) -> int:
    return _systemctl(host, session, [words[1], words[0]])


def _nginx(host: Host, session: Session, words: list[str]) -> int:
    if "-v" in words:
        session.complain(b"nginx version: nginx/1.22.1\n")
        return 0
    if "-t" not in words:
        raise HostProblem("only `nginx -t` is emulated")
    path = words[words.index("-c") + 1] if "-c" in words else "/etc/nginx/nginx.conf"
    try:
        network.check_nginx(host, path)
    except HostProblem as problem:
        session.complain(f"{problem}\nnginx: configuration file {path} test failed\n".encode())
        return 1
    session.complain(
        f"nginx: the configuration file {path} syntax is ok\nnginx: configuration file {path} test is successful\n".encode()
    )
    return 0


PSQL_LONG = {"--port": "port", "--host": "host", "--username": "user", "--dbname": "dbname"}
PSQL_SHORT = {"-p": "port", "-h": "host", "-U": "user", "-d": "dbname"}


def _psql(host: Host, session: Session, words: list[str]) -> int:
    wanted: dict[str, str] = {}
    scripts: list[str] = []
    rest = list(words)
    tuples = unaligned = False
    while rest:
        word = rest.pop(0)
        name, equals, value = word.partition("=")
        if (target := PSQL_LONG.get(name) or PSQL_SHORT.get(word)) is not None:
            wanted[target] = value if equals and name in PSQL_LONG else rest.pop(0)
        elif name in ("--command", "-c"):
            scripts.append(value if equals and name == "--command" else rest.pop(0))
        elif word.startswith("-") and not word.startswith("--") and word.endswith("c") and rest:
            tuples, unaligned = tuples or "t" in word, unaligned or "A" in word
            scripts.append(rest.pop(0))
        elif name in ("--set", "-v", "--variable"):
            _ = None if equals and "=" in value else rest.pop(0) if not equals else None
        elif word.startswith("-"):
            tuples, unaligned = (
                tuples or word == "--tuples-only" or "t" in word[1:3],
                unaligned or word == "--no-align" or "A" in word[1:3],
            )
        elif equals or word.startswith(("postgresql://", "postgres://")):
            if not equals or "://" in word:
                raise HostProblem("connection addresses are not emulated; use service= or the options")
            wanted |= dict(part.partition("=")[::2] for part in word.split())
        else:
            wanted.setdefault("dbname", word)
    if "PGPASSWORD" in session.variables:
        wanted.setdefault("password", session.variables["PGPASSWORD"])
    try:
        connection = network.connect(host, session.user, _conninfo(wanted))
        for script in scripts or [session.read().decode("utf-8", "replace")]:
            connection.run(script)
    except HostProblem as problem:
        session.complain(f"{problem}\n".encode())
        return 2 if str(problem).startswith("psql: error") else 3
    indent = "" if unaligned else " "
    for line in connection.lines:
        _say(session, f"{indent}{line}")
    return 0


def _conninfo(wanted: dict[str, str]) -> dict[str, str]:
    if "=" in (name := wanted.get("dbname", "")):
        return {k: v for k, v in wanted.items() if k != "dbname"} | dict(part.partition("=")[::2] for part in name.split())
    return wanted


def _pg_isready(host: Host, session: Session, words: list[str]) -> int:
    port = int(words[words.index("-p") + 1]) if "-p" in words else 5432
    service = host.services.get("postgresql")
    ready = service is not None and service.running and port in host.ports_of(service)
    _say(session, f"/var/run/postgresql:{port} - {'accepting connections' if ready else 'no response'}")
    return 0 if ready else 2


def _pg_lsclusters(host: Host, session: Session, words: list[str]) -> int:
    if "postgresql-15" not in host.packages:
        return 0
    running = host.services["postgresql"].running
    port = host.postgres_settings()["port"]
    if "--no-header" not in words and "-h" not in words:
        _say(session, "Ver Cluster Port Status Owner    Data directory              Log file")
    folder = "/var/lib/postgresql/15/main"
    return _say(
        session,
        f"15  main    {port} {'online' if running else 'down'} postgres {folder} /var/log/postgresql/postgresql-15-main.log",
    )


def _curl(host: Host, session: Session, words: list[str]) -> int:
    urls = [
        word
        for word in _plain(words)
        if "://" in word or word.split("/")[0].split(":")[0] in ("localhost", "127.0.0.1", host.address)
    ]
    if not urls:
        raise HostProblem("no URL of this host was given, and an emulated guest reaches nobody else")
    url = urls[-1] if "://" in urls[-1] else f"http://{urls[-1]}"
    try:
        page = network.fetch(host, url)
    except HostProblem as problem:
        session.complain(f"curl: (7) {problem}\n".encode())
        return 7
    if page.status >= 400 and any(
        word in ("-f", "--fail") or (word[:1] == "-" and word[1:2] != "-" and "f" in word) for word in words
    ):
        session.complain(f"curl: (22) The requested URL returned error: {page.status}\n".encode())
        return 22
    session.write(page.text.encode())
    return 0


def _ss(host: Host, session: Session, words: list[str]) -> int:
    ports = sorted({22} | {port for service in host.services.values() if service.running for port in host.ports_of(service)})
    _say(session, "State  Recv-Q Send-Q Local Address:Port Peer Address:Port")
    return _say(session, "\n".join(f"LISTEN 0      511          0.0.0.0:{port}      0.0.0.0:*" for port in ports))


def _timedatectl(host: Host, session: Session, words: list[str]) -> int:
    verbs = _plain(words)
    if verbs[:1] == ["set-timezone"] and len(verbs) == 2:
        if session.user != "root" or verbs[1] not in available_timezones():
            raise HostProblem(f"Failed to set time zone: Invalid or not installed time zone '{verbs[1]}'")
        modules.set_timezone(host, verbs[1])
        return 0
    if verbs and verbs[0] not in ("status", "show"):
        raise HostProblem(f"`timedatectl {verbs[0]}` is not emulated")
    zone = modules.timezone(host)
    running = bool((service := host.services.get("systemd-timesyncd")) and service.running)
    if verbs == ["show"]:
        return _say(session, f"Timezone={zone}\nNTP={'yes' if running else 'no'}")
    return _say(session, f"                Time zone: {zone}\n              NTP service: {'active' if running else 'inactive'}")


def _getent(host: Host, session: Session, words: list[str]) -> int:
    table, *keys = words
    path = {"passwd": "/etc/passwd", "group": "/etc/group", "shadow": "/etc/shadow", "hosts": "/etc/hosts"}.get(table)
    if path is None:
        raise HostProblem(f"Unknown database: {table}")
    lines = [line for line in host.text(path).splitlines() if not keys or line.split(":")[0] in keys or keys[0] in line.split()]
    _say(session, "\n".join(lines))
    return 0 if lines else 2


def _dpkg(host: Host, session: Session, words: list[str]) -> int:
    names = _plain(words) or sorted(host.packages)
    for name in names:
        if name not in host.packages:
            session.complain(f"dpkg-query: no packages found matching {name}\n".encode())
            return 1
        _say(session, f"ii  {name} {host.packages[name]} amd64")
    return 0


def _ip(host: Host, session: Session, words: list[str]) -> int:
    if words and words[0].startswith("r"):
        return _say(session, f"default via {host.gateway} dev eth0")
    return _say(
        session,
        f"1: lo: <LOOPBACK,UP>\n    inet 127.0.0.1/8\n2: eth0: <UP> link/ether {host.mac}\n    inet {host.address}/{host.prefix}",
    )


def _date(host: Host, session: Session, words: list[str]) -> int:
    shape = next((word[1:] for word in words if word.startswith("+")), "%a %b %e %H:%M:%S UTC %Y")
    return _say(session, time.strftime(shape, time.gmtime()))


def _uname(host: Host, session: Session, words: list[str]) -> int:
    return _say(session, "Linux" if words in ([], ["-s"]) else f"Linux {host.hostname} emulated x86_64 GNU/Linux")


def _grep(host: Host, session: Session, words: list[str]) -> int:
    import re

    wanted, *files = _plain(words)
    text = b"".join(host.read(_path(host, session, file)) for file in files) if files else session.read()
    lines = [line for line in text.decode("utf-8", "replace").splitlines() if re.search(wanted, line)]
    if lines and not any(word.startswith("-") and "q" in word for word in words):
        _say(session, "\n".join(lines))
    return 0 if lines else 1


def _head(host: Host, session: Session, words: list[str]) -> int:
    count = int(next((word.lstrip("-n") for word in words if word.startswith("-") and word.lstrip("-n").isdigit()), "10"))
    return _say(session, "\n".join(session.read().decode("utf-8", "replace").splitlines()[:count]))


def _cloud_init(host: Host, session: Session, words: list[str]) -> int:
    return _say(session, "status: done")


COMMANDS: dict[str, Command] = {
    "echo": _echo,
    "printf": _echo,
    "true": lambda *_: 0,
    ":": lambda *_: 0,
    "false": lambda *_: 1,
    "sleep": lambda *_: 0,
    "setfacl": lambda *_: 0,
    "exit": lambda host, session, words: int(words[0]) if words else 0,
    "pwd": lambda host, session, words: _say(session, session.folder),
    "whoami": lambda host, session, words: _say(session, session.user),
    "hostname": lambda host, session, words: _say(session, host.address if "-I" in words else host.hostname),
    "lsb_release": lambda host, session, words: _say(session, f"Debian {VERSION} {CODENAME}"),
    "sudo": _sudo,
    "su": _runuser,
    "runuser": _runuser,
    "python3": _python,
    "python": _python,
    "mkdir": _mkdir,
    "rm": _rm,
    "chmod": _chmod,
    "chown": _chown,
    "cat": _cat,
    "test": _test,
    "[": _test,
    "dd": _dd,
    "id": _id,
    "ls": _ls,
    "systemctl": _systemctl,
    "service": _service,
    "nginx": _nginx,
    "psql": _psql,
    "pg_isready": _pg_isready,
    "pg_lsclusters": _pg_lsclusters,
    "curl": _curl,
    "ss": _ss,
    "timedatectl": _timedatectl,
    "getent": _getent,
    "dpkg": _dpkg,
    "dpkg-query": _dpkg,
    "ip": _ip,
    "date": _date,
    "uname": _uname,
    "grep": _grep,
    "head": _head,
    "cloud-init": _cloud_init,
    **dict.fromkeys(SHELLS, _shell),
}

NEEDS = {
    "nginx": "nginx",
    "psql": "postgresql-client-15",
    "pg_isready": "postgresql-client-15",
    "pg_lsclusters": "postgresql-common",
    "curl": "curl",
}
"""Commands that come with a package."""
