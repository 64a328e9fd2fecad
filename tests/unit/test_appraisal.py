"""The appraisal of measures: worked cases by hand, and invariants that any appraisal has."""

import dataclasses
import math
import warnings

import numpy as np
import pytest
from appraised_border import border, compared, drawn, ranged

import corridor_sim as cs
from corridor_sim.core.errors import ArgumentError, CorridorError, CorridorWarning
from corridor_sim.plots import PLOTS
from corridor_sim.results.annex import _measure_first
from corridor_sim.results.appraisal import Appraisal
from corridor_sim.results.drawn_worth import DrawnWorth, drawn_worth
from corridor_sim.results.measures import Measure
from corridor_sim.results.uncertain import DrawnInput
from corridor_sim.results.year_tables import YearsLayout, by_calendar, costs_of


def laid_out(measures, benefits, *, rate=0.1, first=2025, opening=2026, years=3, spent=None, bias=0.0):
    timeline = np.arange(first, opening + years, dtype=float)
    capex, opex, residual = costs_of(tuple(measures), timeline, opening, spent or {opening - 1: 1.0}, bias)
    return Appraisal(
        name="by hand",
        years=timeline,
        opening_year=opening,
        capex_usd=capex,
        opex_usd=opex,
        residual_usd=residual,
        benefits_usd=by_calendar({opening: np.atleast_1d(np.array(benefits, dtype=float))}, timeline, opening, 0.0),
        discount_rate=rate,
        confidence=0.95,
        measures=tuple(measures),
        by_flow={},
        rule_of_half=False,
        optimism_bias=bias,
        notes=(),
    )


def test_npv_and_rate_of_a_small_case_by_hand():
    # 1,000 in 2025, 50 a year to run, 500 a year saved in 2026-2028, life 3 years, 10 % a year:
    # NPV = -1000 + 450/1.1 + 450/1.21 + 450/1.331 = -1000 + 409.0909 + 371.9008 + 338.0917 = 119.0834
    # EIRR: 450 (1/q + 1/q^2 + 1/q^3) = 1000; at 16 % the annuity is 2.24589 (1010.65), at 17 % 2.20958 (994.31):
    # between them 16.65 %.
    found = laid_out([Measure("lane", 1000.0, 50.0, 3.0)], [500.0, 500.0])
    assert found.npv_usd[0] == pytest.approx(119.0834, abs=1e-4)
    assert found.eirr[0] == pytest.approx(0.1665, abs=1e-4)
    # BCR = 500 x 2.486852 / (1000 + 50 x 2.486852) = 1243.426 / 1124.343
    assert found.benefit_cost_ratio[0] == pytest.approx(1243.426 / 1124.343, rel=1e-6)
    assert found.first_year_return == pytest.approx(450 / 1000)
    # Paid back, discounted: -1000 + 409.1 + 371.9 = -219 after 2027, +119 after 2028.
    assert found.payback_year == 2028
    # Benefits x 0.9042 = costs; capital could rise by the NPV.
    assert found.switching["benefits"] == pytest.approx(1124.343 / 1243.426, rel=1e-6)
    assert found.switching["capital cost"] == pytest.approx(1.1190834, rel=1e-6)


def test_a_measure_that_wears_out_is_built_again_and_its_rest_is_worth_something():
    # Life 2, period 3: built again at the end of 2027, one of its two years is left at the end of 2028.
    found = laid_out([Measure("scanner", 1000.0, 0.0, 2.0)], [0.0])
    assert found.capex_usd.tolist() == [1000.0, 0.0, 1000.0, 0.0]
    assert found.residual_usd.tolist() == [0.0, 0.0, 0.0, 500.0]
    whole = laid_out([Measure("scanner", 1000.0, 0.0, 3.0)], [0.0])
    assert whole.capex_usd.tolist() == [1000.0, 0.0, 0.0, 0.0]
    assert not whole.residual_usd.any()


def test_a_renewal_that_takes_back_what_was_paid_is_told():
    # No interest to speak of, life 2, period 4, 600 a year; sums: -1000, -400, +200 - 1000 = -800, -200, +400.
    late = laid_out([Measure("scanner", 1000.0, 0.0, 2.0)], [600.0], rate=1e-9, years=4)
    assert late.payback_year == 2029
    assert "in 2029, discounted" in late.describe()
    assert "owed again" not in late.describe()
    # -1000, +1100, +1100 - 1000, ...: paid back at once and never below 0 again.
    assert "owed again" not in laid_out([Measure("scanner", 1000.0, 0.0, 2.0)], [1100.0], rate=1e-9, years=4).describe()
    # Life 3, 510 a year: -1000, -490, +20; the renewal at the end of 2028 leaves -470, then +40 at the end of 2029.
    again = laid_out([Measure("scanner", 1000.0, 0.0, 3.0)], [510.0], rate=1e-9, years=4)
    assert again.payback_year == 2027
    assert "in 2027, discounted, and owed again in 2028" in " ".join(again.describe().split())


