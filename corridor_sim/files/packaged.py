"""What ships with the package: corridors and scenarios, each found by its name.

A corridor is ``corridor_sim/data/NAME/NAME.toml``; a scenario is
``scenarios/NAME.toml`` of the source tree, or its copy inside an installed
package, and a design is ``scenarios/designs/NAME.toml``. To add one, add the file;
its name is then known everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from corridor_sim.core.errors import Problem, ScenarioError, nearest

PACKAGE = Path(__file__).resolve().parent.parent


def corridor_files() -> dict[str, Path]:
    """Packaged corridors by name."""
    folders = sorted(path for path in (PACKAGE / "data").iterdir() if path.is_dir())
    return {folder.name: file for folder in folders if (file := folder / f"{folder.name}.toml").is_file()}


def scenario_folder() -> Path:
    """Folder of the packaged scenarios.

    A build copies the scenarios into the package; in a source tree that copy may
    be old, so the tree itself comes first.
    """
    tree = PACKAGE.parent
    if (tree / "pyproject.toml").is_file() and (tree / "scenarios").is_dir():
        return tree / "scenarios"
    return PACKAGE / "_scenarios"


def scenario_files() -> dict[str, Path]:
    """Packaged scenarios by name."""
    return {path.stem: path for path in sorted(scenario_folder().glob("*.toml"))}


def design_files() -> dict[str, Path]:
    """Packaged designs by name."""
    return {path.stem: path for path in sorted((scenario_folder() / "designs").glob("*.toml"))}


def upgrade_files() -> dict[str, Path]:
    """Packaged lists of upgrades by name."""
    return {path.stem: path for path in sorted((scenario_folder() / "upgrades").glob("*.toml"))}


def packaged_files() -> dict[str, Path]:
    """Everything that has a name: corridors and scenarios."""
    return {**scenario_files(), **corridor_files()}


def is_name(text: str) -> bool:
    """Whether a text is meant as the name of something packaged, not as a path."""
    is_path = any(sign in text for sign in "/\\:") or not text.strip(".")
    return not is_path and not text.lower().endswith((".toml", ".csv"))


def is_called(text: str) -> bool:
    """Whether a text asks for something packaged: no file here is called so. A folder of that name is no file."""
    return is_name(text) and (not Path(text).exists() or Path(text).is_dir())


def located(text: str, kind: str, known: Callable[[], Mapping[str, Path]]) -> Path:
    """The file of a path, or of the name of something packaged, of which `kind` says what it is.

    Raises
    ------
    ScenarioError
        If nothing packaged has the name.
    """
    if not is_called(text):
        return Path(text)
    files = known()
    if text not in files:
        problem = f"{text!r} is neither a file nor a packaged {kind}"
        raise ScenarioError([Problem(problem, allowed=", ".join(files), hint=nearest(text, files))])
    return files[text]
