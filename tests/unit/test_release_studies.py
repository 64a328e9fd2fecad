"""Time release studies: read with every fault named, turned into indicators, fitted into a scenario."""

import datetime as dt
import re
import shutil
import warnings
from dataclasses import replace
from pathlib import Path

import made_up_study
import numpy as np
import pytest
from command_line import called

import corridor_sim as cs
from corridor_sim.records.study_columns import StudyColumns
from corridor_sim.results.release_times import measures
from corridor_sim.study.release_fits import services_of

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "time_release"
STUDY = FOLDER / "study.toml"

COLUMNS = {
    "name": "days",
    "csv": "days.csv",
    "consignment": "id",
    "channel": "lane",
    "channels": ["green", "red"],
    "agencies": ["customs", "police"],
    "zone": "Europe/Berlin",
    "until": dt.datetime(2026, 11, 2),
    "events": {
        "arrival": {},
        "inspected": {"agency": "police", "channels": ["red"]},
        "release": {"agency_column": "who"},
    },
}
GOOD = "id,lane,arrival,inspected,release,who\n1,green,2026-06-01 08:00,,2026-06-01 09:30,customs\n"


def read(tmp_path, text, **changed):
    path = tmp_path / "days.csv"
    path.write_text(text, encoding="utf-8")
    return cs.read_release_study(StudyColumns.model_validate({**COLUMNS, **changed}), csv_path=path)


def faults(tmp_path, text, **changed):
    with pytest.raises(cs.ScenarioError) as found:
        read(tmp_path, text, **changed)
    return [str(one).replace(str(tmp_path) + "/", "") for one in found.value.problems]


# ---------------------------------------------------------------- reading


def test_the_made_up_study_is_what_the_truth_gives():
    assert (FOLDER / "study.csv").read_text(encoding="utf-8") == made_up_study.table()


def test_a_study_is_read_with_its_clock_and_who_was_still_there():
    study = cs.read_release_study(STUDY)
    assert len(study) == 500
    assert study.open.sum() == 1
    assert study.events[0] == "arrival"
    assert study.columns.released == "release"
    assert study.rounded_h == pytest.approx(1 / 60)
    (truth,) = made_up_study.drawn()
    order = np.argsort(truth.time_h[:, 0])
    shift = (truth.start - study.start) / dt.timedelta(hours=1)
    exact = truth.time_h[order] + shift
    exact[exact > study.until_h] = np.nan
    late = exact - study.time_h  # minutes as the clock showed them
    assert np.array_equal(np.isnan(exact), np.isnan(study.time_h))
    assert np.nanmin(late) >= 0
    assert np.nanmax(late) < 1 / 60


def test_a_row_an_event_and_a_row_a_consignment_are_the_same_study(tmp_path):
    rows = (
        "id,what,when,who,lane\n2,OUT,2026-06-01 10:00,customs,red\n1,IN,2026-06-01 08:00,police,green\n"
        "1,OUT,2026-06-01 09:30,customs,\n2,IN,2026-06-01 08:10,police,red\n2,CHECK,2026-06-01 09:00,police,red\n"
    )
    events = {
        "arrival": {"word": "IN"},
        "inspected": {"word": "CHECK", "channels": ["red"]},
        "release": {"word": "OUT"},
    }
    long = read(tmp_path, rows, rows="event", event="what", time="when", agency="who", events=events)
    wide = read(tmp_path, GOOD + "2,red,2026-06-01 08:10,2026-06-01 09:00,2026-06-01 10:00,customs\n")
    first = np.argsort(long.consignments)
    assert np.array_equal(long.time_h[first], wide.time_h, equal_nan=True)
    assert long.channel[first].tolist() == wide.channel.tolist()
    assert long.agency[first][:, 2].tolist() == ["customs", "customs"]


def test_local_times_and_times_with_an_offset_are_the_same_instant(tmp_path):
    text = GOOD + "2,green,2026-06-01T06:00+00:00,,2026-06-01 10:30+03:00,customs\n"
    study = read(tmp_path, text)
    assert study.time_h[0, 0] == study.time_h[1, 0] == 6.0
    assert study.time_h[:, 2].tolist() == [7.5, 7.5]
    written = GOOD.replace("2026-06-01 08:00", "01.06.2026 08:00").replace("2026-06-01 09:30", "01.06.2026 09:30")
    assert read(tmp_path, written, time_format="%d.%m.%Y %H:%M").time_h[0, 0] == 6.0


