"""Times of a release study: when each consignment came to each event, as observed or as a run would have given them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corridor_sim.core.units import FloatArray
from corridor_sim.model.field_types import OrderedTable
from corridor_sim.records.study_columns import END, JOINING, START, StudyColumns
from corridor_sim.records.visits import Records

Words = NDArray[Any]
TOGETHER = "+"
"""Between channels that nothing that happens tells apart."""


@dataclass(frozen=True, eq=False)
class ReleaseStudy:
    r"""When each consignment came to each event.

    Attributes
    ----------
    columns : StudyColumns
        Events in their order, clock, and what is known of the study.
    start : datetime
        Hour 0. [UTC]
    consignments : tuple of str
    time_h : array, shape (consignment, event)
        NaN where it did not happen, or had not by `until_h`. [h]
    channel, flow : arrays, shape (consignment,)
        "" where not known.
    agency : array, shape (consignment, event)
        Whose work the event ends; "" where not known.
    since_h, until_h : float
        Beginning and end of the study; infinite where not known. [h]
    rounded_h : float
        Step to which times were written down; 0 if exact. [h]
    notes : tuple of str
        What is to be said of it.
    came_until_h : float
        End of the arrivals where those who came were followed for longer; infinite if not known. [h]

    Examples
    --------
    >>> import corridor_sim as cs
    >>> import pathlib, tempfile
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> rows = "id,came,gone\na,2026-05-11 00:30,2026-05-11 01:30\nb,2026-05-11 02:00,2026-05-11 02:30\n"
    >>> head = 'name = "study"\ncsv = "rows.csv"\nconsignment = "id"\nutc_offset_h = 4.0\n'
    >>> size = (folder / "rows.csv").write_text(rows)
    >>> size = (folder / "study.toml").write_text(head + "[events.came]\n[events.gone]\n")
    >>> study = cs.read_release_study(folder / "study.toml")
    >>> study.consignments[:2]
    ('a', 'b')
    """

    columns: StudyColumns
    start: dt.datetime
    consignments: tuple[str, ...]
    time_h: FloatArray
    channel: Words
    flow: Words
    agency: Words
    since_h: float = -np.inf
    until_h: float = np.inf
    rounded_h: float = 0.0
    notes: tuple[str, ...] = ()
    came_until_h: float = np.inf

    def __len__(self) -> int:
        return len(self.consignments)

    def __repr__(self) -> str:
        still = int(self.open.sum())
        going = f", {still} of them still there at the end" if still else ""
        return f"<{self.columns.name}: {len(self)} consignments{going}, {', '.join(self.events)}>"

    @property
    def events(self) -> tuple[str, ...]:
        """Names of the events, in order."""
        return tuple(self.columns.events)

    def of(self, event: str) -> FloatArray:
        """Instants of one event. [h]"""
        return self.time_h[:, self.events.index(event)]

    @property
    def open(self) -> NDArray[np.bool_]:
        """Who had not been released by the end."""
        return self.total_h()[1]

    @property
    def needed(self) -> NDArray[np.bool_]:
        """Which events each consignment must have, shape (consignment, event)."""
        needs = [[self.columns.needs(event, channel) is True for event in self.events] for channel in self.channel]
        return np.array(needs, dtype=bool).reshape(self.time_h.shape)

    @property
    def later(self) -> NDArray[np.bool_]:
        """Whether a consignment has a time of a later event, shape (consignment, event)."""
        there = ~np.isnan(self.time_h)
        found: NDArray[np.bool_] = np.logical_or.accumulate(there[:, ::-1], axis=1)[:, ::-1]
        return np.concatenate([found[:, 1:], np.zeros((len(there), 1), dtype=bool)], axis=1)

    @property
    def unwritten(self) -> NDArray[np.bool_]:
        """What happened and was not written down (`gaps` of the event), shape (consignment, event)."""
        gaps = np.array([event.gaps for event in self.columns.events.values()])
        found: NDArray[np.bool_] = np.isnan(self.time_h) & self.needed & self.later & gaps
        return found

    def total_h(self, until: str | None = None) -> tuple[FloatArray, NDArray[np.bool_], NDArray[np.bool_]]:
        """Time from the first event to the release (or another event), who had not come to it (to the end then), whose.

        It is not known of those who came to it and of whom it was not written down.
        """
        event = until or self.columns.released
        begin, end = self.time_h[:, 0], self.of(event)
        known = ~self.unwritten[:, self.events.index(event)]
        still = np.isnan(end) & known
        return np.where(still, self.until_h, end) - begin, still, known

    def segments(self) -> dict[str, tuple[FloatArray, NDArray[np.bool_], NDArray[np.bool_]]]:
        """Time to each event from the one before it that the consignment has: hours, who had not come to it, whose.

        What a consignment waits for at the end is the first later event that it must have. A step is nobody's of whom
        its beginning or its end was not written down.
        """
        found = {}
        unwritten, awaited = self.unwritten, self.awaited
        unknown = np.zeros(len(self), dtype=bool)
        for k, event in enumerate(self.events):
            if k == 0:
                continue
            before = np.fmax.reduce(self.time_h[:, :k], axis=1)
            there = ~np.isnan(self.time_h[:, k])
            waits = ~there & (awaited == k)
            hours = np.where(there, self.time_h[:, k], self.until_h) - before
            found[event] = (hours, waits, (there | waits) & ~unknown)
            unknown = (unknown | unwritten[:, k]) & ~there
        return found

    @property
    def awaited(self) -> NDArray[np.int64]:
        """The event that each consignment waits for at the end; -1 for those that are done.

        The first after its last one that it must have: whether it was to have one that not all have is not known.
        """
        if not len(self):
            return np.zeros(0, dtype=np.int64)
        there = ~np.isnan(self.time_h)
        last = there.shape[1] - 1 - np.argmax(there[:, ::-1], axis=1)
        later = self.needed & (np.arange(there.shape[1]) > last[:, None])
        return np.where(later.any(axis=1), np.argmax(later, axis=1), -1)

    def taken(self, those: NDArray[np.bool_]) -> ReleaseStudy:
        """Some of the consignments."""
        from dataclasses import replace

        return replace(
            self,
            consignments=tuple(name for name, here in zip(self.consignments, those, strict=True) if here),
            time_h=self.time_h[those],
            channel=self.channel[those],
            flow=self.flow[those],
            agency=self.agency[those],
        )

    def local_clock(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Hour of the day, day of the week (Monday is 0) and date (days since `start`) of the first event, local."""
        local = self.columns.local_time
        hours, weekdays, days = [], [], []
        first = self.start.date()
        for time_h in self.time_h[:, 0]:
            utc = self.start + dt.timedelta(hours=float(time_h))
            there = utc + dt.timedelta(hours=local.offset_h(utc))
            hours.append(there.hour)
            weekdays.append(there.weekday())
            days.append((there.date() - first).days)
        return np.array(hours, np.int64), np.array(weekdays, np.int64), np.array(days, np.int64)


