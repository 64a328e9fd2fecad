"""Every example in a docstring of the package runs and gives what it says."""

import doctest
import importlib
import pkgutil

import pytest

import corridor_sim

MODULES = ["corridor_sim"] + [
    found.name
    for found in pkgutil.walk_packages(corridor_sim.__path__, "corridor_sim.")
    if not found.name.endswith("__main__")
]
FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS


def examples_of(module):
    return doctest.DocTestFinder(exclude_empty=True).find(importlib.import_module(module))


@pytest.mark.parametrize("module", MODULES)
def test_the_examples_of_a_module_are_true(module):
    told = []
    try:
        examples = examples_of(module)
    except ModuleNotFoundError as error:
        if error.name not in ("numba", "llvmlite"):
            raise
        pytest.skip("needs the extra fast")
    for example in examples:
        doctest.DocTestRunner(optionflags=FLAGS, verbose=False).run(example, out=told.append)
    assert not told, "".join(told)


def test_a_false_example_is_found():
    example = doctest.DocTestParser().get_doctest(">>> 1 + 1\n3\n", {}, "false", None, 0)
    told = []
    doctest.DocTestRunner(optionflags=FLAGS, verbose=False).run(example, out=told.append)
    assert "Expected:\n    3\nGot:\n    2" in "".join(told)
