"""What a time release study holds, in a small TOML file: where its columns are, which instants they give, and of what.

To read another layout of rows, add it to `rows` here and to `study_rows.py`.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, model_validator

from corridor_sim.core.errors import Problem, ScenarioError, nearest
from corridor_sim.core.local_time import LocalTime
from corridor_sim.files.reading import parse, read_text, shown
from corridor_sim.files.sheets import WORKBOOKS
from corridor_sim.files.toml_lines import outline
from corridor_sim.model.base import Model
from corridor_sim.model.csv_columns import DELIMITERS
from corridor_sim.model.field_types import Instant, NamesOf, NonNegative, OrderedTableOf
from corridor_sim.model.local_clock import ONE_CLOCK, OffsetHours, ZoneName

JOINING, START, END = "joining", "start", "end"


class StudyEvent(Model):
    """One instant that a study records of each consignment."""

    column: str = ""
    """Header of its times, with a row a consignment; by default the name of the event."""
    word: str = ""
    """What stands for it in the column of events, with a row an event; by default its name."""
    agency: str = ""
    """Whose work it ends."""
    agency_column: str = ""
    """Header of the column that says whose, where that differs from row to row."""
    stage: str = ""
    """Stage of the scenario that it belongs to."""
    at: Literal["", "joining", "start", "end"] = ""
    """What it is there: joining the queue, start of the service, end."""
    channels: NamesOf = ()
    """Channels that have it; the others have not. None named: all."""
    optional: bool = False
    """Whether a consignment may be without it, whatever its channel."""
    gaps: bool = False
    """Whether it was not always written down: a consignment with a later time had it, at a time that is not known."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        problems = []
        if bool(self.stage) != bool(self.at):
            lacking = "at" if self.stage else "stage"
            problems.append(Problem("is required: stage and at go together", lacking))
        if self.agency and self.agency_column:
            problems.append(Problem("does not go with agency_column", "agency", self.agency))
        if self.gaps and self.optional:
            problems.append(Problem("does not go with optional: an empty cell is either", "gaps", self.gaps))
        if problems:
            raise ScenarioError(problems)
        return self


def _as_list(value: Any) -> Any:
    """One form of times is a list of one; no text is none."""
    return [value] * bool(value) if isinstance(value, str) else value


