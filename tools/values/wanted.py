"""What a capability wants to know: the facts it asks for, how each is recognised, and how it is asked for."""

from __future__ import annotations

from typing import Literal, Protocol

from tools.values.value import Value

Kind = Literal[
    "count",
    "memory",
    "disk",
    "volume",
    "money",
    "name",
    "names",
    "network",
    "node",
    "storage",
    "choice",
    "text",
    "yes_no",
    "public_key",
    "region",
    "ports",
    "addresses",
    "address",
    "subnet",
    "disks",
    "date",
    "version",
    "folder",
    "wish",
]
"""Most say what they are. `names`: of machines, several joined by `, `. `addresses`: those that may come in, as CIDR. `address`: a
machine's own, with or without its prefix, several joined. `subnet`: a network's own range. `disks`: sizes with their unit, several joined.
`ports`: several joined, each as `443`, `8000-8100`, `53/udp` or `22 from 10.0.0.0/8`. `date`: ISO, whatever was typed. `version`: a number
behind the name of what it is a version of. `folder`: an absolute path, or `host:/path` of a share. `wish`: what no capability can do yet;
its words become a wish of the request, of this name."""


class Wanted(Value):
    name: str
    """The fact's name: `users`."""
    kind: Kind
    meaning: str
    """One line for a model and for people: what it is, in which unit."""
    words: tuple[str, ...] = ()
    """Words that stand beside the value: `users`, `concurrent users`, `connections`."""
    choices: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """For `choice`: (value, words that mean it): (`production`, (`production`, `prod`, `live`))."""
    question: str = ""
    """Asked when it is required and missing. Empty: never asked for, a default or an assumption stands in."""
    suggestions: tuple[str, ...] = ()
    several: bool = False
    """It is a list, joined by `, `: `also` adds to it, and `without` takes away."""
    own: str = ""
    """For `several`: the fact that one value may have of its own: `8443 from 10.2.0.0/16`, `gpt-5 with 20000`."""
    instead_of: tuple[str, ...] = ()
    """Capabilities in whose place this one is wanted when a `count` of several, or a `wish`, is said of a new one: `PostgreSQL with 2
    replicas`, `web servers behind a load balancer`."""
    same_as: str = ""
    """The fact that says the same another way, such as machines and replicas: whichever is said later stands alone."""
    beside: int = 0
    """For `same_as`: how many more that other fact counts. A cluster has one machine more than it has replicas."""
    part_of: str = ""
    """For `count`: the fact that counts these and others together. Of all of them the last two said count, and the rest follows."""
    of_others: bool = False
    """For `count`: of machines that are not its own: `monitoring for 40 machines`."""
    unlabelled: bool = False
    """For `address`: one that no label introduces is this one, and no machine's own. For `text`: the name of a host that it is `for`."""
    place: bool = False
    """For `choice`: where the thing is to stand, so that its words say so only as words for a place do: `in Azure`, `an Azure VM`, and not
    `Azure AD`. It is said of the thing that it stands behind, and no other words make it go unheard."""
    only_in: str = ""
    """The one place in which it means something: it is heard where that is said."""
    alone: bool = False
    """For `choice`: saying one of its choices asks for the thing, also where nothing else does: `GitLab for 3,000 users`. For `network`: so
    does a new one: `make a VLAN 60 network`."""


class Listed(Protocol):
    """What hearing and editing need of a capability."""

    @property
    def NAME(self) -> str: ...
    @property
    def TITLE(self) -> str: ...
    @property
    def WORDS(self) -> tuple[str, ...]: ...
    @property
    def WANTED(self) -> tuple[Wanted, ...]: ...