def test_a_workbook_is_the_same_study_as_its_csv_and_its_faults_have_their_place(tmp_path):
    xlsxwriter, _ = pytest.importorskip("xlsxwriter"), pytest.importorskip("python_calamine")
    rows = [line.split(",") for line in (FOLDER / "study.csv").read_text(encoding="utf-8").splitlines()]

    def made(name, rows):
        book = xlsxwriter.Workbook(str(tmp_path / name))
        sheet = book.add_worksheet("log")
        form = book.add_format({"num_format": "dd.mm.yyyy hh:mm"})
        for i, row in enumerate(rows):
            for j, cell in enumerate(row):
                if i and j > 1 and cell.startswith("2026"):
                    sheet.write_datetime(i, j, dt.datetime.fromisoformat(cell), form)
                elif cell.startswith("="):
                    sheet.write_formula(i, j, cell, None, "#N/A")
                elif cell:
                    sheet.write(i, j, cell)
        book.close()
        return cs.read_release_study(columns, csv_path=tmp_path / name)

    columns = cs.read_release_study(STUDY).columns.model_copy(update={"csv": "study.xlsx", "sheet": "log"})
    plain, read = cs.read_release_study(STUDY), made("study.xlsx", rows)
    assert np.array_equal(plain.time_h, read.time_h, equal_nan=True)
    assert plain.consignments == read.consignments
    assert plain.channel.tolist() == read.channel.tolist()
    rows[3][7] = "=NA()"
    rows[5][2] = rows[5][2].replace("2026-05-11", "2026-05-10")
    with pytest.raises(cs.ScenarioError) as found:
        made("bad.xlsx", rows)
    told = " | ".join(str(one) for one in found.value.problems)
    assert "H4" in told  # an error is no empty cell, that is "still there"
    assert "bad.xlsx:6: consignment D0005: arrival is before the study began" in told


def test_every_fault_of_a_table_is_named_with_its_line(tmp_path):
    head = GOOD.splitlines()[0]
    rows = [
        "1,green,2026-06-01 08:00,,2026-06-01 07:30,customs",
        "2,green,,,2026-06-01 09:30,customs",
        "3,red,2026-06-01 08:00,,2026-06-01 09:30,customs",
        "4,green,2026-06-01 08:00,2026-06-01 08:30,2026-06-01 09:30,customs",
        "5,gren,2026-06-01 08:00,,2026-06-01 09:30,customs",
        "6,green,2026-06-01 08:00,,2026-06-01 09:30,custom",
        "6,green,2026-06-01 08:00,,2026-06-01 09:30,customs",
        "7,green,2026-03-29 02:30,,2026-03-29 09:30,customs",
        "8,green,2026-10-25 02:30,,2026-10-25 09:30,customs",
        "9,green,today,,2026-06-01 09:30,customs",
        "10,green,2026-06-01 08:00,,2026-11-02 09:30,customs",
        "11,green,2026-06-01 08:00,,2026-06-01 09:30",
        "12,,2026-06-01 08:00,,2026-06-01 09:30,customs",
        ",green,2026-06-01 08:00,,2026-06-01 09:30,customs",
        "14,green,2026-06-01,,2026-06-01 09:30,customs",
        "15,green,2026-06-01 08:00,,,",
        "16,green,2026-06-01 08:00,,2026-06-01 09:30,",
    ]
    told = faults(tmp_path, "\n".join([head, *rows]) + "\n")
    wanted = [
        "days.csv:2: consignment 1: release is 30 min before arrival",
        "days.csv:3: consignment 2: arrival is missing",
        "days.csv:4: consignment 3: inspected is missing, and release is there",
        "days.csv:5: consignment 4: inspected is not of channel green, and has a time",
        "days.csv:6: consignment 5: 'gren' is no channel (allowed: green, red); did you mean 'green'?",
        "days.csv:7: release: 'custom' is no agency (allowed: customs, police); did you mean 'customs'?",
        "days.csv:8: consignment 6 is there twice, first in line 7",
        "days.csv:9: arrival: 2026-03-29 02:30 does not exist: the clock of Europe/Berlin skips it",
        "days.csv:10: arrival: 2026-10-25 02:30 comes twice on the clock of Europe/Berlin; write its offset "
        "(+02:00 or +01:00) to say which",
        "days.csv:11: arrival: must be a date and time such as 2026-06-01 08:30, got 'today'",
        "days.csv:12: consignment 10: release is after the end of the study",
        "days.csv:13: has 5 cells, the header 6",
        "days.csv:14: consignment 12: the channel is missing",
        "days.csv:15: column 'id' is empty",
        "days.csv:16: arrival: must be a date and time such as 2026-06-01 08:30, got '2026-06-01'",
        "days.csv:18: release: the agency is missing",
    ]
    for text in wanted:
        assert any(one.startswith(text) for one in told), (text, told)
    assert len(told) == len(wanted)


