"""Which network a machine is to be on: a bridge or SDN vnet, and a tag or none. What was said is found among what was seen and what the
site knows; what contradicts itself, or could be several, is a sentence that asks. Addresses are in tools.rules.machines.addresses.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from tools.rules.names import naming
from tools.rules.names.text import join_and
from tools.values.requirements import Field, Missing, Needs, Origin
from tools.values.site import SiteNetwork
from tools.values.snapshot import ClusterSnapshot, Network

LOCAL = "localnetwork"
"""The zone of every bridge."""
UNTAGGED = 0
"""As the tag that was said: none."""
SUGGESTIONS_MAX = 4
NAMED_MAX = 12
_ON_BRIDGE = re.compile(r"([a-z][a-z0-9_]*?)(?:\.|v)(\d{1,4})")
"""`vmbr0.40` and `vmbr0v40`."""


@dataclass(frozen=True)
class Wish:
    """What was said of a network; nothing of it is looked up yet."""

    name: str = ""
    """A name, a VLAN's number, a bridge or a subnet."""
    bridge: str = ""
    tag: int | None = None
    """None: none was said."""
    addresses: tuple[str, ...] = ()


def wish_of(needs: Needs) -> Wish:
    tag = needs.field("vlan_tag")
    return Wish(needs.text("network"), needs.text("bridge"), needs.whole("vlan_tag") if tag else None, needs.strings("address"))


def further_wishes(needs: Needs) -> tuple[Wish, ...]:
    """Of the network cards beside the first."""
    return tuple(Wish(name=name, tag=int(name) if name.isdecimal() and len(name) <= 4 else None) for name in needs.strings("more_networks"))


def wishes_of(needs: Needs) -> tuple[Wish, ...]:
    """Of machines; what is none has no network."""
    asked = any(one.name == "network" for one in needs.missing) or any(map(needs.field, ("network", "bridge", "vlan_tag", "address")))
    return (wish_of(needs), *further_wishes(needs)) if asked else ()


def is_settled(snapshot: ClusterSnapshot, wish: Wish, tags_known: Collection[int]) -> bool:
    """Whether `find` says the same whatever further guests are on: tags in use are known by their configurations, a call each. `tags_known`
    are the VLANs whose subnet the cluster tells, once a guest on one is seen."""
    word = wish.name.strip().lower()
    bridges = {n.bridge.lower() for n in snapshot.networks}
    split = _ON_BRIDGE.fullmatch(word)
    if split and word not in bridges and split[1] in bridges:
        return is_settled(snapshot, Wish(split[2], wish.bridge or split[1], int(split[2]), wish.addresses), tags_known)
    tag = int(word) if word.isdecimal() and len(word) <= 4 else wish.tag or None
    if not word.isdecimal() and not (tag and word in (*bridges, "")):
        return any(n.name.lower() == word for n in snapshot.networks)  # names are no tags; nothing said, and a subnet, may be one
    on = wish.bridge.lower() or (word if word in bridges else "")
    # A vnet may be aware of VLANs itself, and the site file may name what no node has.
    able = {n.bridge.lower() for n in snapshot.networks if tag and (lets_through(n, tag) or n.vlan_tag == tag or n.zone != LOCAL)}
    if not on and len(able) > 1:
        return False
    there = [n for n in snapshot.networks if tag and on in ("", n.bridge.lower())]
    carried = any(lets_through(n, tag or UNTAGGED) for n in there) and tag not in tags_known
    return any(n.vlan_tag == tag for n in there) or (carried and (wish.tag is not None or bool(on)))


