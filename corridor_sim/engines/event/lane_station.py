"""Which lane is it? A station whose lanes have their own calendars or fail one by one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from corridor_sim.engines.event.clock import DatedValue, EventClock
from corridor_sim.engines.event.full_station import FullStation
from corridor_sim.engines.event.queueing import StationVisit
from corridor_sim.plan.elements import PlanOutage, Station


class LaneStation(FullStation):
    """Lanes that keep their identity: each with its calendar or its outages (rules S06, S07 named, S11)."""

    def __init__(
        self, clock: EventClock, index: int, station: Station, *, outages: Sequence[PlanOutage], **rest: Any
    ) -> None:
        calendars = len(station.named) if station.named is not None else int(station.lanes.value.max())
        count = max(calendars, 1, *(outage.lane or 0 for outage in outages))
        self._occupant: list[StationVisit | None] = [None] * count
        self._named = [DatedValue(calendar, clock.now) for calendar in station.named or ()]
        self._open = [False] * count
        """Lanes that may start services, as far as the calendar goes."""
        super().__init__(clock, index, station, outages=outages, identities=count, **rest)

    @staticmethod
    def _dated(station: Station) -> list[Any]:
        return [*FullStation._dated(station), *(station.named or ())]

    def _read_lanes(self, now: float) -> None:
        lanes = int(self._calendar.at(now))
        if self._closed and self.plan.closing == "clear_queue":
            if self._named:
                for calendar in self._named:
                    calendar.at(now)
            else:
                self._open = [lane < self._open_before_closing for lane in range(len(self._open))]
        elif self._named:
            self._open[: len(self._named)] = [calendar.at(now) > 0 for calendar in self._named]
        else:
            self._open = [lane < lanes for lane in range(len(self._open))]
        self._now = now
        self._count()

    def _count(self) -> None:
        """Lanes to share out, and who counts against them.

        One on a lane that is down, or on a named lane that is closed, takes no
        other lane's capacity; one that overruns on a pooled lane does (rule S07).
        """
        up = [not self._outages.down(lane) for lane in range(len(self._open))]
        self.lanes.share_out(sum(o and u for o, u in zip(self._open, up, strict=True)), self._now)
        self.lanes.idle = any(
            usable and self._open[lane] and self._occupant[lane] is None for lane, usable in enumerate(up)
        )
        self.lanes.used[:] = [0] * len(self.lanes.used)
        for lane, stay in enumerate(self._occupant):
            if stay is not None and up[lane] and (self._open[lane] or not self._named):
                self.lanes.used[stay.pool] += 1

    def _occupy(self, stay: StationVisit, pool: int) -> None:
        stay.pool = pool
        stay.lane = next(
            lane
            for lane, occupant in enumerate(self._occupant)
            if occupant is None and self._open[lane] and not self._outages.down(lane)
        )
        self._occupant[stay.lane] = stay
        self._count()

    def _vacate(self, stay: StationVisit) -> None:
        self._occupant[stay.lane] = None
        self._count()

    def _in_lanes(self, pools: tuple[int, ...]) -> int:
        return sum(stay is not None and stay.pool in pools for stay in self._occupant)

    def stuck(self) -> bool:
        """Whether every lane is held by one that waits for room elsewhere."""
        return self.limited and not self.inside and all(stay is not None for stay in self._occupant)