def test_what_is_missing_at_the_end_is_a_fault_where_the_end_of_the_study_is_not_known(tmp_path):
    still = GOOD + "2,green,2026-06-01 08:00,,,\n"
    assert read(tmp_path, still).open.tolist() == [False, True]
    (told,) = faults(tmp_path, still, until=None)
    assert "days.csv:3: consignment 2: release is missing; say with until" in told


def test_capitals_do_not_hide_the_word_that_was_meant(tmp_path):
    (told,) = faults(tmp_path, GOOD.replace("green", "GREEN"))
    assert told == "days.csv:2: consignment 1: 'GREEN' is no channel (allowed: green, red); did you mean 'green'?"


def test_words_that_stand_for_nothing_are_empty_cells_where_the_study_says_so(tmp_path):
    text = GOOD + "2,green,2026-06-01 08:00,-,n/a,-\n"
    assert read(tmp_path, text, missing=["-", "n/a"]).open.tolist() == [False, True]
    assert any("got 'n/a'" in one for one in faults(tmp_path, text))


GAPS = {**COLUMNS["events"], "inspected": {**COLUMNS["events"]["inspected"], "gaps": True}}


def test_a_time_that_was_not_written_down_leaves_out_its_steps_by_hand(tmp_path):
    text = GOOD + (
        "2,red,2026-06-01 08:00,2026-06-01 10:00,2026-06-01 11:00,customs\n"
        "3,red,2026-06-01 09:00,,2026-06-01 14:00,customs\n"
        "4,red,2026-06-01 09:00,,,\n"
    )
    study = read(tmp_path, text, events=GAPS)
    assert study.unwritten.tolist() == [[False] * 3, [False] * 3, [False, True, False], [False] * 3]
    assert "inspected was not written down for 1: their times to it and from it are left out" in study.notes
    told = measures(study)
    red, step = ("total", "release", "", "red", -1, -1), ("step", "inspected", "", "red", -1, -1)
    assert told[red, "p50"][1:] == (3, 1)  # of whom it is known: 3 h, 5 h, and one still there
    assert told[step, "mean"][1:] == (2, 1)  # 2 h, and the one still there
    assert told[("step", "release", "", "red", -1, -1), "mean"][:2] == (1.0, 1)
    assert told[step, "share"][0] == pytest.approx(2.0 / 3.0)
    (fault,) = faults(tmp_path, text)
    assert "inspected is missing, and release is there" in fault


def test_gaps_do_not_go_with_optional_nor_with_the_first_event(tmp_path):
    both = {**GAPS, "inspected": {"gaps": True, "optional": True}}
    assert "does not go with optional" in faults(tmp_path, GOOD, events=both)[0]
    assert "the first event" in faults(tmp_path, GOOD, events={**GAPS, "arrival": {"gaps": True}})[0]


def test_a_release_that_was_not_written_down_is_not_taken_for_one_still_going_on(tmp_path):
    events = {"arrival": {}, "release": {"gaps": True}, "out": {}}
    rows = "id,arrival,release,out\n1,2026-06-01 08:00,2026-06-01 09:00,2026-06-01 09:30\n"
    rows += "2,2026-06-01 08:00,,2026-06-01 10:00\n3,2026-06-01 08:00,,\n"
    study = read(tmp_path, rows, events=events, channel="", channels=[], agencies=[])
    assert study.open.tolist() == [False, False, True]
    told = measures(study)
    assert told[("total", "release", "", "", -1, -1), "mean"][1:] == (2, 1)
    assert told[("total", "out", "", "", -1, -1), "mean"][1:] == (3, 1)


def test_arrivals_end_where_the_study_says_so(tmp_path):
    ends = {"arrivals_until": dt.datetime(2026, 6, 1, 9), "since": dt.datetime(2026, 6, 1)}
    study = read(tmp_path, GOOD, **ends)
    assert (study.came_until_h - study.since_h, study.until_h > study.came_until_h) == (9.0, True)
    late = GOOD + "2,green,2026-06-01 09:00,,2026-06-01 09:30,customs\n"
    assert faults(tmp_path, late, **ends) == ["days.csv:3: consignment 2: arrival is after the end of the arrivals"]
    (told,) = faults(tmp_path, GOOD, since=dt.datetime(2026, 6, 2), arrivals_until=dt.datetime(2026, 6, 1))
    assert "must be later than since" in told


