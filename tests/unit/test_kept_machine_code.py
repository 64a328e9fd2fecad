"""Machine code that is kept on disk is found again by what it is made of, and by nothing else."""

from __future__ import annotations

import inspect
from collections import namedtuple
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

pytest.importorskip("numba")
from corridor_sim.core.step_functions import StepFunction
from corridor_sim.engines import compiled
from corridor_sim.engines.compiled import machine
from corridor_sim.model.service_times import Deterministic
from corridor_sim.plan.elements import Station
from corridor_sim.plan.plan import FlowPlan, Plan
from corridor_sim.plan.steps import Step, Variant


def test_the_text_of_all_modules_that_are_in_it_counts() -> None:
    values = [value for value in vars(machine).values() if value not in machine.GIVEN]
    used = {getattr(value, "__module__", "") for value in values}
    used |= {getattr(getattr(value, "py_func", None), "__module__", "") for value in values}
    mine = {name for name in used if name and name.startswith("corridor_sim")}
    assert mine <= {module.__name__ for module in machine.MADE_OF}


def test_the_names_and_fields_of_classes_that_it_is_given_count() -> None:
    """The compiler cannot read what it kept under the name of a class that is gone, so it must not look there."""
    one, again = (namedtuple("Given", ["first", "second"], module="somewhere") for _ in range(2))
    renamed = namedtuple("Other", ["first", "second"], module="somewhere")
    moved = namedtuple("Given", ["first", "second"], module="elsewhere")
    longer = namedtuple("Given", ["first", "second", "third"], module="somewhere")
    name = machine.name_of(["text"], [one])
    assert name == machine.name_of(["text"], [again])
    others = [(["text"], [renamed]), (["text"], [moved]), (["text"], [longer]), (["other"], [one]), (["text"], [])]
    assert name not in [machine.name_of(*other) for other in others]
    here = machine.name_of(map(inspect.getsource, machine.MADE_OF), machine.GIVEN)
    assert machine.replications.py_func.__qualname__.endswith(here)


def test_all_classes_that_it_is_given_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CORRIDOR_SIM_FAST", raising=False)
    step = Step(element=0, laws=((0.0, Deterministic(value_h=1.0)),), draws="booth")
    flow = FlowPlan(id="cars", variants=(Variant(id="way", steps=(step,), share=StepFunction.constant(1.0)),))
    post = Station(id="booth", lanes=StepFunction.constant(2))
    compiled.prepare(Plan(elements=(post,), flows=(flow,), horizon_h=24.0))

    def classes(kinds: Iterable[Any]) -> Iterator[type]:
        for kind in kinds:
            if hasattr(kind, "instance_class"):
                yield kind.instance_class
            yield from classes(getattr(kind, "types", ()))

    found = {one for signature in machine.replications.signatures for one in classes(signature)}
    assert {machine.Tables, machine.PassState} <= found <= set(machine.GIVEN)
