"""What a measure costs: an improvement in which the scenarios of an appraisal differ."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Measure:
    """An improvement in which the two scenarios differ, with its cost.

    Costs are negative where the other scenario saves them: an improvement of the base that it has no more.
    `stated` says that a cost is stated although nothing is left of it, being the same in both.
    `country` is that of the post where it stands, "" for a leg or where none is given.
    """

    name: str
    capex_usd: float
    opex_usd_year: float
    life_years: float | None
    stated: bool = False
    country: str = ""

    @property
    def priced(self) -> bool:
        """Whether any cost is stated."""
        return self.capex_usd != 0 or self.opex_usd_year != 0 or self.stated

    @property
    def saved(self) -> bool:
        """Whether the other scenario saves its cost."""
        return self.capex_usd < 0 or self.opex_usd_year < 0
