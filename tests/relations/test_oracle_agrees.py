"""Both engines do what the oracle reads from the scenario, visit by visit: join, start, finish, leave.

Random borders with up to three changes, calendars, closings and closures (`oracle.strategies`).
Run with ``--long`` for 2,000 cases; how often each kind of improvement was there, what was not
a valid scenario, and what the batch engine refused by name is printed.
"""

from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from oracle.compare import Case, difference
from oracle.strategies import KINDS, scenarios, stages_with_lanes

from corridor_sim.core.errors import ScenarioError, SimulationError

CASES = 2000


class Tally:
    """What was tried and what came of it."""

    def __init__(self):
        self.cases = 0
        self.kinds = Counter()
        self.features = Counter()
        self.invalid = Counter()
        self.refused = Counter()
        self.in_batch = 0

    def compare(self, data):
        """Compare both engines with the oracle on one scenario; AssertionError where one differs."""
        try:
            case = Case(data)
        except ScenarioError as error:
            self.invalid[error.problems[0].message.split(":")[0][:60]] += 1
            return
        oracle = case.oracle()
        try:
            found = case.event()
        except SimulationError as error:  # a service that no opening is long enough for
            self.invalid[str(error).split(";")[0][:60]] += 1
            return
        self.cases += 1
        self.kinds.update({named(one) for one in data["improvements"].values()} or {"no change"})
        self.features.update(features(data))
        assert not (apart := difference(oracle, found)), f"event engine, {apart}"
        if refused := case.refusals():
            self.refused.update({text.split(" at ")[0] for text in map(str, refused)})
            return
        self.in_batch += 1
        assert not (apart := difference(oracle, case.batch())), f"batch engine, {apart}"

    def text(self):
        """Counts in words."""
        lines = [f"{self.cases} cases, {self.in_batch} of them in the batch engine too"]
        for what, counts in (
            ("with", self.kinds),
            ("with, as it stands,", self.features),
            ("refused by the batch engine for", self.refused),
            ("not valid:", self.invalid),
        ):
            lines += [f"  {number:5d} {what} {name}" for name, number in counts.most_common()]
        return "\n".join(lines)


def named(one):
    """Kind of an improvement; one that is built with works is a kind of its own here."""
    return "works" if "works" in one else one["kind"]


def features(data):
    """What the border has before any change: closing policies and whatever else its stages, posts and legs name."""
    of_legs = {"headway_h", "max_vehicles", "closures", "timetable", "single_track", "bans", "drivers_hours"}
    found = set().union(*data["legs"].values()) & of_legs
    for post in data["checkpoints"].values():
        found |= set(post) & {"acceptance", "slots", "channels", "hosts"}
        for stage in stages_with_lanes({"checkpoints": {"p": {"exit": {}, "entry": {}, **post}}}).values():
            plain = {"lanes", "service", "closing", "outages", "named_lanes", "breakdown"}
            found |= (set(stage) - plain) | {stage.get("closing", "finish")}
            found |= {"named lanes"} if stage.get("named_lanes") else set()
            if "breakdown" in stage:
                found.add("breakdown of lanes" if stage["breakdown"].get("per_lane") else "breakdown")
            if "outages" in stage:
                found.add("outage of a lane" if "lane" in stage["outages"]["o"] else "outage")
    return found


def test_both_engines_do_what_the_oracle_reads_from_the_scenario():
    tally = Tally()

    @settings(suppress_health_check=[HealthCheck.too_slow])
    @given(scenarios())
    def agrees(data):
        tally.compare(data)

    agrees()
    assert tally.cases > 0


@pytest.mark.parametrize("kind", KINDS)
def test_both_engines_do_what_the_oracle_reads_from_every_kind_of_improvement(kind):
    tally = Tally()

    @settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
    @given(scenarios(kinds=(kind,), least=1).filter(lambda data: data["improvements"]))
    def agrees(data):
        tally.compare(data)

    agrees()
    assert tally.kinds[kind] > 0


@pytest.mark.long
def test_both_engines_do_what_the_oracle_reads_in_2000_cases(capsys):
    tally = Tally()

    @settings(max_examples=CASES + CASES // 5, suppress_health_check=[HealthCheck.too_slow])
    @given(scenarios())
    def agrees(data):
        tally.compare(data)

    try:
        agrees()
    finally:
        with capsys.disabled():
            print("\n" + tally.text())
    assert tally.cases >= CASES
    assert not [kind for kind in KINDS if tally.kinds[kind] < 20]
