"""A small border that is appraised: a lane more at a post, with and without ranges."""

import warnings

import corridor_sim as cs
from corridor_sim.core.errors import CorridorWarning


def border(*, per_day=40.0, capex=2e5, improvements=True, value=20.0, **more):
    free = {"s": {"lanes": "unlimited", "service": {"kind": "deterministic", "value_h": 0.0}}}
    stage = {"s": {"lanes": 1, "service": {"kind": "exponential", "mean_h": 0.5}}}
    road = {"kind": "road", "length_km": 10, "speed_kmh": 50}
    lane = {"kind": "add_lanes", "at": "checkpoints.p.exit.s", "lanes": 1, "capex_usd": capex, **more}
    return cs.Scenario(
        name="with lane" if improvements else "base",
        run={"start": "2026-01-01", "horizon_days": 60, "warm_up_days": 5, "replications": 6, "seed": 2},
        places={"a": {}, "b": {}},
        checkpoints={"p": {"crossing": "x", "exit": stage}, "q": {"crossing": "x", "entry": free}},
        legs={
            "la": {**road, "from": "a", "to": "p"},
            "br": {**road, "from": "p", "to": "q", "border": True},
            "lb": {**road, "from": "q", "to": "b"},
        },
        flows={"f": {"origin": "a", "destination": "b", "per_day": per_day, "value_of_time_usd_h": value}},
        improvements={"lane": lane} if improvements else {},
    )


def compared(*scenarios, **settings):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CorridorWarning)
        return cs.compare(*scenarios, workers=1, **settings)


def ranged(*, per_day=(20.0, 44.0), capex=(1e5, 4e5), improvements=True):
    """The border with ranges of demand, of the value of time and of the cost of the lane."""
    scenario = border(per_day=36.0, capex=2e5, improvements=improvements, life_years=10.0, opex_usd_year=1e4)
    flow = scenario.flows["f"].replace(
        figures={
            "per_day": {"low": per_day[0], "high": per_day[1], "range_reason": "assumed"},
            "value_of_time_usd_h": {"low": 10.0, "high": 30.0, "range_reason": "assumed"},
        }
    )
    lanes = {}
    if improvements:
        figures = {"capex_usd": {"low": capex[0], "high": capex[1], "range_reason": "assumed"}}
        lanes = {"lane": scenario.improvements["lane"].replace(figures=figures)}
    return scenario.replace(flows={"f": flow}, improvements=lanes)


def drawn(*scenarios, **settings):
    how = {"draws": 32, "replications": 2, "priors": ("uniform",), "workers": 1, "indicators": cs.APPRAISAL_ROWS}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CorridorWarning)
        return cs.uncertainty(*scenarios, **{**how, **settings})