def test_a_cost_that_is_not_to_blame_has_no_switching_value_below_zero():
    # 1,000 once and 500 a year for 100 a year saved: without any capital cost 400 a year are still lost.
    lost = laid_out([Measure("post", 1000.0, 500.0, 3.0)], [100.0])
    assert lost.switching["capital cost"] < 0
    told = " ".join(lost.describe().split())
    assert "not worth it even with no capital cost" in told
    assert "capital cost x" not in told
    assert "not worth it even with no running cost" in told


def test_capital_is_phased_and_lifted():
    found = laid_out([Measure("post", 1000.0, 0.0, None)], [0.0], first=2024, spent={2024: 0.4, 2025: 0.6}, bias=0.2)
    assert found.capex_usd.tolist() == pytest.approx([480.0, 720.0, 0.0, 0.0, 0.0])


def test_without_a_change_of_sign_there_is_no_rate():
    assert math.isnan(laid_out([Measure("post", 1000.0, 0.0, None)], [0.0]).eirr[0])


def test_benefits_between_simulated_years_are_interpolated_and_grow_after_the_last():
    years = np.arange(2025, 2033, dtype=float)
    found = by_calendar({2026: np.array([100.0]), 2030: np.array([180.0])}, years, 2026, 0.5)
    assert found[0].tolist() == pytest.approx([0, 100, 120, 140, 160, 180, 270, 405])


def test_costs_come_from_the_scenario_and_benefits_from_the_runs():
    comparison = compared(border(improvements=False), border(opex_usd_year=1e4, life_years=10))
    found = cs.appraise(comparison, discount_rate=0.06, years=10)
    assert found.years.astype(int).tolist() == list(range(2025, 2036))
    assert found.capex_usd[0] == 2e5
    assert found.opex_usd.tolist() == [0.0] + [1e4] * 10
    # By the older way with the same numbers: the value of the hours saved a year, for ten years.
    older = comparison.worth(discount_rate=0.06, capex_usd=2e5, opex_usd_year=1e4, life_years=10)
    annual, life = found.benefit_parts, found.factors[1:].sum()
    assert float(annual["waiting"][1]) * life - 2e5 - 1e4 * life == pytest.approx(older.npv_usd[0])
    # Service and travel are those of the base, but for who is on the way at the ends of the window.
    assert found.npv_usd == pytest.approx(older.npv_usd, rel=1e-3)
    assert found.benefit_cost_ratio == pytest.approx(older.benefit_cost_ratio, rel=1e-3)
    assert found.by_flow["f"] == pytest.approx(found.benefits_usd[:, 1].mean())
    assert not found.rule_of_half
    assert "net present value" in found.describe()
    assert found.unpriced == ()


def test_new_traffic_counts_half():
    base = border(improvements=False)
    more = border().replace(flows={"f": border().flows["f"].replace(per_day=44.0)})
    found = cs.appraise(compared(base, more), discount_rate=0.06, years=5)
    assert found.rule_of_half
    runs = compared(base, more).runs
    n0, n1 = (run.rows.row("released", kind="flow", place="f") for run in runs)
    d0, d1 = (run.rows.row("delay_truck_h", kind="flow", place="f") for run in runs)
    by_hand = 20.0 * 0.5 * (n0 + n1) * (d0 / n0 - d1 / n1) * 8766 / (55 * 24)
    assert found.benefit_parts["waiting"][1] == pytest.approx(by_hand.mean())


def hourly(*, vehicles=1, every_h=1.0, service=0.5, over="x", improvements=()):
    """A vehicle (or several at once) every so many hours over one of two crossings, all times fixed."""
    stage = {"s": {"lanes": 1, "service": {"kind": "deterministic", "value_h": service}}}
    road = {"kind": "road", "speed_kmh": 50, "cost_usd_tkm": 0.1}
    posts, legs = {}, {}
    for crossing, length_km in (("x", 100), ("y", 200)):
        posts[f"{crossing}1"] = {"crossing": crossing, "exit": stage}
        posts[f"{crossing}2"] = {
            "crossing": crossing,
            "entry": {"s": {"lanes": "unlimited", "service": stage["s"]["service"]}},
        }
        legs[f"to_{crossing}"] = {**road, "from": "a", "to": f"{crossing}1", "length_km": length_km}
        legs[f"over_{crossing}"] = {
            **road,
            "from": f"{crossing}1",
            "to": f"{crossing}2",
            "length_km": 10,
            "border": True,
        }
        legs[f"from_{crossing}"] = {**road, "from": f"{crossing}2", "to": "b", "length_km": 10}
    return cs.Scenario(
        name="hourly",
        run={"start": "2026-01-01", "horizon_days": 60, "warm_up_days": 5, "replications": 2, "seed": 2},
        places={"a": {}, "b": {}},
        checkpoints=posts,
        legs=legs,
        flows={
            "f": {
                "origin": "a", "destination": "b", "per_day": vehicles * 24 / every_h, "value_of_time_usd_h": 20.0,
                "load_t": 20.0, "crossing_shares": {"all": {over: 1.0}},
                "arrivals": {"kind": "timetable", "every_h": every_h, "size": vehicles},
            }
        },
        improvements=dict(improvements),
    )  # fmt: skip


FASTER = {"kind": "leg_speed", "at": "legs.to_x", "speed_kmh": 100.0, "capex_usd": 4e5, "life_years": 3.0}
SHORTER = {"kind": "service_time", "at": "checkpoints.x1.exit.s", "factor": 0.5, "capex_usd": 1e5, "life_years": 3.0}


