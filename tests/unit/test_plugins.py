"""Kinds of other packages: found by their entry point, or imported by name, in workers too."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LAW = '''
import numpy as np

import corridor_sim as cs
from corridor_sim.model.field_types import Positive
from corridor_sim.model.service_times import SERVICE_TIMES, SimpleLaw

cs.Gamma  # a plug-in may ask for public names while it is imported


@SERVICE_TIMES.register("two_speeds", mean_h=0.5)
class TwoSpeeds(SimpleLaw):
    """One half is fast, the other slow."""

    mean_h: Positive

    @property
    def variance_h2(self):
        return self.mean_h**2 / 4

    def of(self, variate):
        return np.where(variate < 0.5, 0.5, 1.5) * self.mean_h
'''
SCENARIO = """
schema = 1
name = "with_a_plug_in"
extends = "teaching"
[checkpoints.northgate_a.exit.lanes]
service = { kind = "two_speeds", mean_h = 0.24 }
status = "assumed"
source = "made up"
"""


def package(folder, entry="border_laws", module="border_laws", text=LAW):
    """A package as pip leaves it: a module, and metadata with an entry point."""
    (folder / f"{module}.py").write_text(text, encoding="utf-8")
    info = folder / f"{module}-1.2.dist-info"
    info.mkdir()
    info.joinpath("METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.2\n", encoding="utf-8")
    info.joinpath("entry_points.txt").write_text(f"[corridor_sim.plugins]\n{entry} = {module}\n", encoding="utf-8")


def told(*words, cwd, **environment):
    paths = os.pathsep.join([str(cwd), str(ROOT)])
    command = [sys.executable, "-m", "corridor_sim", *words]
    whole = {**os.environ, "PYTHONPATH": paths, **environment}
    return subprocess.run(command, cwd=cwd, env=whole, capture_output=True, text=True)


@pytest.fixture
def scenario(tmp_path):
    tmp_path.joinpath("own.toml").write_text(SCENARIO, encoding="utf-8")
    return tmp_path


def test_a_package_adds_a_law_that_files_lists_and_workers_know(scenario):
    package(scenario)
    assert "two_speeds" in told("kinds", "laws", cwd=scenario).stdout
    rows = []
    for workers in ("1", "2"):
        done = told("run", "own.toml", "-n", "6", "--workers", workers, "--format", "json", "--quiet", cwd=scenario)
        assert done.returncode == 0, done.stderr
        rows.append(json.loads(done.stdout))
    one, two = (found["runs"][0] for found in rows)
    assert one["rows"] == two["rows"]
    assert one["versions"]["plug-in border_laws"] == "border_laws 1.2"  # a rerun to the same bits needs to know


def test_switched_off_its_kinds_are_not_there(scenario):
    package(scenario)
    done = told("check", "own.toml", cwd=scenario, CORRIDOR_SIM_PLUGINS="0")
    assert done.returncode == 2
    assert "two_speeds" in done.stdout + done.stderr


def test_one_that_fails_is_told_and_leaves_the_others(scenario):
    package(scenario)
    package(scenario, entry="broken", module="broken_laws", text="raise RuntimeError('no licence')")
    done = told("check", "own.toml", cwd=scenario)
    assert done.returncode == 0, done.stderr
    assert "plug-in 'broken' of broken_laws 1.2 is left out: RuntimeError: no licence" in " ".join(done.stderr.split())


HALF = (
    LAW
    + """
@SERVICE_TIMES.register("gamma", mean_h=0.5)
class Other(TwoSpeeds):
    pass
"""
)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (HALF, "'gamma' is registered twice"),
        (LAW + "\nraise SystemExit(3)\n", "SystemExit: 3"),
        ("def (", "SyntaxError"),
    ],
)
def test_one_that_is_left_out_leaves_no_kind_behind(text, why, scenario):
    package(scenario, text=text)
    done = told("kinds", "laws", cwd=scenario)
    assert done.returncode == 0, done.stderr
    assert why in " ".join(done.stderr.split())
    assert "two_speeds" not in done.stdout
    assert "gamma" in done.stdout
    assert told("check", "teaching", cwd=scenario).returncode == 0
    asked = told("--import", "border_laws", "check", "own.toml", cwd=scenario, CORRIDOR_SIM_PLUGINS="0")
    assert asked.returncode == 2
    assert why in " ".join(asked.stderr.split())


def test_a_module_is_imported_by_name_from_the_working_folder(scenario):
    scenario.joinpath("mine.py").write_text(LAW, encoding="utf-8")
    done = told("--import", "mine", "run", "own.toml", "-n", "6", "--workers", "2", "--quiet", cwd=scenario)
    assert done.returncode == 0, done.stderr


def test_modules_that_cannot_be_imported_are_all_told(tmp_path):
    done = told("--import", "nowhere_a", "--import", "nowhere_b", "kinds", "laws", cwd=tmp_path)
    assert done.returncode == 2
    assert "nowhere_a" in done.stderr
    assert "nowhere_b" in done.stderr


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("run teach", "teaching_priority_lane"),
        ("compare teaching teaching_p", "teaching_priority_lane"),
        ("plot teaching --kind queue_by", "queue_by_hour"),
        ("run teaching --indicator tfi", "tfi1"),
        ("kinds impr", "improvements"),
        ("sweep ", "plain,"),
    ],
)
def test_a_shell_completes_names(words, offered, tmp_path):
    if words == "sweep ":
        from corridor_sim.files.packaged import design_files

        offered = min(design_files())
    line = f"corridor-sim {words}"
    done = subprocess.run(
        [sys.executable, "-c", "from corridor_sim.cli import main; main(prog_name='corridor-sim')"],
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "_CORRIDOR_SIM_COMPLETE": "bash_complete",
            "COMP_WORDS": line,
            "COMP_CWORD": str(len(line.split()) - (not line.endswith(" "))),
        },
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert f"plain,{offered}" in done.stdout.split("\n"), done.stdout + done.stderr
