"""The work that is timed: ``python programs.py NAME SCALE`` does one in a process of its own and prints JSON.

A program prepares (imports, plans, loads machine code) and gives back what is timed. It uses
what the library has had since version 0.1, so that an earlier version can be timed too: the one on the path
is. `units` is what the time is divided by, `answers` is what is checked.
"""

from __future__ import annotations

import dataclasses
import json
import os
import resource
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np

Timed = Callable[[], tuple[float, dict[str, float]]]
PROGRAMS: dict[str, Callable[[float], Timed]] = {}


def program(make: Callable[[float], Timed]) -> Callable[[float], Timed]:
    """Known by its name."""
    PROGRAMS[make.__name__] = make
    return make


# ---------------------------------------------------------------- pieces


def works():
    """The module `work` of the version that is timed."""
    import corridor_sim

    sys.path.insert(0, str(Path(corridor_sim.__file__).parents[1] / "tests" / "benchmarks"))
    import work

    return work


def best_engine(scenario) -> str:
    """The compiled pass where it is there and does it, loaded and ready; else what the library chooses."""
    import corridor_sim as cs

    try:
        cs.run(scenario, engine="compiled", replications=1, rng=1, workers=1)
    except (ValueError, cs.CorridorError):
        cs.run(scenario, replications=1, rng=1, workers=1)
        return "auto"
    return "compiled"


def run_of(scenario, replications: int, **more) -> Timed:
    """A run in this process, by visit if `by_visit`."""
    import corridor_sim as cs

    by_visit = more.pop("by_visit", False)
    settings = {"engine": best_engine(scenario), "workers": 1} | more

    def timed():
        results = cs.run(scenario, replications=replications, rng=9, **settings)
        visits = float(results.visits_count)
        return visits if by_visit else 1.0, {"visits per replication": visits / replications}

    return timed


def queues_of(results, elements) -> dict[str, float]:
    """Mean numbers waiting."""
    table = results.rows
    return {f"queue {id}": float(np.mean(table.row("queue_mean", place=id))) for id in elements}


# ---------------------------------------------------------------- the packaged scenarios


@program
def year(scale):
    """year_2026_base, 20 replications."""
    return run_of("year_2026_base", max(2, round(20 * scale)))


@program
def year_few(scale):
    """year_2026_base, 3 replications."""
    return run_of("year_2026_base", max(1, round(3 * scale)))


@program
def baseline_2023(scale):
    """baseline_2023, 10 replications."""
    return run_of("baseline_2023", max(2, round(10 * scale)))


@program
def sweep(scale):
    """One point of a sweep of do_nothing_2026 (38 days), 2 replications."""
    import corridor_sim as cs

    base, path = cs.load_scenario("do_nothing_2026"), "flows.south_bilateral.per_day"
    points, engine = max(3, round(12 * scale)), best_engine(base)
    cs.sweep(base, {path: [190.0, 191.0]}, replications=2, rng=1, workers=1, engine=engine)

    grid = {path: [197.0 + k for k in range(points)]}

    def timed():
        found = cs.sweep(base, grid, replications=2, rng=9, workers=1, engine=engine)
        return float(points), {"visits of the first": float(next(iter(found))[1].visits_count)}

    return timed


def compared(*scenarios, replications):
    """Scenarios compared; with one, it alone."""
    import corridor_sim as cs

    engine = best_engine(scenarios[0])

    def timed():
        settings = {"replications": replications, "rng": 9, "workers": 1, "engine": engine}
        if len(scenarios) == 1:
            return 1.0, {"visits": float(cs.run(*scenarios, **settings).visits_count)}
        runs = cs.compare(*scenarios, **settings).runs
        share = getattr(runs[1], "simulated_again", None)
        return 1.0, {"visits": float(runs[0].visits_count), "simulated again": 1.0 if share is None else share}

    return timed


@program
def readme_base(scale):
    """The base of the README's comparison alone, 20 replications."""
    return compared("year_2026_base", replications=max(2, round(20 * scale)))


