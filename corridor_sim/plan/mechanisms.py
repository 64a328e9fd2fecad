"""What a plan may ask of an engine: every mechanism by name, each declared once, here.

The pieces of a plan list what they need (`needs.py`); an engine states the set that it
does; what is left over is refused by name. A mechanism also says here, once, whether it
gives or takes lane-time: planned capacity, load, saturation and OVERLOAD state which of
those they count, and name the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, unique
from typing import Final, Literal

Effect = Literal["gives", "takes", "neutral"]
GIVES: Final = "gives"
"""More can get through, or less of what is there is asked for."""
TAKES: Final = "takes"
"""Less can get through, or more of it is asked for."""
NEUTRAL: Final = "neutral"
"""Order and times change, and never how much can get through in the long run."""


@unique
class Mechanism(Enum):
    """One thing that a piece of a plan may need, in the words in which an engine refuses it.

    Attributes
    ----------
    words : str
        Reads on as "... at <place>".
    effect : {"gives", "takes", "neutral"}
        What it does to lane-time (or places, or entries), for accounts of capacity.

    Examples
    --------
    >>> Mechanism.STAFF_POOL.words, Mechanism.STAFF_POOL.effect
    ('a staff pool', 'takes')
    """

    def __init__(self, words: str, effect: Effect) -> None:
        self.words, self.effect = words, effect

    # ---- stations: lanes and hours

    LANES = "lanes", GIVES
    """Parallel lanes with one queue, first come first served (S04, S05)."""
    DATED_LANES = "lanes whose number changes", GIVES
    """The number of open lanes is a step function of time (S07)."""
    FINISH = "closing 'finish'", GIVES
    """A station closes; services under way are completed after closing time (S08)."""
    SUSPEND = "closing 'suspend'", NEUTRAL
    """A station closes; services under way stop and go on at reopening (S08, D15): open hours are all there is."""
    RESTART = "closing 'restart'", TAKES
    """A station closes; services under way begin anew at reopening (S08, D15)."""
    NO_OVERRUN = "closing 'no_overrun'", TAKES
    """A service starts only if it ends before the station closes (S08, D15)."""
    CLEAR_QUEUE = "closing 'clear_queue'", GIVES
    """Those who joined before closing time are still served (S08, D15)."""
    NAMED_LANES = "named lanes", NEUTRAL
    """Lanes keep their identity, each with its own calendar (S07); `lanes` is their sum."""

    # ---- stations: outages

    OUTAGES = "outages of the whole station", TAKES
    """Given times at which a station has no lane (S11)."""
    LANE_OUTAGES = "outages of single lanes", TAKES
    """Given times at which one lane is down (S11)."""
    BREAKDOWNS = "breakdowns of the whole station", TAKES
    """Drawn outages of a station by the calendar clock (S26)."""
    LANE_BREAKDOWNS = "breakdowns of single lanes", TAKES
    """Drawn outages of each lane by the calendar clock (S26)."""
    OUTAGES_RESUME = "outages with policy 'resume'", NEUTRAL
    """A service interrupted by an outage goes on where it stopped (S11)."""
    OUTAGES_RESTART = "outages with policy 'restart'", TAKES
    """A service interrupted by an outage begins anew: the lane-time before is lost (S11)."""
    OUTAGES_FINISH = "outages with policy 'finish'", GIVES
    """A service under way is completed within the outage (S11)."""
    OUTAGES_REQUEUE = "outages that requeue", TAKES
    """A service interrupted by an outage goes back to the head of the queue and begins anew (S11)."""

    # ---- stations: order, room, people

    PRIORITY = "priority", NEUTRAL
    """Flows of a more urgent rank start first (S05)."""
    DATED_PRIORITY = "priority whose order changes within the run", NEUTRAL
    """The rank is read by date at joining and kept."""
    PREEMPTION = "priority that interrupts services", NEUTRAL
    """A more urgent one takes the lane of a less urgent one, who goes on later where he stopped (S35)."""
    PREEMPTION_RESTART = "priority that has services begin anew", TAKES
    """The same, where a service that was interrupted begins anew: the lane-time before is lost (S35)."""
    YARD = "a yard", TAKES
    """Finite waiting places; who finds none stays in the lane before (S14-S17)."""
    DATED_YARD = "a yard whose places change within the run", TAKES
    """The number of waiting places is a step function of time."""
    RESERVED_LANES = "reserved lanes", TAKES
    """Some of the lanes serve only some flows."""
    RESERVED_OVERFLOW = "reserved lanes with overflow", GIVES
    """Flows with reserved lanes may use the general lanes too."""
    RESERVED_FOR_A_TIME = "lanes reserved for a time", NEUTRAL
    """While none are reserved, the flows are served as all others (D28)."""
    STAFF_POOL = "a staff pool", TAKES
    """A service needs a lane and members of a pool that stations share."""

    EXTRA_LANES = "lanes opened by the queue", GIVES
    """One lane more when many wait, one less when few do (S27)."""

    GATE = "a gate by the queue further on", TAKES
    """No service starts while many wait at a place further on (S31)."""

    # ---- legs and delays

    DELAY = "time that nobody competes for", NEUTRAL
    """A stay outside the lanes, or a free road: no queue."""
    HEADWAY = "a headway", TAKES
    """Least time between two entries to a leg (S18)."""
    CLOSURES = "closures of a leg", TAKES
    """Times at which a leg may not be entered."""
    VEHICLE_LIMIT = "a limit of vehicles", TAKES
    """Most vehicles on a leg at once (S19)."""
    SINGLE_TRACK = "a single track of both directions", TAKES
    """Vehicles of one direction at a time are on the leg; the direction changes when it is empty (S28)."""
    NO_OVERTAKING = "no overtaking", NEUTRAL
    """Nobody leaves a leg before one that entered earlier."""

    # ---- timetables and daily acceptance

    DEPARTURES = "departures with places", GIVES
    """Ferries, trains, booked slots: a load leaves at each given time (S12, S13)."""
    WHEN_FULL = "departures when full", NEUTRAL
    """A departure takes place as soon as so many are there."""
    CROSSING = "a drawn crossing time", NEUTRAL
    """The load lands a drawn time after its departure."""
    CANCELLATIONS = "cancelled departures", TAKES
    """A departure does not run with some probability; its load waits for the next."""
    BOARDING_BY_CLASS = "boarding by class", NEUTRAL
    """Those of a more urgent rank board first (S12)."""
    BOARDING_ORDER = "landing in boarding order", NEUTRAL
    """A load joins the next element in the order in which it boarded."""
    ACCEPTANCE = "daily acceptance", TAKES
    """At most so many consignments are taken over in one local day (D17)."""
    ACCEPTANCE_HOURS = "daily acceptance at a post that closes", TAKES
    """Nobody is taken over while the post is closed; what is unused at midnight lapses (D31)."""

    # ---- steps and itineraries

    DURATION = "a duration of its own", TAKES
    """A law of the service, stay or travel time of a step."""
    DATED_DURATION = "a law of the duration that changes within the run", TAKES
    """Another law from a date on; the draws stay paired."""
    FACTOR = "a dated factor of the duration", TAKES
    """Multiplies the duration, read as it starts (D13)."""
    SHARE = "a dated share of those who take a step", GIVES
    """The others pass the step by."""
    RELIEF = "a dated share of those whose time is shortened", GIVES
    """Pre-arrival processing and the like: shorter, or skipped with factor 0."""
    BALKING = "balking", GIVES
    """Leaving for another itinerary when the announced wait is too long."""
    PATIENCE = "patience that ends in the queue", GIVES
    """Who has waited longer than his patience leaves the queue (S34)."""
    DRIVERS_HOURS = "drivers' hours", NEUTRAL
    """Who has been at the wheel for so long rests before he drives on (S36)."""
    ROUTES = "several itineraries of one flow", GIVES
    """One is drawn at release by dated shares (D18)."""
    CYCLES = "itineraries that go round in cycles", NEUTRAL
    """Elements have no topological order, for instance lanes that both directions use."""


@dataclass(frozen=True, slots=True)
class Undeclared:
    """What a piece of a plan has and no `Mechanism` stands for: nobody does it, so everybody refuses it.

    Examples
    --------
    >>> Undeclared("Station", "extra_lane_above").words
    'the undeclared mechanism Station.extra_lane_above'
    """

    piece: str
    """Class of the piece."""
    field: str = ""
    """Its field, with the value where only the value is not known; "" if the class itself is not known."""

    @property
    def words(self) -> str:
        """As `Mechanism.words`."""
        return "the undeclared mechanism " + (f"{self.piece}.{self.field}" if self.field else self.piece)

    @property
    def effect(self) -> Effect:
        """Nothing is known of it, so an account has to warn that it leaves it out."""
        return TAKES


Need = Mechanism | Undeclared
