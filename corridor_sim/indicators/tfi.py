"""Trade Facilitation Indicators of CAREC's Corridor Performance Measurement and Monitoring, and reliability.

Source: [carec2023]: TFI1 time to clear a border crossing point, waiting included;
TFI2 cost incurred there; TFI3 cost to travel a corridor section, scaled to 500 km and
20 t; TFI4 speed without (SWOD) and with (SWD) stops and delays. Buffer time and index
are FHWA's [fhwa2002]: the 95th
percentile less the mean, and that over the mean.
"""
# ruff: noqa: D102 (the hooks are documented in base.py)

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from corridor_sim.core.units import FloatArray
from corridor_sim.indicators.base import INDICATORS, Indicator, PlaceKey, in_turn, ratio
from corridor_sim.indicators.components import Components
from corridor_sim.indicators.costs import TravelCosts
from corridor_sim.indicators.label import Row
from corridor_sim.indicators.pools import PooledRow
from corridor_sim.indicators.shared_sums import SpanSums, StayTimes


@INDICATORS.register("tfi1")
class Tfi1(Indicator):
    """Time to clear a border crossing: both posts, waiting and formalities included. [h]

    Mean (``tfi1``), median and 95th percentile over the consignments that reached the
    first post in the counted window and left the second by the end of the run. Percentiles
    are means of the replications' own, and ``..._pooled`` those of all consignments.
    """

    unit = "h"

    def start(self) -> None:
        self._spans, self._times = self.shared(SpanSums), self.shared(StayTimes)

    def table_rows(self) -> Iterator[Row]:
        yield from self.rows_at(self.scope.places("crossing"), self._of_crossing)

    def _of_crossing(self, n: int, place: PlaceKey) -> Iterator[Row]:
        spans = self._spans
        yield self.row(ratio(spans.of(spans.stay_h, n), spans.of(spans.done, n)), *place)
        times = self._times.of(n)
        yield self.row(times.percentile(50), *place, name="tfi1_p50")
        yield self.row(times.percentile(95), *place, name="tfi1_p95")

    def pooled_rows(self) -> Iterator[PooledRow]:
        yield from self.pools_at(self.scope.places("crossing"), self._pool_of)

    def _pool_of(self, n: int, place: PlaceKey) -> PooledRow:
        return self.pooled(self._times.of(n), *place, tfi1_p50_pooled=50, tfi1_p95_pooled=95)


@INDICATORS.register("buffer_h")
class Buffer(Indicator):
    """Buffer time (95th percentile less mean) and buffer index (that over the mean) of a crossing. [h, -]

    Means of those of the replications.
    """

    unit = "h"

    def start(self) -> None:
        self._spans, self._times = self.shared(SpanSums), self.shared(StayTimes)

    def table_rows(self) -> Iterator[Row]:
        yield from self.rows_at(self.scope.places("crossing"), self._of_crossing)

    def _of_crossing(self, n: int, place: PlaceKey) -> Iterator[Row]:
        spans = self._spans
        mean_h = ratio(spans.of(spans.stay_h, n), spans.of(spans.done, n))
        buffer_h = self._times.of(n).percentile(95) - mean_h
        yield self.row(buffer_h, *place)
        yield self.row(ratio(buffer_h, mean_h), *place, name="buffer_index", unit="-")


@INDICATORS.register("tfi2")
class Tfi2(Indicator):
    """Cost at a border crossing: time at its posts (`of` "time"), and fees where given ("fees"). [US$]

    Time is valued with the flow's value of time; fees are ``Options.fees_usd``, so that
    official and unofficial payments stay apart from it.
    """

    unit = "US$"

    def start(self) -> None:
        self._spans = self.shared(SpanSums)
        self._costs = self.shared(TravelCosts)

    def table_rows(self) -> Iterator[Row]:
        yield from self.rows_at(self.scope.places("crossing"), self._of_crossing)

    def _of_crossing(self, n: int, place: PlaceKey) -> Iterator[Row]:
        spans = self._spans
        time_usd = np.zeros(len(self.scope.replications))
        for flow in spans.flows_at(n):
            time_usd = time_usd + spans.of(spans.stay_h, n, (flow,)) * self._costs.value_of_time(flow)
        time_usd = ratio(time_usd, spans.of(spans.done, n))
        yield self.row(time_usd, *place, of="time")
        fee = self.scope.options.fees_usd.get(place[1])
        if fee is not None:
            yield self.row(np.full(len(time_usd), fee), *place, of="fees")
        yield self.row(time_usd + (fee or 0.0), *place)


@INDICATORS.register("tfi3")
class Tfi3(Indicator):
    """Cost to travel a corridor section, scaled to 500 km and 20 t (`Options`). [US$]

    Transport along the legs and time, door to door, over the tonne-km of the flow.
    """

    unit = "US$"

    def start(self) -> None:
        self._costs = self.shared(TravelCosts)

    def table_rows(self) -> Iterator[Row]:
        scale = self.scope.options.tfi3_km * self.scope.options.tfi3_t
        yield from self.rows_of_flows((("", "", ""),), self._costs.per_tonne_km * scale)


@INDICATORS.register("tfi4")
class Tfi4(Indicator):
    """Speed along the corridor without and with stops and delays, by flow and in all. [km/h]

    ``tfi4_swd`` is distance over the time door to door, ``tfi4_swod`` distance over the time
    on legs (travel, sailing, rail: the mean of each leg over all that were counted on it);
    ``tfi4_swd_cv`` the coefficient of variation of
    the speed of single consignments (only for a flow, within the width of a histogram bin).
    """

    unit = "km/h"

    def start(self) -> None:
        self._spans, self._times = self.shared(SpanSums), self.shared(StayTimes)
        self._components, self._costs = self.shared(Components), self.shared(TravelCosts)

    def table_rows(self) -> Iterator[Row]:
        km, stay_h = self._costs.km, self._spans.by_flow(self._spans.stay_h)
        # Who is still on the way may have been faster: standing still never raises the speed.
        moving_h = np.minimum(self._components.travel_h(), stay_h)
        found = np.stack([ratio(km, moving_h), ratio(km, stay_h), self._variation()], axis=1)
        names = ("tfi4_swod", "", ""), ("tfi4_swd", "", ""), ("tfi4_swd_cv", "-", "")
        yield from self.rows_of_flows(names, found, take=False)
        sums = [in_turn(part) for part in (km, moving_h, stay_h)]
        yield self.row(ratio(sums[0], sums[1]), "corridor", "all", name="tfi4_swod")
        yield self.row(ratio(sums[0], sums[2]), "corridor", "all", name="tfi4_swd")

    def _variation(self) -> FloatArray:
        """Coefficient of variation of one over the journey time (the speed), shape (flow, replication). [-]"""
        times = self._times.journeys
        per_h = np.divide(1.0, times.value_h, out=np.zeros_like(times.value_h), where=times.value_h > 0)
        total, squares = times.sums_of(per_h, per_h**2)
        mean = ratio(total, times.number)
        variance = ratio(squares, times.number) - mean**2
        return ratio(np.sqrt(np.maximum(variance, 0.0)), mean)