def simulated_studies(
    columns: StudyColumns, records: Records, start: dt.datetime, since_h: float, until_h: float
) -> list[ReleaseStudy]:
    """What a study with these events would have found in each replication, of those who come in [since, until).

    Only events that name a stage; channels are those that have just the events that a consignment had ("green+yellow"
    where two have). What had not happened by the end of the run is still going on.
    """
    plan = records.plan
    kept = {name: one for name, one in columns.events.items() if one.stage}
    own = columns.model_copy(update={"events": OrderedTable(kept)})
    found = []
    for row in range(len(records.replications)):
        times: dict[tuple[int, int], dict[str, float]] = {}
        for name, event in kept.items():
            for element in (f"{columns.post}.{way}.{event.stage}" for way in (columns.direction, "both")):
                numbers = [k for k, one in enumerate(plan.elements) if one.id == element]
                for k in numbers:
                    visits = records.elements[k]
                    at = {JOINING: visits.join_h, START: visits.start_h, END: visits.leave_h}[event.at][row]
                    here = (visits.flow[row] >= 0) & ~np.isnan(at)
                    for f, i, hour in zip(visits.flow[row][here], visits.index[row][here], at[here], strict=True):
                        times.setdefault((int(f), int(i)), {})[name] = float(hour)
        first = next(iter(kept))
        who = sorted((key for key, one in times.items() if since_h <= one.get(first, np.inf) < until_h))
        table = np.array([[times[key].get(name, np.nan) for name in kept] for key in who]).reshape(len(who), len(kept))
        found.append(
            ReleaseStudy(
                own,
                start,
                tuple(f"{plan.flows[f].id}/{i}" for f, i in who),
                table,
                np.array([_channel_of(own, row) for row in ~np.isnan(table)], dtype=object),
                np.array([plan.flows[f].id for f, _ in who], dtype=object),
                np.tile(np.array([one.agency for one in kept.values()], dtype=object), (len(who), 1)),
                since_h,
                plan.horizon_h,
            )
        )
    return found


def _channel_of(columns: StudyColumns, had: Sequence[bool]) -> str:
    """The channels whose events are those that a consignment had, as far as it came, with "+" between them."""
    last = max(k for k, here in enumerate(had) if here)
    fitting = [
        channel
        for channel in columns.channels
        if all(
            columns.needs(event, channel) in (None, bool(here))
            for event, here in list(zip(columns.events, had, strict=True))[: last + 1]
        )
    ]
    return TOGETHER.join(fitting)