def test_events_by_row_that_are_unknown_or_there_twice_are_named(tmp_path):
    rows = "id,what,when,who,lane\n1,arrival,2026-06-01 08:00,police,green\n1,arrival,2026-06-01 08:05,police,green\n"
    rows += "1,relese,2026-06-01 09:30,customs,green\n1,release,,customs,red\n"
    told = faults(tmp_path, rows, rows="event", event="what", time="when", agency="who")
    assert any("days.csv:3: consignment 1: arrival is there twice, first in line 2" in one for one in told)
    assert any("days.csv:4: consignment 1: 'relese' is no event" in one and "'release'?" in one for one in told)
    assert any("days.csv:5: consignment 1: release has no time" in one for one in told)
    assert any("days.csv:5: consignment 1: its channel was green before" in one for one in told)


def test_columns_that_are_not_there_or_make_no_sense_are_named(tmp_path):
    (told,) = faults(tmp_path, GOOD.replace("arrival", "Arrival"))
    assert "days.csv:1: column 'arrival' is no column" in told
    assert "did you mean 'Arrival'?" in told
    (told,) = faults(tmp_path, GOOD.replace(",", ";"))
    assert "days.csv:1: " in told
    assert "has one column" in told
    assert 'set delimiter = ";"' in told
    path = tmp_path / "bad.toml"
    path.write_text(
        'name = "x"\ncsv = "x.csv"\nconsignment = "id"\nchannel = "lane"\nuntil = 2026-05-01\nsince = 2026-06-01\n'
        'colour = "red"\n[events.arrival]\nstage = "lanes"\n[events.release]\nchannels = ["grey"]\n',
        encoding="utf-8",
    )
    with pytest.raises(cs.ScenarioError) as found:
        cs.read_release_study(path)
    told = " | ".join(str(one) for one in found.value.problems)
    assert "bad.toml:7: colour" in told
    with pytest.raises(cs.ScenarioError, match=r"events\.arrival\.at.*|.*stage and at go together"):
        cs.read_release_study(path)


# ---------------------------------------------------------------- indicators


def test_indicators_of_a_small_study_by_hand(tmp_path):
    text = GOOD + (
        "2,red,2026-06-01 08:00,2026-06-01 10:00,2026-06-01 11:00,customs\n"
        "3,red,2026-06-01 09:00,2026-06-01 10:00,2026-06-01 11:00,police\n"
    )
    told = {key: value[0] for key, value in measures(read(tmp_path, text)).items()}

    def value(measure, span="total", event="release", agency="", channel="", hour=-1):
        return told[(span, event, agency, channel, hour, -1), measure]

    assert value("mean") == pytest.approx((1.5 + 3.0 + 2.0) / 3)
    assert value("p50") == 2.0
    assert value("mean", channel="red") == 2.5
    assert value("mean", hour=8) == 2.25
    assert value("mean", "step", "inspected") == 1.5
    assert value("share", "step", "inspected") == pytest.approx(3.0 / 6.5)
    assert value("share", "step", "release") == pytest.approx(3.5 / 6.5)
    assert value("mean", "step", "", "police") == pytest.approx((2.0 + 1.0 + 1.0) / 3)
    assert value("share", "step", "", "customs") == pytest.approx(2.5 / 6.5)


def test_shares_of_steps_and_of_agencies_sum_to_one():
    frame = cs.release_times(STUDY).observed
    share = frame[(frame["measure"] == "share") & (frame["channel"] == "")]
    assert share.loc[share["agency"] == "", "value"].sum() == pytest.approx(1.0)
    assert share.loc[share["agency"] != "", "value"].sum() == pytest.approx(1.0)


def test_who_is_still_there_makes_percentiles_longer_and_is_told(tmp_path):
    text = GOOD.splitlines()[0] + "\n"
    for k in range(40):
        out = f"2026-06-01 {9 + k % 8:02d}:00" if k < 30 else ""
        text += f"{k},green,2026-06-01 08:00,,{out},{'customs' if out else ''}\n"
    study = read(tmp_path, text, until=dt.datetime(2026, 6, 1, 16))
    mean = study.total_h()[0].mean()
    times = cs.release_times(study).table("event")
    row = times[(times["measure"] == "mean") & (times["span"] == "total")].iloc[0]
    assert row["observed"] == pytest.approx(mean)
    assert row["note"] == "at least: 10 were still going on"
    p90 = times[(times["measure"] == "p90") & (times["span"] == "total")].iloc[0]
    assert np.isnan(p90["observed"])
    assert p90["note"] == "not reached by the end of the study"


