"""The benchmarks compare the same work: programs are there, their answers agree, misses are named on the page."""

import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture(autouse=True)
def _on_the_path(monkeypatch):
    monkeypatch.setattr(sys, "path", [str(BENCHMARKS), *sys.path])


def answers(name, scale=0.02):
    from programs import PROGRAMS

    return PROGRAMS[name](scale)()


def test_every_question_names_programs_that_are_there():
    from programs import PROGRAMS
    from questions import QUESTIONS

    assert {name for one in QUESTIONS for name in (one.program, one.reference)} <= set(PROGRAMS)


@pytest.mark.filterwarnings("ignore::corridor_sim.CorridorWarning")
def test_as_many_trucks_come_in_one_flow_as_in_many():
    from questions import near

    assert near(0.05)(answers("flows_1")[1], answers("flows_64")[1], 1.0)


@pytest.mark.filterwarnings("ignore::corridor_sim.CorridorWarning")
@pytest.mark.parametrize("change", ["balking", "pool"])
def test_a_cliff_is_asked_of_a_plan_that_has_its_mechanism_and_the_same_trucks(change):
    from programs import changed_border

    from corridor_sim.plan.mechanisms import Mechanism
    from corridor_sim.plan.needs import needs_at

    wanted = {"balking": Mechanism.BALKING, "pool": Mechanism.STAFF_POOL}[change]
    assert any(wanted in needs for needs in needs_at(changed_border(2, change)))
    assert not any(wanted in needs for needs in needs_at(changed_border(2, "")))


def test_cimba_and_the_library_have_the_same_mean_queues(tmp_path):
    pytest.importorskip("cimba")
    from questions import ROOT, measured, near

    # Each in a process of its own: Cimba compiles its models before other machine code is loaded.
    ours, theirs = (measured(name, 0.2, ROOT, {}, tmp_path).answers for name in ("tandem", "cimba_tandem"))
    assert near(0.15)(ours, theirs, 1.0)


def test_answers_that_differ_are_refused():
    from questions import equal, near

    assert near(0.1)({"visits": 100.0}, {"visits": 95.0}, 1.0) == "visits within 5.3%"
    with pytest.raises(AssertionError, match="differ by"):
        near(0.01)({"visits": 100.0}, {"visits": 95.0}, 1.0)
    with pytest.raises(AssertionError):
        equal({"visits": 100.0}, {"visits": 95.0}, 1.0)


def test_the_page_names_what_was_missed():
    from questions import Answered, Measured, Question, written

    def one(target):
        mine, other = Measured(1.0, {}, 0.5), Measured(2.0, {}, 0.1)
        return Answered(Question("a line", "year", "year", target), ((mine, other),), "")

    page = written([one(0.6), one(0.4)], 1, 1.0, "version 0")
    assert page.count("| met |") == page.count("| **missed** |") == 1
    assert "1 of 2 aims are met" in page
    assert "0.50 GB (aim 0.4 GB, **missed**)" in page