def find(snapshot: ClusterSnapshot, wish: Wish) -> Network | str:
    """The network, or why there is none and what to say instead."""
    word = wish.name.strip().lower()
    bridges = {n.bridge.lower() for n in snapshot.networks}
    if wish.bridge and wish.bridge.lower() not in bridges:
        return naming.unknown("bridge", wish.bridge, sorted({n.bridge for n in snapshot.networks}))
    if not word:
        return _unsaid(snapshot, wish)
    if "/" in word:
        return _by_subnet(snapshot, wish)
    split = _ON_BRIDGE.fullmatch(word)
    if split and word not in bridges and split[1] in bridges:
        return find(snapshot, Wish(split[2], wish.bridge or split[1], int(split[2]), wish.addresses))
    number = int(word) if word.isdecimal() and len(word) <= 4 else None
    if number is not None and wish.tag not in (None, number):
        other = "no tag" if wish.tag == UNTAGGED else f"VLAN {wish.tag}"
        return f"VLAN {number} and {other} were both asked for. Say which of the two."
    if word in bridges and wish.bridge and wish.bridge.lower() != word:
        return f"{wish.name} and {wish.bridge} were both asked for. Say which of the two bridges."
    named = [n for n in snapshot.networks if n.name.lower() == word or (number is not None and n.vlan_tag == number)]
    there = [n for n in named if wish.bridge.lower() in ("", n.bridge.lower())]
    if word in bridges and wish.tag:
        return _tagged(snapshot, wish.tag, word)
    if number is not None and not there and (wish.tag is not None or wish.bridge):
        return _tagged(snapshot, number, wish.bridge.lower())
    if not named:
        known = _names(snapshot)
        bridge = min(n.bridge for n in snapshot.networks) if snapshot.networks else "vmbr0"
        hint = f" If it is a VLAN, say on which bridge, as in `VLAN {number} on {bridge}`." if number is not None else ""
        return naming.unknown("network", wish.name, known) + hint
    if not there:
        return f"Network {wish.name} is seen on {' and '.join(_bridges(named))}, not on {wish.bridge}. Say which of them is meant."
    return _agreed(there, wish)


def _agreed(there: list[Network], wish: Wish) -> Network | str:
    """Of several by one name those that the tag fits."""
    ways = _ways(there)
    if wish.tag is not None and not wish.name.isdecimal():
        ways = [n for n in ways if (n.vlan_tag or UNTAGGED) == wish.tag]
        if not ways and wish.tag:
            has = f"has VLAN {there[0].vlan_tag}" if there[0].vlan_tag else "brings its own VLAN, or has none"
            return f"VLAN {wish.tag} and network {wish.name} were both asked for, and {wish.name} {has}. Say one of the two."
        if not ways:
            return f"No tag and network {wish.name} were both asked for, and {wish.name} has VLAN {there[0].vlan_tag}. Say one of the two."
    if len({n.bridge for n in ways}) > 1:
        return _which(f"Network {wish.name}", ways[0], _bridges(ways))
    return ways[0]


def _which(what: str, network: Network, bridges: list[str]) -> str:
    said = f"VLAN {network.vlan_tag}" if network.vlan_tag else f"network {network.name}"
    return f"{what} is on {join_and(bridges)}. Say on which, as in `{said} on {bridges[0]}`."


def _tagged(snapshot: ClusterSnapshot, tag: int, bridge: str) -> Network | str:
    """A VLAN that nobody is on yet, where a bridge lets it through."""
    rows = [n for n in snapshot.networks if n.bridge == n.name and bridge in ("", n.bridge.lower())]
    open_ = [n for n in rows if lets_through(n, tag)]
    if not open_ and bridge:
        name = rows[0].name if rows else bridge
        if rows and rows[0].vlan_ids:
            return f"VLAN {tag} cannot be on {name}: it lets the tags {rows[0].vlan_ids} through. Say one of these, or another bridge."
        return f"VLAN {tag} cannot be on {name}, on which a machine has no tag of its own. Say `{name}` alone, or another bridge."
    if not open_:
        return f"There is no VLAN {tag} here: no bridge lets it through. This cluster has {join_and(_names(snapshot))}."
    names = _bridges(open_)
    if len(names) > 1:
        return f"VLAN {tag} could be on {join_and(names)}. Say on which, as in `VLAN {tag} on {names[0]}`."
    told = next((n for n in snapshot.networks if n.subnet and (n.vlan_tag == tag or n.name == str(tag))), None)
    subnet, gateway = (told.subnet, told.gateway) if told else ("", "")
    return Network(
        name=str(tag),
        bridge=names[0],
        vlan_tag=tag,
        nodes=tuple(dict.fromkeys(node for n in open_ for node in n.nodes)),
        subnet=subnet,
        gateway=gateway,
        seen_by=f"a tag that bridge {names[0]} lets through",
    )


