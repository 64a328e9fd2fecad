"""What an improvement does at one instant, read from the improvement itself.

D28: a value is the base value -> what is set -> times all factors -> plus all that is
added or taken away -> closed. Each question below walks through the improvements of
the scenario and asks of each: are you in force now, and is it this that you change?
"""

import math

from oracle.words import by_hour, hours_of, is_open, lane_hours_per_day, local, open_hours_per_day


class InForce:
    """The improvements of one scenario, asked at instants of the run."""

    def __init__(self, scenario):
        self.scenario = scenario
        self.start = scenario.run.start

    # ------------------------------------------------------------ where and when

    @staticmethod
    def where(one):
        """Path that the improvement names, its parts in a list."""
        if one.at:
            parts = one.at.split(".")
        elif getattr(one, "leg", ""):
            parts = ["legs", one.leg]
        elif getattr(one, "crossing", ""):
            parts = ["crossings", one.crossing]
        elif one.kind == "demand_growth":
            parts = ["flows"]
        else:
            parts = [
                "checkpoints",
                *(part for part in (one.checkpoint, one.direction, getattr(one, "stage", "")) if part),
            ]
        if one.kind == "closure" and one.at and parts[0] == "checkpoints":
            # `direction` and `stage` narrow the path further.
            parts += [part for part in (one.direction, one.stage) if part]
        return parts

    def offset(self, parts):
        """Local time minus UTC where a path lies: dates are local to a post, UTC elsewhere. [h]"""
        if parts[0] == "checkpoints":
            return self.scenario.checkpoints[parts[1]].utc_offset_h
        if parts[0] == "crossings":
            posts = [post for post in self.scenario.checkpoints.values() if post.crossing == parts[1]]
            return posts[0].utc_offset_h
        return 0.0

    def begins(self, one):
        """Instant of `from`; none means ever since. [h]"""
        if one.from_ is None:
            return -math.inf
        return hours_of(one.from_, self.start, self.offset(self.where(one)))

    def ends(self, one):
        """Instant of `until`; none means for good. [h]"""
        if one.until is None:
            return math.inf
        return hours_of(one.until, self.start, self.offset(self.where(one)))

    def effect(self, one, time_h):
        """How much of it is in force: 0 outside [from, until) (S02), 1 inside once the ramp is over.

        On day k (from 0) of a ramp over n days it is (k + 1/2) / n.
        """
        if not self.begins(one) <= time_h < self.ends(one):
            return 0.0
        days = math.ceil(one.ramp_up_days)
        if days == 0:
            return 1.0
        day = math.floor((time_h - self.begins(one)) / 24)
        return 1.0 if day >= days else (day + 0.5) / days

    def edges(self):
        """All instants at which an improvement begins, grows or ends, works included. [h]"""
        found = set()
        for one in self.scenario.improvements.values():
            found |= {self.begins(one), self.ends(one)}
            found |= {self.begins(one) + 24 * day for day in range(1, math.ceil(one.ramp_up_days) + 1)}
            if one.works is not None:
                found |= set(self.works_window(one))
        return {edge for edge in found if math.isfinite(edge)}

    def works_window(self, one):
        """From when until when lanes are lost while it is built. [h]"""
        parts = self.works_at(one)
        return tuple(hours_of(at, self.start, self.offset(parts)) for at in (one.works.from_, one.works.until))

    def works_at(self, one):
        """The stage that loses lanes to the works: the one named, else the one improved."""
        return one.works.at.split(".") if one.works.at else self.where(one)

    def of_kind(self, *kinds):
        """Improvements of some kinds with their names."""
        return [(name, one) for name, one in self.scenario.improvements.items() if one.kind in kinds]

    def covers(self, one, path):
        """Whether the improvement is about the stage at `path` or about something that holds it."""
        parts = self.where(one)
        return path.split(".")[: len(parts)] == parts

    # ------------------------------------------------------------ lanes (D28)

    def count(self, path, stage, time_h):
        """Lanes as a number, before hours and closures: base -> set -> added. No factor acts on lanes."""
        number = stage.lanes
        if stage.lanes_by_hour:
            number = by_hour(stage.lanes_by_hour, *self.hour(path, time_h))
        base = number
        for _, one in self.of_kind("set_capacity"):
            effect = self.effect(one, time_h)
            if self.covers(one, path) and one.lanes is not None and effect:
                number = base + effect * (one.lanes - base)
        for _, one in self.of_kind("add_lanes", "remove_lanes", "priority_lane"):
            effect = self.effect(one, time_h)
            if self.covers(one, path) and effect:
                more = {"add_lanes": 1, "remove_lanes": -1}.get(one.kind)
                change = more * one.lanes if more else one.new_lanes
                # Whole lanes: half a lane is none.
                number += math.trunc(effect * change)
        for one in self.scenario.improvements.values():
            if one.works is None or ".".join(self.works_at(one)) != path:
                continue
            begins, ends = self.works_window(one)
            if begins <= time_h < ends:
                number += one.works.lanes
        return max(0, math.floor(number + 1e-9))

    def lanes(self, path, stage, time_h):
        """Open lanes c(t) of a stage: the count where nothing closes it, else 0 (D28: closed comes last)."""
        closed = (
            self.is_night(path, stage, time_h) or not self.in_hours(path, stage, time_h) or self.is_closed(path, time_h)
        )
        return 0 if closed else self.count(path, stage, time_h)

    def is_night(self, path, stage, time_h):
        """D28: hours with 0 in `lanes_by_hour` are closed hours, whatever is set or added."""
        return bool(stage.lanes_by_hour) and by_hour(stage.lanes_by_hour, *self.hour(path, time_h)) == 0

    def in_hours(self, path, stage, time_h):
        """Whether the opening hours in force, those of the stage or those set, are open (S22)."""
        lines = stage.opening_hours
        for _, one in self.of_kind("opening_hours"):
            if self.covers(one, path) and self.effect(one, time_h):
                lines = one.opening_hours
        if lines is None:
            return True
        return is_open(lines, *local(self.start, self.offset(path.split(".")), time_h))

    def is_closed(self, path, time_h):
        """Whether a closure of the stage, its direction or its post is in force."""
        return any(self.covers(one, path) and self.effect(one, time_h) for _, one in self.of_kind("closure"))

    def hour(self, path, time_h):
        """Local weekday and hours after midnight at a post."""
        return local(self.start, self.offset(path.split(".")), time_h)

    def extra_lanes(self, path, stage, time_h):
        """S27: the terms on which the queue opens lanes, those of the stage or those set, and the limit by roster."""
        terms = stage.extra_lanes
        for _, one in self.of_kind("lanes_by_queue"):
            if self.covers(one, path) and self.effect(one, time_h):
                terms = one
        if terms is None:
            return None, 0
        if terms.most_by_hour:
            return terms, by_hour(terms.most_by_hour, *self.hour(path, time_h))
        return terms, terms.most

    def gate(self, path, stage, time_h):
        """S31: the gate of a stage, its own or the one set, or None."""
        terms = stage.gate
        for _, one in self.of_kind("gate_by_queue"):
            if self.covers(one, path) and self.effect(one, time_h):
                terms = one
        return terms

    # ------------------------------------------------------------ whom lanes serve

    def reserved(self, path, stage, cargo_class, time_h):
        """Lanes kept for a class as a number, and whether the class may use the other lanes too."""
        base = stage.reserved.get(cargo_class)
        lanes, overflow = (base.lanes, base.overflow) if base is not None else (0, False)
        first = lanes
        for _, one in self.of_kind("priority_lane"):
            effect = self.effect(one, time_h)
            if self.covers(one, path) and one.cargo_class == cargo_class and effect:
                lanes = first + effect * (one.lanes - first)
                overflow = overflow or one.overflow
        return math.floor(lanes + 1e-9), overflow

    def rank(self, path, stage, cargo_class, time_h):
        """S05: place of the class in the order in force; classes not listed come last."""
        order = stage.priority
        for _, one in self.of_kind("priority_class"):
            if self.covers(one, path) and self.effect(one, time_h):
                order = one.priority
        if not order:
            return 0
        return order.index(cargo_class) if cargo_class in order else len(order)

    def yard(self, path, stage, time_h):
        """Waiting places in force; None is unlimited (S15)."""
        places = stage.yard
        for _, one in self.of_kind("yard_places"):
            if self.covers(one, path) and self.effect(one, time_h):
                places = one.places
        return None if places == "unlimited" else places

    def yard_ever(self, path, stage):
        """Whether the yard is limited at any time of the run."""
        return stage.yard != "unlimited" or any(
            self.covers(one, path) and one.places != "unlimited" for _, one in self.of_kind("yard_places")
        )

    # ------------------------------------------------------------ services

    def law(self, path, stage, time_h):
        """The law of service in force, and the factor that brings it to the lane cycle asked for (D17)."""
        law, cycle_h = stage.service, None
        if stage.trucks_per_day is not None:
            cycle_h = self._lane_hours(stage, None) / stage.trucks_per_day
        for _, one in self.of_kind("service_time"):
            if self.covers(one, path) and one.service is not None and self.effect(one, time_h):
                law, cycle_h = one.service, None
        for _, one in self.of_kind("set_capacity"):
            if self.covers(one, path) and self.effect(one, time_h):
                law, cycle_h = stage.service, self._lane_hours(stage, one.lanes) / one.trucks_per_day
        return law, cycle_h

    @staticmethod
    def _lane_hours(stage, lanes):
        """Lane-hours a day of a stage by its own calendar, with its own lanes or so many. [h]"""
        if lanes is None:
            return lane_hours_per_day(stage.lanes, stage.opening_hours, stage.lanes_by_hour)
        return lanes * open_hours_per_day(stage.opening_hours, stage.lanes_by_hour)

    def factors(self, path, stage, cargo_class, time_h):
        """Factors on the time of service in force; all of them multiply (D28)."""
        product = stage.factor_by_class.get(cargo_class, 1.0)
        for _, one in self.of_kind("service_time"):
            effect = self.effect(one, time_h)
            if self.covers(one, path) and one.factor is not None and one.cargo_class in ("", cargo_class) and effect:
                product *= 1 + effect * (one.factor - 1)
        return product

    def reliefs(self, path, cargo_class, time_h):
        """Pre-arrival papers in force at a stage: (improvement, share of consignments, factor)."""
        found = []
        for name, one in self.of_kind("pre_arrival"):
            effect = self.effect(one, time_h)
            if self.covers(one, path) and effect and (not one.cargo_classes or cargo_class in one.cargo_classes):
                found.append((name, one.share * effect, one.factor))
        return found

    def share(self, path, stage, cargo_class, time_h):
        """Share of a class that needs a stage: its own, or that of all; improvements of all classes mean it too."""
        own = cargo_class in stage.share_by_class
        base = stage.share_by_class.get(cargo_class, stage.share)
        shares = [one for _, one in self.of_kind("inspection_share") if self.covers(one, path)]
        general = [one for one in shares if not one.cargo_class]
        special = [one for one in shares if one.cargo_class == cargo_class]
        if own:
            value = self._resolved(base, [*general, *special], time_h)
        else:
            value = self._resolved(self._resolved(base, general, time_h), special, time_h)
        if stage.channels:
            value *= self.in_channels(path, stage, cargo_class, time_h)[0]
        return min(1.0, max(0.0, value))

    def in_channels(self, path, stage, cargo_class, time_h):
        """Share of a class in the risk channels that need a stage, and in those stricter than all of them.

        Channels set by an improvement win, those of the class over those of all.
        """
        post, way = path.split(".")[1:3]
        channels = self.scenario.checkpoints[post].channels[way]
        shares = channels.by_class.get(cargo_class, channels.shares)
        for meant in ("", cargo_class):
            for _, one in self.of_kind("inspection_share"):
                here = self.where(one) == ["checkpoints", post, "channels", way]
                effect = self.effect(one, time_h)
                if here and one.channels and one.cargo_class == meant and effect:
                    # Day by day as any share; two of a kind do not hold at once.
                    shares = {
                        name: one.channels.get(name, 0.0)
                        if effect == 1
                        else share + effect * (one.channels.get(name, 0.0) - share)
                        for name, share in shares.items()
                    }
        names = list(shares)
        last = max(names.index(name) for name in stage.channels)
        return sum(shares[name] for name in set(stage.channels)), sum(shares[name] for name in names[last + 1 :])

    def _resolved(self, base, changes, time_h):
        value = base
        for one in changes:
            if one.share is not None and (effect := self.effect(one, time_h)):
                value = base + effect * (one.share - base) if effect < 1 else one.share
        for one in changes:
            if one.factor is not None and (effect := self.effect(one, time_h)):
                value *= 1 + effect * (one.factor - 1)
        return value

    # ------------------------------------------------------------ before the stages

    def accepted_per_day(self, post, direction, time_h):
        """Consignments a day that are taken over in one direction; None is no limit."""
        base = self.scenario.checkpoints[post].acceptance.get(direction)
        number = base.per_day if base is not None else None
        for _, one in self.of_kind("daily_acceptance"):
            if self.where(one) == ["checkpoints", post, direction] and self.effect(one, time_h):
                number = one.per_day
        return number

    def slots_per_day(self, post, direction, time_h):
        """Booked slots a day, and hours between groups of them; (None, None) if nobody books."""
        base = self.scenario.checkpoints[post].slots.get(direction)
        number, every_h = (base.per_day, base.every_h) if base is not None else (None, None)
        for _, one in self.of_kind("slot_booking"):
            if self.where(one) == ["checkpoints", post, direction] and self.effect(one, time_h):
                number = one.per_day
                every_h = one.every_h if one.every_h is not None else every_h
        return number, every_h

    def one_stop(self, crossing, time_h):
        """The one-stop post in force at a crossing, or None."""
        for _, one in self.of_kind("one_stop_post"):
            if one.crossing == crossing and self.effect(one, time_h):
                return one
        return None

    # ------------------------------------------------------------ legs

    def leg_closed(self, id, time_h):
        """Whether a leg cannot be entered: its own closures and those of improvements."""
        own = any(
            hours_of(one.from_, self.start, 0.0) <= time_h < hours_of(one.until, self.start, 0.0)
            for one in self.scenario.legs[id].closures.values()
        )
        return own or any(
            self.where(one) == ["legs", id] and self.effect(one, time_h) for _, one in self.of_kind("closure")
        )

    def bans(self, id, way, cargo_class, time_h):
        """S30: the bans by name whose dates hold for a class in one direction of a leg, whatever their hours."""
        found = dict(self.scenario.legs[id].bans)
        for _, one in self.of_kind("leg_bans"):
            if self.where(one) == ["legs", id] and self.effect(one, time_h):
                found = {name: ban for name, ban in found.items() if name not in one.lifts} | dict(one.bans)
        return {
            name: ban
            for name, ban in found.items()
            if (not ban.cargo_classes or cargo_class in ban.cargo_classes)
            and ban.direction in (None, way)
            and (ban.from_ is None or hours_of(ban.from_, self.start, ban.utc_offset_h) <= time_h)
            and (ban.until is None or time_h < hours_of(ban.until, self.start, ban.utc_offset_h))
        }

    def headway_h(self, id, time_h):
        """Least time between two entries in one direction, 0 for none (S18). [h]"""
        leg = self.scenario.legs[id]
        headway = leg.headway_h if leg.paths_per_day is None else 24 / leg.paths_per_day
        for one in self._leg_capacities(id, time_h):
            if one.headway_h is not None or one.paths_per_day is not None:
                headway = one.headway_h if one.paths_per_day is None else 24 / one.paths_per_day
        return headway or 0.0

    def most_vehicles(self, id, time_h):
        """Most vehicles between entry and exit, infinity for no limit (S19)."""
        most = self.scenario.legs[id].max_vehicles
        for one in self._leg_capacities(id, time_h):
            if one.max_vehicles is not None:
                most = one.max_vehicles
        return math.inf if most is None else most

    def _leg_capacities(self, id, time_h):
        return [
            one
            for _, one in self.of_kind("leg_capacity")
            if self.where(one) == ["legs", id] and self.effect(one, time_h)
        ]

    def speed(self, id, time_h):
        """Mean speed in force over the base speed: set, then factors."""
        base = self.scenario.legs[id].speed_kmh
        changes = [one for _, one in self.of_kind("leg_speed") if self.where(one) == ["legs", id]]
        value = base
        for one in changes:
            if one.speed_kmh is not None and (effect := self.effect(one, time_h)):
                value = base + effect * (one.speed_kmh - base)
        for one in changes:
            if one.factor is not None and (effect := self.effect(one, time_h)):
                value *= 1 + effect * (one.factor - 1)
        return value / base

    def timetable(self, id, time_h):
        """The timetable in force on a leg, None for free travel."""
        table = self.scenario.legs[id].timetable
        for _, one in self.of_kind("timetable"):
            if self.where(one) == ["legs", id] and self.effect(one, time_h):
                table = one.timetable
        return table