def test_a_faster_leg_and_a_shorter_service_without_a_queue_by_hand():
    # One truck an hour, 8,766 a year, its hour worth 20 US$. 100 km at 100 km/h in place of 50 save 1 h, half of
    # 0.5 h of service 0.25 h; nobody waits. A year: 8766 x 20 x 1 = 175,320 and 8766 x 20 x 0.25 = 43,830, together
    # 219,150. At 6 %, 3 years: 219,150 x 2.673012 = 585,790.6; less 500,000: NPV 85,790.6.
    both = hourly(improvements={"leg": FASTER, "service": SHORTER})
    found = cs.appraise(compared(hourly(), both), discount_rate=0.06, years=3)
    parts = {part: float(usd[1]) for part, usd in found.benefit_parts.items()}
    assert parts == pytest.approx(
        {"waiting": 0.0, "service_time": 43_830.0, "travel_time": 175_320.0, "transport_cost": 0.0}, abs=1e-6
    )
    assert found.npv_usd[0] == pytest.approx(85_790.6, abs=1.0)


def test_transport_cost_of_a_shorter_way_is_saved_and_its_time_has_its_own_value():
    # 200 km to the border by y, 100 km by x; 20 t at 0.1 US$ a tonne-km: 200 US$ and, at 50 km/h, 2 h less.
    near = hourly(improvements={"leg": {**FASTER, "speed_kmh": 50.0}})
    found = cs.appraise(compared(hourly(over="y"), near), discount_rate=0.06, years=3)
    parts = {part: float(usd[1]) for part, usd in found.benefit_parts.items()}
    assert parts["transport_cost"] == pytest.approx(8766 * 200.0)
    assert parts["travel_time"] == pytest.approx(8766 * 20.0 * 2.0)
    assert parts["waiting"] == parts["service_time"] == 0.0


def test_no_hour_is_counted_twice_waits_and_services_add_up_to_the_time_from_door_to_door():
    # Two at once: the second waits for the first, 0.5 h and 0.25 h with the shorter service.
    pair = {"vehicles": 2, "every_h": 2.0}
    comparison = compared(hourly(**pair), hourly(**pair, improvements={"service": SHORTER, "leg": FASTER}))
    found = cs.appraise(comparison, discount_rate=0.06, years=3)
    before_h, after_h = (run.rows.row("door_to_door_h", kind="flow", place="f") for run in comparison.runs)
    assert float((before_h - after_h).mean()) == pytest.approx(1.0 + 0.25 + 0.125)
    assert found.benefits_usd[:, 1] == pytest.approx(8766 * 20.0 * (before_h - after_h))
    assert float(found.benefit_parts["waiting"][1]) == pytest.approx(8766 * 20.0 * 0.125)


def test_what_has_no_price_is_said_by_name_and_nothing_priced_is_refused():
    base, lane = border(improvements=False), border()
    faster = {"kind": "service_time", "at": "checkpoints.p.exit.s", "factor": 0.9}
    both = lane.replace(improvements={**lane.improvements, "faster": faster})
    found = cs.appraise(compared(base, both), discount_rate=0.06, years=5)
    assert found.unpriced == ("faster",)
    assert "WITHOUT the cost of faster" in found.describe()
    with pytest.raises(CorridorError, match="no cost is stated for lane"):
        cs.appraise(compared(base, border(capex=0.0)), discount_rate=0.06, years=5)
    with pytest.raises(CorridorError, match="nothing to appraise"):
        cs.appraise(compared(base, base.replace(name="same")), discount_rate=0.06, years=5)
    with pytest.raises(CorridorError, match="no flow has a value of time"):
        cs.appraise(compared(border(improvements=False, value=0.0), border(value=0.0)), discount_rate=0.06, years=5)


def test_an_overloaded_base_is_refused_with_the_reason():
    with pytest.raises(CorridorError, match=r"no appraisal of 2026: .*overloaded in the base"):
        cs.appraise(
            compared(border(improvements=False, per_day=60.0), border(per_day=60.0)), discount_rate=0.06, years=5
        )


def test_more_years_are_appraised_from_the_years_simulated():
    first = compared(border(improvements=False, per_day=36.0), border(per_day=36.0))
    later = compared(border(improvements=False), border())
    found = cs.appraise({2026: first, 2030: later}, discount_rate=0.06, years=6)
    benefits = found.benefits_usd.mean(axis=0)
    assert benefits[0] == 0
    assert np.diff(benefits[1:6]) == pytest.approx([(benefits[5] - benefits[1]) / 4] * 4)
    assert benefits[6] == pytest.approx(benefits[5])


@pytest.mark.parametrize(
    ("bad", "text"),
    [
        ({"discount_rate": 6}, "discount_rate must be"),
        ({"years": 0}, "years must be"),
        ({"other": 2}, "other must be"),
        ({"phasing": {2026: 1.0}}, "a year of phasing"),
        ({"phasing": {2025: 0.7}}, "must sum to 1"),
        ({"optimism_bias": -0.1}, "optimism_bias must be"),
        ({"growth_after": 3}, "growth_after must be"),
    ],
)
def test_a_wrong_argument_is_one_clear_error(bad, text):
    comparison = compared(border(improvements=False), border(), replications=2)
    with pytest.raises(ArgumentError, match=text):
        cs.appraise(comparison, **{"discount_rate": 0.06, "years": 5, **bad})


