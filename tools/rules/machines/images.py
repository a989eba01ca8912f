"""Cloud images that templates are made of: which there are, where a node can download one to, and what that takes. What a template is good
for once it is there is decided in tools.rules.machines.templates."""

from __future__ import annotations

from tools.data import table
from tools.rules.machines import rights
from tools.rules.machines.rights import Rights
from tools.values.manifest import Part
from tools.values.site import CloudImage, Site
from tools.values.snapshot import ClusterSnapshot, Storage, Template

MODULE = "template"
"""The folder under terraform/."""
CONTENT = "import"
"""Of a storage: it takes disk images that machines are made of (Proxmox VE 8.4)."""
ROOM_BYTES = 2 * 2**30
"""For the file of an image; the largest that is shipped has 0.6 GiB."""
DISK_INTERFACE = "scsi0"
GIVE_CONTENT = "`pvesm set local --content iso,vztmpl,backup,import` on a node as root, with what `local` has already"


def images_of(site: Site) -> tuple[CloudImage, ...]:
    """The first of a system is taken where nobody says a version; a site's own stand in the place of the shipped ones."""
    own = {(one.os, one.version): one for one in site.images}
    shipped = {(row["os"], row["version"]): _shipped(**row) for row in table("cloud-images")}
    return tuple((shipped | own).values())


def _shipped(host: str, path: str, **other: str) -> CloudImage:
    """A row of the table."""
    return CloudImage.model_validate({"url": f"https://{host}{path}", **other})


def find(images: tuple[CloudImage, ...], os: str, version: str) -> CloudImage | None:
    fitting = (one for one in images if one.os == os and version in ("", one.version))
    return next(fitting, None)


def asked_for(site: Site, os: str) -> str:
    """What to type so that a template is made which a machine of this system can be cloned from; empty where there is no image of it."""
    system, _, version = os.strip().lower().replace("-", " ").partition(" ")
    image = find(images_of(site), system, version)
    return f"make a {image.spoken} template" if image else ""


def becomes_template(part: Part) -> bool:
    """Its machine is shut down and made a template when it is furnished, and never starts again."""
    return part.module == MODULE


def takes_images(storage: Storage) -> bool:
    return storage.active and CONTENT in storage.content and storage.total_bytes - storage.used_bytes >= ROOM_BYTES


def as_templates(seen: ClusterSnapshot, image: CloudImage, storage: str = "") -> ClusterSnapshot:
    """The cluster as if the image were a template wherever a node can download it, and nowhere else: so a machine is placed as of any
    template. Where there is shared storage, it lies there: any node can be the target of a clone. `storage`: the one that was said."""
    # No template has an id below 100. The nearest one that has the least is taken: the node's own storage before a shared one.
    wheres = sorted((s for s in seen.storages if CONTENT in s.content), key=lambda s: (s.node, s.shared, s.name))
    able = [one for one in wheres if takes_images(one)]
    allowed = [one for one in able if not rights.not_held(seen.held, rights_to_download(one.node, one.name))]
    found = tuple(
        Template(
            vm_id=number,
            name=image.name,
            node=where.node,
            disk_interface=DISK_INTERFACE,
            disk_gib=image.disk_gib,
            storages=(where.name,),
            shared=where.shared,
            cloud_init=True,
            os=image.os,
        )
        for number, where in enumerate(wheres, -len(wheres))
        if where in (allowed or able)
    )
    nodes = {one.node for one in found}
    disks = [s for s in seen.storages if s.node in nodes]
    shared = [s for s in disks if s.shared and s.active and "images" in s.content]
    return seen.model_copy(update={"templates": found, "storages": tuple(shared if shared and not storage else disks)})


def source_of(seen: ClusterSnapshot, template_vm_id: int) -> Template | None:
    """Of a cluster as `as_templates` has it: the place to which the image is downloaded."""
    return next((one for one in seen.templates if one.vm_id == template_vm_id), None)


def rights_to_download(node: str, storage: str) -> Rights:
    """To have a node fetch the image, and to remove its file with the template (pve-storage 0c56bad, Status.pm and Content.pm)."""
    return (
        (f"/nodes/{node}", ("Sys.AccessNetwork", "Sys.Audit")),
        (f"/storage/{storage}", ("Datastore.Allocate", "Datastore.AllocateTemplate", "Datastore.Audit")),
    )
