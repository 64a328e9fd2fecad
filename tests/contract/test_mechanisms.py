"""No mechanism is ignored: what a plan has is done by an engine or refused by name, by both engines and by `check`."""

import ast
import dataclasses
import datetime as dt
import importlib
import inspect
import itertools
import sys
from pathlib import Path

import numpy as np
import pytest

import corridor_sim as cs
from corridor_sim.core.errors import EngineRefusal, ScenarioError
from corridor_sim.core.step_functions import StepFunction
from corridor_sim.engines import batch, compiled, event
from corridor_sim.engines.event.stations import PlainStation
from corridor_sim.indicators import capacity
from corridor_sim.model import channels, corridor, drivers_hours, flows, legs, stage_lanes, stages, takeovers
from corridor_sim.model.improvements import PreArrival
from corridor_sim.plan import elements as elements_module
from corridor_sim.plan import load, needs
from corridor_sim.plan import plan as plan_module
from corridor_sim.plan import steps as steps_module
from corridor_sim.plan.elements import (
    Delay,
    Departures,
    ExtraLanesPlan,
    GatePlan,
    LimitedLeg,
    PlanBreakdown,
    PlanOutage,
    Quota,
    Reservation,
    SingleTrackPlan,
    Station,
)
from corridor_sim.plan.mechanisms import NEUTRAL, TAKES, Mechanism
from corridor_sim.plan.needs import FIELDS, label, missing, needs_at, undeclared_problems
from corridor_sim.plan.plan import FlowPlan, Plan, PlanStaffPool
from corridor_sim.plan.steps import PatiencePlan, PlanBalk, Relief, RestPlan, Span, Step, Variant
from corridor_sim.study.engine_choice import choose_engine

sys.path.insert(0, str(Path(__file__).parents[1]))
from small_corridor import small

PACKAGE = Path(cs.__file__).parent
ENGINES = {"event": event, "batch": batch}
DEFINING = (elements_module, steps_module, plan_module)
PIECES = [
    one
    for module in DEFINING
    for one in vars(module).values()
    if dataclasses.is_dataclass(one) and one.__module__ == module.__name__
]
CONSTANT, DATED, HOURS = StepFunction.constant(2), StepFunction([0.0, 5.0], [1, 2]), StepFunction([0.0, 5.0], [1, 0])
JAN_3, JAN_4 = dt.date(2024, 1, 3), dt.date(2024, 1, 4)
OUTAGE, LAW = PlanOutage(from_h=1.0, until_h=2.0), (0.0, "law")


def plan(*elements, steps=(), variants=1, **rest):
    """A plan whose flow passes its elements in order, or as `steps` say."""
    steps = steps or tuple(Step(element=k) for k in range(len(elements)))
    ways = tuple(Variant(id=f"v{v}", steps=steps) for v in range(variants))
    return Plan(elements=elements, flows=(FlowPlan(id="f", variants=ways),), horizon_h=24.0, **rest)


def station(**fields):
    return plan(Station(**{"id": "gate", "lanes": CONSTANT} | fields))


def with_step(**fields):
    return plan(Station(id="gate", lanes=CONSTANT), steps=(Step(element=0, **fields),))


def balking():
    """Who balks leaves for an itinerary of no steps."""
    asked = with_step(balk=PlanBalk(threshold_h=1.0, variant=1, at_step=0))
    (flow,) = asked.flows
    variants = (*flow.variants, Variant(id="away", steps=()))
    return dataclasses.replace(asked, flows=(dataclasses.replace(flow, variants=variants),))


def impatient():
    """Who leaves the queue is lost."""
    waits = with_step(patience=PatiencePlan(law="law", draws="gate.patience", variant=1, at_step=1))
    (flow,) = waits.flows
    variants = (*flow.variants, Variant(id="left", steps=(Step(element=0),), lost=True))
    return dataclasses.replace(waits, flows=(dataclasses.replace(flow, variants=variants),))