def test_what_the_base_alone_has_saves_its_cost():
    kept = border(opex_usd_year=1e4, life_years=10).improvements["lane"]
    faster = {"kind": "service_time", "at": "checkpoints.p.exit.s", "factor": 0.6, "capex_usd": 5e5, "life_years": 10}
    instead = border(improvements=False).replace(name="instead", improvements={"faster": faster})
    found = cs.appraise(compared(border(opex_usd_year=1e4, life_years=10), instead), discount_rate=0.06, years=10)
    # 500,000 spent and 200,000 not spent; 10,000 a year not spent.
    assert found.capex_usd[0] == 5e5 - kept.capex_usd == 3e5
    assert found.opex_usd[1:].tolist() == [-1e4] * 10
    assert [one.name for one in found.measures if one.saved] == ["lane"]
    assert found.unpriced == ()
    assert "Of the base alone, so its cost is saved: lane" in found.describe()


def test_a_measure_that_is_the_same_but_for_what_it_does_costs_nothing_more():
    lane = border(life_years=10)
    wider = lane.replace(improvements={"lane": lane.improvements["lane"].replace(lanes=2)})
    found = cs.appraise(compared(lane, wider), discount_rate=0.06, years=10)
    assert not found.costs_usd.any()
    assert found.unpriced == ()
    # Another life is another measure: the new one is built, the old one saved.
    longer = lane.replace(improvements={"lane": lane.improvements["lane"].replace(life_years=5)})
    both = cs.appraise(compared(lane, longer), discount_rate=0.06, years=10)
    assert [one.capex_usd for one in both.measures] == [2e5, -2e5]
    assert both.capex_usd.tolist() == [0, 0, 0, 0, 0, 2e5, 0, 0, 0, 0, 0]


def test_residual_value_optimism_bias_and_switching_by_hand():
    # 1,000 x 1.2 in 2025, life 4, 3 years, 100 a year to run, 600 a year saved, 10 %:
    # residual 1200 x 1/4 = 300 in 2028; present values: capital 1200 - 300/1.331 = 1200 - 225.394 = 974.606,
    # running 100 x 2.486852 = 248.685, benefits 600 x 2.486852 = 1492.111; NPV 268.820.
    found = laid_out([Measure("lane", 1000.0, 100.0, 4.0)], [600.0], bias=0.2)
    assert found.residual_usd[-1] == pytest.approx(300.0)
    assert found.npv_usd[0] == pytest.approx(268.820, abs=1e-3)
    # Benefits x (974.606 + 248.685) / 1492.111 = 0.81984; capital x 1 + 268.820/974.606 = 1.27583;
    # running x 1 + 268.820/248.685 = 2.08097.
    assert found.switching == pytest.approx(
        {"benefits": 0.81984, "capital cost": 1.27583, "running cost": 2.08097}, 1e-5
    )
    # EIRR of -1200, 500, 500, 800: at 21 % 413.223 + 341.507 + 451.579 = 1206.31, at 22 % 409.836 + 335.931 + 440.566
    # = 1186.33; 1200 lies at 21.32 %.
    assert found.eirr[0] == pytest.approx(0.2132, abs=1e-4)


def test_the_annex_adds_up_and_its_present_values_give_the_npv():
    found = cs.appraise(compared(border(improvements=False), border(opex_usd_year=1e4, life_years=8)),
                        discount_rate=0.06, years=5)  # fmt: skip
    annex = found.annex().set_index("year")
    assert list(annex.columns) == [
        "capital_cost", "running_cost", "residual_value", "total_cost",
        "waiting", "service_time", "travel_time", "transport_cost", "total_benefit", "net_benefit",
    ]  # fmt: skip
    assert list(annex.index) == [str(year) for year in range(2025, 2031)] + ["total", "present value at 6 %"]
    assert annex.loc["present value at 6 %", "net_benefit"] == pytest.approx(found.npv_usd[0])
    costs = annex["capital_cost"] + annex["running_cost"] + annex["residual_value"]
    assert costs.to_numpy() == pytest.approx(annex["total_cost"].to_numpy())
    assert annex.loc["2030", "residual_value"] == -2e5 * 3 / 8


def test_gains_are_told_by_country_class_and_flow_and_add_up():
    def placed(scenario):
        posts = {id: post.replace(country="A" if id == "p" else "B") for id, post in scenario.checkpoints.items()}
        return scenario.replace(places={"a": {"country": "A"}, "b": {"country": "C"}}, checkpoints=posts)

    found = cs.appraise(compared(placed(border(improvements=False)), placed(border())), discount_rate=0.06, years=5)
    benefit = float(found.present_usd(found.benefits_usd).mean())
    cost = float(found.present_usd(found.costs_usd))
    # Half to either end of the flow, the cost to the country of the post.
    by_country = found.gains_by("country")
    assert set(by_country) == {"A", "C"}
    assert by_country["A"] == pytest.approx((benefit / 2, cost))
    assert by_country["C"] == pytest.approx((benefit / 2, 0.0))
    assert list(found.gains_by("flow")) == ["f"]
    assert sum(gain for gain, _ in found.gains_by("class").values()) == pytest.approx(benefit)
    assert "who gains, by country" in found.describe()
    with pytest.raises(ArgumentError, match="what must be one of"):
        found.gains_by("colour")


