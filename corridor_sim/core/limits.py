"""How much is too much: what a scenario, a list and a run may hold at most.

Every limit is far above what a border needs and low enough that a slip of the
unit is refused in an instant instead of filling the memory. ``docs/limits.md`` lists
them for users. To change one, change it here.
"""

LARGEST = 1e15
"""Largest number that any field takes, unless the field has a narrower limit."""
SMALLEST = 1e-12
"""Smallest number above 0 of a field that must be > 0."""
FIRST_YEAR, LAST_YEAR = 1900, 2199
"""Years in which an instant may lie."""
MAX_LANES = 10_000
"""Most lanes of a stage, members of a staff pool, or lanes kept for a class."""
MAX_COUNT = 10_000_000
"""Most of anything else that is counted: places, vehicles, slots or consignments a day."""
MAX_GROUP = 100_000
"""Most consignments that arrive together."""
MAX_CONSIGNMENTS = 1e8
"""Most consignments that one replication may be expected to create."""
MAX_REPLICATIONS = 100_000
"""Most replications of a run: every indicator keeps one value a replication."""
MAX_RAMP_DAYS = 3_650
"""Longest ramp of an improvement: one step a day. [days]"""
MIN_GAP_H = 1e-3
"""Shortest time between groups of slots, departures or entries to a leg (3.6 s). [h]"""
MAX_START_UP_H = 168.0
"""Longest time until a lane that the queue asks for is open. [h]"""
MAX_SWITCH_H = 24.0
"""Longest time that the change of direction on a single track takes. [h]"""
MAX_FACTOR = 1_000.0
"""Largest factor of a speed, a time or a volume."""
MAX_KM = 100_000.0
"""Longest leg. [km]"""
MAX_ENTRIES = 2_000
"""Most entries of one table: posts, legs, flows, outages of a stage, ..."""
MAX_VALUES = 1_000_000
"""Most elements of one list, and most rows of a CSV file."""
MAX_STEPS = 2_000_000
"""Most instants at which the values of a scenario may change within the run, over all its elements."""
MAX_MIXES = 1_000
"""Most combinations of crossings that one flow may be spread over."""
MAX_FAILURES = 1_000_000
"""Most breakdowns that may be expected at one stage within a run."""
MAX_POINTS = 10_000
"""Most points of a design, and most levels of one of its factors: each is a scenario of its own."""
MAX_EVENTS = 5_000_000
"""Most events of one event log: as XES a million is 0.26 GB, and takes 1.4 GB of memory while it is written."""
