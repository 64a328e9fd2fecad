"""Rows of a base that a table takes over, by indicator and place: they are the same there and not worked out again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from corridor_sim.indicators.label import Label, Row
from corridor_sim.indicators.places import PlaceKey
from corridor_sim.indicators.pools import PooledRow


@dataclass(slots=True)
class Taken:
    """What a collector takes from that of a base when it ends: the rows of some places, by class of indicator."""

    places: frozenset[PlaceKey] = frozenset()
    rows_of: dict[type[object], dict[PlaceKey, list[Row]]] = field(default_factory=dict)
    pools_of: dict[type[object], dict[PlaceKey, list[PooledRow]]] = field(default_factory=dict)

    def rows(self, indicator: type[object], place: PlaceKey) -> Sequence[Row] | None:
        """The rows of an indicator at a place, all that it gives there; None where they are to be worked out."""
        if place not in self.places or indicator not in self.rows_of:
            return None
        return self.rows_of[indicator].get(place, ())

    def pools(self, indicator: type[object], place: PlaceKey) -> Sequence[PooledRow]:
        """The percentiles of all consignments of an indicator at a place."""
        return self.pools_of.get(indicator, {}).get(place, ()) if place in self.places else ()

    def keep(self, indicator: type[object], rows: Iterable[Row], pools: Iterable[PooledRow]) -> None:
        """Have the rows of an indicator for those that come after."""
        of, pools_of = self.rows_of.setdefault(indicator, {}), self.pools_of.setdefault(indicator, {})
        for row in rows:
            of.setdefault(_place_of(row[0] if isinstance(row[0], Label) else row[0][0]), []).append(row)
        for pool in pools:
            pools_of.setdefault(_place_of(pool[0][0][0]), []).append(pool)


def _place_of(label: Label) -> PlaceKey:
    return label.kind, label.place, label.direction
