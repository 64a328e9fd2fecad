"""The visits of a run as an event log: one line an event, or XES (IEEE 1849-2023) for process mining.

A visit gives three events, in the words of the standard lifecycle of XES: ``schedule`` as it joins the
queue, ``start`` as its service starts, ``complete`` as it leaves. So start - schedule is the wait, and
complete - schedule the stay, held up behind a full yard included. What did not happen by the
horizon is not in the log.
"""

from __future__ import annotations

import datetime as dt
import heapq
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import quoteattr

import numpy as np

from corridor_sim.core.errors import ArgumentError, nearest
from corridor_sim.core.limits import MAX_EVENTS
from corridor_sim.core.units import FloatArray
from corridor_sim.indicators.places import PlanView
from corridor_sim.model.arrivals import utc
from corridor_sim.plan.elements import Element, Station
from corridor_sim.plan.plan import Plan
from corridor_sim.records.visits import ElementVisits, Records

if TYPE_CHECKING:
    import pandas as pd

LIFECYCLE = (("schedule", "join_h"), ("start", "start_h"), ("complete", "leave_h"))
"""Words of XES for the instants of a visit, in their order."""
Instant = float | dt.datetime
COLUMNS = (
    "case", "activity", "lifecycle", "timestamp", "local_time", "resource", "replication", "flow", "consignment",
    "cargo_class", "route", "element", "post", "direction", "stage", "step", "time_h",
)  # fmt: skip
"""Of an event log; `timestamp` (UTC) and `local_time` only where the run has dates."""
EXTENSIONS = (("Concept", "concept"), ("Lifecycle", "lifecycle"), ("Time", "time"), ("Organizational", "org"))
NAMESPACE = "http://www.xes-standard.org/"
VERSION = "1849.2023"
"""A decimal number, as the schema of the standard has it."""