def test_the_delay_of_works_before_the_opening_is_a_cost_of_their_year():
    works = {"from": "2026-01-01", "until": "2026-02-15", "lanes": -1, "at": "checkpoints.p.exit.t"}

    def with_gate(scenario):
        gate = {"s": scenario.checkpoints["p"].exit["s"],
                "t": {"lanes": 2, "service": {"kind": "exponential", "mean_h": 0.4}}}  # fmt: skip
        posts = {**scenario.checkpoints, "p": scenario.checkpoints["p"].replace(exit=gate)}
        return scenario.replace(checkpoints=posts)

    built = with_gate(border(works=works, **{"from": "2027-01-01"}))
    during = compared(with_gate(border(improvements=False)), built)
    later = {"start": "2027-01-01", "horizon_days": 60, "warm_up_days": 5, "replications": 6, "seed": 2}
    after = compared(*(one.replace(run=later) for one in (with_gate(border(improvements=False)), built)))
    found = cs.appraise({2026: during, 2027: after}, discount_rate=0.06, years=4)
    assert found.opening_year == 2027
    benefits = found.benefits_usd.mean(axis=0)
    assert benefits[0] < 0 < benefits[1]
    assert benefits[1:] == pytest.approx([benefits[1]] * 4)
    assert "2026 is a year of works" in found.describe()
    with pytest.raises(CorridorError, match="simulate a year of operation"):
        cs.appraise(during, discount_rate=0.06, years=4, opening_year=2027)


def test_an_overload_that_choice_does_not_end_is_said():
    chosen = {"chosen": {"shares": {"x": 1.0}}}
    base, other = (
        one.replace(flows={"f": one.flows["f"].replace(crossing_shares=chosen)})
        for one in (border(improvements=False, per_day=60.0), border(per_day=60.0))
    )
    found = cs.appraise(compared(base, other), discount_rate=0.06, years=5)
    assert "the base is overloaded although its flows can choose or leave" in " ".join(found.notes)


def test_the_year_of_a_run_is_that_of_its_counted_window():
    def early(one):
        run = {"start": "2025-12-22", "horizon_days": 60, "warm_up_days": 10, "replications": 2, "seed": 2}
        return one.replace(run=run)

    found = cs.appraise(compared(early(border(improvements=False)), early(border())), discount_rate=0.06, years=3)
    assert found.opening_year == 2026


# Baird, Hicks, Kremer and Miguel, "Worms at Work: Long-Run Impacts of a Child Health Investment", Quarterly Journal of
# Economics 131(4), 2016 [baird2016], section V and Table V: what a fully subsidised deworming of pupils in Kenya costs
# and brings, a pupil, years 0 to 50 [US$]. Yearly values from the authors' sheet of its calculations ("Calcs-Table 5"),
# which the repository BITSS-OPA/opa-deworming holds in docs/materials/original_materials, to a tenth of a cent:
# treatment 1.4219 x 0.75 taken up = 1.066 in year 0; schooling in years 1 to 9 at (5,041 + 217.47) / 45 = 116.85 a year
# times the rise of attendance, so year 1 has 116.85 x -0.00176 = -0.206; wages from year 10 on, 15.437 = 1.745 h a week
# x 52 x the starting wage, and 15.437 x 1.1009 (experience) x 1.0152 (growth) = 17.253 in year 11.
TREATMENT = 1.066
SCHOOLING = [-0.206, 0.813, 3.022, 2.804, 3.190, 2.736, 3.264, 0.756, 0.977]
WAGES = [
    15.437, 17.253, 19.088, 20.941, 22.811, 24.699, 26.604, 28.526, 30.463, 32.416, 34.384, 36.366, 38.362, 40.371,
    42.392, 44.426, 46.470, 48.525, 50.590, 52.663, 54.744, 56.832, 58.926, 61.025, 63.128, 65.234, 67.342, 69.450,
    71.558, 73.665, 75.768, 77.867, 79.960, 82.046, 84.123, 86.189, 88.244, 90.285, 92.311, 94.319, 96.309,
]  # fmt: skip
# With what those near by gain: the same treatment; schooling; wages.
SCHOOLING_WITH_NEIGHBOURS = [-1.493, 2.455, 2.617, 4.124, 9.870, -3.814, 9.787, 18.825, 1.631]
WITH_NEIGHBOURS = 83.113 / 15.437


def published(schooling, wages):
    """The appraisal of a published table: year 0 is 2000."""
    empty = laid_out([], [0.0], rate=0.0985, first=2000, opening=2010, years=41)
    schooling = np.concatenate([[0.0], schooling, np.zeros(41)])
    return dataclasses.replace(
        empty,
        capex_usd=np.concatenate([[TREATMENT], np.zeros(50)]),
        opex_usd=schooling,
        benefits_usd=np.concatenate([np.zeros(10), wages])[None, :],
    )