def _by_subnet(snapshot: ClusterSnapshot, wish: Wish) -> Network | str:
    try:
        wanted = ipaddress.ip_network(wish.name.strip(), strict=False)
    except ValueError:
        return naming.unknown("network", wish.name, _names(snapshot))
    found = [n for n in snapshot.networks if n.subnet and ipaddress.ip_network(n.subnet) == wanted]
    ways = [n for n in _ways(found) if wish.bridge.lower() in ("", n.bridge.lower()) and wish.tag in (None, n.vlan_tag or UNTAGGED)]
    if not ways:
        known = ", ".join(dict.fromkeys(f"{n.name} is {n.subnet}" for n in snapshot.networks if n.subnet)) or "no subnet of a network here"
        return f"Nothing here is known to be {wanted} ({known}). Say its VLAN or bridge; the site file may name its subnet."
    return ways[0] if len(ways) == 1 else _which(f"{wanted}", ways[0], _bridges(ways))


def _unsaid(snapshot: ClusterSnapshot, wish: Wish) -> Network | str:
    """By the addresses, or because there is no other."""
    usable = [n for n in _ways(snapshot.networks) if wish.bridge.lower() in ("", n.bridge.lower())]
    within = [n for n in usable if n.subnet and wish.addresses and _holds(n.subnet, wish.addresses[0])]
    if wish.tag:
        return _tagged(snapshot, wish.tag, wish.bridge.lower())
    found = within or usable
    if len(found) == 1 and found[0].nodes:
        return found[0]
    return f"Which network should it be on? This cluster has {join_and(_names(snapshot)) or 'none that can be seen'}."


def choose(needs: Needs, snapshot: ClusterSnapshot) -> Needs:
    """A network that was not said, where there is only one; otherwise what the cluster has is suggested."""
    needs = _on_a_network(needs, snapshot)
    wish = wish_of(needs)
    found = find(snapshot, wish)
    if isinstance(found, Network) and found.gateway and any(one.name == "gateway" for one in needs.missing):
        gateway = Field(name="gateway", value=found.gateway, origin=Origin.DEFAULT, because=f"That of network {found.name}.")
        left = tuple(one for one in needs.missing if one.name != "gateway")
        needs = needs.model_copy(update={"fields": (*needs.fields, gateway), "missing": left})
    asked = next((one for one in needs.missing if one.name == "network"), None)
    if asked is None:
        return needs
    if isinstance(found, str):
        suggested = Missing(name="network", question=asked.question, suggestions=suggestions(snapshot) or asked.suggestions)
        return needs.model_copy(update={"missing": tuple(suggested if one is asked else one for one in needs.missing)})
    because = f"{wish.addresses[0]} is in it." if wish.addresses and found.subnet else "It is the only network of this cluster."
    field = Field(name="network", value=found.name, origin=Origin.DEFAULT, because=because)
    left = tuple(one for one in needs.missing if one is not asked)
    return needs.model_copy(update={"fields": (*needs.fields, field), "missing": left})


def _on_a_network(needs: Needs, snapshot: ClusterSnapshot) -> Needs:
    """What something is to be on may be a node or a network. The cluster knows which of the two has that name."""
    node = needs.field("node")
    asked = next((one for one in needs.missing if one.name == "network"), None)
    if node is None or asked is None or str(node.value).lower() in {one.name.lower() for one in snapshot.nodes}:
        return needs
    if isinstance(find(snapshot, Wish(str(node.value))), str):
        return needs
    fields = tuple(one.model_copy(update={"name": "network"}) if one is node else one for one in needs.fields)
    return needs.model_copy(update={"fields": fields, "missing": tuple(one for one in needs.missing if one is not asked)})


