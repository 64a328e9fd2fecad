"""The measures of stochastic cases, read from records: one value a replication.

To add a measure, add one function with ``@measure("name")``. It takes the
block and what stands in brackets after the name, and returns an array over
replications, or numerators and denominators for a ratio over all replications.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corridor_sim.core.units import FloatArray
from corridor_sim.plan.elements import Departures, LimitedLeg, Station
from corridor_sim.records.inputs import SampledInputs
from corridor_sim.records.visits import ElementVisits, Records
from corridor_sim.verify.case_plans import CasePlan

Mask = NDArray[np.bool_]
Values = FloatArray | tuple[FloatArray, FloatArray]
NO_WAIT = 1e-9
"""A longer wait counts as one. [unit of the clock]"""


class NotMeasured(Exception):
    """A measure that is not known or has no meaning for this case."""


class Unfinished(Exception):
    """Counted trucks have not got so far by the horizon: the cool-down is too short."""


@dataclass(frozen=True, slots=True)
class CaseBlock:
    """Some replications of a case: plan, draws and what happened."""

    case: CasePlan
    inputs: SampledInputs
    records: Records | None

    @property
    def happened(self) -> Records:
        """The records; there are none where only arrivals are counted."""
        assert self.records is not None
        return self.records

    def element(self, group: str | None, *kinds: type) -> int:
        """Number of the element named, or of the only one of `kinds` there is."""
        elements = self.case.plan.elements
        if group is not None and group in [element.id for element in elements]:
            return self.case.plan.element_index(group)
        fitting = [k for k, element in enumerate(elements) if not kinds or isinstance(element, kinds)]
        if len(fitting) != 1:
            raise NotMeasured(f"which of {len(fitting)} elements is meant")
        return fitting[0]

    def visits(self, group: str | None) -> tuple[ElementVisits, Mask]:
        """Visits of the element named (or the only one), those of the class named, that join in the window."""
        visits = self.happened.elements[self.element(group)]
        mask = (visits.join_h >= self.case.since) & (visits.join_h < self.case.until)
        return visits, mask & self.of_class(visits.flow, group)

    def of_class(self, flow: NDArray[np.int64], group: str | None) -> Mask:
        """Where `flow` is of the class named; everywhere (padding apart) if none is."""
        if group is None or group in [element.id for element in self.case.plan.elements]:
            return np.asarray(flow >= 0)
        if group not in self.case.classes:
            raise NotMeasured(f"no element or class {group!r}")
        return np.isin(flow, self.case.classes[group])

    def journeys(self) -> tuple[FloatArray, FloatArray, Mask, NDArray[np.int64], NDArray[np.int64]]:
        """Release, depart, counted, flow and index of all journeys, shape (replication, journey)."""
        tables = self.happened.journeys
        release = np.concatenate([table.release_h for table in tables], axis=1)
        depart = np.concatenate([table.depart_h for table in tables], axis=1)
        there = np.concatenate([table.variant >= 0 for table in tables], axis=1)
        widths = [table.release_h.shape[1] for table in tables]
        flow = np.repeat(np.arange(len(widths)), widths)
        index = np.concatenate([np.arange(width) for width in widths])
        counted = there & (release >= self.case.since) & (release < self.case.until)
        return np.where(there, release, np.inf), depart, counted, flow, index


def _mean(values: FloatArray, mask: Mask) -> FloatArray:
    """Mean over the masked values of each row; NaN where there are none."""
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(mask, values, 0.0).sum(axis=1) / mask.sum(axis=1))


def _complete(values: FloatArray, mask: Mask) -> FloatArray:
    if np.isnan(values[mask]).any():
        raise Unfinished
    return values


def _average(start: FloatArray, end: FloatArray, since: float, until: float) -> FloatArray:
    """Time average over [since, until) of the number of spans, by row; a span without end lasts."""
    begin = np.where(np.isnan(start), np.inf, start)
    finish = np.where(np.isnan(end), np.inf, end)
    inside = np.minimum(finish, until) - np.maximum(begin, since)
    return np.asarray(np.maximum(inside, 0.0).sum(axis=1) / (until - since))


def _at(start: FloatArray, end: FloatArray, instants: FloatArray) -> FloatArray:
    """Spans with start <= t < end at each instant, shape (replication, instant)."""
    found = np.empty((len(start), len(instants)))
    for row, (begin, finish) in enumerate(zip(start, end, strict=True)):
        begun = np.sort(begin[np.isfinite(begin)])
        ended = np.sort(finish[np.isfinite(finish)])
        found[row] = np.searchsorted(begun, instants, "right") - np.searchsorted(ended, instants, "right")
    return found


def waits(block: CaseBlock, group: str | None) -> tuple[FloatArray, Mask]:
    """Waits (start - join) and which of them count."""
    visits, mask = block.visits(group)
    return _complete(visits.start_h - visits.join_h, mask), mask


def sojourns(block: CaseBlock, group: str | None) -> tuple[FloatArray, Mask]:
    """Times from arrival to the last leave, and which count: all, of a class, or that visit or skip an element."""
    release, depart, counted, flow, index = block.journeys()
    with np.errstate(invalid="ignore"):
        times = depart - release
    if group and (match := re.fullmatch(r"(visits|skips) (.+)", group)):
        visits = block.happened.elements[block.element(match[2])]
        there = np.zeros(release.shape, dtype=bool)
        first = np.concatenate([[0], np.cumsum(np.bincount(flow, minlength=len(block.case.plan.flows)))])
        row, column = np.nonzero(visits.flow >= 0)
        there[row, first[visits.flow[row, column]] + visits.index[row, column]] = True
        counted = counted & (there if match[1] == "visits" else ~there)
    elif group:
        counted = counted & block.of_class(np.broadcast_to(flow, release.shape), group)
    del index
    return _complete(times, counted), counted


_MEASURES: dict[str, Callable[[CaseBlock, str | None], Values]] = {}


def measure(
    *names: str,
) -> Callable[[Callable[[CaseBlock, str | None], Values]], Callable[[CaseBlock, str | None], Values]]:
    """Register a measure under its names."""

    def decorate(function: Callable[[CaseBlock, str | None], Values]) -> Callable[[CaseBlock, str | None], Values]:
        _MEASURES.update(dict.fromkeys(names, function))
        return function

    return decorate


@measure("mean_wait")
def _mean_wait(block: CaseBlock, group: str | None) -> Values:
    if group and (match := re.fullmatch(r"arrivals in \[([\d.]+),\s*([\d.]+)\)", group)):
        visits, _ = block.visits(None)
        mask = (visits.join_h >= float(match[1])) & (visits.join_h < float(match[2]))
        values = _complete(visits.start_h - visits.join_h, mask)
        return np.where(mask, values, 0.0).sum(axis=1), mask.sum(axis=1).astype(float)
    return _mean(*waits(block, group))


@measure("p_wait")
def _p_wait(block: CaseBlock, group: str | None) -> Values:
    values, mask = waits(block, group)
    return _mean((values > NO_WAIT).astype(float), mask)


@measure("Lq", "mean_Lq")
def _waiting(block: CaseBlock, group: str | None) -> Values:
    since, until, group = _span(block, group)
    visits = block.happened.elements[block.element(group)]
    return _average(visits.join_h, visits.start_h, since, until)


@measure("L", "mean_L")
def _present(block: CaseBlock, group: str | None) -> Values:
    since, until, group = _span(block, group)
    if group is None:
        release, depart, *_ = block.journeys()
        return _average(release, depart, since, until)
    visits = block.happened.elements[block.element(group)]
    return _average(visits.join_h, visits.leave_h, since, until)


def _span(block: CaseBlock, group: str | None) -> tuple[float, float, str | None]:
    """The window, or a span given in the brackets."""
    if group and (match := re.fullmatch(r"([\d.]+),\s*([\d.]+)", group)):
        return float(match[1]), float(match[2]), None
    return block.case.since, block.case.until, group


def _busy(block: CaseBlock, k: int) -> FloatArray:
    station, visits = block.case.plan.elements[k], block.happened.elements[k]
    if isinstance(station, Station) and (
        station.closing in ("suspend", "restart") or station.outages or station.breakdown is not None
    ):
        raise NotMeasured("busy lanes where services are interrupted")
    return _average(visits.start_h, visits.finish_h, block.case.since, block.case.until)


@measure("mean_busy_lanes")
def _busy_lanes(block: CaseBlock, group: str | None) -> Values:
    return _busy(block, block.element(group, Station))


@measure("utilisation")
def _utilisation(block: CaseBlock, group: str | None) -> Values:
    k = block.element(group, Station, LimitedLeg)
    element, visits, case = block.case.plan.elements[k], block.happened.elements[k], block.case
    window = case.until - case.since
    if isinstance(element, Station):
        return _busy(block, k) / (element.lanes.integral(case.until, case.since) / window)
    if isinstance(element, LimitedLeg) and element.max_vehicles is not None:
        most = element.max_vehicles.integral(case.until, case.since) / window
        return _average(visits.start_h, visits.leave_h, case.since, case.until) / most
    if isinstance(element, LimitedLeg) and element.headway_h is not None:
        held = visits.start_h + element.headway_h(visits.start_h)
        return _average(visits.start_h, held, case.since, case.until)
    raise NotMeasured("the utilisation of an element without lanes, headway or places")


@measure("mean_sojourn")
def _mean_sojourn(block: CaseBlock, group: str | None) -> Values:
    return _mean(*sojourns(block, group))


@measure("mean_time_to_far_end")
def _far_end(block: CaseBlock, group: str | None) -> Values:
    visits, mask = block.visits(group)
    return _mean(_complete(visits.leave_h - visits.join_h, mask), mask)


@measure("mean_blocked_time")
def _blocked(block: CaseBlock, group: str | None) -> Values:
    k = block.element(group) if group else min(step.element for step in block.case.plan.flows[0].variants[0].steps)
    visits, case = block.happened.elements[k], block.case
    # With all there from the start none arrive in the window: those count that finish in it.
    instant = visits.finish_h if case.saturated else visits.join_h
    mask = (instant >= case.since) & (instant < case.until)
    return _mean(_complete(visits.leave_h - visits.finish_h, mask), mask)


@measure("mean_blocked_lanes")
def _blocked_lanes(block: CaseBlock, group: str | None) -> Values:
    case = block.case
    chosen = range(len(case.plan.elements)) if group is None else [block.element(group)]
    tables = [block.happened.elements[k] for k in chosen if isinstance(case.plan.elements[k], Station)]
    return np.asarray(np.sum([_average(t.finish_h, t.leave_h, case.since, case.until) for t in tables], axis=0))


@measure("mean_yard")
def _yard(block: CaseBlock, group: str | None) -> Values:
    """Number in the yard: of the element named, of the boat, or of all stations with a finite yard."""
    case = block.case
    if group is not None:
        chosen = [block.element(group)]
    else:
        chosen = [k for k, e in enumerate(case.plan.elements) if isinstance(e, Departures)] or [
            k for k, e in enumerate(case.plan.elements) if isinstance(e, Station) and e.may_be_full
        ]
    if not chosen:
        raise NotMeasured("there is no yard")
    tables = [block.happened.elements[k] for k in chosen]
    return np.asarray(np.sum([_average(t.join_h, t.start_h, case.since, case.until) for t in tables], axis=0))


@measure("throughput_per_hour")
def _throughput(block: CaseBlock, group: str | None) -> Values:
    del group
    _, depart, *_ = block.journeys()
    left = ((depart >= block.case.since) & (depart < block.case.until)).sum(axis=1)
    return np.asarray(left / (block.case.until - block.case.since) * 60.0)


@measure("availability")
def _availability(block: CaseBlock, group: str | None) -> Values:
    k = block.element(group, Station)
    station, case = block.case.plan.elements[k], block.case
    assert isinstance(station, Station)
    lanes = station.lanes.value.max()
    down = []
    for outages in block.inputs.outages.get(k, ((),) * len(block.inputs.replications)):
        spans = [
            (max(0.0, min(o.until_h, case.until) - max(o.from_h, case.since))) * (1 if o.lane else lanes)
            for o in (*outages, *station.outages)
        ]
        down.append(sum(spans))
    return np.asarray(1.0 - np.array(down) / (lanes * (case.until - case.since)))


def _sailings(block: CaseBlock, group: str | None) -> list[tuple[FloatArray, FloatArray, FloatArray, FloatArray]]:
    """By replication: instants of the sailings in the window, places, load, and number left behind."""
    k = block.element(group, Departures)
    boat, visits, case = block.case.plan.elements[k], block.happened.elements[k], block.case
    assert isinstance(boat, Departures)
    if boat.when_full is not None or boat.cancel > 0:
        raise NotMeasured("sailings without a fixed timetable")
    inside = (boat.depart_h >= case.since) & (boat.depart_h < case.until)
    instants, places = boat.depart_h[inside], boat.places[inside].astype(float)
    found = []
    for join, start in zip(visits.join_h, visits.start_h, strict=True):
        ready, sailed = np.sort(join[~np.isnan(join)]), np.sort(start[~np.isnan(start)])
        gone = np.searchsorted(sailed, instants, "right")
        load = gone - np.searchsorted(sailed, instants, "left")
        left = np.searchsorted(ready, instants, "right") - gone
        found.append((instants, places, load.astype(float), left.astype(float)))
    return found


@measure("mean_left")
def _left(block: CaseBlock, group: str | None) -> Values:
    return np.array([left.mean() for *_, left in _sailings(block, group)])


@measure("p_full")
def _full(block: CaseBlock, group: str | None) -> Values:
    return np.array([(load >= places).mean() for _, places, load, _ in _sailings(block, group)])


@measure("mean_load_factor")
def _load_factor(block: CaseBlock, group: str | None) -> Values:
    return np.array([(load / places).mean() for _, places, load, _ in _sailings(block, group)])


@measure("p_miss_first")
def _miss_first(block: CaseBlock, group: str | None) -> Values:
    k = block.element(group, Departures)
    boat = block.case.plan.elements[k]
    assert isinstance(boat, Departures)
    visits, mask = block.visits(boat.id)
    _complete(visits.start_h, mask)
    first = boat.depart_h[np.minimum(np.searchsorted(boat.depart_h, visits.join_h, "left"), len(boat.depart_h) - 1)]
    return _mean((visits.start_h > first).astype(float), mask)


@measure("mean_left_over")
def _left_over(block: CaseBlock, group: str | None) -> Values:
    """Number present just before each landing of a batch source."""
    del group
    if block.case.landings is None:
        raise NotMeasured("there is no batch that lands by timetable")
    first, every = block.case.landings
    count = math.floor((block.case.until - first) / every) + 1
    instants = first + np.arange(count) * every
    instants = instants[(instants >= block.case.since) & (instants < block.case.until)]
    release, depart, *_ = block.journeys()
    found = []
    for begin, end in zip(release, depart, strict=True):
        begun, ended = np.sort(begin[np.isfinite(begin)]), np.sort(end[np.isfinite(end)])
        found.append((np.searchsorted(begun, instants, "left") - np.searchsorted(ended, instants, "left")).mean())
    return np.array(found)


@measure("expected_count")
def _count(block: CaseBlock, group: str | None) -> Values:
    """Arrivals in the window: in total, on a weekday, in an hour of the day, or on some days."""
    release = np.concatenate([flow.release_h for flow in block.inputs.flows], axis=1)
    counted = (release >= block.case.since) & (release < block.case.until)
    day = np.floor_divide(np.where(counted, release, 0.0), 1440.0)
    match = re.fullmatch(r"(total|weekday (\d)|hour (\d+)|days (\d+)-(\d+))", group or "total")
    if match is None:
        raise NotMeasured(f"a count of {group!r}")
    if match[2]:
        counted &= day % 7 == int(match[2])
    elif match[3]:
        counted &= np.floor_divide(np.where(counted, release, 0.0) - 1440.0 * day, 60.0) == int(match[3])
    elif match[4]:
        counted &= (day >= int(match[4])) & (day <= int(match[5]))
    return np.asarray(counted.sum(axis=1), dtype=float)


def _state(block: CaseBlock, name: str, instants: FloatArray) -> FloatArray:
    """Number present (L), waiting (Lq), or whether all lanes are busy (p_wait), shape (replication, instant)."""
    if name == "L":
        release, depart, *_ = block.journeys()
        return _at(release, depart, instants)
    k = block.element(None, Station)
    station, visits = block.case.plan.elements[k], block.happened.elements[k]
    if name == "Lq":
        return _at(visits.join_h, visits.start_h, instants)
    assert isinstance(station, Station)
    return np.asarray(_at(visits.start_h, visits.leave_h, instants) >= station.lanes(instants), dtype=float)


_AT = re.compile(r"(?P<name>L|Lq|p_wait)\((?P<what>t|phase)=(?P<value>[\d.]+)\)")
_GROUP = re.compile(r"(?P<name>[^\[\]()]+?)(?:\[(?P<group>.*)\])?")
_QUANTILE = re.compile(r"(?P<cdf>cdf_)?(?P<what>wait|sojourn)(?:_at)?_q(?P<percent>\d+)")
_OVER = re.compile(r"p_(?P<what>wait|sojourn)_over_(?P<limit>[\d.]+)")


def evaluate(name: str, block: CaseBlock, exact: Mapping[str, float]) -> Values:
    """Values of the measure `name` over the replications of a block.

    `exact` are the values that the file gives, among them the quantiles at which
    a ``cdf_`` measure is taken if the case's arguments do not give them.

    Raises
    ------
    NotMeasured
        If the name is not known, or means nothing here.
    Unfinished
        If counted trucks have not got so far by the horizon.
    """
    if at := _AT.fullmatch(name):
        value = float(at["value"])
        if at["what"] == "t":
            return _state(block, at["name"], np.array([value]))[:, 0]
        case = block.case
        if case.cycle is None:
            raise NotMeasured("a phase without a cycle")
        first = case.since + (value - case.since) % case.cycle
        count = max(1, round((case.until - first) / case.cycle))
        instants = np.asarray(first + np.arange(count) * case.cycle, dtype=np.float64)
        return np.asarray(_state(block, at["name"], instants[instants < case.until]).mean(axis=1))
    parts = _GROUP.fullmatch(name)
    if parts is None:
        raise NotMeasured("unknown measure")
    plain, group = parts["name"], parts["group"]
    if plain in _MEASURES:
        return _MEASURES[plain](block, group)
    if over := _OVER.fullmatch(plain):
        values, mask = (waits if over["what"] == "wait" else sojourns)(block, group)
        return _mean((values > float(over["limit"])).astype(float), mask)
    if quantile := _QUANTILE.fullmatch(plain):
        values, mask = (waits if quantile["what"] == "wait" else sojourns)(block, group)
        if quantile["cdf"]:
            limit = _quantile_value(quantile["what"], quantile["percent"], group, block.case, exact)
            return _mean((values <= limit).astype(float), mask)
        share = float(f"0.{quantile['percent']}")
        rows = [np.quantile(row[there], share, method="inverted_cdf") for row, there in zip(values, mask, strict=True)]
        return np.array(rows)
    raise NotMeasured("unknown measure")


def _quantile_value(what: str, percent: str, group: str | None, case: CasePlan, exact: Mapping[str, float]) -> float:
    """The exact quantile at which a distribution function is read."""
    name = f"{what}_q{percent}" + (f"[{group}]" if group else "")
    table: Any = case.args.get("cdf_at" if what == "wait" else "cdf_sojourn_at", {})
    if isinstance(table, list):
        names = list(case.classes)
        table = table[names.index(group)] if group in names and len(table) == len(names) else {}
    key = f"{float(f'0.{percent}'):g}"
    if key in table:
        return float(table[key])
    if name in exact:
        return exact[name]
    raise NotMeasured(f"the file gives no {name}")
