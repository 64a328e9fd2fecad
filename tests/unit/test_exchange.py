"""Results for other programs: datasets, Arrow, maps, workbooks; read back by those programs where they are there."""

import json
import sqlite3
import struct
import zipfile

import numpy as np
import pandas as pd
import pytest
from command_line import called

import corridor_sim as cs
from corridor_sim.core.errors import CorridorError, MissingExtra
from corridor_sim.exchange import datasets, maps, workbooks
from corridor_sim.exchange.geopackages import geopackage_bytes
from corridor_sim.exchange.maps import layers_of
from corridor_sim.results.accessors import bound

AT = {
    "checkpoints.northgate_a.lat": 41.0,
    "checkpoints.northgate_a.lon": 48.0,
    "checkpoints.northgate_b.lat": 41.1,
    "checkpoints.northgate_b.lon": 48.1,
}

pytestmark = pytest.mark.filterwarnings("ignore::corridor_sim.CorridorWarning")


@pytest.fixture(scope="module")
def pair():
    """A comparison of two scenarios whose posts have coordinates."""
    base, other = (cs.load_scenario(name, AT) for name in ("teaching", "teaching_priority_lane"))
    return cs.compare(base, other, replications=3, rng=1)


@pytest.fixture(scope="module")
def run(pair):
    return pair.runs[0]


# ---------------------------------------------------------------- datasets


def test_a_dataset_holds_every_value_by_the_names_of_its_row(run, pair):
    pytest.importorskip("xarray")
    for source, runs in ((run, [run]), (pair, pair.runs)):
        data = source.to_dataset()
        count = 0
        for number, one in enumerate(runs):
            for label, values in one.rows:
                if label.hour is None and label.day is None:
                    cell = data[label.indicator].isel(scenario=number)
                    at = {"place": label.place, "direction": label.direction, "cargo_class": label.cargo_class}
                    at["of"] = label.of
                    cell = cell.sel({axis: value for axis, value in at.items() if axis in cell.dims})
                    assert np.array_equal(cell.values, values, equal_nan=True), label
                    units = data[label.indicator].attrs["units"]
                    assert units == ("1" if label.unit == "-" else label.unit)
                    count += 1
        assert count > 200
        assert data["wait_h"].dims == ("scenario", "place", "direction", "cargo_class", "replication")
        assert data["kind"].sel(place="northgate_a") == "post"


def test_rows_by_hour_and_day_are_variables_of_their_own(run):
    pytest.importorskip("xarray")
    data = run.to_dataset(by_time=True)
    row = run.rows.row("queue_by_hour", place="northgate_a", direction="exit", hour=7)
    found = data["queue_by_hour"].sel(place="northgate_a", direction="exit", hour=7).squeeze()
    assert np.array_equal(found, row, equal_nan=True)
    assert {"queue_p50_km", "queue_p50_km_by_hour"} <= set(data.data_vars)
    assert str(data["date"].sel(day=0).item()) == "2024-01-01"


def test_a_dataset_comes_back_from_netcdf_as_it_was(pair, tmp_path):
    xr = pytest.importorskip("xarray")
    pytest.importorskip("h5netcdf")
    data = pair.to_dataset(by_time=True)
    pair.to_netcdf(tmp_path / "pair.nc", by_time=True)
    back = xr.load_dataset(tmp_path / "pair.nc", engine="h5netcdf")
    xr.testing.assert_identical(back, data)
    assert back["wait_h"].dtype == float


def test_places_of_two_kinds_with_one_id_stay_apart(run):
    pytest.importorskip("xarray")
    from dataclasses import replace

    from corridor_sim.indicators.table import Table

    labels = tuple(
        replace(label, place="same") if label.place in ("northgate_a", "market") or label.kind == "corridor" else label
        for label in run.rows.labels
    )
    mixed = run.with_rows(Table(labels, run.rows.values, run.rows.replications))
    assert {"post:same", "corridor:same"} <= set(mixed.to_dataset().place.values)


def test_a_dataset_too_large_says_how_to_select(run, monkeypatch):
    pytest.importorskip("xarray")
    monkeypatch.setattr(datasets, "MOST_VALUES", 1000)
    with pytest.raises(CorridorError, match='select: to_dataset\\(\\["wait_h"\\], kind="post"\\)'):
        run.to_dataset()
    assert run.to_dataset("tfi1").sizes["place"] == 1


# ---------------------------------------------------------------- Arrow