class StudyColumns(Model):
    """Where a study is and what its columns mean. Times without an offset are those of `zone` or `utc_offset_h`."""

    name: str
    """An id: it names the source in what is made from the study."""
    about: str = ""
    csv: str
    """Path of the table, from the folder of this file: CSV, or a workbook (.xlsx with the extra ``excel``, .ods)."""
    sheet: str = ""
    """Sheet of a workbook."""
    delimiter: str = ","
    rows: Literal["consignment", "event"] = "consignment"
    """What a row is of."""
    consignment: str
    """Header of the number of the consignment."""
    event: str = ""
    time: str = ""
    """Headers of the event and its time, with a row an event."""
    agency: str = ""
    """Header of the agency, with a row an event."""
    channel: str = ""
    """Header of the channel; "" where there is none."""
    channels: NamesOf = ()
    """Channels that there are, the lightest first."""
    flow: str = ""
    """Header of the flow; "" where there is none."""
    flows: NamesOf = ()
    """Flows of the scenario that there are, as the column calls them."""
    agencies: NamesOf = ()
    """Agencies that there are."""
    time_format: Annotated[NamesOf, BeforeValidator(_as_list)] = ()
    """How times are written, as Python's strptime has it (``%d.%m.%Y %H:%M``); a list where there is more than one
    way; ISO 8601 if not given, ``"ISO"`` in a list."""
    rounded_to_min: NonNegative = 0.0
    """Step to which times were written down. [min]"""
    zone: ZoneName = ""
    utc_offset_h: OffsetHours = 0.0
    since: Instant | None = None
    until: Instant | None = None
    """Beginning and end of the study, local. What had not happened by the end was still going on."""
    arrivals_until: Instant | None = None
    """End of the arrivals, local, where those who came were followed for longer; by default `until`."""
    missing: NamesOf = ()
    """Words of cells that hold nothing (``-``, ``n/a``)."""
    census: bool = False
    """Whether everybody who came was written down, not some."""
    post: str = ""
    direction: str = ""
    """Post of the scenario and its direction."""
    first_come_first_served: NamesOf = ()
    """Stages with lanes, a queue in the order of joining and no hours, whose starts follow from joinings and ends."""
    release: str = ""
    """The event that is the release; by default the one of that name, else the last."""
    events: OrderedTableOf[StudyEvent]
    """In the order in which they happen."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        problems: list[Problem] = []
        if len(self.events) < 2:
            problems.append(Problem("must be at least two", "events"))
        if len(self.delimiter) != 1 or self.delimiter not in DELIMITERS:
            problems.append(Problem("must be one of , ; | : a blank or a tab", "delimiter", self.delimiter))
        if self.zone and "utc_offset_h" in self.model_fields_set:
            problems.append(Problem("does not go with a `zone`", "utc_offset_h", self.utc_offset_h, hint=ONE_CLOCK))
        if self.since is not None and self.until is not None and self.since >= self.until:
            problems.append(Problem("must be later than since", "until", str(self.until)))
        if self.arrivals_until is not None:
            if self.since is not None and self.since >= self.arrivals_until:
                problems.append(Problem("must be later than since", "arrivals_until", str(self.arrivals_until)))
            if self.until is not None and self.until < self.arrivals_until:
                problems.append(Problem("must not be later than until", "arrivals_until", str(self.arrivals_until)))
        if self.events and next(iter(self.events.values())).gaps:
            first = next(iter(self.events))
            problems.append(Problem("must not be of the first event: who came is known by it", f"events.{first}.gaps"))
        if self.csv.lower().endswith(WORKBOOKS) and not self.sheet:
            problems.append(Problem("is required with a workbook: the name of its sheet", "sheet"))
        if self.rows == "event":
            problems += [
                Problem('is required with rows = "event"', name)
                for name in ("event", "time")
                if not getattr(self, name)
            ]
        for header, words in (("channel", "channels"), ("flow", "flows")):
            if getattr(self, header) and not getattr(self, words):
                problems.append(Problem(f"is required with {header}: the words that stand there", words))
        if self.release and self.release not in self.events:
            hint = nearest(self.release, self.events)
            problems.append(Problem("is no event", "release", self.release, ", ".join(self.events), hint))
        if (self.post == "") != (self.direction == "") or self.direction not in ("", "entry", "exit"):
            problems.append(Problem("must be entry or exit, and go with post", "direction", self.direction))
        for name, event in self.events.items():
            problems += [problem.at(f"events.{name}") for problem in self._event_problems(event)]
        staged = [(one.stage, one.at) for one in self.events.values() if one.stage]
        problems += [
            Problem(f"has {at} twice", f"events ({stage})")
            for stage, at in dict.fromkeys(staged)
            if staged.count((stage, at)) > 1
        ]
        if problems:
            raise ScenarioError(problems)
        return self

    def _event_problems(self, event: StudyEvent) -> list[Problem]:
        found = []
        if event.stage and not self.post:
            found.append(Problem("needs post and direction of the study", "stage", event.stage))
        if event.agency and self.agencies and event.agency not in self.agencies:
            hint = nearest(event.agency, self.agencies)
            found.append(Problem("is no agency", "agency", event.agency, ", ".join(self.agencies), hint))
        if (event.agency_column or self.agency) and not self.agencies:
            found.append(Problem("needs the agencies of the study", "agency_column", event.agency_column))
        found += [
            Problem("is no channel", "channels", one, ", ".join(self.channels), nearest(one, self.channels))
            for one in event.channels
            if one not in self.channels
        ]
        return found

    @property
    def local_time(self) -> LocalTime:
        """The clock that times without an offset are read on."""
        return LocalTime(self.zone) if self.zone else LocalTime(utc_offset_h=self.utc_offset_h)

    @property
    def released(self) -> str:
        """The event that is the release."""
        return self.release or ("release" if "release" in self.events else list(self.events)[-1])

    @property
    def alike(self) -> tuple[tuple[str, ...], ...]:
        """Channels with the same events, several together: nothing that happens tells them apart."""
        groups: dict[tuple[bool | None, ...], list[str]] = {}
        for channel in self.channels:
            groups.setdefault(tuple(self.needs(event, channel) for event in self.events), []).append(channel)
        return tuple(tuple(one) for one in groups.values() if len(one) > 1)

    def needs(self, event: str, channel: str) -> bool | None:
        """Whether a consignment of a channel must have an event (True), may (None), or must not (False)."""
        one = self.events[event]
        if one.channels and channel not in one.channels:
            return False
        return None if one.optional else True


def study_columns(path: str | os.PathLike[str]) -> StudyColumns:
    """The table of columns of a study, from a TOML file.

    Raises
    ------
    ScenarioError
        With everything that is wrong with the file, each with its line.
    """
    file = shown(Path(path))
    text = read_text(Path(path))
    data: dict[str, Any] = parse(text, file)
    try:
        return StudyColumns.model_validate(data)
    except ScenarioError as error:
        lines = outline(text).lines

        def line(at: str) -> int | None:
            while at and at not in lines:
                at = at.rpartition(".")[0]
            return lines.get(at)

        raise ScenarioError(replace(one, file=file, line=line(one.path)) for one in error.problems) from None