def resting():
    """Who has driven over the leg rests behind it."""
    steps = (Step(element=0, laws=(LAW,)), Step(element=1, rest=RestPlan(drive_h=(9.0,), rest_h=(11.0,))))
    return plan(Delay(id="leg:road>"), Delay(id="leg:road>.rest", component="rest"), steps=steps)


def leg(**fields):
    return plan(LimitedLeg(id="leg:road>", **fields))


def ferry(**fields):
    return plan(Departures(**{"id": "leg:sea>", "depart_h": np.array([1.0]), "places": np.array([5])} | fields))


M = Mechanism
EXAMPLES = {
    M.LANES: station(),
    M.DATED_LANES: station(lanes=DATED),
    M.FINISH: station(lanes=HOURS),
    M.SUSPEND: station(lanes=HOURS, closing="suspend"),
    M.RESTART: station(lanes=HOURS, closing="restart"),
    M.NO_OVERRUN: station(lanes=HOURS, closing="no_overrun"),
    M.CLEAR_QUEUE: station(lanes=HOURS, closing="clear_queue"),
    M.NAMED_LANES: station(named=(StepFunction.constant(1),) * 2),
    M.OUTAGES: station(outages=(OUTAGE,)),
    M.LANE_OUTAGES: station(outages=(dataclasses.replace(OUTAGE, lane=1),)),
    M.BREAKDOWNS: station(breakdown=PlanBreakdown(up="law", down="law")),
    M.LANE_BREAKDOWNS: station(breakdown=PlanBreakdown(up="law", down="law", per_lane=True)),
    M.OUTAGES_RESUME: station(outages=(OUTAGE,)),
    M.OUTAGES_RESTART: station(outages=(dataclasses.replace(OUTAGE, lane=1),), outage_policy="restart"),
    M.OUTAGES_FINISH: station(breakdown=PlanBreakdown(up="law", down="law", per_lane=True), outage_policy="finish"),
    M.OUTAGES_REQUEUE: station(outages=(OUTAGE,), outage_policy="requeue"),
    M.PRIORITY: station(rank=(0, 1)),
    M.DATED_PRIORITY: station(rank_changes=((0.0, None), (5.0, (1, 0)))),
    M.PREEMPTION: station(rank=(0, 1), preemption="resume"),
    M.PREEMPTION_RESTART: station(rank=(0, 1), preemption="restart"),
    M.YARD: station(yard=3),
    M.DATED_YARD: station(yard_changes=((0.0, None), (5.0, 3))),
    M.RESERVED_LANES: station(reserved=(Reservation(flows=frozenset({0}), lanes=CONSTANT),)),
    M.RESERVED_FOR_A_TIME: station(reserved=(Reservation(flows=frozenset({0}), lanes=StepFunction([0, 8], [0, 1])),)),
    M.RESERVED_OVERFLOW: station(reserved=(Reservation(flows=frozenset({0}), lanes=CONSTANT, overflow=True),)),
    M.STAFF_POOL: station(staff_pool="customs"),
    M.EXTRA_LANES: station(
        extra_lanes=ExtraLanesPlan(above=CONSTANT, below=CONSTANT, most=CONSTANT, start_up_h=CONSTANT)
    ),
    M.GATE: station(gates=(GatePlan(queues=("post.exit.lanes",), close_at=CONSTANT, open_below=CONSTANT),)),
    M.DELAY: plan(Delay(id="leg:road>")),
    M.HEADWAY: leg(headway_h=CONSTANT),
    M.CLOSURES: leg(open=HOURS),
    M.VEHICLE_LIMIT: leg(max_vehicles=CONSTANT),
    M.NO_OVERTAKING: leg(no_overtaking=True),
    M.SINGLE_TRACK: leg(single_track=SingleTrackPlan(switch_h=0.0)),
    M.DEPARTURES: ferry(),
    M.WHEN_FULL: plan(Departures(id="leg:sea>", when_full=4)),
    M.CROSSING: ferry(crossing="law"),
    M.CANCELLATIONS: ferry(cancel=0.1),
    M.BOARDING_BY_CLASS: ferry(priority=(0, 1)),
    M.BOARDING_ORDER: ferry(landing="boarding"),
    M.ACCEPTANCE_HOURS: plan(
        Quota(id="a", day_start_h=np.array([0.0]), per_day=np.array([5]), open=StepFunction([0, 8], [0, 1]), post="a")
    ),
    M.ACCEPTANCE: plan(Quota(id="a", day_start_h=np.array([0.0]), per_day=np.array([5]), post="a")),
    M.DURATION: with_step(laws=(LAW,)),
    M.DATED_DURATION: with_step(laws=(LAW, (5.0, "other"))),
    M.FACTOR: with_step(factor=DATED),
    M.SHARE: with_step(share=DATED, share_draws="u"),
    M.RELIEF: with_step(reliefs=(Relief(share=DATED, factor=0.5, draws="u"),)),
    M.BALKING: balking(),
    M.PATIENCE: impatient(),
    M.DRIVERS_HOURS: resting(),
    M.ROUTES: plan(Station(id="gate", lanes=CONSTANT), variants=2),
    M.CYCLES: plan(
        Station(id="gate", lanes=CONSTANT),
        Delay(id="leg:road>"),
        steps=(Step(element=0, laws=(LAW,)), Step(element=1, laws=(LAW,)), Step(element=0, laws=(LAW,))),
        cyclic=True,
    ),
}
"""For each mechanism a small plan that has it."""