def test_the_rate_of_return_of_a_published_appraisal_comes_out_of_its_own_table():
    found = published(SCHOOLING, WAGES)
    # Printed: wages of 142.43 at 9.85 % (Table V, panel B); a social rate of return of 31.8 % a year without gains of
    # neighbours, of 51.0 % with them (p. 1674).
    assert float(found.present_usd(found.benefits_usd)[0]) == pytest.approx(142.43, abs=0.01)
    assert found.eirr[0] == pytest.approx(0.318, abs=0.0005)
    # By hand at 31.8 %: what is spent -1.066 + 0.206/1.318 - 0.813/1.318^2 - ... = -5.588 US$, what is gained from year
    # 10 on 15.437/1.318^10 + 17.253/1.318^11 + ... = 0.976 + 0.828 + ... = 5.585.
    factors = 1.318 ** -np.arange(51.0)
    assert float((found.costs_usd * factors).sum()) == pytest.approx(5.588, abs=0.001)
    assert float((found.benefits_usd[0] * factors).sum()) == pytest.approx(5.585, abs=0.001)
    # Its early years change sign three times; that there is no second rate is found all the same.
    near_by = published(SCHOOLING_WITH_NEIGHBOURS, np.array(WAGES) * WITH_NEIGHBOURS)
    assert near_by.eirr[0] == pytest.approx(0.510, abs=0.0005)


def test_present_values_of_a_published_table_come_out():
    # Asian Development Bank, Economics and Research Department, introductory course on economic analysis of investment
    # projects, session 2.4, "Sample EIRR Calculation 1": total benefits 2004-2034 [US$ m], printed "NPV" 1020.3. The
    # rate is not legible in the copy at hand; 12 %, the bank's usual one then, gives the print, the first year
    # discounted once. The cost columns of that copy break off, so its EIRR cannot be held against.
    benefits = np.array([0.0] * 5 + [37.7, 253.5, 250.5, 251.4] + [251.9] * 21 + [257.9])
    found = laid_out([], [0.0], rate=0.12, first=2003, opening=2004, years=31)
    assert float(found.present_usd(np.concatenate([[0.0], benefits]))) == pytest.approx(1020.3, abs=0.15)


@pytest.mark.parametrize("kind", ["cash_flows", "switching"])
def test_an_appraisal_is_drawn_from_its_numbers(kind):
    found = laid_out([Measure("lane", 1000.0, 50.0, 4.0)], [500.0, 520.0])
    ax = getattr(found.plot, kind)()
    if kind == "cash_flows":
        so_far = ax.lines[0].get_ydata()
        assert so_far[-1] * 1e6 == pytest.approx(found.npv_usd[0])
        bars = sum(bar.get_height() for container in ax.containers for bar in getattr(container, "patches", ()))
        assert bars * 1e6 == pytest.approx(found.npv_usd[0])
    else:
        dots = [float(line.get_xdata()[0]) for line in ax.lines if line.get_marker() == "o"]
        assert dots == pytest.approx([one for one in found.switching.values() if 0 <= one <= 2])
    with pytest.raises(ValueError, match="draws an appraisal"):
        PLOTS[kind](object())


@pytest.mark.parametrize(
    "name",
    [
        "base_2024",
        "roadmap_2027_2028_growth",
        "russian_programme_2028",
        "target_2028",
        "roadmap_2024_2026_priced",
        "astara_into_iran_2026",
    ],
)
def test_no_cost_of_a_packaged_measure_stands_without_range_and_status(name):
    frame = cs.figures(name)
    costs = frame[frame["path"].str.match(r"improvements\..*\.(capex_usd|opex_usd_year|life_years)")]
    assert len(costs)
    assert (costs["low"] < costs["high"]).all()
    assert costs["status"].isin(["published", "derived", "conflicting", "assumed"]).all()
    assert ((costs["source"] != "") | (costs["note"] != "") | (costs["status"] == "assumed")).all()


def test_an_appraisal_has_both_intervals_and_each_draw_is_the_appraisal_of_its_own_values():
    base, lane = ranged(improvements=False), ranged()
    sure = drawn(base, lane, stated_replications=6)
    found = cs.appraise(sure, discount_rate=0.06, years=10)
    assert found.npv_usd == cs.appraise(sure.comparison, discount_rate=0.06, years=10).npv_usd
    inputs = found.inputs
    assert len(inputs.npv_usd) + inputs.overloaded == 32
    # Draw 3 by the way of the stated values: its demand, value of time and cost set by hand.
    values = [sure.values_at(k, sure.main.points[3]) for k in (0, 1)]
    by_hand = []
    for scenario, of_draw in zip((base, lane), values, strict=True):
        flow = scenario.flows["f"].replace(
            per_day=of_draw["flows.f.per_day"],
            value_of_time_usd_h=of_draw["flows.f.value_of_time_usd_h"],
            figures={},
        )
        improvements = {
            name: one.replace(capex_usd=of_draw["improvements.lane.capex_usd"], figures={})
            for name, one in scenario.improvements.items()
        }
        by_hand.append(scenario.replace(flows={"f": flow}, improvements=improvements))
    alone = cs.appraise(compared(*by_hand, replications=2), discount_rate=0.06, years=10)
    assert inputs.npv_usd[3] == pytest.approx(alone.npv_usd[0])
    assert inputs.benefit_cost_ratio[3] == pytest.approx(alone.benefit_cost_ratio[0])
    low, high = inputs.interval().low, inputs.interval().high
    assert low < found.npv_usd[0] < high
    assert 0 < inputs.probability_positive[0] <= inputs.probability_positive[1] <= 1
    told = found.describe()
    assert "inputs: NPV" in told
    assert "chance NPV > 0" in told
    assert "hangs on" in told
    assert "measure first" in told
    assert inputs.effects()["input"][0] in ("flows.f.per_day", "flows.f.value_of_time_usd_h")
    assert found.to_data()["inputs"]["draws"] == len(inputs.npv_usd)


