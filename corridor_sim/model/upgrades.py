"""An upgrade that may be built or not: improvements with their costs, what it excludes, what it needs, from when."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from corridor_sim.core.errors import Problem, nearest
from corridor_sim.model.improvements import Improvement


@dataclass(frozen=True)
class Upgrade:
    """One or several improvements that are built together.

    Attributes
    ----------
    id : str
    improvements : mapping of id to Improvement
    excludes : tuple of str
        Upgrades that cannot be built with it.
    needs : tuple of str
        Upgrades without which it cannot be built.
    earliest_year : int or None
        First year in which it can be built.

    Examples
    --------
    >>> import corridor_sim as cs
    >>> lane = cs.AddLanes(at="checkpoints.northgate_a.exit.lanes", lanes=1, capex_usd=2e6)
    >>> cs.Upgrade("a_lane", {"lane": lane}, earliest_year=2027).earliest_year
    2027
    """

    id: str
    improvements: Mapping[str, Improvement]
    excludes: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    earliest_year: int | None = None
    name: str = ""

    @property
    def capex_usd(self) -> float:
        """Capital cost of all its improvements. [US$]"""
        return math.fsum(one.capex_usd for one in self.improvements.values())

    @property
    def opex_usd_year(self) -> float:
        """Running cost of all its improvements. [US$/year]"""
        return math.fsum(one.opex_usd_year for one in self.improvements.values())

    @property
    def called(self) -> str:
        """Its name, else its id."""
        return self.name or self.id


def upgrade_problems(
    upgrades: Sequence[Upgrade], taken: Iterable[str] = (), unread: Collection[str] = ()
) -> list[Problem]:
    """What is wrong with upgrades together: names twice or unknown, no cost, dates of their own, circles.

    Of those of `unread` (ids) some improvement could not be read: what they cost is not judged.
    """
    ids = [one.id for one in upgrades]
    problems: list[Problem] = []
    improvements: dict[str, str] = {}
    known = set(taken)
    for one in upgrades:
        at = f"upgrades.{one.id}"
        if ids.count(one.id) > 1:
            problems.append(Problem("is the id of two upgrades", at))
        if not one.improvements and one.id not in unread:
            problems.append(Problem("has no improvement", at))
        for id, improvement in one.improvements.items():
            if id in known:
                problems.append(Problem("is the name of an improvement of the base", f"improvements.{id}"))
            if id in improvements:
                text = f"is in two upgrades, {improvements[id]} and {one.id}"
                problems.append(Problem(text, f"improvements.{id}"))
            improvements[id] = one.id
            if improvement.from_ is not None:
                text = "must not be given: in which year an upgrade is built is what is asked"
                problems.append(Problem(text, f"improvements.{id}.from", improvement.from_))
        if one.improvements and one.capex_usd <= 0 and one.id not in unread:
            problems.append(Problem("has no cost: what costs nothing needs no choice", at, hint="give capex_usd"))
        for field, names in (("excludes", one.excludes), ("needs", one.needs)):
            for name in names:
                if name not in ids or name == one.id:
                    text = "names itself" if name == one.id else "names an upgrade that does not exist"
                    hint = nearest(name, ids) if name != one.id else ""
                    problems.append(Problem(text, f"{at}.{field}", name, hint=hint))
        both = set(one.needs) & set(one.excludes)
        if both:
            problems.append(Problem("needs what it excludes", at, ", ".join(sorted(both))))
        elif apart := _excluded_among(_with_needs(one, upgrades)):
            text = "can never be built: of what it needs, directly or not, two exclude each other"
            problems.append(Problem(text, at, " and ".join(apart)))
    return problems


def _with_needs(one: Upgrade, upgrades: Sequence[Upgrade]) -> list[Upgrade]:
    """An upgrade and all that must be built with it."""
    found = [one]
    for other in found:
        found += [need for need in upgrades if need.id in other.needs and need not in found]
    return found


def _excluded_among(upgrades: Sequence[Upgrade]) -> tuple[str, ...]:
    """Two upgrades of these that exclude each other; () if there are none."""
    ids = {one.id for one in upgrades}
    return next(((one.id, other) for one in upgrades for other in one.excludes if other in ids), ())