RICH = Plan(
    elements=(
        Station(
            id="samur.exit.lanes",
            lanes=CONSTANT,
            outages=(OUTAGE,),
            breakdown=PlanBreakdown(up="law", down="law"),
            reserved=(Reservation(flows=frozenset({0}), lanes=CONSTANT),),
            extra_lanes=ExtraLanesPlan(above=CONSTANT, below=CONSTANT, most=CONSTANT, start_up_h=CONSTANT),
            gates=(GatePlan(queues=("post.exit.lanes",), close_at=CONSTANT, open_below=CONSTANT),),
        ),
        Delay(id="leg:one>"),
        LimitedLeg(id="leg:two<>", single_track=SingleTrackPlan(switch_h=0.5)),
        Departures(id="leg:sea>", when_full=4),
        Quota(id="samur.exit.acceptance", day_start_h=np.array([0.0]), per_day=np.array([5])),
    ),
    flows=(
        FlowPlan(
            id="trucks",
            variants=(
                Variant(
                    id="only",
                    steps=(
                        Step(
                            element=0,
                            reliefs=(Relief(share=CONSTANT, factor=0.5, draws="u"),),
                            balk=PlanBalk(threshold_h=1.0, variant=0, at_step=1),
                            patience=PatiencePlan(law="law", draws="p", variant=0, at_step=1),
                        ),
                        Step(element=1),
                        Step(element=2),
                        Step(element=3, rest=RestPlan(drive_h=(9.0,), rest_h=(11.0,))),
                        Step(element=4),
                    ),
                    spans=(Span(kind="post", id="samur", first=0, last=0),),
                ),
            ),
        ),
    ),
    horizon_h=24.0,
    staff_pools=(PlanStaffPool(id="customs", members=CONSTANT),),
)
"""A plan with a piece of every class."""


def widened(piece, *fields):
    """The class of a piece with more fields, and the piece made over as one of it, with values for them."""
    wider = dataclasses.make_dataclass(
        piece.__name__, [(name, int, *default) for name, *default in fields], bases=(piece,), frozen=True, kw_only=True
    )

    def made_over(one, **values):
        return wider(**{field.name: getattr(one, field.name) for field in dataclasses.fields(one)}, **values)

    return made_over


def put_in(thing, piece, made_over):
    """The same plan with the first piece of a class made over; (plan, whether one was found)."""
    if type(thing) is piece:
        return made_over(thing), True
    if isinstance(thing, tuple):
        for k, inside in enumerate(thing):
            new, found = put_in(inside, piece, made_over)
            if found:
                return (*thing[:k], new, *thing[k + 1 :]), True
    elif dataclasses.is_dataclass(thing):
        for field in dataclasses.fields(thing):
            new, found = put_in(getattr(thing, field.name), piece, made_over)
            if found:
                return dataclasses.replace(thing, **{field.name: new}), True
    return thing, False


