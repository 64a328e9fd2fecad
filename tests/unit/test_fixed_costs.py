"""What is kept or put off so that small questions are quick, and that it changes nothing."""

import subprocess
import sys
from typing import ClassVar

import numpy as np
import pytest

from corridor_sim.core import machine_code
from corridor_sim.core.draws import ziggurat
from corridor_sim.core.streams import key
from corridor_sim.files import overlays, scenario_files
from corridor_sim.files.scenario_files import load_scenario
from corridor_sim.model.base import Model
from corridor_sim.model.field_texts import field_texts
from corridor_sim.model.service_times import Gamma, SimpleLaw
from corridor_sim.plan import saturated
from corridor_sim.study.designs import with_values


def test_the_edges_kept_are_those_worked_out():
    assert np.load(ziggurat.EDGES).tobytes() == ziggurat.edges().tobytes()


def modules_after(text):
    ran = subprocess.run(
        [sys.executable, "-c", f"import sys\n{text}\nprint(*sys.modules)"], capture_output=True, text=True, check=True
    )
    return set(ran.stdout.split())


@pytest.mark.parametrize("name", ["teaching", "baseline_2023"])
def test_a_check_never_loads_numba(name):
    text = f"from corridor_sim.files.scenario_files import check; check({name!r})"
    assert not {"numba", "scipy", "pandas", "simpy"} & modules_after(text)


def test_a_check_reads_each_file_once(monkeypatch):
    read, parse = [], overlays.parse
    monkeypatch.setattr(overlays, "parse", lambda text, name: read.append(name) or parse(text, name))
    assert scenario_files.check("baseline_2023", {"run.horizon_days": 40}) == []
    assert len(read) == len(set(read)) > 5


def test_kinds_of_improvement_that_no_file_names_are_not_imported():
    kinds = {f"corridor_sim.model.improvements.{name}" for name in ("bans", "network", "one_stop", "posts")}
    text = "from corridor_sim.files.scenario_files import check; check({!r})"
    assert not kinds & modules_after(text.format("baseline_2023"))
    assert kinds <= modules_after(text.format("teaching"))
    assert kinds <= modules_after("from corridor_sim.model.improvements import IMPROVEMENTS; IMPROVEMENTS['closure']")


@pytest.mark.parametrize("kind", ["closure", "add_lanes", "leg_bans", "one_stop_post"])
def test_a_kind_that_is_not_imported_yet_is_taken(kind):
    text = (
        "from corridor_sim.model.improvements import IMPROVEMENTS\n"
        f"try: IMPROVEMENTS.register({kind!r})(type('Other', (), {{}}))\n"
        "except ValueError as error: print(error)"
    )
    assert {kind.join("''"), "registered", "twice"} <= modules_after(text)


def test_the_model_is_there_without_networkx():
    assert "networkx" not in modules_after("import corridor_sim.model.scenario")


@pytest.mark.parametrize(("switch", "calls"), [("", 4), ("1", 1)], ids=["when it is earned", "at once"])
def test_numba_is_asked_for(monkeypatch, switch, calls):
    monkeypatch.setenv(machine_code.SWITCH, switch)
    monkeypatch.delitem(sys.modules, "numba", raising=False)
    monkeypatch.setattr(machine_code, "_missed", 0.0)
    found = [machine_code.earned(machine_code.LOADING / 4) for _ in range(5)]
    assert found.index(True) == calls - 1
    assert all(found[calls - 1 :])


def test_holds_drawn_many_at_a_time_are_those_drawn_one_by_one():
    law = Gamma(mean_h=0.5, cv=0.8)
    whole = law.sampler(np.random.default_rng(3))(3 * saturated.BLOCK)
    draw = saturated._in_blocks(law, law.sampler(np.random.default_rng(3)))
    parts = [draw(n) for n in (1, 0, saturated.BLOCK - 1, 7, saturated.BLOCK + 5, 3)]
    assert np.array_equal(np.concatenate(parts), whole[: sum(map(len, parts))])


def test_a_law_in_sequence_is_drawn_as_it_is_asked_for():
    class InSequence(SimpleLaw):
        mean_h: float = 1.0

        def fill(self, rng, out):
            rng.standard_exponential(out=out)

        def of(self, variate):
            return variate

    asked = []
    law = InSequence()
    assert not law.by_index
    saturated._in_blocks(law, lambda n: asked.append(n) or np.ones(n))(5)
    assert asked == [5]


class Parent(Model):
    """With two fields."""

    first: int = 1
    """Said of the first."""
    second: int = 2
    """Said of the second."""


class Child(Parent):
    """One field is said again without a text."""

    second: int = 3
    third: int = 4

    no_field: ClassVar[int] = 5
    """Said of what is no field."""


def test_a_field_has_the_text_under_it_and_no_other():
    assert field_texts(Parent) == {"first": "Said of the first.", "second": "Said of the second."}
    assert field_texts(Child) == {"first": "Said of the first."}
    properties = Child.model_json_schema()["properties"]
    assert properties["first"]["description"] == "Said of the first."
    assert "description" not in properties["third"]


def test_values_are_the_same_with_numba_put_off(monkeypatch):
    law = Gamma(mean_h=0.5, cv=0.8)
    monkeypatch.setenv(machine_code.SWITCH, "0")
    expected = law.at(key(1, 0, "duration", "f", "e"), np.arange(500))
    monkeypatch.setenv(machine_code.SWITCH, "1")
    assert law.at(key(1, 0, "duration", "f", "e"), np.arange(500)).tobytes() == expected.tobytes()


def test_the_data_that_points_of_a_sweep_share_stay_as_they_are():
    base = load_scenario("teaching")
    data, flow = base.to_data(), next(iter(base.flows))
    path = f"flows.{flow}.per_day"
    more, less = (with_values(base, {path: value}, data) for value in (31.0, 29.0))
    assert (more.flows[flow].per_day, less.flows[flow].per_day) == (31.0, 29.0)
    assert data == base.to_data()
    assert more == with_values(base, {path: 31.0})
