"""Scenario -> Plan: itineraries from ways, elements numbered in topological order."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from corridor_sim.core import cycle_search
from corridor_sim.core.errors import Problem, ScenarioError
from corridor_sim.core.limits import MAX_CONSIGNMENTS
from corridor_sim.core.local_time import UTC, LocalTime
from corridor_sim.core.step_functions import StepFunction
from corridor_sim.model.arrivals import ArrivalPlan
from corridor_sim.model.flows import Flow
from corridor_sim.model.kept_holidays import keepers, kept
from corridor_sim.model.kept_parts import KeptParts
from corridor_sim.model.paths import all_stages
from corridor_sim.model.resolution import Resolved, resolve
from corridor_sim.model.routes import Pass, passes
from corridor_sim.model.scenario import Scenario
from corridor_sim.model.way_costs import handling_usd
from corridor_sim.plan.balking import with_balking
from corridor_sim.plan.cycles import cycle_problems
from corridor_sim.plan.demand import arrival_plan
from corridor_sim.plan.elements import Element, Station
from corridor_sim.plan.itineraries import Itinerary, entries_of, named
from corridor_sim.plan.legs import LegPart, Legs
from corridor_sim.plan.names import file_path
from corridor_sim.plan.needs import undeclared_problems
from corridor_sim.plan.numbering import numbered, sequences
from corridor_sim.plan.patience import with_patience
from corridor_sim.plan.plan import FlowPlan, Plan, PlanStaffPool
from corridor_sim.plan.posts import Posts
from corridor_sim.plan.preemption import unsuited
from corridor_sim.plan.quotas_and_gates import gates_ahead, quotas_of_open_posts
from corridor_sim.plan.standing import closed_before_start, cut, standing_flows
from corridor_sim.plan.steps import Variant
from corridor_sim.plan.timelines import RunClock, combine, steps
from corridor_sim.plan.way_steps import WaySteps


@dataclass(frozen=True, slots=True, eq=False)
class Planned:
    """A scenario with its plan: what runs and comparisons take in its place, so that neither is made twice.

    `scenario` is the plan itself where a plan was written by hand. `parts` are what the plan was made of, for others
    that are made from it; None where they are not at hand.
    """

    scenario: Scenario | Plan
    plan: Plan
    parts: KeptParts | None = None


def make_plan(scenario: Scenario) -> Plan:
    """The scenario as numbered elements and itineraries, every dated change resolved.

    Raises
    ------
    ScenarioError
        With every problem that forbids a run.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> plan = cs.make_plan(cs.load_scenario("teaching"))
    >>> len(plan.elements)
    12
    """
    return with_plan(scenario).plan


@cycle_search.put_off()
def with_plan(scenario: Scenario, base: Planned | None = None) -> Planned:
    """The scenario with its plan; the public holidays it names are written into it (rule D32).

    Parameters
    ----------
    base : Planned, optional
        What it is like: parts that are made from the same are those of this plan (`model/kept_parts.py`).

    Raises
    ------
    ScenarioError
        With every problem that forbids a run.
    """
    resolved = resolve(scenario, None if base is None else base.parts)
    return Planned(resolved.scenario, plan_of(resolved), resolved.parts)


def plan_of(resolved: Resolved, flows: Collection[str] | None = None) -> Plan:
    """The plan of a scenario that is resolved already, or of some of its flows alone.

    What happens to `flows` is as in the whole plan only where nobody else comes: see `part.py`.

    Raises
    ------
    ScenarioError
        With every problem that forbids a run.
    """
    if resolved.errors:
        raise ScenarioError(resolved.errors)
    try:
        return _Builder(resolved, flows).plan()
    except ScenarioError:
        resolved.parts.forget()
        raise
    finally:
        resolved.parts.let_go_of_base()


class _Builder:
    def __init__(self, resolved: Resolved, flows: Collection[str] | None = None) -> None:
        self.resolved, self.scenario = resolved, resolved.scenario
        run = self.scenario.run
        self.clock = RunClock(run.start_utc, run.horizon_h)
        standing = {one.id: one for one in standing_flows(self.scenario)}
        known = {**dict.fromkeys(self.scenario.flows), **standing}
        if flows is not None:
            queues = {standing[id].queue for id in flows if id in standing}
            known = {id: one for id, one in known.items() if id in flows or (one and one.queue in queues)}
        self.flow_ids = sorted(known)
        self.standing = {id: standing[id] for id in self.flow_ids if id in standing}
        """Flows of those who wait somewhere when the run begins."""
        classes = [self._source(id).cargo_class for id in self.flow_ids]
        # Of some flows alone ranks are others: parts of a whole plan are not theirs.
        self.parts = resolved.parts if flows is None else KeptParts(self.scenario, resolved.changes)
        posts, legs = Posts(resolved, self.clock, classes, self.parts), Legs(resolved, self.clock, classes)
        self.way_steps = WaySteps(resolved, posts, legs, self.parts)
        self.elements, self.problems = self.way_steps.elements, self.way_steps.problems
        self.leaves_queues = any(stage.patience is not None for _, stage in all_stages(self.scenario))
        """Whether anybody leaves a queue anywhere, which is written into itineraries once all are there."""

    def plan(self) -> Plan:
        """Everything put together."""
        routes = {id: self._itineraries(id) for id in self.flow_ids if id not in self.standing}
        ahead = {id: self._standing(id, routes) for id in self.standing}
        itineraries = [made for ways in routes.values() for made in ways]
        self.elements.update(quotas_of_open_posts(self.elements, itineraries))
        self._never_open(routes)
        gates, blind = gates_ahead(self.elements, [made.elements for made in itineraries])
        self.elements.update(gates)
        self.problems += blind
        for id in {made.elements[0] for ways in ahead.values() for made in ways}:
            self.elements[id] = closed_before_start(self.elements[id])
        routes = {id: ahead[id] if id in ahead else routes[id] for id in self.flow_ids}
        if self.leaves_queues:
            routes = {id: self._with_patience(id, ways) for id, ways in routes.items()}
        if self.problems:
            raise ScenarioError(dict.fromkeys(self.problems))
        order, cyclic = numbered([part for ways in routes.values() for one in ways for part in sequences(one)])
        number = {id: k for k, id in enumerate(order)}
        flows = tuple(self._flow(id, routes[id], number) for id in self.flow_ids)
        run = self.scenario.run
        plan = Plan(
            elements=tuple(self.elements[id] for id in order),
            flows=flows,
            horizon_h=run.horizon_h,
            warm_up_h=run.warm_up_h,
            count_until_h=None if run.count_until_h == run.horizon_h else run.count_until_h,
            staff_pools=self._staff_pools(),
            cyclic=cyclic,
            name=self.scenario.name,
            start=self.clock.start,
            labels=self._labels(),
        )
        self.problems += undeclared_problems(plan)
        self.problems += cycle_problems(plan)
        for element in plan.elements:
            if isinstance(element, Station):
                self.problems += [Problem(f"needs {text}", file_path(element)) for text in unsuited(element)]
        expected = sum(flow.arrivals.expected_count(run.horizon_h) for flow in flows)
        if expected > MAX_CONSIGNMENTS:
            text = f"the run would create {expected:.2g} consignments (limit {MAX_CONSIGNMENTS:.0e})"
            path, hint = self._largest(flows), "shorten the horizon, or look at growth and batches"
            self.problems.append(Problem(text, path, hint=hint))
        if self.problems:
            raise ScenarioError(dict.fromkeys(self.problems))
        return plan

    def _largest(self, flows: Sequence[FlowPlan]) -> str:
        """Path of what makes the largest flow so large: the improvement that moves it, else its own volume."""
        id = max(flows, key=lambda flow: flow.arrivals.expected_count(self.clock.horizon_h)).id
        if id in self.standing:
            return f"{self.standing[id].path}.count"
        dated = [one for field in ("per_day", "growth_per_year") for one in self.resolved.of(f"flows.{id}.{field}")]
        if dated:
            return f"improvements.{dated[-1].change.by}"
        flow = self.scenario.flows[id]
        field = "per_day" if flow.per_day is not None else "tonnes_per_year"
        return f"flows.{id}.{field if flow.arrivals.follows_rate else 'arrivals'}"

    def _source(self, id: str) -> Flow:
        """The flow of the scenario that a flow of the plan is of."""
        return self.scenario.flows[self.standing[id].flow if id in self.standing else id]

    def _handling_usd(self, id: str, made: Itinerary) -> float:
        """What handling costs one consignment; of those who wait when the run begins, what is still ahead. [US$]"""
        flow, hops = self._source(id), made.way.hops
        if id in self.standing:
            ahead = sum(span.kind == "leg" for span in made.spans) + 1  # with the leg by which they came
            hops = hops[-ahead:]
            flow = flow.replace(handled_at=tuple(end for end in flow.handled_at if end != "origin"))
        return handling_usd(self.scenario, flow, hops)

    # ------------------------------------------------------------ itineraries

    def _standing(self, id: str, routes: dict[str, list[Itinerary]]) -> list[Itinerary]:
        """Itineraries of those of a flow who wait somewhere when the run begins."""
        one = self.standing[id]
        ways = routes[one.flow] if one.flow in routes else self._itineraries(one.flow)
        found, problems = cut(one, self.scenario.run.initial_queue[one.queue], ways, self.elements.__getitem__)
        self.problems += problems
        return found

    def _itineraries(self, flow: str) -> list[Itinerary]:
        """Itineraries of a flow, those of drivers who balk included; their elements are known after it."""
        ways = self.resolved.ways[flow]
        apart = self.leaves_queues or self.scenario.flows[flow].balk is not None
        of = None if apart else [("flows", flow), *entries_of(self.scenario, ways)]
        found, elements = self.parts.part(("itineraries", flow), of, lambda: self._made_itineraries(flow), ways)
        for id, element in elements.items():
            self.elements.setdefault(id, element)
        return found

    def _made_itineraries(self, flow: str) -> tuple[list[Itinerary], dict[str, Element]]:
        """Itineraries of a flow, with the elements on them."""
        found = self._new_itineraries(flow)
        return found, {id: self.elements[id] for made in found for id in made.elements}

    def _new_itineraries(self, flow: str) -> list[Itinerary]:
        found = [self.way_steps.itinerary(flow, way) for way in self.resolved.ways[flow]]
        balk = self.scenario.flows[flow].balk
        if balk is None:
            return found
        of_class = self.scenario.flows[flow].cargo_class

        def parts_of(at: Pass) -> list[LegPart]:
            return self.way_steps.leg_parts(at, of_class)

        found = with_balking(self.scenario, balk, found, self.elements, parts_of)
        self._know_legs(found, of_class)
        return found

    def _with_patience(self, id: str, itineraries: list[Itinerary]) -> list[Itinerary]:
        """Itineraries of a flow with those of drivers who leave a queue."""
        of_class = self._source(id).cargo_class
        found = with_patience(
            self.scenario, of_class, itineraries, self.elements, lambda at: self.way_steps.leg_parts(at, of_class)
        )
        self._know_legs(found[len(itineraries) :], of_class)
        return found

    def _know_legs(self, itineraries: Sequence[Itinerary], of_class: str) -> None:
        """Have the elements of the legs on some itineraries."""
        for made in itineraries:
            for at in (Pass("leg", span.id, span.direction) for span in made.spans if span.kind == "leg"):
                for part in self.way_steps.leg_parts(at, of_class):
                    self.elements.setdefault(part.element.id, part.element)

    # ------------------------------------------------------------ flows

    def _flow(self, id: str, itineraries: Sequence[Itinerary], number: dict[str, int]) -> FlowPlan:
        """The flow with its elements by their numbers."""
        ways = [made.way for made in itineraries]
        of = None if id in self.standing else [("flows", id), *entries_of(self.scenario, ways)]
        numbers = [[number[element] for element in made.elements] for made in itineraries]
        arrivals = self.standing[id].arrivals if id in self.standing else self._arrivals(id, itineraries)
        make = partial(self._made_flow, id, itineraries, numbers, arrivals)
        return self.parts.part(("flow", id), of, make, [itineraries, numbers, arrivals])

    def _made_flow(
        self, id: str, itineraries: Sequence[Itinerary], numbers: Sequence[Sequence[int]], arrivals: ArrivalPlan
    ) -> FlowPlan:
        flow = self._source(id)
        variants = []
        for made, name, at in zip(itineraries, named(itineraries), numbers, strict=True):
            numbered = [
                replace(step, element=element, balk=made.balks.get(n), patience=made.patience.get(n))
                for n, (element, step) in enumerate(zip(at, made.steps, strict=True))
            ]
            share = steps(made.way.share)
            spans = tuple(made.spans)
            paid_usd = self._handling_usd(id, made)
            way = Variant(
                id=name, steps=tuple(numbered), share=share, spans=spans, handling_usd=paid_usd, lost=made.lost
            )
            variants.append(way)
        return FlowPlan(
            id=id,
            variants=tuple(variants),
            arrivals=arrivals,
            cargo_class=flow.cargo_class,
            vehicle=flow.vehicle,
            origin=flow.origin,
            destination=flow.destination,
            direction=flow.direction,
            load_t=flow.load_t,
            value_usd_t=flow.value_usd_t,
            vehicle_length_m=flow.vehicle_length_m,
            labels={
                "name": (flow.name or id) + (", waiting at the start" if id in self.standing else ""),
                "value_of_time_usd_h": flow.value_of_time_usd_h,
                "commodity": flow.commodity,
                "trade": flow.trade,
                "corridor": flow.corridor,
                "teu": flow.teu,
            },
        )

    def _arrivals(self, id: str, itineraries: Sequence[Itinerary]) -> ArrivalPlan:
        profile, local = self.scenario.flows[id].profile, self._profile_time(itineraries)
        of = [("flows", id), *([] if profile is None else [("profiles", profile)])]
        return self.parts.part(("arrivals", id), of, lambda: arrival_plan(self.resolved, self.clock, id, local), local)

    def _profile_time(self, itineraries: Sequence[Itinerary]) -> LocalTime:
        """Local time of the first post on the way, else of the place of origin."""
        for made in itineraries:
            for at in passes(self.scenario, made.way.hops):
                if at.what == "post":
                    return self.scenario.checkpoints[at.id].local_time
            origin = made.way.hops[0].start
            return self.scenario.places[origin].local_time if origin in self.scenario.places else UTC
        return UTC

    # ------------------------------------------------------------ the rest

    def _staff_pools(self) -> tuple[PlanStaffPool, ...]:
        used = {element.staff_pool for element in self.elements.values() if isinstance(element, Station)}
        found = []
        for id, pool in sorted(self.scenario.staff_pools.items()):
            if id not in used:
                continue
            keeps = kept(self.scenario, pool.holidays)
            where = self.clock.observed(pool.local_time, keeps, pool.holiday_hours or "closed")
            members = StepFunction.constant(pool.members)
            if pool.members_by_hour:
                members = self.clock.roster(pool.members_by_hour, where)
            members = self.clock.changed(members, self.resolved.of(f"staff_pools.{id}.members"))
            if where.on_holidays is not None:
                members = combine(np.multiply, members, self.clock.open_hours(None, where))
            found.append(PlanStaffPool(id=id, members=members))
        return tuple(found)

    def _never_open(self, routes: dict[str, list[Itinerary]]) -> None:
        for id, element in self.elements.items():
            if not isinstance(element, Station) or element.lanes.value.any():
                continue
            users = [flow for flow, ways in routes.items() if any(id in one.elements for one in ways)]
            text = f"never opens within the run, but {', '.join(users[:5])} use it"
            self.problems.append(Problem(text, f"{file_path(element)}.lanes"))

    def _labels(self) -> dict[str, object]:
        posts = {
            id: {
                "name": post.name or id,
                "country": post.country,
                "crossing": post.crossing,
                "zone": post.zone,
                "utc_offsets": self.clock.offset_pieces(post.local_time),
            }
            for id, post in self.scenario.checkpoints.items()
        }
        legs = {id: leg.name or id for id, leg in self.scenario.legs.items()}
        countries = {id: place.country for id, place in self.scenario.places.items()}
        countries |= {id: post.country for id, post in self.scenario.checkpoints.items()}
        crossings = dict(self.scenario.crossings)
        labels = {"posts": posts, "crossings": crossings, "legs": legs, "countries": countries}
        names = {name for _, names in keepers(self.scenario) for name in names if isinstance(name, str)}
        used = {name: self.scenario.calendars[name].to_data() for name in sorted(names)}
        return {**labels, "calendars": used} if used else labels