each_piece = pytest.mark.parametrize("piece", PIECES, ids=lambda one: one.__name__)
each_engine = pytest.mark.parametrize("engine", ENGINES)
each_mechanism = pytest.mark.parametrize("mechanism", Mechanism, ids=lambda one: one.name)


def refuses(engine, wide, name):
    """Whether an engine refuses to run a plan and names what it refuses, however it is asked."""
    assert any(name in told for told in ENGINES[engine].refusals(wide))
    for ask in (
        lambda: ENGINES[engine].simulate(wide, None),
        lambda: choose_engine(wide, engine),
        lambda: choose_engine(wide, "auto"),
        lambda: cs.run(wide, engine=engine, rng=1),
    ):
        with pytest.raises(EngineRefusal, match=name):
            ask()
    return True


# ---------------------------------------------------------------- a field that nobody declared


@each_piece
@each_engine
def test_a_field_that_no_mechanism_declares_is_refused_by_its_name(engine, piece):
    make = widened(piece, ("field_of_nobody", 0))
    wide, found = put_in(RICH, piece, lambda one: make(one, field_of_nobody=2))
    assert found
    assert refuses(engine, wide, f"the undeclared mechanism {piece.__name__}.field_of_nobody at ")
    asleep, _ = put_in(RICH, piece, make)
    assert not any("field_of_nobody" in told for told in ENGINES[engine].refusals(asleep))


@each_piece
def test_a_field_without_a_default_is_always_refused(piece):
    make = widened(piece, ("must_be_there",))
    wide, _ = put_in(RICH, piece, lambda one: make(one, must_be_there=0))
    assert all(any("must_be_there" in told for told in engine.refusals(wide)) for engine in ENGINES.values())


@each_piece
def test_checking_a_plan_names_a_field_that_no_mechanism_declares(piece):
    make = widened(piece, ("field_of_nobody", 0))
    wide, _ = put_in(RICH, piece, lambda one: make(one, field_of_nobody=2))
    problems = undeclared_problems(wide)
    assert [problem.severity for problem in problems] == ["error"] * len(problems)
    assert f"needs the undeclared mechanism {piece.__name__}.field_of_nobody" in str(problems[0])
    assert undeclared_problems(RICH) == []


def scenario_with_everything():
    """A scenario whose plan has a piece of every class."""
    hours = {"up": {"kind": "deterministic", "value_h": 50.0}, "down": {"kind": "deterministic", "value_h": 1.0}}
    scenario = small(
        places__port__transfer__cranes__breakdown=hours,
        legs__samur__single_track={"switch_h": 0.1, "convoy": 5},
        legs__baku_samur__drivers_hours={"preset": "eu_561"},
        checkpoints__samur_az__acceptance={"exit": {"per_day": 300}},
        checkpoints__samur_az__exit__documents__staff_pool="customs",
        checkpoints__samur_az__exit__documents__discipline="fifo",
        checkpoints__samur_az__exit__documents__extra_lanes={"above": 5, "below": 2, "most": 1},
        checkpoints__samur_az__exit__documents__gate={
            "queue_at": "checkpoints.samur_ru.entry",
            "close_at": 9,
            "open_below": 4,
        },
        checkpoints__samur_az__entry__documents__patience={"law": {"kind": "exponential", "mean_h": 30.0}},
        checkpoints__samur_az__entry__documents__reserved={"loaded": {"lanes": 1}},
        checkpoints__samur_ru__exit__documents__outages={"one": {"from": JAN_3, "until": JAN_4}},
        flows__north__crossing_shares={"start": {"samur": 1.0, "khanoba": 0.0}},
        flows__north__balk={"crossing": "khanoba", "threshold_h": 12},
        staff_pools={"customs": {"members": 3}},
    )
    return scenario.with_improvements(
        PreArrival(at="checkpoints.samur_az.exit", share=0.3, factor=0.5, from_=JAN_3, cargo_classes=["loaded"])
    )