def suggestions(snapshot: ClusterSnapshot) -> tuple[str, ...]:
    """As they can be typed, those of the site file and those with machines on them first."""
    first = ("the site file", "tag of VM")
    best = sorted((n for n in snapshot.networks if n.nodes), key=lambda n: not n.seen_by.startswith(first))
    return tuple(dict.fromkeys(map(said_as, best)))[:SUGGESTIONS_MAX]


def said_as(network: Network) -> str:
    return network.name if network.name == network.bridge else f"network {network.name}"


def lets_through(network: Network, tag: int) -> bool:
    ranges = (part.partition("-") for part in re.split(r"[ ,;]+", network.vlan_ids) if part)
    return any(int(low) <= tag <= int(high or low) for low, _, high in ranges if low.isdecimal() and (high or low).isdecimal())


def at(snapshot: ClusterSnapshot, bridge: str, tag: int | None) -> Network | None:
    """What is known of a place where a card is, or is to be."""
    rows = [n for n in snapshot.networks if (n.bridge, n.vlan_tag) == (bridge, tag)]
    if not rows and tag:
        made = _tagged(snapshot, tag, bridge.lower())
        return made if isinstance(made, Network) else None
    return next((n for n in rows if n.subnet), next(iter(rows), None))


def zone_of(snapshot: ClusterSnapshot, bridge: str) -> str:
    return next((n.zone for n in snapshot.networks if n.bridge == bridge), LOCAL)


def nodes_of(snapshot: ClusterSnapshot, bridge: str, tag: int | None) -> tuple[str, ...] | None:
    """Where a card on this bridge with this tag reaches something; None: nowhere."""
    rows = [n for n in snapshot.networks if n.bridge == bridge and (n.vlan_tag == tag or (tag and lets_through(n, tag)))]
    return tuple(dict.fromkeys(node for n in rows for node in n.nodes)) if rows else None


def as_known(snapshot: ClusterSnapshot, known: Iterable[SiteNetwork]) -> ClusterSnapshot:
    """With what the site knows of its networks: by the site's names, and by the cluster's own."""
    networks = snapshot.networks
    for one in reversed(tuple(known)):
        more = one.model_dump(exclude={"name", "bridge", "vlan_tag"}, exclude_defaults=True)
        networks = tuple(
            n.model_copy(update=more) if (n.bridge, n.vlan_tag) == (one.bridge, one.vlan_tag) else n
            for n in networks
            if n.name.lower() != one.name.lower()
        )
        nodes = nodes_of(snapshot, one.bridge, one.vlan_tag) or ()
        named = Network(name=one.name, bridge=one.bridge, vlan_tag=one.vlan_tag, nodes=nodes, seen_by="the site file")
        networks = (named.model_copy(update=more), *networks)
    return snapshot.model_copy(update={"networks": networks})


def _ways(networks: Iterable[Network]) -> list[Network]:
    """One for each bridge and tag, on the nodes of all that are alike."""
    found: dict[tuple[str, int | None], Network] = {}
    for n in networks:
        before = found.get((n.bridge, n.vlan_tag))
        nodes = tuple(dict.fromkeys((*before.nodes, *n.nodes))) if before else n.nodes
        found[n.bridge, n.vlan_tag] = (before or n).model_copy(update={"nodes": nodes})
    return list(found.values())


def _bridges(networks: Iterable[Network]) -> list[str]:
    return list(dict.fromkeys(n.bridge for n in networks))


def _names(snapshot: ClusterSnapshot) -> list[str]:
    return list(dict.fromkeys(n.name for n in snapshot.networks))[:NAMED_MAX]


def _holds(subnet: str, address: str) -> bool:
    return ipaddress.ip_interface(address).ip in ipaddress.ip_network(subnet)
