"""Runs that survive: interrupted, resumed to the same bytes, read again, never mixed up."""

import json

import numpy as np
import pytest

from corridor_sim.core.errors import CorridorError
from corridor_sim.core.fingerprints import fingerprint
from corridor_sim.files.scenario_files import load_scenario
from corridor_sim.study.run import compare, run
from corridor_sim.study.store import Store, load

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


def test_blocks_of_another_run_are_never_mixed_in(tmp_path):
    run(teaching(), replications=1, workers=1, store=tmp_path)
    with pytest.raises(CorridorError, match="root_entropy is 1 there and 2 here"):
        run(teaching(), replications=1, workers=1, rng=2, store=tmp_path)
    with pytest.raises(CorridorError, match="fingerprint is"):
        run(teaching(3), replications=1, workers=1, store=tmp_path)
    with pytest.raises(CorridorError, match="indicators is"):
        run(teaching(), replications=1, workers=1, indicators=["wait_h"], store=tmp_path)


def test_folders_of_something_else_and_broken_blocks_are_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(CorridorError, match="not empty and holds no run"):
        run(teaching(), replications=1, workers=1, store=tmp_path)
    with pytest.raises(CorridorError, match="holds no run"):
        load(tmp_path / "nowhere")
    folder = tmp_path / "run"
    run(teaching(), replications=1, workers=1, store=folder)
    block = next((folder / "blocks").iterdir())
    block.write_bytes(block.read_bytes()[:100])
    with pytest.raises(CorridorError, match=r"000000-000000.npz: not a finished block .*delete it"):
        run(teaching(), replications=1, workers=1, store=folder)
    (folder / "manifest.json").write_text("{")
    with pytest.raises(CorridorError, match="not a manifest"):
        load(folder)


def test_half_written_blocks_are_not_seen(tmp_path):
    run(teaching(), replications=1, workers=1, store=tmp_path)
    (tmp_path / "blocks" / ".000001-000001.npz.77.part").write_bytes(b"half")
    assert len(Store(tmp_path).load()) == 1


def test_each_scenario_of_a_comparison_has_a_folder(tmp_path):
    compare(teaching(), teaching().replace(name="other"), replications=2, workers=1, store=tmp_path)
    assert [json.loads((tmp_path / n / "manifest.json").read_text())["scenario"] for n in ("00", "01")] == [
        "teaching",
        "other",
    ]


def test_fingerprints_tell_content_apart():
    assert fingerprint({"a": 1, "b": (1.0, 2)}) == fingerprint({"b": [1.0, 2], "a": 1})
    different = [1, 1.0, True, "1", None, [1], {"1": 1}, np.array([1.0]), np.array([1]), frozenset({1})]
    assert len({fingerprint(one) for one in different}) == len(different)
    with pytest.raises(TypeError, match="fingerprint of a object"):
        fingerprint(object())
