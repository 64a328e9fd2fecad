"""Bad input that is in no scenario file: options, arguments, outputs; what a user is told and what is left alone."""

import warnings

import numpy as np
import pytest

import corridor_sim as cs


@pytest.fixture
def runs(folder):
    """The border and the border with a lane more, run on the same numbers."""
    border = cs.load_scenario("border.toml")
    wider = border.with_improvements(cs.AddLanes(checkpoint="north_a", direction="exit", stage="lanes", lanes=1))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", cs.CorridorWarning)
        return [cs.run(one, replications=2, rng=seed) for one, seed in ((border, 1), (wider, 1), (border, 2))]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["runn", "border.toml"], "Did you mean 'run'?"),
        (["run", "border.toml", "--replicatons", "3"], "--replications"),
        (["run", "border.toml", "-n", "ten"], "ten"),
        (["run", "border.toml", "-n", "2", "-n", "3"], "is given twice"),
        (["run"], "Missing argument"),
        (["run", "border.toml", "--workers", "0"], "0 is not in the range"),
        (["run", "border.toml", "--workers", "-1"], "-1 is not in the range"),
        (["run", "border.toml", "--workers", "1000000"], "1000000 is not in the range"),
        (["run", "border.toml", "-n", "1000000000"], "is not in the range"),
        (["run", "border.toml", "--indicator", "quueue"], "did you mean 'queue'?"),
        (["check", "bordr.toml"], "bordr.toml: does not exist; did you mean 'border.toml'?"),
        (["check", "."], "is a folder, not a file"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_slip_on_the_command_line_ends_with_2_and_a_hint(folder, arguments, words):
    result = folder.call(*arguments)
    assert result.exit_code == 2
    assert words in result.output


def test_an_output_that_exists_is_kept(folder):
    kept = folder.path / "kept.csv"
    kept.write_text("mine", encoding="utf-8")
    common = ("run", "border.toml", "-n", 1, "--horizon-days", 2, "-q", "--format", "csv", "-o", "kept.csv")
    assert folder.call(*common).exit_code == 2
    assert kept.read_text(encoding="utf-8") == "mine"
    assert folder.call(*common, "--overwrite").exit_code == 0
    assert kept.read_text(encoding="utf-8").startswith("scenario,")


def test_confidence_in_percent_is_told_apart(runs):
    with pytest.raises(ValueError, match=r"between 0 and 1, got 95; 95 %\? write 0.95"):
        runs[0].summary(confidence=95)
    with pytest.raises(ValueError, match="between 0 and 1, got 0"):
        runs[0].summary(confidence=0)


def test_rates_and_costs_that_are_no_rates_and_costs(runs):
    compared = runs[0].compare(runs[1])
    with pytest.warns(cs.CorridorWarning, match="800% a year; write 0.08"):
        compared.worth(discount_rate=8, capex_usd=1e6, life_years=10)
    for wrong in ({"discount_rate": -1.0}, {"capex_usd": -1.0}, {"capex_usd": float("nan")}, {"life_years": 0}):
        with pytest.raises(ValueError, match=r"needs|finite"):
            compared.worth(**{"discount_rate": 0.08, "capex_usd": 1e6, "life_years": 10, **wrong})


def test_runs_on_other_numbers_are_no_pairs(runs):
    with pytest.raises(cs.CorridorError, match="root entropy: 1 in 'border', 2 in 'border'"):
        runs[0].compare(runs[2])
    with pytest.raises(cs.CorridorError, match="at least two"):
        cs.compare(cs.load_scenario("border.toml"), replications=2)


def test_arrays_of_a_kernel_are_refused_with_the_place(folder):
    ones = np.ones((1, 3))
    with pytest.raises(ValueError, match="2 and then 1 at consignment 2 of replication 0"):
        cs.queues.fifo(np.array([[0.0, 2.0, 1.0]]), ones, lanes=1)
    with pytest.raises(ValueError, match="nan at consignment 2"):
        cs.queues.fifo(np.array([[0.0, 1.0, np.nan]]), ones, lanes=1)
    with pytest.raises(ValueError, match=r"shape of the arrivals, \(1, 3\); found \(1, 2\)"):
        cs.queues.fifo(np.zeros((1, 3)), np.ones((1, 2)), lanes=1)
    assert cs.queues.fifo([[0, 1, 2]], [[2, 2, 2]], lanes=1).tolist() == [[0, 2, 4]]