def test_results_comparisons_and_sweeps_are_arrow_streams(run, pair):
    pa = pytest.importorskip("pyarrow")
    swept = cs.sweep("teaching", {"flows.flour.per_day": [100.0, 120.0]}, replications=2, rng=1)
    for source, frame in ((run, run.to_frame()), (pair, pair.table("all")), (swept, swept.to_frame())):
        table = pa.table(source)
        assert table.column_names == list(frame.columns)
        assert table.num_rows == len(frame)
        numbers = [name for name in frame if frame[name].dtype == float]
        assert numbers
        for name in numbers:
            assert np.array_equal(table[name].to_numpy(), frame[name].to_numpy(), equal_nan=True)
        assert "engine" in json.dumps(json.loads(table.schema.metadata[b"corridor_sim"]))


def test_polars_and_duckdb_read_results(run):
    frame = run.to_frame()
    polars = pytest.importorskip("polars")
    assert polars.DataFrame(run).shape == frame.shape
    duckdb = pytest.importorskip("duckdb")
    assert duckdb.sql("select count(*) from run").fetchall() == [(len(frame),)]


# ---------------------------------------------------------------- maps


def test_a_map_has_waits_load_and_queues_of_posts(run):
    made = json.loads(json.dumps(run.to_geojson(), allow_nan=False, default=str))
    posts = {one["properties"]["id"]: one for one in made["features"] if one["properties"]["layer"] == "posts"}
    assert posts["northgate_a"]["geometry"] == {"type": "Point", "coordinates": [48.0, 41.0]}
    row = run.summary("wait_h", place="northgate_a", direction="exit", cargo_class="").iloc[0]
    told = posts["northgate_a"]["properties"]
    assert [told[f"wait_h_exit{end}"] for end in ("", "_low", "_high")] == [row["mean"], row["low"], row["high"]]
    for name in ("saturation", "queue_mean", "throughput_per_day"):
        mean = run.summary(name, kind="post", place="northgate_a", direction="exit").iloc[0]["mean"]
        assert told[f"{name}_exit"] == pytest.approx(mean, rel=1e-12)
    legs = [one for one in made["features"] if one["properties"]["layer"] == "legs"]
    assert [one["geometry"]["coordinates"] for one in legs] == [[[48.0, 41.0], [48.1, 41.1]]]
    assert legs[0]["properties"]["throughput_per_day_forward"] > 0
    assert "mill" in made["left_out"]


def test_a_map_of_a_comparison_tells_the_scenarios_apart(pair):
    ids = [one["id"] for one in pair.to_geojson()["features"]]
    assert len(ids) == len(set(ids)) == 2 * 4 + 4
    assert "posts/teaching_priority_lane/northgate_a" in ids
    assert "post_differences/teaching_priority_lane/northgate_a" in ids


def test_a_map_has_load_and_overload_of_legs_that_hold_up(run):
    legs = {**run.scenario.legs, "bridge": run.scenario.legs["bridge"].replace(headway_h=0.2)}
    full = cs.run(run.scenario.replace(legs=legs), replications=2, rng=1)
    (bridge,) = (row for layer in layers_of(full)[0] if layer.name == "legs" for row in layer.rows)
    load = full.summary("saturation", place="leg:bridge>").iloc[0]["mean"]
    assert load > 1
    assert bridge["saturation_forward"] == pytest.approx(load, rel=1e-12)
    assert bridge["wait_h_forward"] > 0
    assert "leg:bridge>" in bridge["overloaded"]
    assert bridge["name"] == "Northgate A – Northgate B"


def test_a_crossing_stands_between_its_posts_with_the_time_to_clear_both(run):
    made = run.to_geojson()
    (one,) = (one for one in made["features"] if one["properties"]["layer"] == "crossings")
    assert one["geometry"] == {"type": "Point", "coordinates": pytest.approx([48.05, 41.05])}
    told = one["properties"]
    assert (told["forward"], told["backward"]) == ("A>B", "B>A")
    for word, way in (("forward", "A>B"), ("backward", "B>A")):
        row = run.summary("tfi1", place="northgate", direction=way, cargo_class="").iloc[0]
        assert [told[f"tfi1_{word}{end}"] for end in ("", "_low", "_high")] == [row["mean"], row["low"], row["high"]]


