"""Event logs: the visits of a run as events, to CSV and to XES, and what process mining reads out of them."""

import csv
import datetime as dt
import gzip
import os
import re
import warnings
import xml.etree.ElementTree as ET
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from command_line import called

import corridor_sim as cs
from corridor_sim.core.errors import ArgumentError

XES = "{http://www.xes-standard.org/}"
POST = "northgate_b"
ROOT = Path(__file__).parents[2]


def few(run, *arguments, **settings):
    """A run of so few replications that it warns."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", cs.CorridorWarning)
        return run(*arguments, **settings)


@pytest.fixture(scope="module")
def ran():
    short = cs.load_scenario("teaching", {"run.horizon_days": 3})
    return few(cs.run, short, replications=2, rng=5, workers=1, records=True)


@pytest.fixture(scope="module")
def log(ran):
    return ran.event_log()


def wide(log, *keys):
    """One line a visit, a column for each word of the lifecycle. [h]"""
    where = ["replication", "flow", "consignment", "step", "element", "post", *keys]
    return log.pivot(index=where, columns="lifecycle", values="time_h").reset_index()


def test_start_less_schedule_is_the_wait_of_the_table_and_complete_less_schedule_the_stay(ran):
    counted = wide(ran.event_log(since=ran.scope.counts_from_h, until=ran.scope.until_h))
    for number in range(2):
        mine = counted[counted["replication"] == number]
        lanes = mine[mine["element"] == f"{POST}.entry.lanes"].dropna(subset="start")
        expected = ran.rows.row("wait_h", kind="stage", place=f"{POST}.entry.lanes")[number]
        assert (lanes["start"] - lanes["schedule"]).mean() == pytest.approx(expected, abs=1e-9)
    assert len(counted) > 100


def test_events_of_a_consignment_stand_in_the_order_in_which_they_happened(log):
    words = {"schedule": 0, "start": 1, "complete": 2}
    for _, events in log.groupby("case"):
        order = (events["step"] * 3 + events["lifecycle"].map(words)).tolist()
        assert order == sorted(order)
        assert events["time_h"].is_monotonic_increasing


def test_nothing_is_in_the_log_that_did_not_happen_and_all_that_did_is(ran, log):
    visits = ran.visits()
    for word, column in (("schedule", "join_h"), ("start", "start_h"), ("complete", "leave_h")):
        assert (log["lifecycle"] == word).sum() == visits[column].notna().sum()
    assert visits["leave_h"].isna().any()


def test_no_two_hold_a_lane_at_once_and_no_more_lanes_are_named_than_there_are(log):
    held = log[log["resource"] != ""]
    assert set(held["lifecycle"]) == {"start", "complete"}
    for (_, resource), events in held.groupby(["replication", "resource"]):
        begin = events[events["lifecycle"] == "start"].set_index("case")["time_h"]
        end = events[events["lifecycle"] == "complete"].set_index("case")["time_h"].reindex(begin.index)
        assert (begin.to_numpy()[1:] >= end.to_numpy()[:-1]).all(), resource
    lanes = held.loc[held["element"] == f"{POST}.entry.lanes", "resource"].unique()
    assert sorted(lanes) == [f"{POST}.entry.lanes#{k}" for k in (1, 2, 3)]


def test_places_times_and_replications_choose_whole_visits(ran, log):
    some = ran.event_log(places=[POST, "bridge"], since=30.0, until=dt.datetime(2024, 1, 2, 12), replications=[1])
    assert set(some["replication"]) == {1}
    assert set(some["post"]) == {POST, ""}
    assert set(some.loc[some["post"] == "", "element"]) == {"leg:bridge>", "leg:bridge<"}
    joined = some[some["lifecycle"] == "schedule"]
    assert joined["time_h"].between(30.0, 36.0, inclusive="left").all()
    assert some["time_h"].max() > joined["time_h"].max()
    here = log[(log["replication"] == 1) & (log["post"] == POST) & (log["lifecycle"] == "schedule")]
    assert (joined["post"] == POST).sum() == here["time_h"].between(30.0, 36.0, inclusive="left").sum()
    assert ran.event_log(since=10.0, until=10.0 + 1e-9).empty


def test_what_the_run_does_not_have_is_refused(ran):
    with pytest.raises(ArgumentError, match=r"'northgate_c' is on the way of any flow; did you mean 'northgate_[ab]'"):
        ran.event_log(places="northgate_c")
    with pytest.raises(ArgumentError, match="replications must be some of 0, 1, got 7"):
        ran.event_log(replications=[7])
    with pytest.raises(ArgumentError, match="since must be before until, got hours 30 and 20"):
        ran.event_log(since=30, until=20)
    with pytest.raises(ArgumentError, match=r"are not in the run: it has hours 0 to 72, 2024-01-01 .* to 2024-01-04"):
        ran.event_log(since=dt.datetime(2025, 1, 2))
    with pytest.raises(cs.CorridorError, match="records=True"):
        few(cs.run, "teaching", replications=1, workers=1, indicators=["created"]).event_log()


def test_local_times_carry_the_offset_of_their_post_also_when_the_clocks_change():
    text = (ROOT / "scenarios" / "teaching.toml").read_text(encoding="utf-8")
    text = text.replace("start = 2024-01-01", "start = 2024-03-30").replace("horizon_days = 14", "horizon_days = 3")
    text = text.replace("utc_offset_h = 2.0", 'zone = "Europe/Helsinki"').replace("from = 2024-01-08", "")
    scenario = cs.loads(text)
    log = few(cs.run, scenario, replications=1, workers=1, records=True).event_log(places=POST)
    told = log["local_time"].map(dt.datetime.fromisoformat)
    utc = told.map(lambda one: one.astimezone(dt.UTC).replace(tzinfo=None))
    assert (pd.to_datetime(utc) == log["timestamp"]).all()
    change = pd.Timestamp("2024-03-31 01:00")
    offsets = told.map(lambda one: one.utcoffset() / dt.timedelta(hours=1))
    assert set(offsets[log["timestamp"] < change]) == {2.0}
    assert set(offsets[log["timestamp"] >= change]) == {3.0}


# ---------------------------------------------------------------- XES


def test_xes_has_what_the_standard_asks_for(ran):
    text = ran.to_xes(places=POST)
    root = ET.fromstring(text)
    assert Decimal(root.get("xes.version")) == Decimal("1849.2023")
    prefixes = {one.get("prefix"): one.get("uri") for one in root.iter(f"{XES}extension")}
    assert prefixes["time"] == "http://www.xes-standard.org/time.xesext"
    kinds = [one.tag.removeprefix(XES) for one in root]
    order = ["extension", "global", "classifier", "string", "trace"]
    assert kinds == sorted(kinds, key=order.index)
    name = re.compile(r"[A-Za-z_:][\w:.-]*")  # keys are XML names, names of classifiers have no colon
    assert all(name.fullmatch(one.get("key")) for one in root.iter() if one.get("key") is not None)
    assert all(re.fullmatch(r"[A-Za-z_][\w.-]*", one.get("name")) for one in root.iter(f"{XES}classifier"))
    keys = {one.get("key") for event in root.iter(f"{XES}event") for one in event}
    assert keys == {"concept:name", "lifecycle:transition", "time:timestamp", "org:resource", "org:group"}
    asked = {one.get("key") for scope in root.iter(f"{XES}global") if scope.get("scope") == "event" for one in scope}
    for event in root.iter(f"{XES}event"):
        there = {one.get("key"): one.get("value") for one in event}
        assert asked <= set(there)
        assert dt.datetime.fromisoformat(there["time:timestamp"]).utcoffset() == dt.timedelta(hours=2)
    log = ran.event_log(places=POST)
    assert len(list(root.iter(f"{XES}event"))) == len(log)
    assert len(list(root.iter(f"{XES}trace"))) == log["case"].nunique()


SIMPLE = {
    "string": r".*",
    "int": r"[+-]?\d+",
    "date": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?([+-]\d\d:\d\d|Z)",  # xs:dateTime with an offset
}
"""Types of attributes that are written, and how XML Schema spells their values."""
HOLDS = {
    "log": {"extension", "global", "classifier", "trace", *SIMPLE},
    "trace": {"event", *SIMPLE},
    "event": set(SIMPLE),
    "global": set(SIMPLE),
}
HAS = {
    "log": {"xes.version", "xes.features"},
    "extension": {"name", "prefix", "uri"},
    "global": {"scope"},
    "classifier": {"name", "scope", "keys"},
    "trace": set(),
    "event": set(),
    **{kind: {"key", "value"} for kind in SIMPLE},
}


def test_xes_keeps_the_structure_of_the_standard(ran):
    """Rules of its serialization one by one: its XML Schema is not in the repository, nor fetched by a test."""
    root = ET.fromstring(ran.to_xes(places=POST))
    assert root.tag == f"{XES}log"
    for one in root.iter():
        kind = one.tag.removeprefix(XES)
        assert kind in HAS, f"{one.tag} is no element of the namespace of the standard"
        assert set(one.attrib) == HAS[kind]
        inside = [other.tag.removeprefix(XES) for other in one]
        assert set(inside) <= HOLDS.get(kind, set())
        if kind == "trace":  # attributes before events
            assert inside == sorted(inside, key="event".__eq__)
        if kind in SIMPLE:
            assert re.fullmatch(SIMPLE[kind], one.get("value"), re.DOTALL), ET.tostring(one)
        keys = [other.get("key") for other in one if other.get("key") is not None]
        assert len(keys) == len(set(keys)), f"a key stands twice in one {kind}"
    declared = {one.get("prefix") for one in root.iter(f"{XES}extension")}
    used = {one.get("key").partition(":")[0] for one in root.iter() if ":" in one.get("key", "")}
    assert used == declared  # none that is not declared, and none declared for nothing
    asked = {one.get("scope"): {other.get("key") for other in one} for one in root.iter(f"{XES}global")}
    assert set(asked) == {"trace", "event"}
    for one in (*root.iter(f"{XES}trace"), *root.iter(f"{XES}event")):
        assert asked[one.tag.removeprefix(XES)] <= {other.get("key") for other in one}
    for one in root.iter(f"{XES}classifier"):  # a classifier is of keys that every event has
        assert set(one.get("keys").split()) <= asked[one.get("scope")]


def test_xes_is_valid_by_the_schema_of_the_standard(ran):
    """Where CORRIDOR_SIM_XES_SCHEMA names a copy. It has no target namespace and is given that of the log."""
    etree = pytest.importorskip("lxml.etree")
    if not (path := os.environ.get("CORRIDOR_SIM_XES_SCHEMA")):
        pytest.skip("CORRIDOR_SIM_XES_SCHEMA names no copy of the schema of IEEE 1849")
    text = Path(path).read_text(encoding="utf-8")
    if "targetNamespace" not in text:
        space = XES.strip("{}")
        text = text.replace("<xs:schema ", f'<xs:schema targetNamespace="{space}" xmlns="{space}" ', 1)
    schema = etree.XMLSchema(etree.fromstring(text.encode()))
    schema.assertValid(etree.fromstring(ran.to_xes(places=POST).encode()))


def test_words_of_a_scenario_cannot_break_the_file(ran):
    from dataclasses import replace

    odd = replace(ran, scenario=ran.scenario.model_copy(update={"name": 'a<b & "c"\u0007'}))
    root = ET.fromstring(odd.to_xes(places="bridge", replications=[0]))
    assert root.find(f"{XES}string").get("value") == 'a<b & "c"�'


def test_a_log_that_is_too_large_is_refused_before_it_is_made(ran, log, monkeypatch):
    monkeypatch.setattr("corridor_sim.results.event_logs.MAX_EVENTS", len(log) // 2)
    with pytest.raises(ArgumentError, match=r"events \(limit [\d,]+\): take fewer replications .*--place.*--since"):
        ran.event_log()
    with pytest.raises(ArgumentError, match="limit"):
        ran.to_xes()
    assert 0 < len(ran.event_log(replications=[0], places=POST)) < len(log) // 2


def test_traces_are_written_with_the_events_of_the_log_in_their_order(ran):
    log = ran.event_log(until=40.0)
    told = {}
    for trace in ET.fromstring(ran.to_xes(until=40.0)).iter(f"{XES}trace"):
        words = {one.get("key"): one.get("value") for one in trace if one.tag != f"{XES}event"}
        events = [{one.get("key"): one.get("value") for one in event} for event in trace.iter(f"{XES}event")]
        told[words["concept:name"]] = (words, events)
    assert list(told) == list(log.sort_values(["replication", "flow", "consignment"], kind="stable")["case"].unique())
    for case, rows in log.groupby("case"):
        words, events = told[case]
        assert (words["flow"], words["route"]) == (rows["flow"].iloc[0], rows["route"].iloc[0])
        for row, event in zip(rows.to_dict("records"), events, strict=True):
            assert event["concept:name"] == row["activity"]
            assert event["lifecycle:transition"] == row["lifecycle"]
            assert event["time:timestamp"] == row["local_time"]
            assert (event.get("org:resource", ""), event.get("org:group", "")) == (row["resource"], row["post"])


def test_export_writes_what_the_ending_says(tmp_path):
    how = ("-n", 2, "--horizon-days", 3, "--workers", 1, "-q", "--counted", "--place", POST)
    for name in ("a.csv", "a.xes", "a.xes.gz"):
        assert called("export", "teaching", *how, "-o", tmp_path / name).exit_code == 0
    rows = list(csv.DictReader((tmp_path / "a.csv").read_text(encoding="utf-8").splitlines()))
    root = ET.fromstring((tmp_path / "a.xes").read_bytes())
    assert len(rows) == len(list(root.iter(f"{XES}event"))) > 100
    assert {row["post"] for row in rows} == {POST}
    assert min(float(row["time_h"]) for row in rows) >= 48.0
    assert gzip.decompress((tmp_path / "a.xes.gz").read_bytes()) == (tmp_path / "a.xes").read_bytes()


def test_export_of_one_replication_runs_no_other(tmp_path):
    how = ("--horizon-days", 3, "--workers", 1, "-q", "-o")
    assert called("export", "teaching", "--replication", 4, *how, tmp_path / "one.csv").exit_code == 0
    assert called("export", "teaching", "-n", 5, *how, tmp_path / "all.csv").exit_code == 0
    one, every = (pd.read_csv(tmp_path / name) for name in ("one.csv", "all.csv"))
    assert one.equals(every[every["replication"] == 4].reset_index(drop=True))


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["-o", "a.doc"], "no format ends in .doc; known: events (.csv)"),
        (["-o", "a.csv", "--format", "xes"], "--format xes writes .xes, got 'a.csv'"),
        (["-o", "-"], "--format is needed for standard output"),
        (["-o", "a.xes", "teaching"], "takes one FILE"),
        (["-o", "a.xes", "--counted", "--since", "3"], "leave out --since and --until"),
        (["-o", "a.xes", "--since", "monday"], "neither hours of the run nor a date"),
        (["-o", "a.xes", "-n", "3", "--replication", "3"], "not both"),
    ],
)
def test_export_says_what_does_not_go_together(given, told, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = called("export", "teaching", *given)
    assert result.exit_code == 2
    assert told in " ".join(result.output.split())
    assert not list(tmp_path.iterdir())


# ---------------------------------------------------------------- another program


def test_pm4py_reads_the_waits_and_stays_that_are_printed(ran, tmp_path):
    """pm4py shares no code with this library: from the file alone it comes to the figures of the tables."""
    pm4py = pytest.importorskip("pm4py")
    path = tmp_path / "run.xes"
    ran.to_xes(path, places=POST)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a faster reader could be installed
        log = pm4py.read_xes(str(path), show_progress_bar=False)
    log = log[log["org:group"] == POST]
    times, cases = log["time:timestamp"], log["case:concept:name"]
    start = pd.Timestamp(ran.plan.start, tz="UTC")
    since, until = (start + pd.Timedelta(hours=h) for h in (ran.scope.from_h, ran.scope.until_h))

    def hours(events, first, last):
        """Mean of the durations that pm4py finds in cases that begin in the window and have both events."""
        events = events[events["lifecycle:transition"].isin([first, last])]
        of = events.groupby("case:concept:name")
        began = of["time:timestamp"].transform("min")
        words = events["lifecycle:transition"]
        over = (words == first).groupby(events["case:concept:name"]).transform("sum") == (words == last).groupby(
            events["case:concept:name"]
        ).transform("sum")
        taken = events[over & (began >= since) & (began < until)]
        assert taken["case:concept:name"].nunique() > 20
        return np.mean(pm4py.get_all_case_durations(taken)) / 3600.0

    assert times.dt.tz is not None
    assert cases.nunique() > 200
    for number in range(2):
        mine = log[log["case:replication"] == number]
        for stage in ("lanes", "xray"):
            at = mine[mine["concept:name"] == f"{POST}.entry.{stage}"]
            expected = ran.rows.row("wait_h", kind="stage", place=f"{POST}.entry.{stage}")[number]
            assert hours(at, "schedule", "start") == pytest.approx(expected, abs=1e-9)
        way = mine[mine["concept:name"].str.startswith(f"{POST}.entry.")]
        expected = ran.rows.row("stay_h", kind="post", place=POST, direction="entry")[number]
        assert hours(way, "schedule", "complete") == pytest.approx(expected, abs=1e-9)
