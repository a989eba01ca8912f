"""Where a template is made, what it becomes, and what is checked of it: its machine is placed, named and checked as any machine is, on a
cluster in which the image is looked at as if it were a template already."""

from __future__ import annotations

from dataclasses import replace

from tools.capabilities import Reviewed
from tools.capabilities.template.facts import image_of
from tools.rules.machines import choices, images
from tools.rules.machines import review as reviewing
from tools.rules.machines.addresses import DHCP
from tools.rules.request.choosing import candidate_of
from tools.values.machine import Machine
from tools.values.manifest import Configure, Part
from tools.values.offer import Candidate, Exclusion, PartOffer, Pick
from tools.values.requirements import Field, Needs, Origin
from tools.values.review import Finding, Severity, fault
from tools.values.site import CloudImage, Site
from tools.values.situation import Situation
from tools.values.trouble import RequestProblem
from tools.values.value import Json

PLAYBOOK = "template.yml"
NUMBERS_MAX = 1000
NOT_OF_A_TEMPLATE = ("keys", "failover.memory")
"""Nobody logs in to it, and it does not run when a node is lost."""
SETTLED = ("image", "network", "node", "storage")
"""What was said of it. Other words change nothing of a template."""
KNOWN = ("debian", "ubuntu")
"""Systems that the roles under ansible/ know."""


def offer(needs: Needs, situation: Situation) -> PartOffer:
    image = _image(needs, situation.site)
    seen = situation.cluster
    if not any(images.takes_images(one) for one in seen.storages):
        reason = (
            f"none takes disk images to make machines of (content `{images.CONTENT}`) and has 2 GiB of room. Type {images.GIVE_CONTENT}"
        )
        return PartOffer(label=needs.label, candidates=(), exclusions=(Exclusion(subject="every storage", reason=reason),))
    return choices.offer(_named(needs, image, situation), _with(image, needs, situation))


def stay(old: Part, needs: Needs, situation: Situation) -> PartOffer:
    """Machines may have been cloned from it, so it stays as it is, and another one is made beside it."""
    machine, image = old.machines[0], _image(needs, situation.site)
    if any(needs.text(name) != old.needs.text(name) for name in SETTLED) or needs.strings("address") != old.needs.strings("address"):
        reason = "it is a template already, and what machines are cloned from is not changed"
        instead = f"Reply `no`, and say `make a {image.spoken} template` in a new conversation: it is made beside {machine.name}."
        return PartOffer(
            label=needs.label, candidates=(), exclusions=(Exclusion(subject=machine.name, reason=reason),), counter_offer=instead
        )
    told = old.variables["image"]
    as_it_is = Candidate(
        id=choices.STAY,
        title=f"{machine.node}, {machine.storage}, as it is",
        score=1.0,
        reasons=(f"{machine.name} stays as it is.",),
        places=(machine.placement,),
        choice=(("image_node", told["node"]), ("image_storage", told["storage"])),
    )
    return PartOffer(label=needs.label, candidates=(as_it_is,))


def keep(old: Part, new: Part) -> Part:
    return old.model_copy(update={"owned": tuple(str(machine.vm_id) for machine in old.machines)})


def compose(needs: Needs, offered: PartOffer, pick: Pick, situation: Situation) -> Part:
    image = _image(needs, situation.site)
    within = _with(image, needs, situation)
    part = choices.part_of(_named(needs, image, situation), offered, pick, within)
    machine = part.machines[0]
    node, storage = _source(candidate_of(offered, pick), machine, within)
    from_template = f"/vms/{machine.template_vm_id}"
    download = images.rights_to_download(node, storage)
    rights = {path: needed for path, needed in part.rights if path != from_template}
    for path, needed in download:
        rights[path] = tuple(sorted({*rights.get(path, ()), *needed}))
    told: dict[str, Json] = {name: getattr(image, name) for name in ("url", "checksum", "checksum_algorithm")}
    return part.model_copy(
        update={
            "module": images.MODULE,
            "machines": (machine.model_copy(update={"on_boot": False}),),
            "variables": {"image": {**told, "node": node, "storage": storage}},
            "configure": Configure(kind="ansible", playbook=PLAYBOOK, variables={}),
            "resources": tuple(
                one.model_copy(update={"kind": "template", "because": f"{image.url}, by {storage} of {node}."}) for one in part.resources
            ),
            # What it is made of is no template of the cluster.
            "rests_on": tuple(pair for pair in part.rests_on if not pair[0].startswith("template ")),
            "rights": tuple(sorted(rights.items())),
        }
    )


def review(part: Part, situation: Situation) -> Reviewed:
    """As every machine, and what is a template's own."""
    image = image_of(part.needs, situation.site)
    if image is None:
        gone = fault("template:image.gone", image=part.needs.text("image")).finding("image.known", part.label, part.label)
        return (gone,), ()
    within = _with(image, part.needs, situation)
    findings, passed = reviewing.review(part, within)
    findings = tuple(one for one in findings if one.check not in NOT_OF_A_TEMPLATE)
    own = tuple(_own(part, image, within))
    named = [check for check, found in own if found is None]
    return (
        (*findings, *(found for _, found in own if found)),
        (*passed, *(f"{check}:{part.label}:{part.label}" for check in named)),
    )


def _own(part: Part, image: CloudImage, situation: Situation) -> list[tuple[str, Finding | None]]:
    machine, told = part.machines[0], part.variables["image"]
    label = part.label
    same = all(told[name] == getattr(image, name) for name in ("url", "checksum", "checksum_algorithm"))
    other = None if same else fault("template:image.other", image=image.url).finding("image.same", label, label)
    lost = machine.address == DHCP and not image.agent
    unknown = fault("template:address.unknown", machine=machine.name, system=image.spoken) if lost else None
    strange = fault("template:system.not_configured", system=image.spoken) if image.os not in KNOWN else None
    return [
        ("image.same", other),
        ("address.known", unknown.finding("address.known", label, machine.name) if unknown else None),
        ("system.known", strange.finding("system.known", label, machine.name, Severity.NOTE) if strange else None),
    ]


def _image(needs: Needs, site: Site) -> CloudImage:
    image = image_of(needs, site)
    if image is None:
        raise RequestProblem("The image is not known any more.", f"{needs.text('image')} is no image of this site.", "Ask again.")
    return image


def _source(candidate: Candidate, machine: Machine, situation: Situation) -> tuple[str, str]:
    """(node, storage) that the image is downloaded by; of a template that is there, was."""
    was = dict(candidate.choice)
    if "image_node" in was:
        return str(was["image_node"]), str(was["image_storage"])
    source = images.source_of(situation.cluster, machine.template_vm_id)
    assert source is not None, "an offer with candidates has found where the image can be downloaded"
    return source.node, source.storages[0]


def _named(needs: Needs, image: CloudImage, situation: Situation) -> Needs:
    """By its system, since machines find their template by that; a further one has a number behind it, and is taken in its place."""
    taken = choices.TakenNames(situation.cluster, situation.reserved.widest)
    free = next(one for one in (image.name, *(f"{image.name}-{number}" for number in range(2, NUMBERS_MAX))) if one not in taken)
    name = Field(name="name", value=free, origin=Origin.DEFAULT, because="By its system: machines find their template by that.")
    return needs.model_copy(update={"fields": (*needs.fields, name)})


def _with(image: CloudImage, needs: Needs, situation: Situation) -> Situation:
    seen = images.as_templates(situation.cluster, image, needs.text("storage"))
    return replace(situation, snapshots={**situation.snapshots, "proxmox": seen})