def test_a_crossing_of_posts_without_coordinates_or_across_the_180th_meridian_is_left_out(run):
    posts = run.scenario.checkpoints
    for changed in ({"lat": None, "lon": None}, {"lon": -179.0}):
        moved = {**posts, "northgate_b": posts["northgate_b"].replace(**changed)}
        layers, left_out = layers_of(cs.run(run.scenario.replace(checkpoints=moved), replications=2, rng=1))
        assert "northgate" in left_out
        assert "crossings" not in [layer.name for layer in layers]


def test_the_differences_of_a_map_are_those_of_the_comparison(pair):
    made = json.loads(json.dumps(pair.to_geojson(), allow_nan=False, default=str))
    other = pair.names[1]
    table = pair.table(list(maps.INDICATORS), cargo_class="", of="")
    table = table.set_index(["indicator", "kind", "place", "direction"])
    found = {one["id"]: one["properties"] for one in made["features"]}
    looked_at = 0
    for kind, id, ways, names in (
        ("post", "northgate_a", {"exit": "exit", "entry": "entry"}, maps.OF_POSTS),
        ("crossing", "northgate", {"A>B": "forward", "B>A": "backward"}, maps.OF_CROSSINGS),
        ("leg", "bridge", {">": "forward", "<": "backward"}, ("throughput_per_day",)),
    ):
        told = found[f"{kind}_differences/{other}/{id}"]
        assert (told["scenario"], told["base"]) == (other, pair.names[0])
        for name in names:
            for way, word in ways.items():
                row = table.loc[(name, kind, id, way)]
                for end in ("difference", "low", "high"):
                    value = told[f"{name}_{word}_{end}"]
                    assert (np.nan if value is None else value) == pytest.approx(row[end], nan_ok=True)
                    looked_at += value is not None
                assert told[f"{name}_{word}_verdict"] == row["verdict"]
                unit = "1" if row["unit"] == "-" else row["unit"]
                assert made["units"][f"{name}_{word}_difference"] == unit
    assert looked_at > 40
    assert "less" in {value for one in found.values() for key, value in one.items() if key.endswith("_verdict")}


def test_without_coordinates_there_is_no_map():
    run = cs.run("teaching", replications=2, rng=1)
    with pytest.raises(CorridorError, match="nothing has coordinates"):
        run.to_geojson()


def test_a_geopackage_is_one_by_the_standard(pair, tmp_path):
    path = tmp_path / "pair.gpkg"
    pair.to_geopackage(path)
    assert path.read_bytes()[68:72] == b"GPKG"
    with sqlite3.connect(path) as base:
        assert base.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert not base.execute("PRAGMA foreign_key_check").fetchall()
        contents = dict(base.execute("SELECT table_name, data_type FROM gpkg_contents"))
        layers = ("post", "leg", "crossing")
        kinds = {name: "features" for kind in layers for name in (f"{kind}s", f"{kind}_differences")}
        kinds |= dict.fromkeys(("summary", "units", "about"), "attributes")
        assert contents == kinds
        systems = {row[0] for row in base.execute("SELECT srs_id FROM gpkg_spatial_ref_sys")}
        assert systems == {-1, 0, 4326}
        geometry, wait_h = base.execute(
            "SELECT geom, wait_h_exit FROM posts WHERE id = 'northgate_a' AND scenario = 'teaching'"
        ).fetchone()
        assert geometry[:4] == b"GP\x00\x01"
        assert struct.unpack("<i", geometry[4:8]) == (4326,)
        assert struct.unpack("<BIdd", geometry[8:]) == (1, 1, 48.0, 41.0)
        told = pair.runs[0].summary("wait_h", place="northgate_a", direction="exit", cargo_class="").iloc[0]["mean"]
        assert wait_h == told
        rows = base.execute("SELECT count(*) FROM summary").fetchone()[0]
    assert rows == sum(len(run.summary()) for run in pair.runs)
    with pytest.raises(CorridorError, match="exists"):
        pair.to_geopackage(path)