@program
def readme_comparison(scale):
    """The README's comparison, 20 replications each."""
    return compared("year_2026_base", "year_2026_roadmap", replications=max(2, round(20 * scale)))


def _one_more_lane(base):
    from corridor_sim.study.designs import with_values

    return with_values(base, {"checkpoints.novo_filya_ru.entry.lanes.lanes": 2, "name": "one more lane"})


@program
def small_change(scale):
    """A comparison that changes one small post at the end of a route, 10 replications each."""
    import corridor_sim as cs

    base = cs.load_scenario("baseline_2023")
    return compared(base, _one_more_lane(base), replications=max(2, round(10 * scale)))


@program
def small_change_base(scale):
    """Its base alone."""
    import corridor_sim as cs

    return compared(cs.load_scenario("baseline_2023"), replications=max(2, round(10 * scale)))


# ---------------------------------------------------------------- peers


@program
def border(scale):
    """The border of four stages, 250 replications of 10 days."""
    import corridor_sim as cs

    plan, replications = works().border(10), max(10, round(250 * scale))
    engine = best_engine(plan)

    def timed():
        results = cs.run(plan, replications=replications, rng=9, engine=engine, workers=1)
        return float(results.visits_count), queues_of(results, [element.id for element in plan.elements])

    return timed


@program
def tandem(scale):
    """M/M/2 -> M/M/3 at 0.8, 20 replications of 20,000 customers."""
    import corridor_sim as cs

    plan = works().tandem(max(2000, round(20_000 * scale)))
    engine = best_engine(plan)

    def timed():
        results = cs.run(plan, replications=20, rng=9, engine=engine, workers=1)
        return float(results.visits_count), queues_of(results, [element.id for element in plan.elements])

    return timed


@program
def cimba_border(scale):
    """The same border in Cimba, its own draws."""
    import cimba_models

    cimba_models.border(1, 1.0)
    return lambda: cimba_models.border(max(10, round(250 * scale)), 10.0)


@program
def cimba_tandem(scale):
    """The same tandem in Cimba, its own draws."""
    import cimba_models

    cimba_models.tandem(1, 100)
    return lambda: cimba_models.tandem(20, max(2000, round(20_000 * scale)))


@program
def simpy_border(scale):
    """The same border in plain SimPy, 6 days (drawn before)."""
    import peers

    from corridor_sim.sampling.sampler import Sampler

    plan = works().border(6 * max(scale, 0.3))
    flows = Sampler(plan, 5).sample([0]).flows
    release = np.concatenate([flow.release_h[0] for flow in flows])
    order = np.argsort(release, kind="stable")
    names = [element.id for element in plan.elements]
    services = [np.concatenate([f.duration_h[n][0][0] for f in flows])[order].tolist() for n in names]
    takes = [[True] * len(order) for _ in names]
    for j, share in ((1, 0.33), (2, 0.10)):
        takes[j] = (np.concatenate([f.uniform[names[j]][0] for f in flows])[order] < share).tolist()

    def timed():
        peers.simpy_border(release[order].tolist(), takes, services, (4, 2, 3, 2))
        return float(sum(sum(stage) for stage in takes)), {}

    return timed


# ---------------------------------------------------------------- cliffs and sizes


def changed_border(days: float, change: str):
    """The border as it is, with a balking post that sends few away, or with a staff pool that rarely binds."""
    from corridor_sim.core.step_functions import StepFunction
    from corridor_sim.model.service_times import Deterministic
    from corridor_sim.plan.elements import Delay
    from corridor_sim.plan.plan import PlanStaffPool
    from corridor_sim.plan.steps import PlanBalk, Step, Variant

    plan = works().border(days)
    elements, pools, flows = list(plan.elements), (), list(plan.flows)
    if change == "balking":
        elements.append(Delay(id="way round"))
        away = Step(element=len(elements) - 1, laws=((0.0, Deterministic(value_h=5.0)),), draws="way round")
        for k, flow in enumerate(flows):
            (here,) = flow.variants
            first, *others = here.steps
            asked = dataclasses.replace(first, balk=PlanBalk(threshold_h=1.0, variant=1, at_step=0))
            there = Variant(id="round", steps=(away,), share=StepFunction.constant(0.0))
            here = dataclasses.replace(here, steps=(asked, *others))
            flows[k] = dataclasses.replace(flow, variants=(here, there))
    elif change == "pool":
        pools = (PlanStaffPool(id="officers", members=StepFunction.constant(5)),)
        for k in (0, 3):
            elements[k] = dataclasses.replace(elements[k], staff_pool="officers")
    return dataclasses.replace(plan, elements=tuple(elements), flows=tuple(flows), staff_pools=pools)


