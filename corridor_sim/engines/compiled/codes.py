"""Numbers that stand for things in the tables of the compiled pass."""

CONSTANT_LANES, DATED_LANES, URGENT_FIRST, DAILY, FREE, SAILING = range(6)
"""Kinds of queues: lanes always open, lanes of dated number, the same with priority, daily acceptance (and a timetable
without crossings), no wait, a timetable with crossings."""
LIMITED_LEG, HOURS, PARKED, SINGLE_LANES, RESERVED, WHEN_FULL, BY_CLASS = range(6, 13)
"""Kinds that are left to a kernel of `engines.queues`."""
FULL_STATION, LEG_IN_TIME = 13, 14
"""Kinds that are only worked through in time order (`full.py`, `full_legs.py`)."""
READ_AGAIN = frozenset({LIMITED_LEG, HOURS, PARKED, SINGLE_LANES, RESERVED, FULL_STATION})
"""Kinds, left to a kernel or worked through in time order, whose services are those of their steps."""
CLOSINGS = "finish", "suspend", "restart", "no_overrun", "clear_queue"
FINISH, SUSPEND, RESTART, NO_OVERRUN, CLEAR_QUEUE = range(5)
"""What happens to services as a station closes, by name and as numbers."""
POLICIES = "resume", "restart", "finish", "requeue"
OUTAGES_RESUME, OUTAGES_RESTART, OUTAGES_FINISH, OUTAGES_REQUEUE = range(4)
"""What happens to services that an outage meets, by name and as numbers."""
NOBODY_STOPS, GOES_ON, BEGINS_ANEW = range(3)
"""What happens to a service whose lane a more urgent consignment takes."""
HANDS_BACK = RESERVED
"""From this kind on a kernel leaves open who starts after the window; they are handed in again."""
FIXED, AS_LAW, UNUSUAL, RESTS = range(4)
"""How a step lasts: always as long, by one law, with dates, factors or reliefs, or as rest of drivers."""
ALL, SOME, BY_DATE = range(3)
"""Who takes a step: everybody, a constant share, or a dated share or those who are not relieved of it."""
POST, CROSSING, LEG, JOURNEY = range(4)
"""Kinds of spans."""
QUEUE, HOW, COLUMN, LAW, TAKE, SHARE_COLUMN, LEG_OF, OPENS, OPENS_END, CLOSES, CLOSES_END, FLOW = range(12)
"""Columns of `Tables.step`; LAW is the kind of a law that needs five numbers only, else -1."""
STEP_COLUMNS = 16
"""Columns of `Tables.step`, so that a step is one line of the cache."""
FIXED_H, SHARE_OF, SHARE_BITS, NUMBERS = range(4)
"""Columns of `Tables.step_h`; SHARE_BITS holds a whole number, the least of 53 bits that is not within the share; from
the last on the five numbers of the law."""
STEP_NUMBERS = 8
"""Columns of `Tables.step_h`, one line of the cache again."""
KIND, STAY, ROW, CLOCK = range(4)
"""Columns of `Tables.span`."""
TOO_LONG, TOO_FEW, TOO_MANY, NO_TIME = range(1, 5)
"""What can go wrong: a service that fits into no opening, crossings that were not drawn, more under way than lanes, a
service of no length at a station that one may come back to."""
ID_BITS = 24
"""Bits of the number of a consignment in its replication; its instant has the others."""
SLOT_BITS = 8
"""Bits of an event of queue lengths below its instant: which element of its group, and which way."""
MOST_BUCKETS = 4096
"""Most buckets that a queue is sorted by."""
LONGEST_H = float(2 ** (63 - ID_BITS - 20) - 1)
"""Longest run. [h]"""
