"""The steps after `apply` as the engine calls them: each hands the part's context to its function, and keeps the answer as JSON."""

from __future__ import annotations

from dataclasses import replace

from tools.clients import ssh
from tools.pipeline.configure import configure, wait
from tools.pipeline.guide import write_guide
from tools.pipeline.platforms import hands
from tools.pipeline.platforms.proxmox.sealing import is_sealed
from tools.pipeline.steps import Work, part_receipt
from tools.pipeline.verify import verify
from tools.rules.machines.restarting import set_up_anew
from tools.values.value import Json


def wait_step(work: Work) -> Json:
    context, anew = work.context(), set_up_anew(work.part_plan.changes)
    if is_sealed(context.settings, work.part):
        work.say(f"{', '.join(machine.name for machine in work.part.machines)} is a template already, and stays as it is.")
        return {"machines": [machine.model_dump(mode="json") for machine in context.machines]}
    for name in sorted(anew):
        ssh.forget(work.run_folder, name)
        work.say(f"{name} sets itself up anew, so it has a new host key.")
    context = replace(context, machines=tuple(machine for machine in context.machines if machine.name not in anew))
    return {"machines": [machine.model_dump(mode="json") for machine in wait(context, work.say)]}


def configure_step(work: Work) -> Json:
    context = work.context()
    if not is_sealed(context.settings, work.part):
        configure(context, work.say)
    return {}


def verify_step(work: Work) -> Json:
    context = work.context()
    verified, not_verified = verify(context, work.say)
    asked = hands(work.part.platform).verify(context, work.say)
    return {"verified": [*asked, *verified], "not_verified": list(not_verified)}


def guide_step(work: Work) -> Json:
    standing = [part.label for part in work.kept.manifest.parts]
    return {"guide": str(write_guide(work.context(), part_receipt(work.part.label, work.results), standing))}
