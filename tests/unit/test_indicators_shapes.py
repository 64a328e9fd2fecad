"""The distribution of stays and the week of a queue, reckoned by hand."""

from small_border import plan, records, straight, table

# Two trucks reach A at 3 and 4; A takes 2 h each and 0.5 h at the booth: stays of 2.5 and 3.5 h.
# The second waits from 4 to 5. The run begins on Thursday 1 June 2023 at 00:00, local time is UTC.
TWO = [straight(0.0), straight(1.0, wait_a=1.0)]


def test_the_distribution_of_stays_counts_who_has_left():
    found = table(records(plan(), TWO)).select("stay_distribution", place="a", direction="exit")
    share = {label.of: values[0] for label, values in found}
    assert share["2 h"] == 0.0
    assert share["3 h"] == 0.5
    assert share["4 h"] == 1.0
    assert share["168 h"] == 1.0


def test_the_week_of_a_queue_shows_the_hour_in_which_one_waits():
    # 48 h: Thursday and Friday. Of the marks of Thursday 04:00-05:00 all see one waiting; no other does.
    found = table(records(plan(), TWO)).select("queue_by_weekday_hour", place="a", direction="exit")
    waiting = {(label.of, label.hour): values[0] for label, values in found}
    assert {day for day, _ in waiting} == {"Thu", "Fri"}
    assert waiting.pop(("Thu", 4)) == 1.0
    assert set(waiting.values()) == {0.0}