def test_a_scenario_stands_beside_the_study_and_the_truth_is_not_apart_from_it():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", cs.CorridorWarning)
        truth = cs.run(
            cs.load_scenario(FOLDER / "truth.toml"),
            replications=12,
            rng=3,
            workers=1,
            records=True,
            indicators=["created"],
        )
        believed = cs.release_times(STUDY, FOLDER / "border.toml", replications=4, workers=1).table()
    table = cs.release_times(STUDY, truth).table()
    assert set(table["simulated"].notna().groupby(table["span"]).any()) == {True}
    main = table[
        (table["hour"] < 0) & (table["weekday"] < 0) & (table["measure"] == "mean") & table["simulated"].notna()
    ]
    apart = (main["difference_low"] > 0) | (main["difference_high"] < 0)
    assert len(main) >= 12
    assert apart.mean() <= 0.25
    release = believed[
        (believed["event"] == "release") & (believed["span"] == "total") & (believed["measure"] == "mean")
    ]
    assert (release.iloc[0]["difference_high"]) < 0  # it was believed to be faster than it is


def test_simulated_indicators_are_those_of_the_run():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", cs.CorridorWarning)
        results = cs.run(cs.load_scenario(FOLDER / "truth.toml"), replications=6, rng=3, workers=1, records=True)
    times = cs.release_times(STUDY, results).table("event")
    step = times[(times["event"] == "called") & (times["measure"] == "mean")].iloc[0]
    expected = results.rows.row("wait_h", kind="stage", place="gate.entry.registration").mean()
    assert step["simulated"] == pytest.approx(expected, abs=1e-9)


# ---------------------------------------------------------------- fits


@pytest.fixture(scope="module")
def fit():
    return cs.fit_release_study(STUDY, FOLDER / "border.toml")


def test_ranges_of_the_made_up_study_hold_the_truth(fit):
    told = {one.path: one for one in fit.figures}
    spread = np.log1p(0.8**2)
    truth = {
        "checkpoints.gate.entry.registration.service.mean_h": 0.4,
        "checkpoints.gate.entry.registration.service.cv": 0.6,
        "checkpoints.gate.entry.inspection.service.mean_h": 1.3,
        "checkpoints.gate.entry.inspection.service.cv": 0.7,
        "checkpoints.gate.entry.payment.service.median_h": 0.9 / np.exp(spread / 2),
        "checkpoints.gate.entry.payment.service.sigma": np.sqrt(spread),
        "checkpoints.gate.channels.entry.red": 0.18,
        "flows.goods.per_day": 56.0,
    }
    for path, value in truth.items():
        assert told[path].low <= value <= told[path].high, path


def test_the_overlay_is_a_scenario_with_the_study_as_the_source_of_its_figures(fit, tmp_path):
    from corridor_sim.model.provenance import figures_of

    shutil.copy(FOLDER / "border.toml", tmp_path)
    (tmp_path / "fitted.toml").write_text(fit.to_toml("fitted"), encoding="utf-8")
    scenario = cs.load_scenario(tmp_path / "fitted.toml")
    rows = {row.path: row for row in figures_of(scenario)}
    for one in fit.figures:
        if one.low < one.high and "channels" not in one.path:
            row = rows[one.path]
            assert (row.status, row.source) == ("derived", "study_may_2026")
            assert row.low < one.value < row.high
    channels = scenario.corridor.checkpoints["gate"].channels["entry"].shares
    assert sum(channels.values()) == pytest.approx(1.0, abs=1e-12)
    red, green = rows["checkpoints.gate.channels.entry.red"], rows["checkpoints.gate.channels.entry.green"]
    assert red.high - red.low == pytest.approx(green.high - green.low)
    assert [one for one in cs.check(tmp_path / "fitted.toml") if one.severity == "error"] == []


def test_where_only_the_end_was_written_down_the_wait_is_not_guessed(fit):
    refused = dict(fit.refused)
    assert "cannot be told apart" in refused["checkpoints.gate.entry.gate_out.service"]
    assert not any("gate_out" in one.path for one in fit.figures)


