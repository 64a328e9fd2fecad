"""What the words of a scenario mean on the clock: dates, times of day, opening hours.

The clock is hours after the start of the run, on the grid of 2^-20 h (D10). Local
time is UTC plus the offset of the post. Nothing of `corridor_sim` is imported.
"""

import datetime as dt

GRID = 2**20
DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]


def on_grid(hours):
    """Rounded to the clock grid. [h]"""
    return round(hours * GRID) / GRID


def enough(hours, down):
    """A constant service on the clock grid: the next point above, or below it (D10)."""
    near = round(hours * GRID)
    if abs(hours * GRID - near) <= 1e-6:
        return near / GRID
    return (int(hours * GRID) + (not down)) / GRID


def utc(instant):
    """A date-time without an offset of its own, in UTC; one without an offset stays as it is."""
    if instant.tzinfo is None:
        return instant
    return (instant - instant.utcoffset()).replace(tzinfo=None)


def hours_of(instant, start, offset_h):
    """Hours after the start of the run (UTC). An instant without an offset is local to `offset_h`."""
    local = 0.0 if instant.tzinfo is not None else offset_h
    return on_grid((utc(instant) - utc(start)).total_seconds() / 3600 - local)


def local(start, offset_h, time_h):
    """Local weekday (0 is Monday) and hours after local midnight."""
    passed_ms = round((time_h + offset_h) * 3_600_000)
    then = utc(start) + dt.timedelta(milliseconds=passed_ms)
    midnight = then.replace(hour=0, minute=0, second=0, microsecond=0)
    return then.weekday(), (then - midnight).total_seconds() / 3600


def clock(text):
    """ "08:30" as hours after midnight."""
    hours, minutes = text.split(":")
    return int(hours) + int(minutes) / 60


def weekdays(text):
    """Days that "Mon-Fri" or "Sat,Sun" names, as numbers."""
    found = []
    for part in text.split(","):
        if "-" in part:
            first, last = (DAYS.index(name) for name in part.split("-"))
            day = first
            found.append(day)
            while day != last:
                day = (day + 1) % 7
                found.append(day)
        else:
            found.append(DAYS.index(part))
    return found


def parsed(line):
    """One line of opening hours: its days, its beginning, its end (hours after midnight)."""
    *days, window = line.split(" ")
    first, last = window.split("-")
    return (weekdays(days[0]) if days else list(range(7))), clock(first), clock(last)


def is_open(lines, weekday, hour):
    """Whether one of the lines is open at an hour of a weekday; windows are [begin, end) (S02).

    A window whose end is not after its beginning runs over midnight into the next day (S22).
    """
    for line in lines:
        days, begin, end = parsed(line)
        if begin < end:
            if weekday in days and begin <= hour < end:
                return True
        elif (weekday in days and hour >= begin) or ((weekday - 1) % 7 in days and hour < end):
            return True
    return False


def edges_of_day(lines):
    """Hours after midnight at which one of the lines opens or closes."""
    return {hour % 24 for line in lines for hour in parsed(line)[1:]}


def open_hours_per_day(lines, table=None):
    """Hours a day in which lanes can be open, over a week, minute by minute; hours with 0 lanes are closed (D28)."""
    return lane_hours_per_day(1, lines, {text: min(1, n) for text, n in table.items()} if table else None)


def lane_hours_per_day(lanes, lines, table=None):
    """Lanes times open hours a day, over a week, minute by minute; `table` gives the lanes by hour. [h]"""
    total = 0
    for minute in range(7 * 24 * 60):
        day, hour = divmod(minute / 60, 24)
        if lines is None or is_open(lines, int(day), hour):
            total += by_hour(table, int(day), hour) if table else lanes
    return total / 60 / 7


def by_hour(table, weekday, hour):
    """The number of `lanes_by_hour` in force: the last one named, today or on the days before."""
    for back in range(8):
        day, until = (weekday - back) % 7, 24 if back else hour
        begun = [(begin, number) for days, begin, number in _entries(table) if day in days and begin <= until]
        if begun:
            return max(begun)[1]
    raise AssertionError(f"no number before {hour} h: {table}")


def _entries(table):
    for text, number in table.items():
        *days, time = text.split(" ")
        yield (weekdays(days[0]) if days else list(range(7))), clock(time), number


def midnights(start, offset_h, until_h):
    """Instants at which local days begin: the one at or before 0 first, then each until the end of the run. [h]"""
    first = -local(start, offset_h, 0.0)[1]
    found = [on_grid(first)]
    while found[-1] <= until_h:
        found.append(on_grid(found[-1] + 24))
    return found
