"""Who would never be served? Services that need more people than there are, lanes that are all kept for others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from corridor_sim.core.errors import Problem
from corridor_sim.model.changes import pieces, value_at
from corridor_sim.model.dated_routes import ByPath
from corridor_sim.model.paths import all_stages
from corridor_sim.model.scenario import Scenario


def problems(scenario: Scenario, changes: ByPath, used: Mapping[str, set[str]]) -> list[Problem]:
    """Stages at which some or all consignments would wait for ever; `used` are the flows that pass each stage."""
    return [*_staff(scenario, changes), *_kept(scenario, changes, used)]


def _staff(scenario: Scenario, changes: ByPath) -> list[Problem]:
    found: list[Problem] = []
    for path, stage in all_stages(scenario):
        pool = scenario.staff_pools.get(stage.staff_pool or "")
        if pool is None:
            continue
        base = max((pool.members_by_hour or {"": pool.members}).values())
        dated = changes.get(f"staff_pools.{stage.staff_pool}.members", ())
        most = max(members for _, members in pieces(base, dated, scenario.run.horizon_h))
        if stage.staff_per_service > most:
            text = f"needs more people than the pool {stage.staff_pool!r} ever has ({most:g}): none would be served"
            found.append(Problem(text, f"{path}.staff_per_service", stage.staff_per_service, f"1 to {most:g}"))
    return found


def _kept(scenario: Scenario, changes: ByPath, used: Mapping[str, set[str]]) -> list[Problem]:
    """Reservations that leave no lane to other classes that come, from some time on until the end of the run."""
    found: list[Problem] = []
    horizon_h = scenario.run.horizon_h
    for path, stage in all_stages(scenario):
        if not isinstance(stage.lanes, int):
            continue
        reserved = _reserved(path, changes, stage.reserved)
        others = {scenario.flows[flow].cargo_class for flow in used.get(path, ())} - set(reserved)
        if not reserved or not others:
            continue
        end_h = horizon_h * (1 - 1e-9)
        base = max([stage.lanes, *(stage.lanes_by_hour or {}).values()])
        open_ = value_at(base, changes.get(f"{path}.lanes", ()), end_h)
        kept, by = 0.0, []
        for name in reserved:
            dated = changes.get(f"{path}.reserved.{name}.lanes", ())
            kept += value_at(stage.reserved[name].lanes if name in stage.reserved else 0, dated, end_h)
            by += [one.change.by for one in dated if one.effect(end_h)]
        if open_ > 0 and kept >= open_:
            text = f"keeps all {open_:g} lanes of {path}; {', '.join(sorted(others))} would never be served"
            where = f"improvements.{by[-1]}.lanes" if by else f"{path}.reserved"
            found.append(Problem(text, where, hint="keep fewer, or build new_lanes"))
    return found


def _reserved(path: str, changes: ByPath, base: Mapping[str, object]) -> Sequence[str]:
    prefix = f"{path}.reserved."
    named = [p.removeprefix(prefix).rpartition(".")[0] for p in changes if p.startswith(prefix)]
    return list(dict.fromkeys((*base, *named)))
