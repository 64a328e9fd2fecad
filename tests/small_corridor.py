"""A small corridor for tests: two crossings of one border, a second border, a ferry and a railway."""

import copy
import datetime as dt

from corridor_sim.model.scenario import Scenario
from corridor_sim.plan.build import make_plan


def law(hours):
    return {"kind": "deterministic", "value_h": hours}


DATA = {
    "schema": 1,
    "name": "small",
    "run": {"start": dt.date(2024, 1, 1), "horizon_days": 28, "warm_up_days": 7, "replications": 4, "seed": 1},
    "places": {
        "baku": {"name": "Baku", "country": "AZ"},
        "moscow": {"country": "RU"},
        "rasht": {"country": "IR"},
        "port": {"country": "AZ", "transfer": {"cranes": {"lanes": 2, "service": law(0.5)}}},
        "aktau": {"country": "KZ"},
    },
    "checkpoints": {
        "samur_az": {
            "crossing": "samur",
            "country": "AZ",
            "utc_offset_h": 4,
            "channels": {"exit": {"green": 0.8, "yellow": 0.15, "red": 0.05}},
            "exit": {
                "documents": {"lanes": 4, "service": law(0.1)},
                "xray": {"lanes": 1, "service": law(0.2), "channels": ["yellow", "red"]},
                "dwell": {"lanes": "unlimited", "service": law(0.5)},
            },
            "entry": {"documents": {"lanes": 4, "service": law(0.1)}},
        },
        "samur_ru": {
            "crossing": "samur",
            "country": "RU",
            "utc_offset_h": 3,
            "exit": {"documents": {"lanes": 5, "trucks_per_day": 500}},
            "entry": {"documents": {"lanes": 5, "trucks_per_day": 500}, "release": {"lanes": 9, "service": law(0.05)}},
        },
        "khanoba_az": {
            "crossing": "khanoba", "country": "AZ", "exit": {"documents": {"lanes": 2, "service": law(0.1)}},
        },
        "khanoba_ru": {
            "crossing": "khanoba", "country": "RU", "entry": {"documents": {"lanes": 2, "service": law(0.1)}},
        },
        "astara_ir": {"crossing": "astara", "country": "IR", "exit": {"gate": {"lanes": 3, "service": law(0.1)}}},
        "astara_az": {"crossing": "astara", "country": "AZ", "entry": {"gate": {"lanes": 3, "service": law(0.1)}}},
    },
    "legs": {
        "baku_samur": {"kind": "road", "from": "baku", "to": "samur_az", "length_km": 200, "speed_kmh": 50},
        "samur": {
            "kind": "road", "from": "samur_az", "to": "samur_ru", "length_km": 2, "speed_kmh": 20, "border": True,
        },
        "samur_moscow": {"kind": "road", "from": "samur_ru", "to": "moscow", "length_km": 1800, "speed_kmh": 60},
        "baku_khanoba": {"kind": "road", "from": "baku", "to": "khanoba_az", "length_km": 340, "speed_kmh": 50},
        "khanoba": {
            "kind": "road", "from": "khanoba_ru", "to": "khanoba_az", "length_km": 2, "speed_kmh": 20, "border": True,
        },
        "khanoba_moscow": {"kind": "road", "from": "khanoba_ru", "to": "moscow", "length_km": 1800, "speed_kmh": 60},
        "rasht_astara": {"kind": "road", "from": "rasht", "to": "astara_ir", "length_km": 150, "speed_kmh": 50},
        "astara": {
            "kind": "road", "from": "astara_ir", "to": "astara_az", "length_km": 1, "speed_kmh": 20, "border": True,
        },
        "astara_baku": {"kind": "road", "from": "astara_az", "to": "baku", "length_km": 300, "speed_kmh": 60},
        "baku_port": {"kind": "rail", "from": "baku", "to": "port", "length_km": 70, "speed_kmh": 35, "headway_h": 1.0},
        "ferry": {
            "kind": "sea", "from": "port", "to": "aktau", "length_km": 470, "speed_kmh": 23.5,
            "timetable": {"every_h": 48, "first_h": 12, "places": 30},
        },
    },
    "flows": {
        "north": {"origin": "baku", "destination": "moscow", "per_day": 96, "cargo_class": "loaded", "load_t": 20},
        "fruit": {"origin": "baku", "destination": "moscow", "per_day": 24, "cargo_class": "perishable"},
        "south": {"origin": "moscow", "destination": "baku", "per_day": 48, "cargo_class": "loaded"},
        "transit": {"origin": "rasht", "destination": "moscow", "per_day": 48, "cargo_class": "transit"},
        "east": {"origin": "baku", "destination": "aktau", "per_day": 12, "cargo_class": "loaded"},
    },
}  # fmt: skip


def small(**tables):
    """The small scenario with some values replaced: dotted paths, with ``__`` for the dots."""
    data = copy.deepcopy(DATA)
    for path, value in tables.items():
        *parents, last = path.split("__")
        table = data
        for name in parents:
            table = table.setdefault(name, {})
        if value is None:
            table.pop(last)
        else:
            table[last] = value
    return Scenario.model_validate(data)


def plan_with(*improvements, **tables):
    """The plan of the small scenario with improvements."""
    return make_plan(small(**tables).with_improvements(*improvements))


def element(plan, id):
    """The element of this id."""
    return plan.elements[plan.element_index(id)]


def flow(plan, id):
    """The flow of this id."""
    return next(one for one in plan.flows if one.id == id)


def step(plan, flow_id, element_id, variant=0):
    """The step of a flow at an element."""
    number = plan.element_index(element_id)
    return next(one for one in flow(plan, flow_id).variants[variant].steps if one.element == number)


def path_of(plan, flow_id, variant=0):
    """Element ids of an itinerary."""
    return [plan.elements[one.element].id for one in flow(plan, flow_id).variants[variant].steps]


def day(number, hour=0.0):
    """Hours after the start of the run (Monday, 1 January 2024) of a day of January, UTC."""
    return (number - 1) * 24.0 + hour