def event_log(
    plan: Plan,
    records: Records,
    view: PlanView,
    *,
    places: str | Iterable[str] | None = None,
    since: Instant | None = None,
    until: Instant | None = None,
    replications: Iterable[int] | None = None,
) -> pd.DataFrame:
    """Events of the visits of a run, those of each replication in order of time.

    Events of one consignment at one instant stand in the order in which they happened.

    Parameters
    ----------
    places
        Posts, crossings, legs or stages (``"post.exit.lanes"``) whose visits to take; all if None.
    since, until
        Takes the visits that joined in [since, until), whole: hours of the run, or dates and times (UTC if
        without an offset).
    replications
        Numbers of those to take; all that were kept if None.

    Returns
    -------
    DataFrame
        With `COLUMNS`. `resource` is the lane, of stages with lanes: the lowest that was free at the start.
        Lanes are counted, not told apart, so it is a label that no two hold at once.

    Raises
    ------
    ArgumentError
        For places or replications that the run does not have, for dates where it has none, and for more than
        `corridor_sim.core.limits.MAX_EVENTS` events.
    """
    import pandas as pd

    rows = _rows_of(records, replications)
    taken = _elements_of(plan, places)
    from_h, until_h = _hour(plan, since, -np.inf), _hour(plan, until, np.inf)
    if from_h >= until_h:
        raise ArgumentError(f"since must be before until, got hours {from_h:g} and {until_h:g} of the run")
    if from_h >= plan.horizon_h or until_h <= 0.0:
        dates = f", {plan.start} to {plan.start + dt.timedelta(hours=plan.horizon_h)} UTC" if plan.start else ""
        asked = f"{from_h:g} to {min(until_h, 9e9):g}"
        raise ArgumentError(f"hours {asked} are not in the run: it has hours 0 to {plan.horizon_h:g}{dates}")
    flows = np.array([flow.id for flow in plan.flows], dtype=object)
    classes = np.array([flow.cargo_class for flow in plan.flows], dtype=object)
    events = sum(3 * int(np.count_nonzero(_joined(records.elements[k], rows, from_h, until_h))) for k in taken)
    if events > MAX_EVENTS:
        raise ArgumentError(
            f"the log would have about {events:,} events (limit {MAX_EVENTS:,}): take fewer replications "
            "(--replication 0), some places (--place), or a shorter time (--since, --until)"
        )
    parts = []
    for k in taken:
        element, visits = plan.elements[k], records.elements[k]
        lane = _lanes(element, visits, rows)
        row, column = np.nonzero(_joined(visits, rows, from_h, until_h))
        flow, index = visits.flow[row, column], visits.index[row, column]
        shared: dict[str, Any] = {
            "resource": lane[row, column],
            "replication": records.replications[row],
            "flow": flows[flow],
            "consignment": index,
            "cargo_class": classes[flow],
            "route": _routes(plan, records, flow, row, index),
            "element": element.id,
            "post": element.post,
            "direction": element.direction,
            "stage": element.stage,
            "step": visits.step[row, column],
        }
        for order, (word, name) in enumerate(LIFECYCLE):
            time_h = getattr(visits, name)[row, column]
            part = pd.DataFrame({**shared, "lifecycle": word, "time_h": time_h, "order": order})
            if word == "schedule":  # who waits has no lane yet
                part["resource"] = ""
            if word == "complete":  # who left the queue without a service (rule S34)
                part.loc[np.isnan(visits.start_h[row, column]), "lifecycle"] = "withdraw"
            part["offset_h"] = _offsets(view, element.post, time_h)
            parts.append(part[~np.isnan(time_h)])
    log = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
    if log.empty:
        return pd.DataFrame(columns=[name for name in COLUMNS if plan.start is not None or name not in _DATED])
    log["case"] = log["replication"].astype(str) + "/" + log["flow"] + "/" + log["consignment"].astype(str)
    log["activity"] = log["element"]
    log = log.sort_values(
        ["replication", "time_h", "flow", "consignment", "step", "order"], kind="stable", ignore_index=True
    )
    if plan.start is not None:
        times = pd.to_timedelta(log["time_h"], unit="h").dt.round("us")
        log["timestamp"] = pd.Timestamp(plan.start) + times
        log["local_time"] = _written(log["timestamp"], log["offset_h"].to_numpy())
    return log[[name for name in COLUMNS if name in log]]


_DATED = ("timestamp", "local_time")


def _joined(visits: ElementVisits, rows: Sequence[int], from_h: float, until_h: float) -> Any:
    """Which visits of these replications joined in [from_h, until_h), of shape (replications, most visits)."""
    taken = (visits.flow >= 0) & (visits.join_h >= from_h) & (visits.join_h < until_h)
    taken[np.isin(np.arange(len(taken)), rows, invert=True)] = False
    return taken


def _rows_of(records: Records, replications: Iterable[int] | None) -> list[int]:
    there = records.replications.tolist()
    wanted = there if replications is None else list(replications)
    missing = [number for number in wanted if number not in there]
    if missing:
        known = ", ".join(map(str, there[:20])) + (", ..." if len(there) > 20 else "")
        raise ArgumentError(f"replications must be some of {known}, got {', '.join(map(str, missing))}")
    return [there.index(number) for number in dict.fromkeys(wanted)]


def _elements_of(plan: Plan, places: str | Iterable[str] | None) -> list[int]:
    """Numbers of the elements of posts, crossings, legs and stages."""
    if places is None:
        return list(range(len(plan.elements)))
    wanted = [places] if isinstance(places, str) else list(places)
    named = [_names_of(element) for element in plan.elements]
    known = sorted(set().union(*named))
    missing = [name for name in wanted if name not in known]
    if missing:
        hint = nearest(missing[0], known)
        text = f"no place {', '.join(map(repr, missing))} is on the way of any flow"
        raise ArgumentError(text + (f"; {hint}" if hint else f"; known: {', '.join(known[:20])}"))
    return [k for k, names in enumerate(named) if names & set(wanted)]


