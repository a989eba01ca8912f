"""What a person asks for by a command, carried out at once: runs are shown, started and stopped, plans are approved and dropped, removals
are planned. It decides nothing; tools.rules.words.reducer has decided."""

from __future__ import annotations

from typing import assert_never

from tools.capabilities import catalogue
from tools.pipeline import carry_out, requests
from tools.pipeline.answering import Answering
from tools.pipeline.drafting import understand
from tools.pipeline.drifting import drift
from tools.pipeline.going_back import prepare_way_back
from tools.pipeline.made_here import guide_of, is_of_this_run
from tools.pipeline.moment import Moment, made
from tools.pipeline.prepare import prepare_removal
from tools.pipeline.reconciling import reconcile
from tools.rules.names.naming import shorten
from tools.rules.plans.approving import digits
from tools.rules.plans.permitting import assert_may
from tools.rules.request import suggesting
from tools.rules.request.running import made_by_us
from tools.rules.words import telling
from tools.values import effects, events
from tools.values.effects import AtOnce, Tell
from tools.values.events import Event
from tools.values.plan import Plan
from tools.values.request import Edit, Edits
from tools.values.trouble import RequestProblem


class Commanding(Moment):
    def carry_out(self, effect: AtOnce) -> Event | None:
        """What a person asked for by a command."""
        world = self.world
        assert_may(self.person, effect, self._requester_of(effect.run_id) if isinstance(effect, effects.OnRun) else None)
        match effect:
            case Tell():
                self.tell(effect)
            case effects.TellWhatIsKnown(text, briefly):
                known = tuple(catalogue().values())
                self.tell(telling.not_heard(text, known) if text else telling.greeting(known) if briefly else telling.help_text(known))
            case effects.Answer():
                self.tell(Answering(world, self.name, self.now, effect).answer())
            case effects.Resume(name, anew):
                request = requests.find(world, name).request
                return events.Understood(Edits(), request, (), understand(world, request, self.person.name), anew)
            case effects.Take(quote, edits):
                return self._take(quote, edits)
            case effects.ListRuns():
                self.tell(telling.runs(carry_out.runs(world), carry_out.past(world)))
            case effects.ListWaiting():
                waiting = carry_out.waiting(world, self.person)
                self.tell(telling.waiting([(one.plan, one.manifest, roles, self._instead(one.plan)) for one, roles in waiting]))
            case effects.Reconcile():
                self.tell(telling.reconciled(reconcile(world)))
            case effects.ShowPlan(typed):
                kept = world.ledger.plans.find(digits(typed))
                self.tell(telling.details(kept.plan, kept.manifest, kept.review))
            case effects.Explain(what):
                self._explain(what)
            case effects.ShowRun(run_id):
                self.tell(telling.run(carry_out.run_of(world, run_id), carry_out.switched_off(world, run_id)))
            case effects.ShowDrift(run_id):
                self.tell(telling.drift(run_id, drift(world, run_id)))
            case effects.AssertOpen(digest):
                carry_out.assert_may_be_approved(world, digest)
            case effects.Void(digest):
                carry_out.void(world, digest)
            case effects.Approve(said):
                who = self.person
                role = said.role or None
                self._assert_shown(said.digest_typed)
                return carry_out.approve(world, said.digest_typed, who.name, said.text, role, said.reason, who.roles)
            case effects.Start(plan):
                carry_out.start(world, plan.digest)
                return events.Started(plan)
            case effects.Find(run_id):
                return events.Found(carry_out.run_of(world, run_id))
            case effects.Cancel(run_id):
                carry_out.cancel(world, run_id)
            case effects.Retry(run_id):
                carry_out.retry(world, run_id)
            case effects.Leave(run_id):
                carry_out.leave(world, run_id)
                half_made = [line.text for line in world.ledger.runs.lines(run_id) if line.step == "leave"]
                self.tell(telling.left(run_id, half_made))
            case effects.PlanRemoval(run_id):
                if is_of_this_run(self.world, self.now, run_id):
                    return events.Said(self.text, Edits(edits=(Edit(do="remove", item=run_id, quote=self.text),)), offline=False)
                self._assert_made_by_us(run_id)
                self.tell(telling.PLANNING)
                return events.Planned(prepare_removal(world, self.name, run_id, self.person.name, say=self.say))
            case effects.PlanWayBack(run_id, part):
                self.tell(telling.PLANNING)
                back = prepare_way_back(world, self.name, run_id, self.person.name, self.say, part)
                if back.plan.kind == "remove":
                    return events.Planned(back.plan)
                return events.Planned(back.plan, back.attempted, back_to=(back.manifest, back.review), parts=back.labels)
            case _:
                assert_never(effect)
        return None

    def _instead(self, plan: Plan) -> str | None:
        """What is said here of a plan that another conversation has shown, where nobody is authenticated; None where it may be approved."""
        if self.person.roles is not None or plan.conversation == self.name:
            return None
        if plan.kind != "create" or plan.conversation not in self.world.ledger.conversations():
            return ""
        return f"resume {requests.keep(self.world, requests.find(self.world, plan.conversation).request)}"

    def _assert_shown(self, typed: str) -> None:
        """Somebody alone on this machine approves what this very conversation has shown; people who are known, what waits for them."""
        if self.person.roles is None:
            instead = self._instead(self.world.ledger.plans.find(digits(typed)).plan)
            if instead is not None:
                raise RequestProblem(
                    "This conversation has not shown that plan.",
                    "It was made in another one, and can be approved there.",
                    f"Say `{instead}` to have it planned and shown here." if instead else "Approve it there.",
                )

    def _requester_of(self, run_id: str) -> str | None:
        return next((row.requester for row in self.world.ledger.runs.rows() if row.id == run_id), None)

    def _assert_made_by_us(self, name: str) -> None:
        """Raises RequestProblem for what is no run, and says which run made it, if any did."""
        ledger = self.world.ledger
        rows = ledger.runs.rows()
        if any(row.id == name for row in rows):
            return
        parts = ((row.id, part) for row in rows if row.status != "removed" for part in ledger.plans.kept(row.plan_digest).manifest.parts)
        run_id = next((run_id for run_id, part in parts if name in dict(made_by_us(part, catalogue()))), "")
        raise RequestProblem(
            "I remove what a run of mine made, as a whole.",
            f"{shorten(name)} was made by {run_id}." if run_id else f"No run of mine made {shorten(name)}, so I leave it alone.",
            f"Say `remove {run_id}` for a plan that removes all of it. Or say `follow {run_id}`, and then `remove {shorten(name)}`."
            if run_id
            else "`list` shows my runs; say `remove` and one of them.",
        )

    def _take(self, quote: str, edits: tuple[Edit, ...]) -> events.Said:
        now = self.now
        taken = suggesting.take(quote, edits, now.request, now.requirements, catalogue(), self.world.now().date())
        return events.Said(self.text, taken, offline=False)

    def _explain(self, what: events.Explained) -> None:
        now, ledger = self.now, self.world.ledger
        if what == "guide":
            self.tell(telling.guide(guide_of(self.world, now.run_id) if now.run_id else ""))
            return
        kept = ledger.plans.kept(now.plan_digest or ledger.runs.row(made(now.run_id)).plan_digest)
        offer = now.offer if now.manifest == kept.manifest else None
        match what:
            case "details":
                self.tell(telling.details(kept.plan, kept.manifest, kept.review))
            case "why":
                self.tell(telling.why(kept.manifest, offer))
            case "arithmetic":
                self.tell(telling.arithmetic(kept.manifest))
            case "resources":
                self.tell(telling.resources(kept.manifest))
            case _:
                assert_never(what)