def test_where_only_the_cost_is_drawn_the_interval_is_that_of_the_cost_by_hand():
    def known(scenario):
        return scenario.replace(flows={"f": scenario.flows["f"].replace(figures={})})

    sure = drawn(known(ranged(improvements=False)), known(ranged()), stated_replications=2)
    found = cs.appraise(sure, discount_rate=0.0, years=10)
    # Without discounting a dollar of capital is a dollar of net present value: NPV of a draw + its capital is the same
    # for all, benefits - 10 x 10,000; capital lies evenly from 100,000 to 400,000.
    benefit = found.benefits_usd.mean() * found.benefits_usd.shape[1] - 1e5
    capital = benefit - found.inputs.npv_usd
    assert capital.min() >= 1e5 - 1e-6
    assert capital.max() <= 4e5 + 1e-6
    assert np.sort(capital) == pytest.approx(1e5 + 3e5 * (np.arange(32) + 0.5) / 32, abs=3e4)
    assert [one.name for one in found.inputs.inputs] == ["improvements.lane.capex_usd"]
    assert found.inputs.effects()["direction"][0] == pytest.approx(-1.0, abs=0.01)


def worth_by_place(npv_usd, points):
    draws, inputs = points.shape
    return DrawnWorth(
        prior="uniform",
        npv_usd=npv_usd,
        benefit_cost_ratio=np.ones(draws),
        eirr=np.ones(draws),
        scramble=np.arange(draws) % 8,
        points=points,
        inputs=tuple(DrawnInput(f"input_{k}", (), 0.5, 0.0, 1.0, sourced=False) for k in range(inputs)),
    )


def test_what_an_input_is_worth_to_know_before_building_by_hand():
    # NPV = 4 m (x - 1/2) with x even on [0, 1]: building whatever x is worth 0, building where x > 1/2 is worth
    # 1/2 x 4 m x 1/4 = 0.5 m; the other input changes nothing.
    x = (np.arange(64) + 0.5) / 64
    points = np.column_stack([np.random.default_rng(3).permutation(x), x])
    worth = worth_by_place(4e6 * (x - 0.5), points)
    told = worth.information()
    assert told.attrs["all_usd"] == pytest.approx(5e5)
    assert list(told["input"]) == ["input_1", "input_0"]
    assert told["worth_usd"][0] == pytest.approx(5e5)
    assert list(told["by_chance"]) == [False, True]
    assert _measure_first(worth).startswith("input 1 (worth US$ 0.50 m); to know everything is worth US$ 0.50 m")


def test_knowing_more_is_worth_nothing_where_the_choice_is_the_same_in_every_draw():
    x = (np.arange(64) + 0.5) / 64
    worth = worth_by_place(4e6 * (x + 0.5), x[:, None])
    assert worth.information().attrs["all_usd"] == pytest.approx(0.0, abs=1e-6)
    assert _measure_first(worth) == "nothing: to build or not is the same in every draw"
    # A draw left out because its base is overloaded is one with most traffic: it may say otherwise.
    some = dataclasses.replace(worth, overloaded=1)
    assert _measure_first(some) == "not told: the same choice is right in every draw but perhaps the 1 left out"


def test_discount_rate_and_growth_are_drawn_where_a_range_is_given():
    sure = drawn(ranged(improvements=False), ranged(), draws=16)
    found = cs.appraise(sure, discount_rate=0.06, years=10, discount_rates=(0.03, 0.12), growths_after=(0.0, 0.04))
    assert [one.name for one in found.inputs.inputs][-2:] == ["discount rate", "growth after the last simulated year"]
    again = cs.appraise(sure, discount_rate=0.06, years=10, discount_rates=(0.03, 0.12), growths_after=(0.0, 0.04))
    assert np.array_equal(found.inputs.npv_usd, again.inputs.npv_usd)
    with pytest.raises(ArgumentError, match="discount_rates needs draws of the inputs"):
        cs.appraise(sure.comparison, discount_rate=0.06, years=10, discount_rates=(0.03, 0.12))
    with pytest.raises(ArgumentError, match="low and high"):
        cs.appraise(sure, discount_rate=0.06, years=10, discount_rates=(0.12, 0.03))