def _cliff(change):
    def timed(scale):
        return run_of(changed_border(100 * scale, change), 10, by_visit=True)

    return timed


PROGRAMS |= {"no_cliff": _cliff(""), "balking": _cliff("balking"), "pool": _cliff("pool")}


def _many_flows(count):
    def timed(scale):
        work = works()
        plan = work.border(20 * max(scale, 0.5))
        one = plan.flows[0]
        flows = tuple(
            dataclasses.replace(one, id=f"f{k:03d}", arrivals=work.arrivals(400.0 / 24 / count)) for k in range(count)
        )
        return run_of(dataclasses.replace(plan, flows=flows), 16, by_visit=True)

    return timed


PROGRAMS |= {f"flows_{count}": _many_flows(count) for count in (1, 64)}


def _processes(count):
    def timed(scale):
        return run_of("year_2026_base", max(4, round(12 * scale)), workers=count)

    return timed


PROGRAMS |= {f"processes_{count}": _processes(count) for count in (1, 2)}


@program
def processes_beside(scale):
    """One process, while another does the same for itself: what two cores of this machine take from each other."""
    timed = _processes(1)(scale)

    def beside():
        other = os.fork()
        if not other:
            timed()
            os._exit(0)
        begun = time.process_time()
        units, answers = timed()
        seconds = time.process_time() - begun
        os.waitpid(other, 0)
        return units, answers | {"cpu": seconds}

    return beside


# ---------------------------------------------------------------- starting


def _command(*words):
    def make(scale):
        del scale
        call = [sys.executable, *words]
        subprocess.run(call, capture_output=True, check=True)

        def timed():
            for _ in range(3):
                subprocess.run(call, capture_output=True, check=True)
            return 3.0, {}

        return timed

    return make


PROGRAMS |= {
    "imports": _command("-c", "import numpy, pydantic, networkx, click"),
    "import_library": _command("-c", "import corridor_sim"),
    "nothing": _command("-c", "pass"),
    "help": _command("-m", "corridor_sim", "--help"),
    "kinds": _command("-m", "corridor_sim", "kinds"),
    "check_teaching": _command("-m", "corridor_sim", "check", "teaching"),
    "check_2023": _command("-m", "corridor_sim", "check", "baseline_2023"),
}


@program
def worker(scale):
    """A worker that starts, does next to nothing and ends."""
    del scale
    import corridor_sim as cs

    plan = works().tandem(50)
    cs.run(plan, replications=2, rng=1, workers=2, engine="batch")

    def timed():
        before = children_s()
        cs.run(plan, replications=2, rng=1, workers=2, engine="batch")
        return 2.0, {"cpu": children_s() - before}

    return timed


# ---------------------------------------------------------------- one process


def children_s() -> float:
    """CPU of the processes that this one has started and that have ended. [s]"""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def cpu_s() -> float:
    """CPU of this process and of those it has started. [s]"""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime + children_s()


def main(name: str, scale: float) -> None:
    """Do one program and print what it took."""
    warnings.simplefilter("ignore")
    timed = PROGRAMS[name](scale)
    begun = cpu_s()
    units, answers = timed()
    seconds = answers.pop("cpu", cpu_s() - begun)
    most = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    print(json.dumps({"s": seconds / units, "answers": answers, "gb": most * 1024 / 1e9}))


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