def test_starts_follow_from_first_come_first_served_and_the_number_of_lanes():
    (truth,) = made_up_study.drawn()
    columns = truth.columns.model_copy(update={"first_come_first_served": ("gate_out", "registration")})
    stages = cs.load_scenario(FOLDER / "border.toml").corridor.checkpoints["gate"].stages("entry")
    exact = replace(truth, columns=columns)
    for hidden in ("registration", "inspection"):
        events = {name: one for name, one in columns.events.items() if one.stage != hidden or one.at != "start"}
        own = columns.model_copy(update={"events": type(columns.events)(events), "first_come_first_served": (hidden,)})
        kept = [k for k, name in enumerate(columns.events) if name in events]
        without = replace(exact, columns=own, time_h=exact.time_h[:, kept], agency=exact.agency[:, kept])
        low, _, here = services_of(without, hidden, stages)
        known, _, there = services_of(exact, hidden, stages)
        assert np.array_equal(here, there)
        same = np.isclose(low, known, atol=1e-9)
        # Those who were already there as the study began held lanes that it does not know of.
        assert same[10:].all()
        assert same.mean() > 0.98
    own = columns.model_copy(update={"census": False})
    told = services_of(replace(truth, columns=own), "gate_out", stages)
    assert "not everybody was written down" in told


def test_ends_that_contradict_first_come_first_served_are_named():
    (truth,) = made_up_study.drawn()
    columns = truth.columns.model_copy(update={"first_come_first_served": ("gate_out",)})
    times = truth.time_h.copy()
    out, released = truth.events.index("gate_out"), truth.events.index("release")
    order = np.argsort(times[:, released])[100:110]
    times[order, released] = times[order[0], released] + np.arange(10) * 1e-3
    times[order, out] = times[order, released] + 0.5 - np.arange(10) * 0.04
    stages = cs.load_scenario(FOLDER / "border.toml").corridor.checkpoints["gate"].stages("entry")
    told = services_of(replace(truth, columns=columns, time_h=times), "gate_out", stages)
    assert "ended before a lane was free" in told


def test_a_sample_says_neither_how_many_come_nor_when():
    study = cs.read_release_study(STUDY)
    sample = replace(study, columns=study.columns.model_copy(update={"census": False}))
    found = cs.fit_release_study(sample.taken(np.arange(500) % 5 == 0), FOLDER / "border.toml")
    assert "a sample says neither" in dict(found.refused)["flows.goods"]
    assert not any(one.path.startswith("flows") for one in found.figures)
    assert any(one.path.endswith("registration.service.mean_h") for one in found.figures)


def test_shares_are_refused_where_no_channel_is_known():
    study = cs.read_release_study(STUDY)
    unknown = replace(study, channel=np.full(len(study), "", dtype=object))
    found = cs.fit_release_study(unknown, FOLDER / "border.toml")
    assert dict(found.refused)["checkpoints.gate.channels.entry"] == "no consignment has a channel"


def without(study, event, every, **changed):
    """The study with a time of one event missing of every so many that went on, and what its columns say of it."""
    own = {name: one.model_copy(update=changed if name == event else {}) for name, one in study.columns.events.items()}
    k, times = study.events.index(event), study.time_h.copy()
    lost = np.flatnonzero(~np.isnan(times[:, k]) & study.later[:, k])[::every]
    times[lost, k] = np.nan
    columns = study.columns.model_copy(update={"events": type(study.columns.events)(own)})
    return replace(study, columns=columns, time_h=times), len(lost)


@pytest.mark.parametrize(
    ("event", "stages"),
    [
        ("registered", ("registration", "payment")),
        ("inspected", ("inspection", "payment")),
        ("called", ("registration",)),
    ],
)
@pytest.mark.parametrize("said", [{"gaps": True}, {"optional": True}])
def test_services_whose_end_or_start_was_not_written_down_are_left_out(fit, event, stages, said):
    study, lost = without(cs.read_release_study(STUDY), event, 10, **said)
    assert lost > 5
    of = cs.load_scenario(FOLDER / "border.toml").corridor.checkpoints["gate"].stages("entry")
    for stage in stages if "gaps" in said else stages[:1]:
        low, high, here = services_of(study, stage, of)
        all_low, all_high, all_here = services_of(cs.read_release_study(STUDY), stage, of)
        assert 0 < (all_here & ~here).sum() <= lost
        assert np.array_equal(low, all_low[here[all_here]])
        assert np.array_equal(high, all_high[here[all_here]])
        fitted = cs.fit_release_study(study, FOLDER / "border.toml").laws[stage].best.law
        assert fitted.mean_h == pytest.approx(fit.laws[stage].best.law.mean_h, rel=0.1)


