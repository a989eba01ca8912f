"""What the emulated host's servers answer: nginx its files, node_exporter a few lines, PostgreSQL the statements our kind of role needs."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from cluster_sim.guests.emulated.host import Host, HostProblem

POSTGRES_VERSION = "PostgreSQL 15 (emulated)"


@dataclass(frozen=True)
class Page:
    status: int
    text: str
    kind: str = "text/html"


def fetch(host: Host, url: str) -> Page:
    """An HTTP GET from the host itself."""
    split = urlsplit(url)
    port = split.port or {"http": 80, "https": 443}.get(split.scheme, 0)
    if split.hostname not in ("localhost", "127.0.0.1", "::1", host.hostname, host.address):
        raise HostProblem(f"No route to {split.hostname}: an emulated guest reaches nobody")
    if not host.listens(port):
        raise HostProblem(f"Connection refused: nothing listens on port {port}")
    if port == 9100:
        return Page(
            200, f'# An emulated guest measures nothing.\nnode_uname_info{{nodename="{host.hostname}"}} 1\n', "text/plain"
        )
    if (nginx := host.services.get("nginx")) and nginx.running and port in nginx.ports:
        return _nginx(host, split.path or "/")
    raise HostProblem(f"What answers on port {port} is not emulated")


def _nginx(host: Host, path: str) -> Page:
    text = nginx_configuration(host)
    if fixed := re.search(rf'location\s*=\s*{re.escape(path)}\s*{{[^}}]*return\s+(\d+)\s*(?:"([^"]*)")?', text):
        kind = re.search(rf"location\s*=\s*{re.escape(path)}\s*{{[^}}]*default_type\s+([^;\s]+)", text)
        return Page(int(fixed[1]), (fixed[2] or "").replace("\\n", "\n"), kind[1] if kind else "text/html")
    root = found[1] if (found := re.search(r"^\s*root\s+([^;\s]+)", text, re.MULTILINE)) else "/var/www/html"
    names = re.search(r"^\s*index\s+([^;]+);", text, re.MULTILINE)
    tried = [path] if not path.endswith("/") else [path + name for name in (names[1].split() if names else ["index.html"])]
    for each in tried:
        entry = host.entry(root + each)
        if entry is not None and entry.kind == "file":
            return Page(200, entry.data.decode("utf-8", "replace"))
    return Page(404, "<title>404 Not Found</title>\n")


def nginx_configuration(host: Host, path: str = "/etc/nginx/nginx.conf", depth: int = 0) -> str:
    """The settings with their includes put in."""
    if depth > 5:
        raise HostProblem("nginx: [emerg] includes are nested too deeply")
    text = re.sub(r"(?m)^\s*#.*$", "", host.read(path).decode("utf-8", "replace"))

    def included(match: re.Match[str]) -> str:
        pattern = posixpath.join("/etc/nginx", match[1])
        folder, _, name = pattern.rpartition("/")
        if "*" not in name:
            return nginx_configuration(host, pattern, depth + 1)
        ending = name.replace("*", "")
        return "\n".join(nginx_configuration(host, each, depth + 1) for each in host.children(folder) if each.endswith(ending))

    return re.sub(r"\binclude\s+([^;\s]+)\s*;", included, text)


def check_nginx(host: Host, path: str = "/etc/nginx/nginx.conf") -> None:
    """What `nginx -t` would find that a model can: a missing include, a brace too many."""
    text = nginx_configuration(host, path)
    bare = re.sub(r'"[^"]*"', '""', text)
    if bare.count("{") != bare.count("}"):
        raise HostProblem(f'nginx: [emerg] unexpected end of file, expecting "}}" in {path}')
    if "events" not in bare:
        raise HostProblem('nginx: [emerg] no "events" section in configuration')


@dataclass
class Connection:
    """One client of PostgreSQL."""

    host: Host
    role: str
    database: str
    lines: list[str] = field(default_factory=list)

    def run(self, script: str) -> None:
        for statement, how in split_statements(script):
            rows = self._one(statement)
            if how == "gexec":
                for row in rows:
                    self._one(row)
            else:
                self.lines.extend(rows)

    def _one(self, statement: str) -> list[str]:
        """The rows of one statement."""
        server = self.host.database
        text = " ".join(statement.split())
        if re.fullmatch(r"SET \w+ ?(=|TO) ?.+", text, re.IGNORECASE):
            return []
        if made := re.fullmatch(r"SELECT \'(.+)\' WHERE NOT EXISTS \((.+)\)", text, re.IGNORECASE):
            return [] if self._one(made[2]) else [made[1].replace("''", "'")]
        if asked := re.fullmatch(
            r"SELECT (.*?) ?FROM pg_(roles|database) WHERE (rolname|datname) ?= ?'([^']*)'", text, re.IGNORECASE
        ):
            known = server.roles if asked[2] == "roles" else server.databases
            return [asked[1] or ""] if asked[4] in known else []
        if made := re.fullmatch(
            r'(CREATE|ALTER) (?:ROLE|USER) "?([\w-]+)"?((?: WITH)?(?: LOGIN)?)(?: (?:ENCRYPTED )?PASSWORD \'(.*)\')?',
            text,
            re.IGNORECASE,
        ):
            self._must_rule(made[0])
            exists = made[2] in server.roles
            if exists == (made[1].upper() == "CREATE"):
                raise HostProblem(f'ERROR:  role "{made[2]}" {"already exists" if exists else "does not exist"}')
            if made[4] is not None or not exists:
                server.roles[made[2]] = made[4].replace("''", "'") if made[4] is not None else None
            return []
        if made := re.fullmatch(r'CREATE DATABASE "?([\w-]+)"?(?: (?:WITH )?OWNER ?=? ?"?([\w-]+)"?)?', text, re.IGNORECASE):
            self._must_rule(made[0])
            if made[1] in server.databases:
                raise HostProblem(f'ERROR:  database "{made[1]}" already exists')
            if made[2] and made[2] not in server.roles:
                raise HostProblem(f'ERROR:  role "{made[2]}" does not exist')
            server.databases[made[1]] = made[2] or self.role
            return []
        if shown := re.fullmatch(r"SHOW (\w+)", text, re.IGNORECASE):
            settings = self.host.postgres_settings()
            if shown[1] not in settings:
                raise HostProblem(f"emulated guest: the setting {shown[1]} is not emulated")
            return [settings[shown[1]]]
        if text == "SELECT count(*) FROM pg_file_settings":
            self._must_rule("READ pg_file_settings")
            return [str(len(self.host.postgres_settings()))]
        if text == "SELECT name FROM pg_settings WHERE pending_restart":
            # A modelled server reads its files whenever it is asked something, so nothing ever waits.
            return []
        known = {"current_user": self.role, "current_database()": self.database, "version()": POSTGRES_VERSION, "1": "1"}
        if (asked := re.fullmatch(r"SELECT (.+)", text, re.IGNORECASE)) and all(
            part.strip().lower() in known for part in asked[1].split(",")
        ):
            return ["|".join(known[part.strip().lower()] for part in asked[1].split(","))]
        raise HostProblem(f"emulated guest: this SQL is not emulated: {text[:60]}")

    def _must_rule(self, statement: str) -> None:
        if self.role != "postgres":
            raise HostProblem(f"ERROR:  permission denied to {' '.join(statement.split()[:2]).lower()}")


def split_statements(script: str) -> list[tuple[str, str]]:
    """Statements and how each ends, `;` or `gexec`; quotes and comments are minded."""
    found: list[tuple[str, str]] = []
    text, at = "", 0
    while at < len(script):
        if script.startswith("--", at):
            at = script.find("\n", at) if "\n" in script[at:] else len(script)
        elif script[at] in "'\"":
            end = script.find(script[at], at + 1)
            if end < 0:
                raise HostProblem("ERROR:  unterminated quoted string")
            text += script[at : end + 1]
            at = end + 1
        elif script[at] == ";" or script.startswith("\\gexec", at):
            how = ";" if script[at] == ";" else "gexec"
            if text.strip():
                found.append((text.strip(), how))
            text = ""
            at += 1 if how == ";" else len("\\gexec")
        elif script[at] == "\\":
            raise HostProblem(f"emulated guest: the psql command {script[at:].split()[0]} is not emulated")
        else:
            text += script[at]
            at += 1
    if text.strip():
        found.append((text.strip(), ";"))
    return found


def connect(host: Host, person: str, wanted: dict[str, str]) -> Connection:
    """A connection as libpq would make it from `host`, `port`, `user`, `dbname`, `password` and `service`."""
    if service := wanted.get("service"):
        home = host.people[person].home
        section = re.search(rf"(?ms)^\[{re.escape(service)}\]\s*$(.*?)(?=^\[|\Z)", host.text(f"{home}/.pg_service.conf"))
        if section is None:
            raise HostProblem(f'psql: error: definition of service "{service}" not found')
        lines = (line.partition("=") for line in section[1].splitlines() if "=" in line)
        wanted = {name.strip(): value.strip() for name, _, value in lines} | {k: v for k, v in wanted.items() if k != "service"}
    role = wanted.get("user", person)
    database = wanted.get("dbname", role)
    place = wanted.get("host", "/var/run/postgresql")
    port = int(wanted.get("port", "5432"))
    server = host.services.get("postgresql")
    failed = f'connection to server at "{place}", port {port} failed:'
    if server is None or not server.running or port not in host.ports_of(server):
        raise HostProblem(f"psql: error: {failed} Connection refused")
    if role not in host.database.roles or (place.startswith("/") and role != person):
        raise HostProblem(f'psql: error: {failed} FATAL:  Peer authentication failed for user "{role}"')
    if not place.startswith("/") and (host.database.roles[role] is None or wanted.get("password") != host.database.roles[role]):
        raise HostProblem(f'psql: error: {failed} FATAL:  password authentication failed for user "{role}"')
    if database not in host.database.databases:
        raise HostProblem(f'psql: error: {failed} FATAL:  database "{database}" does not exist')
    return Connection(host, role, database)