def test_geopandas_reads_the_geopackage(pair, tmp_path):
    geopandas = pytest.importorskip("geopandas")
    (tmp_path / "pair.gpkg").write_bytes(geopackage_bytes(pair))
    posts = geopandas.read_file(tmp_path / "pair.gpkg", layer="posts")
    assert posts.crs.to_epsg() == 4326
    assert posts.total_bounds.tolist() == [48.0, 41.0, 48.1, 41.1]
    assert posts["wait_h_exit"].dtype == float
    changes = geopandas.read_file(tmp_path / "pair.gpkg", layer="post_differences").set_index("id")
    row = pair.table("wait_h", place="northgate_a", direction="exit", cargo_class="").iloc[0]
    assert changes.loc["northgate_a", "wait_h_exit_difference"] == row["difference"]
    ends = changes.loc["northgate_a", ["wait_h_exit_low", "wait_h_exit_high"]].tolist()
    assert ends == row[["low", "high"]].tolist()
    crossings = geopandas.read_file(tmp_path / "pair.gpkg", layer="crossing_differences")
    assert crossings.geom_type.tolist() == ["Point"]
    assert crossings["tfi1_forward_difference"].dtype == float
    units = geopandas.read_file(tmp_path / "pair.gpkg", layer="units")
    assert ("crossing_differences", "tfi1_forward_difference", "h") in units[["layer", "column", "unit"]].itertuples(
        index=False, name=None
    )


def test_geopandas_reads_the_geojson_of_a_comparison(pair, tmp_path):
    geopandas = pytest.importorskip("geopandas")
    path = tmp_path / "pair.geojson"
    given = [part for key, value in AT.items() for part in ("--set", f"{key}={value}")]
    told = called("export", *pair.names, "-n", 3, "--seed", 1, "-q", *given, "-o", path)
    assert told.exit_code == 0, told.output
    frame = geopandas.read_file(path)
    changes = frame[frame["layer"] == "crossing_differences"]
    assert len(changes) == 1
    row = pair.table("tfi1", kind="crossing", direction="A>B", cargo_class="").iloc[0]
    assert changes["tfi1_forward_difference"].tolist() == pytest.approx([row["difference"]])


# ---------------------------------------------------------------- workbooks


def sheets(path):
    calamine = pytest.importorskip("python_calamine")
    book = calamine.load_workbook(path)
    return {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}


def test_a_workbook_has_every_table_of_a_comparison(pair, tmp_path):
    pytest.importorskip("xlsxwriter")
    pair.to_excel(tmp_path / "pair.xlsx")
    found = sheets(tmp_path / "pair.xlsx")
    assert list(found) == ["about", "inputs", "differences", "summary", "by time", "replications"]
    table = pair.table("all")
    assert found["differences"][0] == list(table.columns)
    assert len(found["differences"]) == len(table) + 1
    for name in ("difference", "low", "high"):
        column = found["differences"][0].index(name)
        read = [np.nan if row[column] == "" else row[column] for row in found["differences"][1:]]
        assert read == pytest.approx(table[name].tolist(), rel=1e-15, nan_ok=True)  # 16 digits are written
    assert len(found["summary"]) == sum(len(run.summary()) for run in pair.runs) + 1
    assert any("priority" in str(row) for row in found["inputs"])


def test_a_text_that_looks_like_a_formula_stays_a_text(tmp_path):
    pytest.importorskip("xlsxwriter")
    frame = pd.DataFrame({"name": ["=1+1", "https://a.example", "1,5"], "x": [1.5, float("nan"), -2.0]})
    run = cs.run("teaching", replications=2, rng=1)
    (tmp_path / "x.xlsx").write_bytes(workbooks.workbook_bytes(run, {"more": frame}))
    assert sheets(tmp_path / "x.xlsx")["more"] == [
        ["name", "x"],
        ["=1+1", 1.5],
        ["https://a.example", ""],
        ["1,5", -2.0],
    ]
    with zipfile.ZipFile(tmp_path / "x.xlsx") as archive:
        assert not any(b"<f>" in archive.read(name) for name in archive.namelist() if "worksheets/sheet" in name)


def test_the_workbook_of_an_appraisal_has_the_annex_of_a_bank(pair, tmp_path):
    pytest.importorskip("xlsxwriter")
    from corridor_sim.model.improvements import AddLanes

    base = cs.load_scenario("teaching")
    lane = AddLanes(at="checkpoints.northgate_a.exit.lanes", lanes=1, capex_usd=1e5, opex_usd_year=1e3, life_years=10.0)
    compared = cs.compare(base, base.with_improvements(lane=lane), replications=3, rng=1)
    found = cs.appraise(compared, discount_rate=0.06, years=10)
    found.to_excel(tmp_path / "worth.xlsx")
    read = sheets(tmp_path / "worth.xlsx")
    assert list(read) == ["criteria", "figures", "annex", "years", "gains"]
    annex = found.annex()
    assert read["annex"][0] == list(annex.columns)
    assert [row[-1] for row in read["annex"][1:]] == pytest.approx(annex["net_benefit"].tolist())
    assert read["annex"][-1][0] == "present value at 6 %"