def test_starts_do_not_follow_where_an_end_was_not_written_down():
    study, lost = without(cs.read_release_study(STUDY), "registered", 50, gaps=True)
    events = {name: one for name, one in study.columns.events.items() if name != "called"}
    kept = [k for k, name in enumerate(study.events) if name != "called"]
    own = {"events": type(study.columns.events)(events), "first_come_first_served": ("registration",)}
    hidden = replace(
        study,
        columns=study.columns.model_copy(update=own),
        time_h=study.time_h[:, kept],
        agency=study.agency[:, kept],
    )
    of = cs.load_scenario(FOLDER / "border.toml").corridor.checkpoints["gate"].stages("entry")
    assert f"ends of {lost} were not written down" in services_of(hidden, "registration", of)


def test_the_volume_is_of_the_time_in_which_all_who_came_were_written_down():
    study = cs.read_release_study(STUDY)
    week_h = study.since_h + 7 * 24.0
    week = study.taken(study.time_h[:, 0] < week_h)

    def per_day(one):
        figures = cs.fit_release_study(one, FOLDER / "border.toml").figures
        return next(figure.value for figure in figures if figure.path == "flows.goods.per_day")

    followed = per_day(replace(week, came_until_h=week_h))
    assert followed == pytest.approx(len(week) / 7, rel=0.01)
    assert per_day(week) == pytest.approx(len(week) / 9, rel=0.01)
    released = week.taken(~np.isnan(week.time_h[:, -1]))
    assert per_day(replace(released, came_until_h=week_h, until_h=np.inf)) == pytest.approx(len(released) / 7, rel=0.01)


def test_few_services_have_wide_ranges_and_too_few_none():
    study = cs.read_release_study(STUDY)
    study = replace(study, columns=study.columns.model_copy(update={"census": False}))

    def width(number):
        found = cs.fit_release_study(study.taken(np.arange(500) < number), FOLDER / "border.toml", laws="gamma")
        (one,) = [one for one in found.figures if one.path.endswith("registration.service.mean_h")]
        return one.high / one.low

    assert width(8) > width(40) > width(400) > 1.0
    few = study.taken(np.arange(500) < 4)
    with pytest.raises(cs.CorridorError, match="4 services ended; a law needs 5"):
        cs.fit_release_study(
            replace(few, columns=few.columns.model_copy(update={"channel": ""})), FOLDER / "border.toml"
        )


def test_channels_with_other_services_are_told_and_alike_ones_are_not(fit):
    study = cs.read_release_study(STUDY)
    assert not any("channels differ" in one.note for one in fit.figures)
    times = study.time_h.copy()
    k = study.events.index("release")
    yellow = study.channel == "yellow"
    times[yellow, k:] += 1.0
    found = cs.fit_release_study(replace(study, time_h=times), FOLDER / "border.toml", laws={"payment": "gamma"})
    (kind,) = [one for one in found.figures if one.path.endswith("payment.service.kind")]
    assert kind.note.startswith("channels differ (p = ")
    means = found.by_channel.set_index(["stage", "channel"])["mean_h"]
    assert means["payment", "yellow"] > means["payment", "green"] + 0.7


def test_what_the_scenario_does_not_have_is_said(tmp_path):
    with pytest.raises(cs.CorridorError, match="the scenario has no post 'gate'; it has northgate_a, northgate_b"):
        cs.fit_release_study(STUDY, "teaching")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", cs.CorridorWarning)
        results = cs.run("teaching", replications=1, workers=1, records=True, indicators=["created"])
    with pytest.raises(cs.CorridorError, match="teaching has not what study_may_2026 names"):
        cs.release_times(STUDY, results)


# ---------------------------------------------------------------- the page, as a new user goes through it


def test_the_commands_of_the_page_lead_from_the_table_to_an_answer(tmp_path, monkeypatch):
    for name in ("study.toml", "study.csv", "border.toml", "second_bay.toml"):
        shutil.copy(FOLDER / name, tmp_path)
    monkeypatch.chdir(tmp_path)
    page = (ROOT / "docs" / "time-release.md").read_text(encoding="utf-8")
    lines = [line for line in page.splitlines() if line.startswith("corridor-sim ")]
    assert len(lines) >= 4
    for line in lines:
        more = ["--workers", "1", "-q"] if line.split()[1] == "compare" else []
        result = called(*line.split()[1:], *more)
        assert result.exit_code == 0, (line, result.output)
    assert "Gate" in result.stdout
    assert "falls by" in result.stdout
    assert (tmp_path / "calibrated.toml").is_file()


