"""What takes its time, with the conversation's own values: a request is understood, the world is looked at, a draft is made, judged and
planned."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Literal, assert_never

from tools.capabilities import catalogue, chain
from tools.capabilities.swings import swings
from tools.pipeline.drafting import counter, draft, scan_all, situation, understand
from tools.pipeline.made_here import machines_built
from tools.pipeline.moment import Moment, made
from tools.pipeline.platforms import connected, scan
from tools.pipeline.prepare import prepare
from tools.platforms import estimate
from tools.rules.hearing.words.counting import names_of
from tools.rules.plans.permitting import assert_may
from tools.rules.plans.policy import allowed_values
from tools.rules.request.editing import apply, facts_of
from tools.rules.request.running import made_by_us, seen_running
from tools.rules.words import telling
from tools.values import effects, events
from tools.values.effects import Work
from tools.values.events import Event
from tools.values.manifest import Manifest
from tools.values.plan import Estimate
from tools.values.request import Edits, Item, Request
from tools.values.review import Severity
from tools.values.snapshot import ClusterSnapshot

PLAIN = "virtual_machine"
"""What a machine is to a request when nothing is known of it but its size."""


class Working(Moment):
    def do(self, effect: effects.TakesTime) -> Event:
        """What takes its time, with the conversation's own values."""
        assert_may(self.person, effect)
        match effect:
            case effects.Understand(edits, anew, text):
                return self._understand(edits, anew, text)
            case Work.LOOK:
                return self._look()
            case Work.DRAFT:
                return self._draft()
            case Work.JUDGE:
                errors = (f for f in made(self.now.review).findings if f.severity is Severity.ERROR)
                refused = any(allowed_values(self.world.policy, error) for error in errors)
                return events.Judged(refused, self.world.settings.rounds)
            case Work.COUNTER:
                return self._counter()
            case Work.PLAN:
                return self._plan()
            case effects.Hear() | effects.Follow() | Work.PROPOSE | Work.REFINE:
                raise AssertionError("Somebody else does this.")
            case _:
                assert_never(effect)

    def _understand(self, edits: Edits, anew: bool, text: str) -> events.Understood:
        now = self.now
        before = Request() if anew else now.request
        built = {} if anew else machines_built(self.world, self.now)
        request, refused = apply(before, edits, catalogue(), self._running(edits, before), built, text)
        required = understand(self.world, request, self.person.name)
        return events.Understood(edits, request, refused, required, anew)

    def _running(self, edits: Edits, request: Request) -> dict[str, Item]:
        """By every name, where an edit may be about it: what this conversation has made, what other runs did, or what a cluster shows."""
        about = {edit.item for edit in edits.edits if edit.do in ("copy", "remove")}
        like = {edit.value for edit in edits.edits if (edit.do, edit.name) == ("relate", "like")}
        named = (about | like) - {name for item in request.items for name in (item.label, *names_of(item))}
        named -= {name for groups in machines_built(self.world, self.now).values() for names in groups.values() for name in names}
        own = self.now.request_built or Request()
        ours = {item.label: item.model_copy(update={"facts": facts_of(item, own, catalogue())}) for item in own.items}
        if named <= ours.keys():
            return ours
        ledger = self.world.ledger
        kept = [ledger.plans.kept(row.plan_digest) for row in ledger.runs.rows() if row.status in ("done", "stopped")]
        found = {name: item for one in kept for part in one.manifest.parts for name, item in made_by_us(part, catalogue())}
        if not named <= found.keys() and "proxmox" in connected(self.world.settings):
            seen = scan(self.world, "proxmox")
            assert isinstance(seen, ClusterSnapshot)
            found = dict(seen_running(seen, PLAIN)) | found
        return found | ours

    def _look(self) -> events.Offered:
        world, required = self.world, made(self.now.requirements)
        built = self._built()
        snapshots = scan_all(world, required, built.parts if built else ())
        for snapshot in snapshots.values():
            self.tell(telling.snapshot(snapshot))
        offer = chain.offer(required, situation(world, snapshots, self.now.parent_digest), built)
        return events.Offered(snapshots, offer)

    def _built(self) -> Manifest | None:
        """What this conversation's run has made, when that is what changes."""
        if self.now.run_id is None or not self.now.changing:
            return None
        return self.world.ledger.plans.kept(self.world.ledger.runs.row(self.now.run_id).plan_digest).manifest

    def _draft(self) -> events.Drafted:
        now, built = self.now, self._built()
        required, offer, proposal, seen = made(now.requirements), made(now.offer), made(now.proposal), made(now.snapshots)
        manifest, review = draft(self.world, required, offer, proposal, seen, now.parent_digest, built)
        return events.Drafted(manifest, review, self.world.settings.rounds)

    def _counter(self) -> events.Countered:
        now = self.now
        required, review, seen = made(now.requirements), made(now.review), made(now.snapshots)
        return events.Countered(counter(self.world, required, review, seen, now.parent_digest))

    def _plan(self) -> events.Planned:
        now, manifest, review = self.now, made(self.now.manifest), made(self.now.review)
        at = situation(self.world, made(now.snapshots), now.parent_digest)
        cost = estimate(manifest.parts, at)
        kind: Literal["create", "change"] = "change" if now.changing else "create"
        run_id = now.run_id if now.changing else None
        before = self._shown_before()
        with ThreadPoolExecutor(1, thread_name_prefix="swings") as beside:  # Terraform takes longer.
            trying = beside.submit(swings, now.request, made(now.requirements), at) if cost.currency and kind == "create" else None
            plan = prepare(self.world, self.name, manifest, review, cost, kind=kind, run_id=run_id)
            return events.Planned(plan, before, trying.result() if trying else ())

    def _shown_before(self) -> tuple[Manifest, Estimate] | None:
        """What exists, when that is what changes; else the plan that was shown before."""
        now, ledger = self.now, self.world.ledger
        built = ledger.runs.row(now.run_id).plan_digest if now.changing and now.run_id else None
        digest = built or now.plan_shown
        kept = ledger.plans.kept(digest) if digest else None
        return (kept.manifest, kept.plan.estimate) if kept else None
