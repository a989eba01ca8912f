"""What an emulated PostgreSQL answers: who may connect, and the statements that the role `postgresql` sends.

It is no database: it keeps accounts and names of databases, and refuses every other statement by its words.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from cluster_sim.guests.emulated.host import Host, HostProblem

FOLDER = "/etc/postgresql/15/main"
_NAMED = r'"?([\w-]+)"?'


def settings(host: Host) -> dict[str, str]:
    """As its files set them. A modelled server reads them whenever it is asked something, so nothing ever waits for a restart."""
    found = {"port": "5432"}
    for path in (f"{FOLDER}/postgresql.conf", *host.children(f"{FOLDER}/conf.d")):
        for line in host.text(path).splitlines():
            name, _, value = line.partition("#")[0].partition("=")
            if value:
                found[name.strip()] = value.strip().strip("'")
    return found


@dataclass
class Connection:
    """One client's. What it was told is in `lines`."""

    host: Host
    role: str
    lines: list[str] = field(default_factory=list)

    def run(self, script: str) -> None:
        """Raises HostProblem as the server would, or for a statement that is not modelled."""
        for statement, end in split_statements(script):
            rows = self._one(statement)
            if end == "gexec":
                for row in rows:
                    self._one(row)
            else:
                self.lines.extend(rows)

    def _one(self, statement: str) -> list[str]:
        """The rows of one statement."""
        text = " ".join(statement.split())
        host = self.host
        if re.fullmatch(r"SET \w+ = .+", text):
            return []
        if text == "SELECT current_user":
            return [self.role]
        if text == "SELECT name FROM pg_settings WHERE pending_restart":
            return []
        if text == "SELECT count(*) FROM pg_file_settings":
            self._must_rule("read pg_file_settings")
            return [str(len(settings(host)))]
        if made := re.fullmatch(r"SELECT '(.+)' WHERE NOT EXISTS \(SELECT FROM pg_(roles|database) WHERE \w+ = '([^']*)'\)", text):
            known = host.roles if made[2] == "roles" else host.databases
            return [] if made[3] in known else [made[1].replace("''", "'")]
        if made := re.fullmatch(r"SELECT '(GRANT .+)' WHERE NOT EXISTS \(SELECT FROM pg_auth_members WHERE .+\)", text):
            return [made[1]]  # Who belongs to whom is not kept, so it is granted again.
        if made := re.fullmatch(rf"GRANT {_NAMED} TO {_NAMED}", text):
            self._must_rule("grant role")
            if made[2] not in host.roles:
                raise HostProblem(f'ERROR:  role "{made[2]}" does not exist')
            return []
        if made := re.fullmatch(rf"(CREATE|ALTER) ROLE {_NAMED}(?: LOGIN)?(?: PASSWORD '(.*)')?", text):
            self._must_rule(f"{made[1].lower()} role")
            exists = made[2] in host.roles
            if exists == (made[1] == "CREATE"):
                raise HostProblem(f'ERROR:  role "{made[2]}" {"already exists" if exists else "does not exist"}')
            host.roles[made[2]] = made[3].replace("''", "'") if made[3] is not None else host.roles.get(made[2])
            return []
        if made := re.fullmatch(rf"CREATE DATABASE {_NAMED} OWNER {_NAMED}", text):
            self._must_rule("create database")
            if made[1] in host.databases:
                raise HostProblem(f'ERROR:  database "{made[1]}" already exists')
            if made[2] not in host.roles:
                raise HostProblem(f'ERROR:  role "{made[2]}" does not exist')
            host.databases[made[1]] = made[2]
            return []
        raise HostProblem(f"emulated guest: this SQL is not emulated: {text[:60]}")

    def _must_rule(self, what: str) -> None:
        if self.role != "postgres":
            raise HostProblem(f"ERROR:  permission denied to {what}")


def split_statements(script: str) -> list[tuple[str, str]]:
    """Statements and how each ends, `;` or `gexec`; quotes and comments are minded."""
    found: list[tuple[str, str]] = []
    text = ""
    for piece in re.findall(r"""--[^\n]*|'[^']*'|"[^"]*"|;|\\\w*|[^'";\\-]+|.""", script, re.DOTALL):
        if piece.startswith("--"):
            continue
        if piece in ("'", '"'):
            raise HostProblem("ERROR:  unterminated quoted string")
        if piece.startswith("\\") and piece != "\\gexec":
            raise HostProblem(f"emulated guest: the psql command {piece} is not emulated")
        if piece not in (";", "\\gexec"):
            text += piece
            continue
        if text.strip():
            found.append((text.strip(), piece.removeprefix("\\")))
        text = ""
    return [*found, (text.strip(), ";")] if text.strip() else found


def connect(host: Host, user: str, wanted: dict[str, str]) -> Connection:
    """A connection as libpq would make it for `user`, from `host`, `port`, `user`, `dbname`, `password` and `service`.

    Raises HostProblem with psql's own words when there is none.
    """
    if service := wanted.get("service"):
        text = host.text(f"{host.account(user).home}/.pg_service.conf")
        section = re.search(rf"(?ms)^\[{re.escape(service)}\]\s*$(.*?)(?=^\[|\Z)", text)
        if section is None:
            raise HostProblem(f'psql: error: definition of service "{service}" not found')
        lines = (line.partition("=") for line in section[1].splitlines() if "=" in line)
        wanted = {name.strip(): value.strip() for name, _, value in lines} | wanted
    role = wanted.get("user", user)
    database = wanted.get("dbname", role)
    server = wanted.get("host", "/var/run/postgresql")
    port = wanted.get("port", "5432")
    running = (service_ := host.services.get("postgresql")) is not None and service_.running
    failed = f'psql: error: connection to server at "{server}", port {port} failed:'
    if not running or port != settings(host)["port"]:
        raise HostProblem(f"{failed} Connection refused")
    if role not in host.roles or (server.startswith("/") and role != user):
        raise HostProblem(f'{failed} FATAL:  Peer authentication failed for user "{role}"')
    if not server.startswith("/") and (host.roles[role] is None or wanted.get("password") != host.roles[role]):
        raise HostProblem(f'{failed} FATAL:  password authentication failed for user "{role}"')
    if database not in host.databases:
        raise HostProblem(f'{failed} FATAL:  database "{database}" does not exist')
    return Connection(host, role)
