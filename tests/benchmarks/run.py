"""One table: what a visit costs, against other ways to do the same work in the same run, answers checked.

``python tests/benchmarks/run.py [--quick] [--only WORD]``. Every line is CPU time of
this process, the best of a few rounds taken in turn; a single figure is good to a
factor 1.7 on a shared machine, a ratio to about 15 %.

``python tests/benchmarks/run.py --ask [--earlier FOLDER] [--write]`` asks the questions of
`questions.py` instead (`--only` takes their parts), in paired rounds, and writes docs/benchmarks.md.
Cimba is a peer where the package ``cimba`` is installed; FOLDER is a checkout of an earlier version.
"""

from __future__ import annotations

import argparse
import math
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

import peers
import questions
import work

from corridor_sim.engines import batch, event, queues
from corridor_sim.engines.batch import servers
from corridor_sim.indicators import Collector
from corridor_sim.records.visits import chunk_of
from corridor_sim.sampling.sampler import Sampler

NS = 1e9


class Table:
    """Lines as they come: name, ns per visit, ratio to the first line of its block."""

    def __init__(self) -> None:
        print(f"{'work':<64}{'ns/visit':>10}{'times':>9}  checked")
        self.reference = math.nan

    def line(self, name: str, ns: float, checked: str, *, reference: bool = False, unit: str = "x") -> None:
        """One line; `reference` starts a block that others are compared with."""
        if reference:
            self.reference = ns
        ratio = self.reference / ns
        print(f"{name:<64}{ns:>10.1f}{ratio:>8.1f}{unit}  {checked}", flush=True)

    def note(self, name: str, value: str) -> None:
        """A figure that is not a time."""
        print(f"{name:<64}{value:>10}", flush=True)


def best(*calls: Callable[[], object], rounds: int = 3) -> list[tuple[float, object]]:
    """Least CPU seconds and the answer of each call, in turn."""
    found = [(math.inf, None)] * len(calls)
    for _ in range(rounds):
        for k, call in enumerate(calls):
            begun = time.process_time()
            answer = call()
            seconds = time.process_time() - begun
            if seconds < found[k][0]:
                found[k] = seconds, answer
    return found


def visits_of(records) -> int:
    """Visits in some records."""
    return sum(int(table.count.sum()) for table in records.elements)


