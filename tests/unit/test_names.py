"""One meaning a name: whoever reads a class name anywhere in the package can only mean one thing."""

import ast
import warnings
from collections import defaultdict
from pathlib import Path

import pytest

import corridor_sim
from corridor_sim import queues

PACKAGE = Path(corridor_sim.__file__).parent


def classes_of(root: Path) -> dict[str, list[str]]:
    """Where each class is defined (file and line), nested and private ones included."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted(root.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                found[node.name].append(f"{path.relative_to(root)}:{node.lineno}")
    return found


def defined_twice(root: Path) -> list[str]:
    return [f"{name}: {' and '.join(places)}" for name, places in sorted(classes_of(root).items()) if len(places) > 1]


def test_no_class_name_is_defined_twice_in_the_package():
    assert len(classes_of(PACKAGE)) > 100
    assert not (twice := defined_twice(PACKAGE)), "two classes of one name:\n" + "\n".join(twice)


def test_a_class_name_defined_twice_is_found_wherever_it_stands(tmp_path):
    (tmp_path / "one.py").write_text("class _Leg:\n    pass\n", encoding="utf-8")
    (tmp_path / "other.py").write_text("def f():\n    class _Leg:\n        pass\n", encoding="utf-8")
    assert defined_twice(tmp_path) == ["_Leg: one.py:1 and other.py:2"]


@pytest.mark.parametrize(("former", "now"), [("Leg", "LegState"), ("passage", "limited_leg")])
def test_a_former_name_of_a_kernel_still_works_and_says_the_new_one(former, now):
    with pytest.warns(DeprecationWarning, match=rf"corridor_sim\.queues\.{former} is now corridor_sim\.queues\.{now}"):
        assert getattr(queues, former) is getattr(queues, now)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert former not in queues.__all__
        assert getattr(queues, now) is not None


def test_an_unknown_name_of_the_kernels_is_refused():
    with pytest.raises(AttributeError, match="has no attribute 'no_kernel'"):
        _ = queues.no_kernel