def _names_of(element: Element) -> set[str]:
    found = {element.id, element.post, getattr(element, "crossing", "")}
    if element.id.startswith("leg:"):
        found.add(element.id.removeprefix("leg:").partition(".")[0].rstrip("<>"))
    return found - {""}


def _hour(plan: Plan, instant: Instant | None, otherwise: float) -> float:
    """An hour of the run. [h]"""
    if instant is None:
        return otherwise
    if not isinstance(instant, dt.datetime):
        return float(instant)
    if plan.start is None:
        raise ArgumentError("since and until must be hours: the run has no dates")
    start = plan.start if isinstance(plan.start, dt.datetime) else dt.datetime.combine(plan.start, dt.time())
    return (utc(instant) - utc(start)).total_seconds() / 3600.0


def _routes(plan: Plan, records: Records, flow: Any, row: Any, index: Any) -> Any:
    """Id of the itinerary that each consignment took."""
    found = np.full(len(flow), "", dtype=object)
    for f in np.unique(flow):
        mine = flow == f
        names = np.array([variant.id for variant in plan.flows[f].variants], dtype=object)
        found[mine] = names[records.journeys[f].variant[row[mine], index[mine]]]
    return found


def _lanes(element: Element, visits: ElementVisits, rows: Sequence[int]) -> Any:
    """The lane of each visit, as "stage#1": the lowest that is free as the service starts; "" where there is none."""
    found = np.full(visits.flow.shape, "", dtype=object)
    if not isinstance(element, Station):
        return found
    for row in rows:
        start, leave = visits.start_h[row], visits.leave_h[row]
        free: list[int] = []
        busy: list[tuple[float, int]] = []
        most = 0
        started = np.flatnonzero(~np.isnan(start))
        for k in started[np.lexsort((started, start[started]))]:
            while busy and busy[0][0] <= start[k]:
                heapq.heappush(free, heapq.heappop(busy)[1])
            if not free:
                most += 1
                heapq.heappush(free, most)
            lane = heapq.heappop(free)
            found[row, k] = f"{element.id}#{lane}"
            heapq.heappush(busy, (np.inf if np.isnan(leave[k]) else float(leave[k]), lane))
    return found


def _offsets(view: PlanView, post: str, time_h: FloatArray) -> FloatArray:
    """Local time less UTC at the place of the events; 0 on legs. [h]"""
    if not post:
        return np.zeros(len(time_h))
    pieces = view.utc_offsets(post)
    at = np.array([from_h for from_h, _ in pieces])
    offset = np.array([value for _, value in pieces])
    return offset[np.maximum(np.searchsorted(at, time_h, side="right") - 1, 0)]


def _written(timestamp: pd.Series, offset_h: FloatArray) -> pd.Series:
    """Local dates and times in ISO form with their offset, to the millionth of a second."""
    import pandas as pd

    text = pd.Series("", index=timestamp.index, dtype=object)
    for offset in np.unique(offset_h):
        mine = offset_h == offset
        minutes = round(offset * 60.0)
        sign, minutes = ("-" if minutes < 0 else "+"), abs(minutes)
        zone = f"{sign}{minutes // 60:02d}:{minutes % 60:02d}"
        local = timestamp[mine] + pd.Timedelta(minutes=minutes if sign == "+" else -minutes)
        text[mine] = local.dt.strftime("%Y-%m-%dT%H:%M:%S.%f") + zone
    return text


# ---------------------------------------------------------------- XES


