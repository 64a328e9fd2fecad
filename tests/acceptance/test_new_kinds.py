"""A newcomer's law, leg type, improvement, indicator and plot: each one class or function, from file to table."""

from typing import ClassVar

import numpy as np
import pytest

from corridor_sim.indicators import INDICATORS
from corridor_sim.indicators.base import Indicator
from corridor_sim.model.field_types import Positive
from corridor_sim.model.improvements import IMPROVEMENTS
from corridor_sim.model.improvements.base import PostImprovement
from corridor_sim.model.legs import LEGS, Leg
from corridor_sim.model.service_times import SERVICE_TIMES, Deterministic, SimpleLaw
from corridor_sim.plots.base import PLOTS, new_axes

OVERLAY = """
[run]
warm_up_days = 0
horizon_days = 3
[checkpoints.north_a.exit.lanes]
service = { kind = "coin", mean_h = 0.2 }
[legs.bridge]
kind = "cableway"
length_km = 1
speed_kmh = 10
stops = 3
border = true
[improvements.lanes]
kind = "twice_the_lanes"
at = "checkpoints.north_b.entry.lanes"
from = 2024-01-02
"""


@pytest.fixture
def new_kinds():
    @SERVICE_TIMES.register("coin", mean_h=0.5)
    class Coin(SimpleLaw):
        """Half or one and a half times the mean, by the toss of a coin."""

        mean_h: Positive

        def of(self, variate):
            return np.where(variate < 0.5, 0.5, 1.5) * self.mean_h

    @LEGS.register("cableway", **{"from": "a", "to": "b", "length_km": 1.0, "speed_kmh": 10.0, "stops": 2})
    class Cableway(Leg):
        """Stops for six minutes on the way, some times."""

        stops: int = 0

        def travel_law(self):
            return Deterministic(value_h=self.length_km / self.speed_kmh + 0.1 * self.stops)

    @IMPROVEMENTS.register("twice_the_lanes", at="checkpoints.post.exit.lanes")
    class Twice(PostImprovement):
        """As many lanes again."""

        depth: ClassVar = (4,)

        def changes(self, corridor):
            return [self.change(f"{self.path}.lanes", "multiply", 2)]

    @INDICATORS.register("longest_visit_h")
    class LongestVisit(Indicator):
        """Longest time between joining and leaving anything. [h]"""

        unit = "h"

        def start(self):
            self.longest_h = np.zeros(len(self.scope.replications))

        def add_visits(self, block):
            np.fmax.at(self.longest_h, block.row, block.leave_h - block.join_h)

        def table_rows(self):
            yield self.row(self.longest_h, "corridor", "all")

    @PLOTS.register("longest", of="results")
    def longest(data, *, ax=None):
        """The longest visit of every replication."""
        ax = new_axes(ax)
        ax.plot(data.rows.row("longest_visit_h"))
        return ax

    yield
    for registry, kind in (
        (SERVICE_TIMES, "coin"), (LEGS, "cableway"), (IMPROVEMENTS, "twice_the_lanes"),
        (INDICATORS, "longest_visit_h"), (PLOTS, "longest"),
    ):  # fmt: skip
        registry.unregister(kind)


@pytest.mark.usefixtures("new_kinds")
@pytest.mark.parametrize("engine", ["event", "batch"])
def test_new_kinds_go_from_a_file_to_a_table_with_nothing_else_changed(folder, engine):
    new = folder.write("new", OVERLAY)
    assert folder.call("check", new).exit_code == 0
    listed = folder.call("kinds").stdout
    for kind in ("coin", "cableway", "twice_the_lanes", "longest_visit_h", "longest"):
        assert kind in listed
    schema = folder.call("schema").stdout
    for kind in ("coin", "cableway", "twice_the_lanes", "stops"):
        assert f'"{kind}"' in schema
    options = [
        part for name in ("component_h", "longest_visit_h", "capacity_per_day") for part in ("--indicator", name)
    ]
    rows = folder.rows("run", new, "-n", 2, "--workers", 1, "--engine", engine, *options)
    # Two of the three days have eight lanes instead of four, at a quarter of an hour each.
    assert folder.value(rows, "capacity_per_day", place="north_b.entry.lanes") == pytest.approx(96 * (4 + 8 + 8) / 3)
    # Over the whole bridge: six minutes and three stops of six; 1.5 h on each road.
    travel = folder.value(rows, "component_h", kind="flow", of="travel")
    assert travel == pytest.approx(1.5 + 0.4 + 1.5, rel=0.03)
    assert folder.value(rows, "component_h", kind="post", place="north_a", of="service") == pytest.approx(0.2, rel=0.05)
    assert folder.value(rows, "longest_visit_h") >= 1.5
    differences = folder.rows("compare", "border.toml", "border.toml", "-n", 2, "--indicator", "longest_visit_h")
    assert [row["verdict"] for row in differences] == ["no difference"]
    drawn = folder.call("plot", new, "--kind", "longest", "-n", 2, "-o", "longest.png", "-q")
    assert drawn.exit_code == 0, drawn.stderr
    assert (folder.path / "longest.png").stat().st_size > 1000


@pytest.mark.usefixtures("new_kinds")
def test_a_slip_in_a_new_kind_is_told_like_any_other(folder):
    wrong = folder.write("wrong", OVERLAY.replace('"coin"', '"coins"').replace("stops = 3", "stop = 3"))
    result = folder.call("check", wrong)
    assert result.exit_code == 2
    for words in ("did you mean 'coin'?", "did you mean 'stops'?"):
        assert words in result.output
