"""Runs that survive: interrupted, resumed to the same bytes, read again, never mixed up."""

import hashlib
import json
import os
import platform
import subprocess
import sys

import numpy as np
import pytest

from corridor_sim.core.errors import CorridorError, StoreWarning
from corridor_sim.core.fingerprints import fingerprint
from corridor_sim.core.streams import SCHEME
from corridor_sim.files.scenario_files import load_scenario
from corridor_sim.indicators import Options
from corridor_sim.study import keys
from corridor_sim.study.designs import with_values
from corridor_sim.study.run import compare, run
from corridor_sim.study.store import Store, load
from corridor_sim.study.sweeps import sweep

pytestmark = pytest.mark.filterwarnings("ignore::corridor_sim.core.errors.CorridorWarning")


def teaching(days=2):
    scenario = load_scenario("teaching")
    return scenario.replace(run=scenario.run.replace(horizon_days=days, warm_up_days=0))


def contents(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


class Stop(KeyboardInterrupt):
    pass


def test_an_interrupted_run_goes_on_and_ends_in_the_same_bytes(tmp_path):
    whole = run(teaching(), replications=6, workers=1, store=tmp_path / "whole")

    def interrupt(done, of):
        if done >= 3:
            raise Stop

    with pytest.raises(Stop):
        run(teaching(), replications=6, workers=1, store=tmp_path / "broken", progress=interrupt)
    kept = [path.name for path in (tmp_path / "broken" / "blocks").iterdir()]
    assert len(kept) == 3
    seen = []
    again = run(
        teaching(), replications=6, workers=1, store=tmp_path / "broken", progress=lambda done, of: seen.append(done)
    )
    assert seen == [4, 5, 6]
    assert again.rows.values.tobytes() == whole.rows.values.tobytes()
    assert again.visits_count == whole.visits_count
    assert contents(tmp_path / "whole") == contents(tmp_path / "broken")


def test_a_finished_run_is_not_run_again_and_can_be_extended(tmp_path):
    first = run(teaching(), replications=3, workers=1, store=tmp_path)
    before = contents(tmp_path / "blocks")
    seen = []
    again = run(teaching(), replications=3, workers=1, store=tmp_path, progress=lambda done, of: seen.append(done))
    assert seen == []
    assert again.rows.values.tobytes() == first.rows.values.tobytes()
    assert contents(tmp_path / "blocks") == before
    more = run(teaching(), replications=5, workers=1, store=tmp_path)
    assert more.rows.only(range(3)).values.tobytes() == first.rows.values.tobytes()
    assert more.replications == 5
    fewer = run(teaching(), replications=2, workers=1, store=tmp_path)
    assert fewer.rows.replications.tolist() == [0, 1]


def test_a_folder_says_what_it_holds_and_is_read_again(tmp_path):
    results = run(teaching(), replications=2, workers=1, rng=11, store=tmp_path)
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert manifest["root_entropy"] == 11
    assert manifest["scenario"] == "teaching"
    assert manifest["finished"]["replications"] == [0, 1]
    assert {"numpy", "python", "stream_scheme"} <= set(manifest["versions"])
    assert load_scenario(tmp_path / "scenario.toml") == teaching()
    assert "sampling noise only" in manifest["finished"]["interval"]
    found = load(tmp_path)
    assert found.rows.labels == results.rows.labels
    assert found.rows.values.tobytes() == results.rows.values.tobytes()
    assert found.describe().splitlines()[0] == results.describe().splitlines()[0]
    assert fingerprint(found.plan) == fingerprint(results.plan)


def test_fewer_replications_only_select_and_other_numbers_only_add(tmp_path):
    run(teaching(), replications=4, workers=1, store=tmp_path)
    before = contents(tmp_path)
    run(teaching(), replications=2, workers=1, store=tmp_path)
    run(teaching(), replications=[3, 1], workers=1, store=tmp_path)
    assert contents(tmp_path) == before
    other = run(teaching(), replications=[5, 3], workers=1, store=tmp_path)
    assert other.rows.replications.tolist() == [3, 5]
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert manifest["finished"]["replications"] == [0, 1, 2, 3, 5]
    assert load(tmp_path).rows.replications.tolist() == [0, 1, 2, 3, 5]


def test_another_run_is_refused_with_what_differs_by_path(tmp_path, monkeypatch):
    run(teaching(), replications=1, workers=1, store=tmp_path)
    before = contents(tmp_path)

    def refused(scenario=None, **changes):
        with pytest.raises(CorridorError, match="holds another run: ") as told:
            run(scenario or teaching(), **{"replications": 1, "workers": 1, "store": tmp_path, **changes})
        assert contents(tmp_path) == before
        return str(told.value)

    assert "root_entropy is 1 there and 2 here." in refused(rng=2)
    assert "changes run.horizon_days from 2.0 to 3.0" in refused(teaching(3))
    lanes = with_values(teaching(), {"checkpoints.northgate_a.exit.lanes.lanes": 5})
    assert "changes checkpoints.northgate_a.exit.lanes.lanes from 3 to 5" in refused(lanes)
    assert "indicators is [" in refused(indicators=["wait_h"])
    assert "options.vehicle_gap_m is 3.0 there and 4.0 here" in refused(options=Options(vehicle_gap_m=4.0))
    monkeypatch.setattr(keys, "SCHEME", 99)
    assert f"stream_scheme is {SCHEME} there and 99 here" in refused()


def test_what_decides_no_number_is_no_part_of_the_key(tmp_path):
    first = run(teaching(), replications=1, workers=1, store=tmp_path)
    other = teaching().replace(name="other", about="in other words")
    other = other.replace(run=other.run.replace(replications=77))
    for more in ({"engine": "event"}, {"memory_gb": 0.5}):
        again = run(other, replications=1, workers=1, store=tmp_path, **more)
        assert again.rows.values.tobytes() == first.rows.values.tobytes()
    assert len(list((tmp_path / "blocks").iterdir())) == 1
    assert load(tmp_path).name == "teaching"


def test_folders_of_something_else_are_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(CorridorError, match="not empty and holds no run"):
        run(teaching(), replications=1, workers=1, store=tmp_path)
    with pytest.raises(CorridorError, match="holds no run"):
        load(tmp_path / "nowhere")
    folder = tmp_path / "run"
    run(teaching(), replications=1, workers=1, store=folder)
    manifest = folder / "manifest.json"
    text = manifest.read_text()
    manifest.write_text(text.replace('"root_entropy": 1', '"root_entropy": 2'))
    with pytest.raises(CorridorError, match=r"manifest.json: its key does not fit"):
        load(folder)
    manifest.write_text(text.replace('"schema": 2', '"schema": 1'))
    with pytest.raises(CorridorError, match="layout 1 is unknown"):
        load(folder)
    manifest.write_text("{")
    with pytest.raises(CorridorError, match="not a manifest"):
        load(folder)


def cut_short(path):
    path.write_bytes(path.read_bytes()[:-100])


def with_another_value(path):
    with np.load(path) as arrays:
        found = dict(arrays)
    found["values"] = found["values"] + 1.0
    np.savez(path, **found)


def of_another_run(path):
    other = path.parent.parent.parent / "other"
    run(teaching(), replications=3, workers=1, rng=9, store=other)
    path.write_bytes((other / "blocks" / path.name).read_bytes())


def emptied(path):
    path.write_bytes(b"")


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (cut_short, "not a whole block"),
        (emptied, "not a whole block"),
        (with_another_value, "do not fit its checksum"),
        (of_another_run, "belongs to another run"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_damaged_block_is_named_set_aside_and_made_again(tmp_path, damage, words):
    folder = tmp_path / "kept"
    run(teaching(), replications=3, workers=1, store=folder)
    before = contents(folder)
    block = folder / "blocks" / "000001-000001.npz"
    damage(block)
    with pytest.raises(CorridorError, match=rf"000001-000001.npz: .*{words}.*running again with this store"):
        load(folder)
    with pytest.warns(StoreWarning, match=rf"000001-000001.npz: .*{words}.*set aside as 000001-000001.npz.damaged"):
        run(teaching(), replications=3, workers=1, store=folder)
    (folder / "blocks" / "000001-000001.npz.damaged").unlink()
    assert contents(folder) == before


def edited(path):
    path.write_text(path.read_text().replace("northgate_a", "northgate_c"))


@pytest.mark.parametrize("damage", [edited, cut_short, emptied], ids=lambda damage: damage.__name__)
@pytest.mark.parametrize("name", ["labels.json", "scenario.toml"])
def test_edited_labels_and_scenarios_are_refused_and_written_again_by_the_run(tmp_path, name, damage):
    run(teaching(), replications=2, workers=1, store=tmp_path)
    before = contents(tmp_path)
    damage(tmp_path / name)
    with pytest.raises(CorridorError, match=name):
        load(tmp_path)
    with pytest.warns(StoreWarning, match=rf"{name}: .* set aside as {name}.damaged"):
        run(teaching(), replications=2, workers=1, store=tmp_path)
    (tmp_path / f"{name}.damaged").unlink()
    assert contents(tmp_path) == before


def test_what_dead_writers_left_is_removed_and_what_others_write_is_not(tmp_path):
    run(teaching(), replications=1, workers=1, store=tmp_path)
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    machine = hashlib.blake2b(platform.node().encode(), digest_size=4).hexdigest()
    names = {
        "dead": f".000001-000001.npz.{machine}.{gone.pid}.1.part",
        "alive": f".000001-000001.npz.{machine}.{os.getppid()}.1.part",
        "elsewhere": ".000001-000001.npz.00000000.1.1.part",
        "old": ".000002-000002.npz.00000000.1.1.part",
    }
    for name in names.values():
        (tmp_path / "blocks" / name).write_bytes(b"half")
    os.utime(tmp_path / "blocks" / names["old"], (1, 1))
    assert len(Store(tmp_path).load()) == 1
    run(teaching(), replications=1, workers=1, store=tmp_path)
    left = {path.name for path in (tmp_path / "blocks").glob(".*")}
    known = {names["dead"]} if os.name == "posix" else set()
    assert left == set(names.values()) - {names["old"]} - known


def test_scenarios_of_a_comparison_are_found_by_what_they_hold_in_any_order(tmp_path):
    one, other = teaching(), teaching().replace(name="other", improvements={})
    settings = {"replications": 2, "workers": 1, "store": tmp_path}
    first = compare(one, other, **settings)
    before = contents(tmp_path)
    assert len(list(tmp_path.iterdir())) == 2
    again = compare(other, one, other.replace(name="the same"), **settings)
    assert contents(tmp_path) == before
    assert [found.name for found in again.runs] == ["other", "teaching", "the same"]
    assert [found.rows.values.tobytes() for found in again.runs] == [
        first.runs[k].rows.values.tobytes() for k in (1, 0, 1)
    ]
    with pytest.raises(CorridorError, match="it is a batch, load one of its runs"):
        load(tmp_path)
    for folder in tmp_path.iterdir():
        assert load(folder).name in ("teaching", "other")
        assert json.loads((folder / "manifest.json").read_text())["key"] == folder.name


def test_points_of_a_sweep_are_found_by_what_they_hold(tmp_path):
    lanes = "checkpoints.northgate_a.exit.lanes.lanes"
    settings = {"replications": 2, "workers": 1, "store": tmp_path, "indicators": ["wait_h"]}
    sweep(teaching(), {lanes: [3, 4]}, **settings)
    seen = []
    wider = sweep(teaching(), {lanes: [2, 4, 3]}, progress=lambda done, of: seen.append(done), **settings)
    assert seen == [1, 2]
    assert len(wider) == len(list(tmp_path.iterdir())) == 3


def test_a_comparison_is_not_put_into_the_folder_of_a_run(tmp_path):
    run(teaching(), replications=1, workers=1, store=tmp_path)
    with pytest.raises(CorridorError, match="holds a single run"):
        compare(teaching(), teaching(), replications=1, workers=1, store=tmp_path)


def test_fingerprints_tell_content_apart():
    assert fingerprint({"a": 1, "b": (1.0, 2)}) == fingerprint({"b": [1.0, 2], "a": 1})
    different = [1, 1.0, True, "1", None, [1], {"1": 1}, np.array([1.0]), np.array([1]), frozenset({1})]
    assert len({fingerprint(one) for one in different}) == len(different)
    with pytest.raises(TypeError, match="fingerprint of a object"):
        fingerprint(object())
