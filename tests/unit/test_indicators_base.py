"""Indicators do not see how a run is cut; a new one needs one class and nothing else."""

import numpy as np
import pytest
from small_border import plan, records, straight, table

from corridor_sim.core.errors import CorridorError, ScenarioError
from corridor_sim.core.units import to_grid
from corridor_sim.engines.event import simulate
from corridor_sim.indicators import INDICATORS, Collector, Indicator, Options, join
from corridor_sim.records.inputs import FlowInputs, SampledInputs, default_numbers
from corridor_sim.records.visits import Chunk, SpanTimes, Visits, chunk_of

REPLICATIONS = 5


def busy_border(horizon_h=60.0, warm_up_h=12.0, seed=3):
    """Records of five replications in which posts queue, and some trucks are left at the end."""
    busy = plan(horizon_h=horizon_h, warm_up_h=warm_up_h, flows=2, lanes_a=2.0)
    rng = np.random.default_rng(seed)
    flows = []
    for f in range(2):
        shape = (REPLICATIONS, 40)
        release = np.sort(to_grid(rng.uniform(0, horizon_h - 1, shape)), axis=1)
        variant = np.zeros(shape, dtype=np.int64)
        variant[1, 35:], release[1, 35:] = -1, np.inf
        durations = {
            element.id: (to_grid(rng.exponential(hold, shape)),)
            for element, hold in zip(busy.elements, (3.0, 2.0, 0.5, 1.0, 2.0), strict=True)
        }
        flows.append(FlowInputs(release, variant, default_numbers(f, shape), durations))
    return simulate(busy, SampledInputs(np.arange(REPLICATIONS), tuple(flows)))


def cut(chunk, rows, parts, rng):
    """Some rows of a chunk, their visits dealt out at random over several chunks."""

    def deal(whole, names):
        of = np.repeat(np.arange(len(whole.count)), whole.count)
        part = rng.integers(0, parts, len(of))
        for n in range(parts):
            mine = [np.flatnonzero((of == r) & (part == n)) for r in rows]
            count = np.array([len(these) for these in mine])
            yield count, *(getattr(whole, name)[np.concatenate(mine)] for name in names)

    visits = [[] for _ in range(parts)]
    for one in chunk.visits:
        names = ("index", "step", "join_h", "start_h", "finish_h", "leave_h", "service_h")
        for n, made in enumerate(deal(one, names)):
            visits[n].append(Visits(one.element, one.flow, *made))
    spans = [[] for _ in range(parts)]
    for span in chunk.spans:
        for n, made in enumerate(deal(span, ("index", "begin_h", "end_h"))):
            spans[n].append(SpanTimes(span.flow, span.variant, span.span, *made))
    return [
        Chunk(chunk.plan, chunk.replications[rows], tuple(visits[n]), tuple(spans[n])) for n in rng.permutation(parts)
    ]


def test_a_table_is_the_same_to_the_bit_however_the_run_is_cut():
    whole_records = busy_border()
    chunk, rng = chunk_of(whole_records), np.random.default_rng(8)
    options = Options(idling_co2_kg_h=8.0)
    whole = Collector(whole_records.plan, range(REPLICATIONS), None, options)
    whole.add(chunk)
    expected = whole.finish()
    assert (expected.row("unserved", kind="post", place="a") > 0).any()

    pieces = Collector(whole_records.plan, range(REPLICATIONS), None, options)
    for part in cut(chunk, np.arange(REPLICATIONS), 3, rng):
        pieces.add(part)
    blocks = []
    for rows in ([3], [4, 1], [0, 2]):
        block = Collector(whole_records.plan, rows, None, options)
        for part in cut(chunk, np.array(rows), 2, rng):
            block.add(part)
        blocks.append(block.finish())
    for found in (pieces.finish(), join(blocks)):
        assert found.labels == expected.labels
        assert found.values.tobytes() == expected.values.tobytes()
    assert whole.visits.tolist() == pieces.visits.tolist() == sum(e.count for e in whole_records.elements).tolist()