@each_piece
def test_check_names_a_field_that_no_mechanism_declares(piece, monkeypatch):
    # A default of its own for each piece, so that none of them has the first one.
    number = itertools.count()
    extra = ("field_of_nobody", int, dataclasses.field(default_factory=lambda: next(number)))
    wider = dataclasses.make_dataclass(piece.__name__, [extra], bases=(piece,), frozen=True, kw_only=True)
    scenario = scenario_with_everything()
    assert not [problem for problem in load.check(scenario) if problem.severity == "error"]
    names = {f"corridor_sim.plan.{path.stem}" for path in (PACKAGE / "plan").glob("*.py")}
    for module in map(importlib.import_module, names - {needs.__name__, *(one.__name__ for one in DEFINING)}):
        if getattr(module, piece.__name__, None) is piece:
            monkeypatch.setattr(module, piece.__name__, wider)
    errors = [str(problem) for problem in load.check(scenario) if problem.severity == "error"]
    assert any(f"the undeclared mechanism {piece.__name__}.field_of_nobody" in error for error in errors)
    with pytest.raises(ScenarioError, match="field_of_nobody"):
        cs.run(scenario, replications=1)


@each_engine
@pytest.mark.parametrize(
    ("wide", "name"),
    [
        (station(closing="lunch"), "Station.closing = 'lunch'"),
        (station(outages=(OUTAGE,), outage_policy="tow"), "Station.outage_policy = 'tow'"),
        (ferry(landing="lottery"), "Departures.landing = 'lottery'"),
    ],
    ids=["closing", "outage policy", "landing"],
)
def test_a_value_that_no_mechanism_declares_is_refused_by_its_name(engine, wide, name):
    assert refuses(engine, wide, name)


@dataclasses.dataclass(frozen=True)
class Gate:
    id: str = "gate"
    post: str = ""
    kind = wait_component = "gate"


@each_engine
def test_an_element_of_a_class_that_no_mechanism_declares_is_refused_by_its_name(engine):
    assert refuses(engine, plan(Gate()), "the undeclared mechanism Gate at gate")


# ---------------------------------------------------------------- the tables


@each_piece
def test_the_table_of_a_class_names_each_of_its_fields_and_no_other(piece):
    assert set(FIELDS[piece]) == {field.name for field in dataclasses.fields(piece)}


def test_every_class_of_a_plan_has_a_table():
    assert set(FIELDS) == set(PIECES)


def attributes_read(path):
    """Names of the attributes that a module asks anything for."""
    return {
        node.attr for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Attribute)
    }


MADE_FROM = {
    stages.Stage: {"discipline": "says whether `priority` is given", "shared": "read as `is_shared`"},
    stage_lanes.Outage: {},
    stage_lanes.Breakdown: {},
    stage_lanes.Reserved: {},
    takeovers.Acceptance: {},
    takeovers.Slots: {},
    channels.Channels: {},
    corridor.StaffPool: {"utc_offset_h": "read as `local_time`"},
    flows.Balk: {},
    legs.LegClosure: {},
    legs.Timetable: {},
    legs.SingleTrack: {},
    legs.LegBan: {"utc_offset_h": "read as `local_time`"},
    drivers_hours.DriversHours: dict.fromkeys(
        ("preset", *(field for level in drivers_hours.LEVELS for field in level)), "read as `levels`"
    ),
    legs.Leg: {
        "speed_kmh": "read as `mean_speed_kmh`",
        "speed_cv": "read as `travel_law`",
        "travel": "read as `travel_law`",
        "paths_per_day": "read as `entry_headway_h`",
    },
}
"""Tables of a scenario from which pieces of a plan are made, with fields that the model itself turns into others."""