def test_a_table_larger_than_a_sheet_is_an_error_that_says_so(run, monkeypatch):
    pytest.importorskip("xlsxwriter")
    monkeypatch.setattr(workbooks, "MOST_ROWS", 100)
    with pytest.raises(CorridorError, match=r"'summary' has .* rows"):
        workbooks.workbook_bytes(run)


# ---------------------------------------------------------------- the command, and what is not installed


@pytest.mark.parametrize("ending", ["xlsx", "nc", "arrows", "parquet"])
def test_export_writes_two_scenarios_side_by_side(ending, tmp_path):
    for name in {"xlsx": ["xlsxwriter"], "nc": ["xarray", "h5netcdf"]}.get(ending, ["pyarrow"]):
        pytest.importorskip(name)
    path = tmp_path / f"two.{ending}"
    told = called("export", "teaching", "teaching_priority_lane", "-n", 2, "-q", "-o", path)
    assert told.exit_code == 0, told.output
    assert path.stat().st_size > 1000


@pytest.fixture
def nothing_runs(monkeypatch):
    """A run is a failure of the test."""

    def run(*given, **how):
        raise AssertionError("a run was started")

    monkeypatch.setattr("corridor_sim.study.run.run_all", run)
    monkeypatch.setattr("corridor_sim.study.run.run", run)


def test_export_refuses_before_it_runs_what_has_no_map(tmp_path, nothing_runs):
    for files in (["teaching"], ["teaching", "teaching_priority_lane"]):
        told = called("export", *files, "-q", "-o", tmp_path / "a.gpkg")
        assert told.exit_code == 2
        assert "nothing has coordinates" in told.output


def test_export_refuses_before_it_runs_what_cannot_be_compared(tmp_path, nothing_runs):
    pytest.importorskip("pyarrow")
    told = called("export", "baseline_2023", "no_roadmap_2023", "-q", "-o", tmp_path / "a.parquet")
    assert told.exit_code == 2
    assert "cannot be compared as pairs" in told.output


def test_export_runs_scenarios_of_other_seeds_on_those_of_the_first(tmp_path):
    pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    other = cs.load_scenario("teaching_priority_lane", {"run.seed": 77, "run.replications": 3})
    cs.save_scenario(other, tmp_path / "other.toml")
    told = called("export", "teaching", tmp_path / "other.toml", "-n", 2, "-q", "-o", tmp_path / "a.parquet")
    assert told.exit_code == 0, told.output
    alike = cs.compare("teaching", other, replications=2).to_arrow()
    assert pq.read_table(tmp_path / "a.parquet").equals(alike)


def test_export_of_several_as_csv_says_who_writes_their_tables(tmp_path):
    told = called("export", "teaching", "teaching_priority_lane", "-o", tmp_path / "a.csv")
    assert told.exit_code == 2
    words = " ".join(told.output.split())
    assert ".csv of export is the event log, a line an event: it takes one FILE, got 2; corridor-sim run" in words


def test_export_of_a_network_runs_nothing(tmp_path):
    assert called("export", "teaching", "-q", "-o", tmp_path / "net.json").exit_code == 0
    assert json.loads((tmp_path / "net.json").read_text(encoding="utf-8"))["multigraph"]


@pytest.mark.parametrize("command", ["run", "compare"])
def test_run_and_compare_write_a_workbook(command, tmp_path):
    pytest.importorskip("xlsxwriter")
    files = ["teaching"] if command == "run" else ["teaching", "teaching_priority_lane"]
    told = called(command, *files, "-n", 2, "-q", "-o", tmp_path / "x.xlsx")
    assert told.exit_code == 0, told.output
    assert ("differences" in sheets(tmp_path / "x.xlsx")) == (command == "compare")
    assert called(command, *files, "--format", "xlsx").exit_code == 2


@pytest.mark.parametrize(
    ("module", "name", "extra"),
    [
        ("xarray", "to_dataset", "xarray"),
        ("pyarrow", "to_arrow", "parquet"),
        ("xlsxwriter", "workbook_bytes", "excel"),
    ],
)
def test_what_is_not_installed_is_named_with_its_extra(module, name, extra, run, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, module, None)
    with pytest.raises(MissingExtra, match=rf"corridor-sim\[{extra}\]"):
        getattr(run, name)() if hasattr(run, name) else bound(name)(run)