def test_faults_of_the_table_end_the_command_with_2_and_are_all_listed(tmp_path):
    shutil.copy(STUDY, tmp_path)
    text = (FOLDER / "study.csv").read_text(encoding="utf-8").splitlines()
    text[5] = text[5].replace("2026-05-11", "2026-05-10", 1)
    text[7] = text[7].replace("green", "blue").replace("yellow", "blue").replace("red", "blue")
    (tmp_path / "study.csv").write_text("\n".join(text) + "\n", encoding="utf-8")
    result = called("release-times", tmp_path / "study.toml")
    assert result.exit_code == 2
    assert "study.csv:6: consignment D0005: arrival is before the study began" in result.output
    assert "study.csv:8: consignment D0007: 'blue' is no channel" in result.output


def test_the_example_of_columns_on_the_page_says_what_the_file_says():
    page = (ROOT / "docs" / "time-release.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```toml\n(.*?)^```", page, flags=re.M | re.S)
    file = STUDY.read_text(encoding="utf-8")
    for line in block.splitlines():
        stripped = line.split("#")[0].strip()
        assert stripped in file, line


# ---------------------------------------------------------------- logs as they are


def test_a_log_in_another_form_is_told_once_a_column_with_the_line_to_write(tmp_path):
    rows = [f"{n},green,{n:02d}.06.2026 08:00,,{n:02d}.06.2026 09:30,customs\n" for n in range(1, 21)]
    found = faults(tmp_path, GOOD.splitlines(keepends=True)[0] + "".join(rows))
    assert len(found) == 2
    assert found[0] == (
        "days.csv:2: arrival: must be a date and time such as 2026-06-01 08:30, got '01.06.2026 08:00'; say "
        'time_format = "%d.%m.%Y %H:%M", or ["%d.%m.%Y %H:%M", "ISO"] where both are there; so in 20 rows: '
        "lines 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, ..."
    )


def test_a_day_and_month_that_may_be_either_way_round_are_both_named(tmp_path):
    rows = [f"{n},green,0{n}/06/2026 08:00,,0{n}/06/2026 09:30,customs\n" for n in range(1, 6)]
    (first, _) = faults(tmp_path, GOOD.splitlines(keepends=True)[0] + "".join(rows))
    assert 'say time_format = "%d/%m/%Y %H:%M" or time_format = "%m/%d/%Y %H:%M"' in first


def test_times_in_two_forms_are_read_by_a_list_and_one_that_fits_both_is_refused(tmp_path):
    text = GOOD + "2,green,01.06.2026 08:00,,01.06.2026 10:30 +03:00,customs\n"
    study = read(tmp_path, text, time_format=["%d.%m.%Y %H:%M", "ISO"])
    assert study.time_h[:, 0].tolist() == [6.0, 6.0]
    assert study.time_h[:, 2].tolist() == [7.5, 7.5]
    both = ["%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M"]
    same, other = "04/04/2026 08:00", "03/04/2026 08:00"
    text = GOOD.replace("2026-06-01 08:00", same).replace("2026-06-01 09:30", other)
    assert faults(tmp_path, text, time_format=both) == [
        "days.csv:2: release: '03/04/2026 08:00' may be 2026-04-03 08:00 or 2026-03-04 08:00, by a time as in "
        "%d/%m/%Y %H:%M or a time as in %m/%d/%Y %H:%M"
    ]


def test_a_word_in_capitals_in_many_rows_is_told_once_and_few_rows_are_told_one_by_one(tmp_path):
    rows = [f"{n},Green,2026-06-02 08:00,,2026-06-02 09:30,customs\n" for n in range(2, 9)]
    late = "9,green,2026-06-02 08:00,,2026-06-02 07:30,customs\n10,green,2026-06-02 08:00,,2026-06-02 07:00,customs\n"
    assert faults(tmp_path, GOOD + "".join(rows) + late) == [
        "days.csv:3: 'Green' is no channel (allowed: green, red); did you mean 'green'?; so in 7 rows: "
        "lines 3, 4, 5, 6, 7, 8, 9",
        "days.csv:10: consignment 9: release is 30 min before arrival",
        "days.csv:11: consignment 10: release is 60 min before arrival",
    ]
