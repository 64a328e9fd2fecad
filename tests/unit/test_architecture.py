"""The shape of the package: imports go down the levels, nothing heavy loads before it is used."""

import ast
import graphlib
import importlib
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import corridor_sim
from corridor_sim.model import improvements

PACKAGE = Path(corridor_sim.__file__).parent
ROOT = PACKAGE.parent

LEVELS = [
    "core",
    "data model",
    "files plan",
    "statistics records",
    "sampling",
    "engines indicators",
    "results",
    "plots",
    "report",
    "exchange",
    "study",
    "verify",
    "cli",
    "__main__",
]
LEVEL = {name: level for level, names in enumerate(LEVELS) for name in names.split()}
HEAVY = ["pandas", "scipy", "matplotlib", "pydantic", "networkx", "simpy", "numpy", "click", "jinja2", "tqdm", "numba"]


def modules():
    found = {}
    for path in PACKAGE.rglob("*.py"):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def is_type_checking(node):
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)


def imports(source, known):
    """Modules of the package that a text imports, wherever the import stands: function, TYPE_CHECKING, top."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                found.update(name for name in (inner if inner in known else node.module,) if name in known)
    return found


def level_of(module):
    """Level of a module; the package itself is above all."""
    parts = module.split(".")
    return len(LEVELS) if len(parts) == 1 else LEVEL[parts[1]]


def upward(module, source, known):
    """Imports of a text that go up a level, in words."""
    return [
        f"{module} (level {level_of(module)}) imports {other} (level {level_of(other)})"
        for other in sorted(imports(source, known))
        if level_of(other) > level_of(module)
    ]


def test_every_module_has_a_level():
    unknown = {module.split(".")[1] for module in modules() if "." in module} - set(LEVEL)
    assert not unknown, f"give these a level in this test: {sorted(unknown)}"


def test_rooms_hold_the_pipeline_and_no_loose_modules():
    loose = {path.name for path in PACKAGE.glob("*.py")} - {"__init__.py", "__main__.py"}
    rooms = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert not loose
    assert rooms == set(LEVEL) - {"__main__"}
    assert len(rooms) <= 18


def test_imports_go_down_the_levels_only():
    known = modules()
    found = [told for module, path in known.items() for told in upward(module, path.read_text(encoding="utf-8"), known)]
    assert not found


@pytest.mark.parametrize(
    "source",
    [
        "from corridor_sim.study.run import run",
        "import corridor_sim.study.run",
        "def late():\n    from corridor_sim.study.run import run",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from corridor_sim.study import run",
    ],
    ids=["at the top", "by its whole name", "in a function", "for types only"],
)
def test_an_upward_import_is_found_wherever_it_stands(source):
    assert upward("corridor_sim.model.flows", source, modules()) == [
        f"corridor_sim.model.flows (level {LEVEL['model']}) imports corridor_sim.study.run (level {LEVEL['study']})"
    ]


def test_rooms_import_each_other_in_one_direction():
    known, graph = modules(), {}
    for module, path in known.items():
        if module.count("."):
            here = module.split(".")[1]
            there = {other.split(".")[1] for other in imports(path.read_text(encoding="utf-8"), known) if "." in other}
            graph.setdefault(here, set()).update(there - {here})
    order = list(graphlib.TopologicalSorter(graph).static_order())
    assert set(order) == set(LEVEL)


def test_no_module_imports_itself_by_way_of_others():
    known = modules()
    graph = {m: imports(path.read_text(encoding="utf-8"), known) - {m} for m, path in known.items()}
    order = list(graphlib.TopologicalSorter(graph).static_order())
    assert set(order) == set(known)


def test_importing_the_package_loads_nothing_heavy():
    code = "import sys, corridor_sim; print(' '.join(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "corridor_sim" in loaded
    assert not set(HEAVY) & set(loaded)


@pytest.mark.parametrize("name", corridor_sim.__all__)
def test_a_public_name_exists_and_is_documented(name):
    value = getattr(corridor_sim, name)
    assert name in dir(corridor_sim)
    assert value.__doc__


@pytest.mark.parametrize("package", [corridor_sim, corridor_sim.statistics, improvements], ids=lambda one: one.__name__)
def test_public_names_are_the_same_for_type_checkers(package):
    tree = ast.parse(Path(package.__file__).read_text(encoding="utf-8"))
    block = next(node for node in tree.body if is_type_checking(node))
    assert sorted(alias.asname for node in block.body for alias in node.names) == package.__all__


def test_names_and_files_of_the_statistics_are_there_without_importing_them():
    code = (
        "from corridor_sim import statistics\n"
        "assert all(getattr(statistics, name).__doc__ for name in statistics.__all__)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    code = "import corridor_sim as cs; assert cs.statistics.intervals.t_interval is cs.statistics.t_interval"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_an_unknown_public_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'load_scenery'"):
        corridor_sim.load_scenery  # noqa: B018


def test_the_old_name_of_theory_warns_and_is_the_same_module():
    code = (
        "import warnings, corridor_sim as cs\n"
        "with warnings.catch_warnings(record=True) as found:\n"
        "    warnings.simplefilter('always')\n"
        "    assert cs.queueing is cs.theory\n"
        "assert [w.category for w in found] == [DeprecationWarning]\n"
        "assert 'corridor_sim.theory' in str(found[0].message)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_python_dash_m_is_the_command_line():
    shown = subprocess.run(
        [sys.executable, "-m", "corridor_sim", "--version"], capture_output=True, text=True, check=True
    )
    assert shown.stdout.startswith("corridor-sim, version ")


def test_star_import_gives_all_names_in_a_fresh_process():
    code = "from corridor_sim import *; import corridor_sim as c; assert all(n in globals() for n in c.__all__)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_functions_with_the_name_of_a_module_stay_functions():
    code = (
        "import importlib, corridor_sim as cs\n"
        "names = [n for n in cs.__all__ if n not in cs._MODULES]\n"
        "import pkgutil\n"
        "inner = {m.name for m in pkgutil.iter_modules(cs.__path__)}\n"
        "assert not set(names) & inner, set(names) & inner\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_every_module_can_be_imported_and_says_what_it_is_for():
    for module in modules():
        if module.endswith("__main__"):
            continue
        try:
            assert importlib.import_module(module).__doc__, module
        except ModuleNotFoundError as error:
            if error.name not in ("numba", "llvmlite"):  # modules of the extra `fast`
                raise


def test_version_is_stated_once_and_for_all():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == corridor_sim.__version__
    assert f"version: {corridor_sim.__version__}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")


def test_test_files_have_names_of_their_own():
    """pytest imports a test file by its bare name: a second of that name stops the whole suite while it collects."""
    found = [path.name for path in sorted((ROOT / "tests").rglob("test_*.py"))]
    assert [name for name in found if found.count(name) > 1] == []