def xes_of(log: pd.DataFrame, name: str, about: str = "") -> str:
    """An event log as XES, one trace a consignment of a replication.

    Traces have ``concept:name`` and what the consignment is; events the standard attributes: ``concept:name`` (the
    stage or leg), ``lifecycle:transition``, ``time:timestamp`` with the offset of the place, ``org:resource`` (the
    lane) and ``org:group`` (the post).

    Parameters
    ----------
    log : DataFrame
        Of `event_log`, with dates.
    name, about : str
        Of the log.

    Raises
    ------
    ArgumentError
        If the log has no dates.
    """
    if "local_time" not in log:
        raise ArgumentError("XES needs dates: give the run a `start`")
    parts = [
        '<?xml version="1.0" encoding="UTF-8"?>\n',
        f'<log xes.version="{VERSION}" xes.features="" xmlns="{NAMESPACE}">\n',
        *(f' <extension name="{n}" prefix="{p}" uri="{NAMESPACE}{p}.xesext"/>\n' for n, p in EXTENSIONS),
        ' <global scope="trace">\n  <string key="concept:name" value=""/>\n </global>\n',
        ' <global scope="event">\n  <string key="concept:name" value=""/>\n',
        '  <string key="lifecycle:transition" value="complete"/>\n',
        '  <date key="time:timestamp" value="1970-01-01T00:00:00+00:00"/>\n </global>\n',
        ' <classifier name="Activity" scope="event" keys="concept:name"/>\n',
        ' <classifier name="ActivityAndLifecycle" scope="event" keys="concept:name lifecycle:transition"/>\n',
        f" {_text('concept:name', name)}\n",
        f" {_text('lifecycle:model', 'standard')}\n",
        *([f" {_text('about', about)}\n"] if about else []),
    ]
    log = log.sort_values(["replication", "flow", "consignment"], kind="stable", ignore_index=True)
    begins = np.flatnonzero((log["case"] != log["case"].shift()).to_numpy())
    heads = log.iloc[begins]
    keys = ("case", "replication", "flow", "cargo_class", "route")
    traces = [_trace(*values) for values in zip(*(heads[key] for key in keys), strict=True)]
    before = _each(log[["activity", "lifecycle"]], _begin)
    after = _each(log[["resource", "post"]], _end)
    times = log["local_time"].tolist()
    for trace, first, last in zip(traces, begins, [*begins[1:], len(log)], strict=True):
        parts.append(trace)
        parts += [before[k] + times[k] + after[k] for k in range(first, last)]
        parts.append(" </trace>\n")
    parts.append("</log>\n")
    return "".join(parts)


def _trace(case: str, replication: int, flow: str, cargo_class: str, route: str) -> str:
    """The head of a trace: what the consignment is."""
    told = {"flow": flow, "cargo_class": cargo_class, "route": route}
    return f' <trace>\n  {_text("concept:name", case)}\n  <int key="replication" value="{replication}"/>\n' + "".join(
        f"  {_text(key, value)}\n" for key, value in told.items() if value
    )


def _begin(activity: str, lifecycle: str) -> str:
    """An event up to its time."""
    return (
        f"  <event>\n   {_text('concept:name', activity)}\n"
        f"   {_text('lifecycle:transition', lifecycle)}\n"
        '   <date key="time:timestamp" value="'
    )


def _end(resource: str, post: str) -> str:
    """An event after its time."""
    told = {"org:resource": resource, "org:group": post}
    return '"/>\n' + "".join(f"   {_text(key, value)}\n" for key, value in told.items() if value) + "  </event>\n"


def _each(columns: pd.DataFrame, written: Callable[..., str]) -> list[str]:
    """What is written of each row; of rows that are alike once, since there are few different ones."""
    numbers = columns.groupby(list(columns), sort=False).ngroup()
    different = columns[~numbers.duplicated()]
    texts = np.array([written(*row) for row in different.itertuples(index=False)], dtype=object)
    found: list[str] = texts[numbers.to_numpy()].tolist()
    return found


def _text(key: str, value: Any) -> str:
    return f"<string key={quoteattr(key)} value={quoteattr(_sound(str(value)))}/>"


def _sound(text: str) -> str:
    """The text without signs that XML cannot hold (control signs); they are shown as the sign for what is unknown."""
    return "".join(c if c in "\t\n\r" or (ord(c) >= 0x20 and ord(c) not in (0xFFFE, 0xFFFF)) else "�" for c in text)
