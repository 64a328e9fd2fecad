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

PACKAGE = Path(corridor_sim.__file__).parent
ROOT = PACKAGE.parent

LEVELS = [
    "errors units streams registry step_functions",
    "model",
    "plan files scenario_files flatten data fingerprints network",
    "inputs sampling draws element_draws results statistics queueing",
    "engines indicators",
    "results_frames descriptions input_differences comparison experiments",
    "tables plots report",
    "study execution sweeps attribution warm_up_check store verify cli",
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


def imports(path, known, *, lazy):
    """Modules of the package that a file imports; with `lazy` also inside functions."""
    found = set()

    def visit(node):
        if is_type_checking(node):
            return
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and not lazy:
            return
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                found.update(name for name in (inner if inner in known else node.module,) if name in known)
        for child in ast.iter_child_nodes(node):
            visit(child)

    visit(ast.parse(path.read_text(encoding="utf-8")))
    return found


def level_of(module):
    """Level of a module; the package itself is above all."""
    parts = module.split(".")
    return len(LEVELS) if len(parts) == 1 else LEVEL[parts[1]]


def test_every_module_has_a_level():
    unknown = {module.split(".")[1] for module in modules() if "." in module} - set(LEVEL)
    assert not unknown, f"give these a level in this test: {sorted(unknown)}"


def test_imports_go_down_the_levels_only():
    known = modules()
    upward = [
        f"{module} (level {level_of(module)}) imports {other} (level {level_of(other)})"
        for module, path in known.items()
        for other in imports(path, known, lazy=True)
        if level_of(other) > level_of(module)
    ]
    assert not upward


def test_no_module_imports_itself_by_way_of_others():
    known = modules()
    graph = {module: imports(path, known, lazy=False) - {module} for module, path in known.items()}
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


def test_public_names_are_the_same_for_type_checkers():
    tree = ast.parse((PACKAGE / "__init__.py").read_text(encoding="utf-8"))
    block = next(node for node in tree.body if is_type_checking(node))
    assert sorted(alias.asname for node in block.body for alias in node.names) == corridor_sim.__all__


def test_an_unknown_public_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'load_scenery'"):
        corridor_sim.load_scenery  # noqa: B018


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
        if not module.endswith("__main__"):
            assert importlib.import_module(module).__doc__, module


def test_version_is_stated_once_and_for_all():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == corridor_sim.__version__
    assert f"version: {corridor_sim.__version__}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