def test_littles_law_holds_for_the_mean_queue():
    # Over the whole run, no warm-up: hours of queue = waits of all, those unserved included.
    made = busy_border(warm_up_h=0.0)
    found = table(made)
    for k, element in enumerate(made.plan.elements):
        if element.kind != "station":
            continue
        visits = made.elements[k]
        start = np.where(np.isnan(visits.start_h) & (visits.flow >= 0), made.plan.horizon_h, visits.start_h)
        expected = np.nansum(start - visits.join_h, axis=1)
        assert np.array_equal(found.row("delay_truck_h", place=element.id), expected)
        assert np.array_equal(found.row("queue_mean", place=element.id), expected / made.plan.horizon_h)


def test_nothing_is_lost_between_release_and_the_end():
    found = table(busy_border())
    created, finished = found.row("created", kind="corridor"), found.row("finished", kind="corridor")
    assert np.array_equal(created, finished + found.row("unfinished", kind="corridor"))
    assert created.tolist() == [80, 70, 80, 80, 80]


def test_queue_at_marks_agrees_with_counting_directly():
    made = busy_border()
    collector = Collector(made.plan, range(REPLICATIONS), ["queue"])
    collector.add(chunk_of(made))
    collector.finish()
    from corridor_sim.indicators.queue_marks import QueueMarks

    marks = collector.shared(QueueMarks)
    visits, waiting = made.elements[1], marks.waiting(1)
    assert marks.mark_h[0] > 12.0
    assert marks.mark_h[-1] == 60.0
    for r in range(REPLICATIONS):
        for m, mark_h in enumerate(marks.mark_h):
            started = (visits.start_h[r] < mark_h).sum()
            assert waiting[r, m] == (visits.join_h[r] < mark_h).sum() - started


def test_a_toy_indicator_appears_in_the_table_with_no_other_change():
    @INDICATORS.register("longest_visit_h")
    class LongestVisit(Indicator):
        unit = "h"

        def start(self):
            self.longest_h = np.zeros(len(self.scope.replications))

        def add_visits(self, block):
            np.fmax.at(self.longest_h, block.row, block.leave_h - block.join_h)

        def table_rows(self):
            yield self.row(self.longest_h, "corridor", "all")

    try:
        found = table(records(plan(), [straight(0.0), straight(1.0, wait_a=1.0)]))
        # The longest visits are of 3 h: the road, and wait and service of the second truck.
        assert found.row("longest_visit_h", place="all").tolist() == [3.0]
        assert found.select("longest_visit_h").labels[0].unit == "h"
    finally:
        INDICATORS.unregister("longest_visit_h")


def test_unknown_indicators_and_columns_are_named_with_the_nearest():
    with pytest.raises(ScenarioError, match="did you mean 'wait_h'"):
        Collector(plan(), [0], ["wait_hh"])
    found = table(records(plan(), [straight(0.0)]), ["wait_h"])
    with pytest.raises(CorridorError, match="did you mean 'wait_h'"):
        found.select("wait")
    with pytest.raises(CorridorError, match="no column 'post'"):
        found.select(post="a")
    with pytest.raises(CorridorError, match="rows match"):
        found.row("wait_h", kind="stage")


def test_blocks_with_a_replication_in_common_are_refused():
    one = table(records(plan(), [straight(0.0)]), ["wait_h"])
    with pytest.raises(ValueError, match="two blocks"):
        join([one, one])


def test_frames_are_tidy():
    found = table(busy_border(), ["wait_h", "queue_by_hour"])
    frame = found.to_frame()
    assert len(frame) == len(found) * REPLICATIONS
    assert set(frame["unit"]) == {"h", "1"}
    assert frame["hour"].dropna().between(0, 23).all()
    wide = found.to_frame(wide=True)
    assert len(wide) == len(found)
    assert "replication_4" in wide