def test_draws_with_an_overloaded_base_are_left_out_and_counted():
    found = cs.appraise(
        drawn(ranged(per_day=(30.0, 60.0), improvements=False), ranged(per_day=(30.0, 60.0))),
        discount_rate=0.06, years=10,
    )  # fmt: skip
    # One lane takes 48 a day: from 47.76 on (a load of 1.00 as printed) there is no present value: 12.24 / 30 of draws.
    assert found.inputs.overloaded == pytest.approx(32 * 12.24 / 30, abs=1.5)
    assert f"{found.inputs.overloaded} draws whose base is overloaded" in " ".join(found.describe().split())
    # They may be worth it or not: the chance is told as a range.
    low, high = found.inputs.probability_positive
    assert high - low == pytest.approx(found.inputs.overloaded / 32)


def test_an_overload_that_the_measures_leave_alone_leaves_no_draw_out():
    def behind(scenario):
        slow = {"s": {"lanes": 1, "service": {"kind": "exponential", "mean_h": 3.0}}}
        posts = {"z": {"crossing": "y", "exit": slow}, "w": {"crossing": "y", "entry": scenario.checkpoints["q"].entry}}
        road = {"kind": "road", "length_km": 10, "speed_kmh": 50}
        legs = {
            "az": {**road, "from": "a", "to": "z"},
            "zw": {**road, "from": "z", "to": "w", "border": True},
            "wb": {**road, "from": "w", "to": "b"},
        }
        apart = {"origin": "a", "destination": "b", "per_day": 20.0, "value_of_time_usd_h": 20.0,
                 "crossing_shares": {"all": {"y": 1.0}}}  # fmt: skip
        flow = scenario.flows["f"].replace(crossing_shares={"all": {"x": 1.0}})
        return scenario.replace(
            checkpoints={**scenario.checkpoints, **posts},
            legs={**scenario.legs, **legs},
            flows={"f": flow, "g": apart},
        )

    sure = drawn(
        behind(ranged(per_day=(20.0, 40.0), improvements=False)), behind(ranged(per_day=(20.0, 40.0))), draws=8
    )
    assert "z.exit.s" in sure.runs[0].overloaded()
    inputs = drawn_worth(
        {2026: sure}, 1, YearsLayout(np.arange(2025.0, 2036.0), 2026, {2025: 1.0}, frozenset(), 0.0, 0.06, 0.0)
    )
    assert inputs.overloaded == 0
    assert len(inputs.npv_usd) == 8


def test_draws_that_keep_other_rows_are_refused_with_what_is_needed():
    sure = drawn(ranged(improvements=False), ranged(), draws=2, replications=1, indicators=None)
    with pytest.raises(CorridorError, match=r"indicators=cs\.APPRAISAL_ROWS"):
        cs.appraise(sure, discount_rate=0.06, years=10)


def test_years_are_simulated_with_the_growth_of_the_flows_and_interpolated():
    def growing(scenario):
        flow = scenario.flows["f"].replace(growth_per_year=0.05, growth_from="2026-01-01")
        return scenario.replace(flows={"f": flow})

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CorridorWarning)
        found = cs.compare_years(
            growing(border(per_day=36.0, improvements=False)), growing(border(per_day=36.0)),
            years=(2030, 2026), workers=1, replications=3,
        )  # fmt: skip
    assert list(found) == [2026, 2030]
    released = [one.base.rows.row("released", kind="flow", place="f").mean() for one in found.values()]
    # Four years of 5 %: x 1.2155.
    assert released[1] / released[0] == pytest.approx(1.05**4, rel=0.03)
    benefits = cs.appraise(found, discount_rate=0.06, years=5).benefits_usd.mean(axis=0)
    assert np.diff(benefits[1:]) == pytest.approx([(benefits[5] - benefits[1]) / 4] * 4)


def test_a_leap_day_moves_to_the_28th_and_a_scenario_of_the_year_stays():
    scenario = border().replace(run={"start": "2024-02-29", "horizon_days": 10, "warm_up_days": 0})
    assert cs.in_year(scenario, 2025).run.start_utc.date().isoformat() == "2025-02-28"
    assert cs.in_year(scenario, 2024) is scenario


def test_every_measure_of_the_priced_roadmap_has_a_cost_that_is_called_assumed():
    stated = {
        id for id in cs.load_scenario("roadmap_2024_2026").improvements if not id.startswith("astara_second_bridge")
    }
    frame = cs.figures("roadmap_2024_2026_priced")
    costs = frame[frame["path"].str.match(r"improvements\..*\.(capex_usd|opex_usd_year)$")]
    costs = costs[~costs["path"].str.contains("astara_second_bridge")]
    assert {path.split(".")[1] for path in costs["path"]} == stated
    assert set(costs["status"]) == {"assumed"}


def test_a_measure_stated_anew_without_a_cost_before_costs_its_own():
    lane = border(capex=0.0)
    priced = lane.replace(
        improvements={"lane": lane.improvements["lane"].replace(capex_usd=3e5, life_years=8.0, lanes=2)}
    )
    found = cs.appraise(compared(lane, priced, replications=2), discount_rate=0.06, years=8)
    assert [(one.name, one.capex_usd, one.life_years) for one in found.measures] == [("lane", 3e5, 8.0)]
    assert found.unpriced == ()
