"""What every registered kind of factor of a design promises."""

import pytest

from corridor_sim.files.design_files import design
from corridor_sim.model.designs import FACTORS

KINDS = list(FACTORS)
FIRST, LAST = 0.0, 1.0 - 2.0**-53


def table_of(kind, **more):
    return {"kind": kind, **FACTORS.example(kind), **more}


def made(kind, **more):
    return design(kind="lhs", points=4, factors={"x": table_of(kind, **more)}).factors["x"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_first_and_the_last_share_give_the_ends_of_a_grid(kind):
    factor = made(kind)
    listed = list(factor.listed)
    assert factor.at(FIRST) == listed[0]
    assert factor.at(LAST) == pytest.approx(listed[-1]) if kind == "number" else factor.at(LAST) == listed[-1]
    assert factor.count == len(listed) >= 2


@pytest.mark.parametrize("kind", KINDS)
def test_every_value_has_a_cell_of_its_own_in_a_table(kind):
    factor = made(kind)
    cells = [factor.shown(value) for value in factor.listed]
    assert len(set(cells)) == len(cells)
    assert all(isinstance(cell, (str, int, float)) for cell in cells)


@pytest.mark.parametrize("kind", KINDS)
def test_a_factor_goes_through_its_data_and_comes_back_the_same(kind):
    one = design(kind="sobol", points=4, base="teaching", seed=3, factors={"x": table_of(kind, note="why")})
    assert design(one.to_data()) == one


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_of_factor_says_what_it_is(kind):
    assert FACTORS[kind].__doc__
    assert FACTORS[kind].kind == kind
