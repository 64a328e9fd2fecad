import pytest

import corridor_sim as cs
from corridor_sim.core.errors import CorridorError

pytestmark = pytest.mark.filterwarnings("ignore::corridor_sim.core.errors.CorridorWarning")


def test_a_road_of_days_asks_for_the_days_it_takes_to_fill():
    # From Moscow to the border of Baku takes about four days: before that no truck has left Samur southbound.
    frame = cs.warm_up("baseline_2023", replications=10, workers=1)
    left = frame[(frame["output"] == "passed_by_day") & (frame["direction"] == "entry")].set_index("post")
    assert 3 <= left.loc["samur_az", "warm_up_days"] <= 10
    assert frame["set_days"].eq(10).all()
    assert (frame["enough"] == (frame["warm_up_days"] <= 10)).all()


def test_too_few_days_are_refused():
    short = cs.load_scenario("teaching")
    short = short.replace(run=short.run.replace(horizon_days=4, warm_up_days=0))
    with pytest.raises(CorridorError, match="too few to look for a warm-up"):
        cs.warm_up(short, replications=2, workers=1)