def kernels(table: Table, scale: float) -> None:
    """FIFO lanes: our forms, a heap, C."""
    compiled = peers.CompiledFifo.found()
    rng = np.random.default_rng(1)
    for rows in (1, 128, 1024):
        for lanes in (1, 2, 4, 8):
            size = max(500, int(scale * (100_000 if rows == 1 else 400_000 // rows * 4)))
            arrival = np.rint(np.cumsum(rng.exponential(1.0, (rows, size)), axis=1) * 2**20) / 2**20
            service = np.rint(rng.exponential(0.75 * lanes, (rows, size)) * 2**20) / 2**20
            lists = arrival[0].tolist(), service[0].tolist()
            calls: list[Callable[[], object]] = [
                lambda: peers.heap_fifo(*lists, lanes),  # noqa: B023
                lambda: queues.fifo(arrival, service, lanes),  # noqa: B023
            ]
            if compiled is not None:
                calls.append(lambda: compiled(arrival, service, lanes))  # noqa: B023
            (heap_s, expected), (ours_s, ours), *rest = best(*calls)
            assert np.array_equal(ours[0], expected)
            name = f"fifo, {lanes} lanes, {rows} replications"
            if rows == 1 or lanes == 2:
                table.line(f"{name}: heap in Python", heap_s / size * NS, "", reference=True)
            else:
                table.reference = heap_s / size * NS
            table.line(f"{name}: corridor_sim", ours_s / size / rows * NS, "== heap")
            for seconds, answer in rest:
                assert np.array_equal(answer, ours)
                table.line(f"{name}: C -O3", seconds / size / rows * NS, "== corridor_sim")


def tandem(table: Table, scale: float) -> None:
    """M/M/2 -> M/M/3."""
    size = int(20_000 * scale)
    plan = work.tandem(size)
    one = Sampler(plan, 3).sample([0])
    flow = one.flows[0]
    count = int(flow.count[0])
    services = [flow.duration_h[f"s{k}"][0][0].tolist() for k in range(2)]
    visits = 2 * count
    simpy_s, depart = best(lambda: peers.simpy_tandem(flow.release_h[0].tolist(), services, (2, 3)), rounds=1)[0]
    (event_s, records), (batch_s, ours) = best(lambda: event.simulate(plan, one), lambda: batch.simulate(plan, one))
    inside = ~np.isnan(records.journeys[0].depart_h[0])
    assert np.array_equal(ours.journeys[0].depart_h[0][inside], np.asarray(depart)[inside])
    assert not ours.same_as(records)
    per = visits_of(records)
    table.line("tandem M/M/2 -> M/M/3, one replication: SimPy", simpy_s / visits * NS, "", reference=True)
    simpy_ns = table.reference
    per_h = plan.flows[0].arrivals.rate.value[0]
    until = size / per_h
    ciw_s, found = best(lambda: peers.ciw_tandem(per_h, (1.0, 0.8 * 3 / per_h), (2, 3), until), rounds=1)[0]
    if found:
        waits = [record.waiting_time for record in found if record.node == 1]
        ours_wait = np.nanmean(records.elements[0].start_h - records.elements[0].join_h)
        assert 0.5 < np.mean(waits) / ours_wait < 2.0
        table.line("  Ciw (own draws)", ciw_s / len(found) * NS, "mean wait near")
    table.line("  event engine", event_s / per * NS, "== SimPy")
    table.line("  batch engine, with records", batch_s / per * NS, "== event")
    rows = max(20, int(400 * scale))
    plan = work.tandem(2000)
    sampler = Sampler(plan, 3)
    many = sampler.sample(range(rows))
    (batch_s, ours), (all_s, _) = best(lambda: batch.simulate(plan, many), lambda: _streamed(plan, rows))
    assert not batch.simulate(plan, sampler.sample([7])).same_as(_row(ours, 7))
    table.reference = simpy_ns
    table.line(f"  batch engine, {rows} replications, pre-drawn", batch_s / visits_of(ours) * NS, "== row alone")
    table.line(
        f"  batch engine, {rows} replications, sampling and indicators", all_s / visits_of(ours) * NS, "same visits"
    )


def border(table: Table, scale: float) -> None:
    """The border of four stages against SimPy, and with a C kernel in the same pipeline."""
    plan = work.border(30 * scale)
    one = Sampler(plan, 5).sample([0])
    release = np.concatenate([flow.release_h[0] for flow in one.flows])
    order = np.argsort(release, kind="stable")
    names = [element.id for element in plan.elements]
    services = [np.concatenate([f.duration_h[n][0][0] for f in one.flows])[order].tolist() for n in names]
    takes = [[True] * len(order) for _ in names]
    for j, share in ((1, 0.33), (2, 0.10)):
        takes[j] = (np.concatenate([f.uniform[names[j]][0] for f in one.flows])[order] < share).tolist()
    visits = sum(sum(stage) for stage in takes)
    simpy_s, depart = best(
        lambda: peers.simpy_border(release[order].tolist(), takes, services, (4, 2, 3, 2)), rounds=1
    )[0]
    (event_s, records), (batch_s, ours) = best(lambda: event.simulate(plan, one), lambda: batch.simulate(plan, one))
    assert not ours.same_as(records)
    mine = np.concatenate([j.depart_h[0] for j in records.journeys])[order]
    done = ~np.isnan(mine)
    assert np.array_equal(mine[done], depart[done])
    table.line("border of four stages, one replication: SimPy", simpy_s / visits * NS, "", reference=True)
    simpy_ns = table.reference
    table.line("  event engine", event_s / visits * NS, "== SimPy")
    table.line("  batch engine, with records", batch_s / visits * NS, "== event")
    rows = max(20, int(250 * scale))
    short = work.border(10)
    many = Sampler(short, 5).sample(range(rows))
    compiled = peers.CompiledFifo.found()

    def with_c():
        kept = servers.queues.fifo
        servers.queues.fifo = compiled
        try:
            return batch.simulate(short, many)
        finally:
            servers.queues.fifo = kept

    calls = [lambda: batch.simulate(short, many), lambda: _streamed(short, rows), lambda: _drawn(short, rows)]
    if compiled is not None:
        calls.append(with_c)
    (batch_s, ours), (all_s, _), (draw_s, _), *rest = best(*calls)
    visits = visits_of(ours)
    table.reference = simpy_ns
    table.line(f"  batch engine, {rows} replications, pre-drawn, with records", batch_s / visits * NS, "")
    for seconds, answer in rest:
        assert not answer.same_as(ours)
        table.line("    the same pipeline with the C kernel", seconds / visits * NS, "== numpy")
    table.line(f"  {rows} replications, sampling alone", draw_s / visits * NS, "")
    table.line(f"  {rows} replications, sampling, batch engine and indicators", all_s / visits * NS, "")


def corridor(table: Table, scale: float) -> None:
    """A made-up corridor and the packaged base, batch against event, sampling and indicators included."""
    cases = [("made-up corridor", work.corridor(60 * scale))]
    try:
        from corridor_sim.files.scenario_files import load_scenario
        from corridor_sim.plan.build import make_plan

        cases.append(("packaged baseline_2023", make_plan(load_scenario("baseline_2023"))))
    except (ImportError, ValueError, OSError) as missing:
        table.note("packaged baseline", f"not there: {missing}")
    for name, plan in cases:
        rows = max(4, int(40 * scale))
        sampler = Sampler(plan, 9)

        def by_event(plan=plan, sampler=sampler):
            collector = Collector(plan, [0])
            records = event.simulate(plan, sampler.sample([0]))
            collector.add(chunk_of(records))
            return records, collector.finish()

        def by_batch(plan=plan, rows=rows):
            return _streamed(plan, rows)

        (event_s, (records, one)) = best(by_event, rounds=1)[0]
        (batch_s, many), (draw_s, _) = best(by_batch, lambda plan=plan, rows=rows: _drawn(plan, rows), rounds=2)
        alone = batch.simulate(plan, sampler.sample([0]))
        assert not alone.same_as(records)
        assert np.array_equal(one.values[:, 0], many.values[:, 0], equal_nan=True)
        visits = visits_of(records)
        table.line(f"{name}: event engine with indicators", event_s / visits * NS, "", reference=True)
        table.line(f"  batch engine, {rows} replications, all included", batch_s / visits / rows * NS, "== event")
        table.line("    of which sampling", draw_s / visits / rows * NS, "")


def slopes(table: Table, scale: float) -> None:
    """Log-log slopes of cost against consignments, replications and lanes; sampling and indicators included."""

    def seconds(plan, rows):
        return best(lambda: _streamed(plan, rows))[0][0]

    def slope(sizes, costs):
        return float(np.polyfit(np.log(sizes), np.log(costs), 1)[0])

    days = [10, 20, 40, 80]
    costs = [seconds(work.border(d * scale), 64) for d in days]
    table.note("slope of cost against consignments (64 replications)", f"{slope(days, costs):.2f}")
    rows = [64, 128, 256, 512]
    plan = work.border(10 * scale)
    table.note("slope of cost against replications", f"{slope(rows, [seconds(plan, r) for r in rows]):.2f}")
    lanes = [2, 4, 8, 16, 32]
    costs = [seconds(work.tandem(int(4000 * scale), (c, c)), 128) for c in lanes]
    table.note("slope of cost against lanes", f"{slope(lanes, costs):.2f}")


def memory(table: Table, scale: float) -> None:
    """Peak memory of streaming, by horizon, with a budget of 0.5 GB."""
    for days in (int(60 * scale), int(240 * scale)):
        code = (
            f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); import run, work; "
            f"run._streamed(work.corridor({days}), 64, memory_gb=0.5); "
            "high = next(line for line in open('/proc/self/status') if line.startswith('VmHWM')); "
            "print(float(high.split()[1]) / 1e6)"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        table.note(f"peak memory, 64 replications of {days} days, budget 0.5 GB [GB]", f"{float(done.stdout):.2f}")


def workers(table: Table, scale: float) -> None:
    """Wall time of a study in two processes against one."""
    from corridor_sim.study.run import run

    name, replications = ("year_2026_base", 8) if scale >= 1 else ("baseline_2023", 16)
    seconds, values = {}, {}
    for count in (1, 2, 1, 2):
        begun = time.perf_counter()
        values[count] = run(name, replications=replications, rng=9, engine="batch", workers=count).rows.values
        seconds[count] = min(seconds.get(count, math.inf), time.perf_counter() - begun)
    assert values[1].tobytes() == values[2].tobytes()
    table.note(f"two processes against one, {replications} replications of {name}", f"{seconds[1] / seconds[2]:.2f}x")


def _streamed(plan, rows, memory_gb=2.0):
    collector = Collector(plan, range(rows))
    for chunk in batch.stream(plan, Sampler(plan, 9), range(rows), memory_gb):
        collector.add(chunk)
    return collector.finish()


def _drawn(plan, rows):
    """Sampling alone, as the engine asks for it."""
    sampler = Sampler(plan, 9)
    cut = batch.streaming.cut_of(plan, sampler, rows, 2.0)
    for first in range(0, rows, cut.rows):
        source = sampler.stream(range(first, min(rows, first + cut.rows)))
        until = 0.0
        while until < plan.horizon_h:
            until += cut.drawn_h
            source.next(until if until < plan.horizon_h else math.inf)


def _row(records, k):
    """One replication of some records, padding cut off."""
    from corridor_sim.records.visits import ElementVisits, Journeys, Records

    def cut(table, kind, width):
        return kind(*(getattr(table, name)[k : k + 1, :width] for name in kind.__dataclass_fields__))

    elements = tuple(cut(table, ElementVisits, int(table.count[k])) for table in records.elements)
    journeys = tuple(cut(table, Journeys, int(table.count[k])) for table in records.journeys)
    return Records(records.plan, records.replications[k : k + 1], elements, journeys)


PARTS = {
    "kernels": kernels, "tandem": tandem, "border": border, "corridor": corridor, "slopes": slopes, "memory": memory,
    "workers": workers,
}  # fmt: skip


def main() -> None:
    """Run the parts that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the work")
    parser.add_argument("--only", choices=sorted({*PARTS, *questions.PARTS}), action="append")
    parser.add_argument("--ask", action="store_true", help="the questions, in paired rounds")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--earlier", type=Path, help="checkout of an earlier version")
    parser.add_argument("--earlier-name", default="", help="what it is, for the page")
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks.md")
    options = parser.parse_args()
    scale = 0.1 if options.quick else 1.0
    if options.ask or options.write:
        parts = tuple(options.only or questions.PARTS)

        def keep(found: list[questions.Answered]) -> None:
            if options.write:
                text = questions.written(found, options.rounds, scale, options.earlier_name)
                (questions.ROOT / "docs" / "benchmarks.md").write_text(text, encoding="utf-8")

        questions.ask(parts, scale, options.rounds, options.earlier, keep)
        return
    table = Table()
    for name, part in PARTS.items():
        if options.only is None or name in options.only:
            part(table, scale)


if __name__ == "__main__":
    main()
