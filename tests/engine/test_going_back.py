"""What came with a change that is led back goes with it, and nothing else does. Ways back at a cluster are in test_interrupted."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.pipeline import carry_out, engine
from tools.pipeline.prepare import TakenBack, prepare
from tools.pipeline.world import World
from tools.values.plan import Estimate
from tools.values.trouble import RequestProblem

from .builders import counting, manifest_of, part_named, planned, review_of


def test_what_may_go_of_one_part_may_not_go_of_another(world: World, effects: Path) -> None:
    engine.launch(world, counting(effects))
    web, mail = part_named("web", effects), part_named("mail", effects, machines=2, first_id=20010)
    made = planned(world, manifest_of(web, mail))
    carry_out.approve(world, made.digest, "ops", "approve it")
    for _ in carry_out.follow(world, carry_out.start(world, made.digest)):
        pass
    wanted, going = (
        manifest_of(web, mail.model_copy(update={"machines": mail.machines[:1]})),
        frozenset({'terraform_data.machine["mail-01"]'}),
    )

    def back(label: str) -> list[tuple[str, str]]:
        taken_back = TakenBack(addresses={label: going})
        plan = prepare(world, "talk", wanted, review_of(wanted), Estimate(), kind="change", run_id=made.run_id, taken_back=taken_back)
        return [(part.label, change.address) for part in plan.parts for change in part.changes if change.action == "delete"]

    with pytest.raises(RequestProblem):
        back("web")
    assert back("mail") == [("mail", *going)]
