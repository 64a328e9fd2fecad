"""The documentation is built without a warning: links, headings, the reference of every public name."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NEEDED = ("sphinx", "myst_nb", "furo", "numpydoc", "sphinxcontrib.bibtex")


def is_there(name):
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False


@pytest.mark.skipif(not all(map(is_there, NEEDED)), reason="needs the extra docs")
def test_the_site_is_built_without_a_warning(tmp_path):
    """Code of its pages runs in test_docs.py and tests/notebooks; here no cell is run."""
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-D", "nb_execution_mode=off"]
    command += ["-d", str(tmp_path / "doctrees"), "-c", "docs", ".", str(tmp_path / "site")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "site" / "docs" / "api" / "corridor_sim.AddLanes.html").read_text(encoding="utf-8")
    assert "How many more" in page
    assert "_static/site.css" in page
    assert "overflow-x" in (tmp_path / "site" / "_static" / "site.css").read_text(encoding="utf-8")
