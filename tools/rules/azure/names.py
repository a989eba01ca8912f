"""How Azure resources are called: names by the Cloud Adoption Framework's convention, and which names may be used at all.

Whether a name is taken is told by a snapshot; here is only what it may look like: the rows of tools/data/azure-names.csv.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from tools.data import table
from tools.rules.names import naming

HASH_LENGTH = 5
TRIES_MAX = 6
"""Other endings for a name that somebody has already; each is asked for in one look."""
TAGS_MAX, TAG_NAME_MAX, TAG_VALUE_MAX, TAG_SHUT = 50, 128, 256, re.compile(r"[<>%&\\?/\x00-\x1f]")
"""128 are a storage account's, the least of all; learn.microsoft.com, "Use tags to organize your Azure resources", read 2026-12-01."""
ENVIRONMENTS = {"production": "prod", "staging": "stg", "development": "dev"}


GROUP = "Microsoft.Graph/groups"
"""An Entra group that is to get a role, where the scan is asked for what it names: `Microsoft.Graph/groups:<object id>`."""


@dataclass(frozen=True)
class NameRule:
    abbreviation: str
    noun: str
    least: int
    most: int
    pattern: str
    words: str
    scope: str
    """In what it is unique: `global`, `subscription`, `group`, `account`, `cluster`."""
    type: str
    hyphens: bool


def _rules() -> Iterator[tuple[str, NameRule]]:
    for row in table("azure-names"):
        words = {name: row[name] for name in ("abbreviation", "noun", "pattern", "words", "scope", "type")}
        hyphens = bool(re.fullmatch(row["pattern"], "aa-aa"))
        yield row["kind"], NameRule(least=int(row["least"]), most=int(row["most"]), hyphens=hyphens, **words)


RULES: dict[str, NameRule] = dict(_rules())


def name_problem(kind: str, name: str) -> str:
    """Why this cannot be the name of such a resource, in whole sentences; empty when it can."""
    rule = RULES[kind]
    if rule.least <= len(name) <= rule.most and re.fullmatch(rule.pattern, name):
        return ""
    better = repair(kind, name)
    offer = f" {better} would do." if better else f" Say a name such as {rule.abbreviation or 'data'}{'-' if rule.hyphens else ''}example."
    article = "an" if rule.noun[0] in "AEIOUaeiou" else "a"
    return (
        f"{naming.shorten(name)} cannot be the name of {article} {rule.noun}: "
        f"it has {rule.least} to {rule.most} characters, {rule.words}.{offer}"
    )


def tags_problem(tags: Collection[tuple[str, str]]) -> str:
    """Why Azure does not take these tags, in a whole sentence; empty when it does."""
    if len(tags) > TAGS_MAX:
        return f"There are {len(tags)} tags, and a resource has at most {TAGS_MAX}."
    for name, value in tags:
        if TAG_SHUT.search(name) or not 1 <= len(name) <= TAG_NAME_MAX:
            return f"{naming.shorten(name)} cannot be a tag: it has 1 to {TAG_NAME_MAX} characters, and none of < > % & \\ ? /."
        if len(value) > TAG_VALUE_MAX:
            return f"The tag {name} has more than {TAG_VALUE_MAX} characters."
    return ""


def repair(kind: str, name: str) -> str:
    """The nearest name that may be used; empty when nothing of it is left."""
    rule = RULES[kind]
    plain = name.lower()[:200]
    plain = re.sub(r"[^a-z0-9]+", "-" if rule.hyphens else "", plain)
    plain = re.sub(r"-{2,}", "-", plain).strip("-")
    if kind in ("vault", "pool"):
        plain = plain.lstrip("0123456789-")
    plain = plain[: rule.most].strip("-")
    return plain if len(plain) >= rule.least and re.fullmatch(rule.pattern, plain) else ""


def slug(text: str, most: int = 12) -> str:
    """`ML Platform team` → `mlplatform`."""
    plain = re.sub(r"\b(?:the|our|my|a|team|squad|group)\b", " ", text.lower())
    return re.sub(r"[^a-z0-9]", "", plain)[:most]


def environment_short(environment: str) -> str:
    return ENVIRONMENTS.get(environment, slug(environment, 4))


@dataclass(frozen=True)
class Base:
    """What names are made of: `spark-ml-dev-eastus-01`."""

    workload: str
    team: str
    environment: str
    region: str
    number: int = 1

    @property
    def words(self) -> tuple[str, ...]:
        given = (self.workload, self.team, environment_short(self.environment), self.region, f"{self.number:02d}")
        return tuple(word for word in given if word)

    def name(self, kind: str, purpose: str = "") -> str:
        """By convention: abbreviation, purpose, workload, team, environment, region, number."""
        rule = RULES[kind]
        name = "-".join(word for word in (rule.abbreviation, purpose, *self.words) if word)
        return name[: rule.most].rstrip("-")

    def global_name(self, kind: str, salt: str, attempt: int = 0) -> str:
        """For a name that is unique in all of Azure: shorter, and with a hash that is the same whenever it is made again."""
        rule = RULES[kind]
        # Without the number, so that the scan has asked for the same names that a second one of them tries.
        tail = short_hash(*self.words[:-1], salt, *([str(attempt)] if attempt else []))
        joint = "-" if rule.hyphens else ""
        room = rule.most - len(rule.abbreviation) - HASH_LENGTH - 2 * len(joint)
        middle = joint.join(word for word in (self.workload, self.team, environment_short(self.environment)) if word)[:room]
        return joint.join((rule.abbreviation, middle.strip("-"), tail))


def short_hash(*words: str) -> str:
    """Five small letters and digits: the same words give the same ones."""
    digest = hashlib.sha256("\0".join(words).encode()).digest()
    return base64.b32encode(digest).decode().lower()[:HASH_LENGTH]


def global_names(base: Base, kind: str, salt: str) -> Iterator[str]:
    """In the order in which they are tried."""
    return (base.global_name(kind, salt, attempt) for attempt in range(TRIES_MAX))


def free_global(base: Base, kind: str, salt: str, taken: Collection[str]) -> str:
    """The first that nobody has; empty when all are taken. `taken` as a snapshot has it: `type:name`."""
    used = {name.lower() for name in taken}
    type_ = RULES[kind].type
    return next((name for name in global_names(base, kind, salt) if f"{type_}:{name}".lower() not in used), "")


def check_key(kind: str, name: str) -> str:
    """As the scan is asked for it, and as it tells that it is taken."""
    return f"{RULES[kind].type}:{name}"


def kind_of(key: str) -> str:
    """The kind of a name that may say its purpose first: `identity` of `jobs_identity`."""
    return key if key in RULES else next(kind for kind in RULES if key.endswith(f"_{kind}"))


class _Plain(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return key.replace("_", " ")


PLAIN_NAMES: dict[str, str] = _Plain()
"""For reckoning before anything has a name."""