@pytest.mark.parametrize("table", MADE_FROM, ids=lambda one: one.__name__)
def test_every_field_of_a_scenario_is_read_where_plans_are_made(table):
    sources = [*(PACKAGE / "plan").glob("*.py"), PACKAGE / "model" / "routes.py"]
    read = set().union(*map(attributes_read, sources))
    about = {"status", "source", "note", "figures"}
    unread = set(table.model_fields) - read - about
    assert unread == set(MADE_FROM[table])


DRAWN_BEFORE = {
    *("PlanBreakdown.up", "PlanBreakdown.down", "PlanBreakdown.per_lane", "FlowPlan.arrivals"),
    "Departures.draw_of",
    "PatiencePlan.law",
}
REFUSED_BY_BATCH = {
    *("Station.rank_changes", "Station.yard_changes", "Station.staff_pool", "Station.staff_per_service"),
    *("PlanStaffPool.members", "Plan.staff_pools"),
    *("Station.extra_lanes", "ExtraLanesPlan.above", "ExtraLanesPlan.below", "ExtraLanesPlan.most"),
    *("LimitedLeg.single_track", "SingleTrackPlan.switch_h", "SingleTrackPlan.convoy", "Step.opposite"),
    *("ExtraLanesPlan.start_up_h", "Station.gates"),
    *("GatePlan.queues", "GatePlan.close_at", "GatePlan.open_below"),
    *("Station.preemption", "Step.patience", "PatiencePlan.at_step"),
    *("Step.balk", "PlanBalk.at_step", "PlanBalk.stages", "PlanBalk.since", "PlanBalk.threshold_h"),
}
READ_IN_PLAN = {"RestPlan.drive_h", "RestPlan.rest_h"}
"""By `plan.drivers_hours.rested`, which the event engine calls."""
NOT_READ = {
    # Spans are of the indicators, cycles are seen from the itineraries; `down` is a word of the engine's own, too.
    "event": (DRAWN_BEFORE | READ_IN_PLAN | {"Variant.spans", "Plan.cyclic"}) - {"PlanBreakdown.down"},
    "batch": DRAWN_BEFORE | REFUSED_BY_BATCH | {"Plan.cyclic"},
}
READ_ELSEWHERE = {"Plan.cyclic"}
"""Cycles are seen from the itineraries."""


@each_engine
def test_an_engine_reads_every_field_that_it_does_not_refuse(engine):
    sources = (PACKAGE / "engines" / engine).glob("*.py")
    read = set().union(*map(attributes_read, sources))
    acting = {
        (piece.__name__, field) for piece, table in FIELDS.items() for field in table if table[field] is not label
    }
    assert {f"{piece}.{field}" for piece, field in acting if field not in read} == NOT_READ[engine]


# ---------------------------------------------------------------- the names and the sets


def test_every_mechanism_has_a_docstring():
    tree = ast.parse(inspect.getsource(Mechanism)).body[0]
    told = {
        line.targets[0].id: after
        for line, after in itertools.pairwise(tree.body)
        if isinstance(line, ast.Assign) and isinstance(line.targets[0], ast.Name)
    }
    assert set(told) == {one.name for one in Mechanism}
    for name, after in told.items():
        assert isinstance(after, ast.Expr), name
        assert ast.literal_eval(after.value).endswith("."), name


STATED = {
    "the event engine": (event.DOES, "engines/event/refusals.py", "DOES"),
    "its plain station": (PlainStation.DOES, "engines/event/stations.py", "DOES"),
    "the compiled pass": (compiled.DOES, "engines/compiled/refusals.py", "DOES"),
    "the batch engine": (batch.DOES, "engines/batch/refusals.py", "DOES"),
    "its lines of stations": (batch.refusals.__globals__["IN_LINE"], "engines/batch/refusals.py", "IN_LINE"),
    "planned capacity": (capacity.COUNTED, "plan/capacity.py", "COUNTED"),
}


