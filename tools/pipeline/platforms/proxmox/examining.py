"""What a newcomer lacks on a cluster: looked at with the token that looks and the token that makes, before anybody asks for a machine.
Nothing is changed."""

from __future__ import annotations

from collections.abc import Iterator

from tools.clients.settings import Settings
from tools.pipeline.context import Examined
from tools.pipeline.platforms.proxmox.rights import all_of, look_up
from tools.rules.machines import images, rights
from tools.rules.machines.rights import Rights
from tools.values.site import Site
from tools.values.snapshot import ClusterSnapshot
from tools.values.trouble import Trouble

NAMED_MAX = 6


def examine(settings: Settings, site: Site, seen: ClusterSnapshot) -> Iterator[Examined]:
    """Beside what could not be seen, which the snapshot tells."""
    templates = {t.name: rights.clone_rights(t) for t in seen.templates if t.cloud_init}
    storages = {s.name: rights.storage_rights(s.name) for s in seen.storages if "images" in s.content and s.active}
    networks = {n.bridge: rights.bridge_rights(seen, n.bridge) for n in seen.networks if n.nodes}
    life = rights.life_rights(site.pool, seen.version)
    where = next((s for s in seen.storages if images.takes_images(s)), None) if not templates else None
    download = images.rights_to_download(where.node, where.name) if where else ()
    needed = all_of([*templates.values(), *storages.values(), *networks.values(), life, download, rights.NEW_NETWORKS])
    try:
        token_id, missing = look_up(settings, needed)
    except Trouble as trouble:
        yield Examined("proxmox, the token that makes", False, f"{trouble.summary} {trouble.detail}", trouble.remedy)
        return
    lacking = dict(missing)
    yield _life(token_id, life, lacking, site, seen)
    make_one = "" if templates else _make_a_template(token_id, site, where is not None, download, lacking)
    yield _kind("templates", "with a cloud-init drive", token_id, templates, lacking, make_one)
    yield _kind("storages", "for disks of machines", token_id, storages, lacking, "Set content `images` on a storage (`pvesm set`).")
    yield _kind("networks", "for machines", token_id, networks, lacking, "Give a node a bridge, and grant SDN.Audit to see it.")
    yield _new_networks(token_id, lacking)


def _life(token_id: str, life: Rights, lacking: dict[str, tuple[str, ...]], site: Site, seen: ClusterSnapshot) -> Examined:
    missing = tuple((path, lacking[path]) for path, _ in life if path in lacking)
    where = f"in pool {site.pool}" if site.pool else "anywhere"
    if not missing:
        return Examined("proxmox, the token that makes", True, f"{token_id} may make, change and remove machines {where}")
    other = rights.pool_that_would_do(missing, life, seen.held)
    pool = f"If there is no such pool:\n    pveum pool add {site.pool}\nThen:\n" if site.pool else ""
    remedy = f"{other}Grant it, on a node as root:\n{pool}{rights.lines(token_id, missing, life)}"
    return Examined("proxmox, the token that makes", False, f"{token_id} lacks {rights.spelled(missing)}", remedy)


def _make_a_template(token_id: str, site: Site, takes_images: bool, download: Rights, lacking: dict[str, tuple[str, ...]]) -> str:
    """What to say, and what it takes first."""
    say = f"Say `{images.asked_for(site, 'debian')}` in `berth chat`, or make one by hand (docs/day-two.md)."
    missing = tuple((path, lacking[path]) for path, _ in download if path in lacking)
    before = f"First give a storage the content that images are downloaded to: {images.GIVE_CONTENT}.\n" if not takes_images else ""
    granting = f"\nFor that {token_id} lacks {rights.spelled(missing)}. Grant it, on a node as root:\n" if missing else ""
    return f"{before}{say}{granting}{rights.lines(token_id, missing, download)}"


def _kind(kind: str, what: str, token_id: str, found: dict[str, Rights], lacking: dict[str, tuple[str, ...]], remedy: str) -> Examined:
    """Good when one of them can be used; those that cannot are told."""
    if not found:
        return Examined(f"proxmox, {kind}", False, f"none {what} is seen", remedy)
    shut = {name: needed for name, needed in found.items() if any(path in lacking for path, _ in needed)}
    open_ = [name for name in found if name not in shut]
    if open_:
        besides = f"; {_few(list(shut))} may not be used by {token_id}" if shut else ""
        return Examined(f"proxmox, {kind}", True, f"{_few(open_)}{besides}")
    needed = all_of(shut.values())
    missing = tuple((path, lacking[path]) for path, _ in needed if path in lacking)
    granting = f"Grant it, on a node as root:\n{rights.lines(token_id, missing, needed)}"
    return Examined(f"proxmox, {kind}", False, f"{token_id} lacks {rights.spelled(missing)}", granting)


def _new_networks(token_id: str, lacking: dict[str, tuple[str, ...]]) -> Examined:
    """Nothing that everybody needs, so it is good without, too."""
    missing = tuple((path, lacking[path]) for path, _ in rights.NEW_NETWORKS if path in lacking)
    if not missing:
        return Examined("proxmox, new networks", True, f"{token_id} may make networks of SDN")
    granting = f"To have that done, too, grant it on a node as root:\n{rights.lines(token_id, missing, rights.NEW_NETWORKS)}"
    return Examined("proxmox, new networks", True, f"{token_id} makes none", granting)


def _few(names: list[str]) -> str:
    rest = len(names) - NAMED_MAX
    return ", ".join(names[:NAMED_MAX]) + (f" and {rest} more" if rest > 0 else "")
