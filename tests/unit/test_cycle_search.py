"""The search for reference cycles is put off for a step, and on again after it whatever happens."""

import gc
import threading

import pytest

from corridor_sim.core.cycle_search import put_off


@pytest.fixture(autouse=True)
def _search_is_on():
    gc.enable()
    yield
    gc.enable()


def test_it_is_off_within_and_on_after():
    with put_off():
        assert not gc.isenabled()
        with put_off():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()


def test_it_is_on_again_after_an_error():
    with pytest.raises(KeyError), put_off():
        raise KeyError("lost")
    assert gc.isenabled()


def test_who_had_it_off_has_it_off():
    gc.disable()
    with put_off():
        pass
    assert not gc.isenabled()


def test_of_two_threads_the_last_one_turns_it_on():
    inside, leave = threading.Event(), threading.Event()

    def other():
        with put_off():
            inside.set()
            leave.wait(10)

    thread = threading.Thread(target=other)
    with put_off():
        thread.start()
        assert inside.wait(10)
    assert not gc.isenabled()
    leave.set()
    thread.join(10)
    assert gc.isenabled()


def test_a_run_leaves_it_on():
    import corridor_sim as cs

    cs.run("teaching", replications=5, rng=1, engine="batch", workers=1)
    assert gc.isenabled()