@pytest.mark.parametrize("who", STATED)
def test_a_set_is_stated_member_by_member(who):
    stated, file, name = STATED[who]
    (found,) = [
        node.value
        for node in ast.walk(ast.parse((PACKAGE / file).read_text(encoding="utf-8")))
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == name
    ]
    assert ast.unparse(found.func) == "frozenset"
    (literal,) = found.args
    assert isinstance(literal, ast.Set)
    members = [ast.unparse(member) for member in literal.elts]
    assert sorted(members) == sorted(f"Mechanism.{one.name}" for one in stated)


@each_mechanism
def test_a_mechanism_is_found_in_a_plan_that_has_it(mechanism):
    example = EXAMPLES[mechanism]
    assert mechanism in missing(example, set())
    assert mechanism not in missing(example, {mechanism})


@each_mechanism
@each_engine
def test_an_engine_does_a_mechanism_or_refuses_it_by_name(engine, mechanism):
    told = ENGINES[engine].refusals(EXAMPLES[mechanism])
    if mechanism in ENGINES[engine].DOES:
        assert told == []
    else:
        assert any(one.startswith(f"{mechanism.words} at ") for one in told)


def test_the_event_engine_does_all_that_the_batch_engine_does():
    assert batch.DOES <= event.DOES


@each_mechanism
def test_the_compiled_pass_does_a_mechanism_or_refuses_it_by_name(mechanism):
    told = compiled.refusals(EXAMPLES[mechanism])
    if mechanism in compiled.DOES:
        assert told == []
    else:
        assert any(one.startswith(f"{mechanism.words} at ") for one in told)


def test_the_event_engine_does_all_that_the_compiled_pass_does():
    assert compiled.DOES <= event.DOES


@each_piece
def test_the_compiled_pass_refuses_a_field_that_no_mechanism_declares_by_its_name(piece):
    make = widened(piece, ("field_of_nobody", 0))
    wide, _ = put_in(RICH, piece, lambda one: make(one, field_of_nobody=2))
    name = f"the undeclared mechanism {piece.__name__}.field_of_nobody at "
    assert any(name in told for told in compiled.refusals(wide))
    with pytest.raises(EngineRefusal, match=name):
        choose_engine(wide, "compiled")


def test_the_compiled_pass_reads_every_field_that_it_does_not_refuse():
    read = set().union(*map(attributes_read, (PACKAGE / "engines" / "compiled").glob("*.py")))
    acting = {
        (piece.__name__, field) for piece, table in FIELDS.items() for field in table if table[field] is not label
    }
    unread = {f"{piece}.{field}" for piece, field in acting if field not in read}
    shared = {"Reservation.flows", "Reservation.lanes", "Reservation.overflow"}  # `engines/batch/servers.py` reads them
    left = unread - REFUSED_BY_BATCH - DRAWN_BEFORE - shared
    assert left == READ_ELSEWHERE


def test_the_plain_station_is_taken_where_it_does_all_that_is_needed():
    plain = {mechanism for mechanism, example in EXAMPLES.items() if needs_at(example)[0] <= PlainStation.DOES}
    # What the flow and the plan need is no station's business.
    assert plain - {M.ROUTES, M.CYCLES} == PlainStation.DOES


# ---------------------------------------------------------------- the account of capacity


@each_mechanism
def test_an_account_of_capacity_counts_a_mechanism_or_names_it(mechanism):
    example = EXAMPLES[mechanism]
    named = capacity.not_counted(example)
    assert (mechanism.words in named) is (mechanism.effect != NEUTRAL and mechanism not in capacity.COUNTED)
    warned = [one.message for one in load.load_problems(example, "terminating")]
    takes = mechanism.effect == TAKES and mechanism not in capacity.COUNTED
    assert any(mechanism.words in message for message in warned) is takes


def test_an_account_counts_nothing_that_is_neutral():
    assert NEUTRAL not in {one.effect for one in capacity.COUNTED}


def test_what_nobody_declared_is_warned_of_by_the_load():
    make = widened(Station, ("field_of_nobody", 0))
    wide, _ = put_in(station(), Station, lambda one: make(one, field_of_nobody=2))
    (told,) = load.load_problems(wide, "terminating")
    assert told.message == "the load does not count the undeclared mechanism Station.field_of_nobody"
