"""Tables of flows that share their itineraries are made once: where does each flow have its own?

Entries of four sorts stand flow by flow: routes, steps, spans and columns of draws. Those of a flow that has the
very itineraries of a flow before it are the same, but for the numbers of steps, spans and columns in them, which go on
where those of the flow before end.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from corridor_sim.records.visits import IntArray as Ints


class Numbers(NamedTuple):
    """How many entries there are of each sort."""

    routes: int
    steps: int
    spans: int
    columns: int


ROUTES, STEPS, SPANS, COLUMNS = range(4)


class FlowLayout:
    """Where the entries of each flow stand in the tables, and which of the entries that were made they are.

    Parameters
    ----------
    kinds : sequence of (Numbers, Numbers)
        Of the flows for which entries were made, in order: where those of each begin and end.
    kind : sequence of int
        Of each flow the number of the one whose entries it has.
    """

    def __init__(self, kinds: Sequence[tuple[Numbers, Numbers]], kind: Sequence[int]) -> None:
        self.is_plain = len(kinds) == len(kind)
        """Whether entries were made for every flow."""
        made = np.array(kinds, dtype=np.int64).reshape(-1, 2, 4)
        which = np.array(kind, dtype=np.int64)
        self._made = made[which, 0]
        self._number = made[which, 1] - self._made
        self.begin = np.zeros((len(which) + 1, 4), np.int64)
        """Where the entries of each flow begin, shape (flow + 1, sort)."""
        np.cumsum(self._number, axis=0, out=self.begin[1:])

    def made(self, sort: int) -> Ints:
        """Of each entry of a sort the number of the entry that was made."""
        more = self._made[:, sort] - self.begin[:-1, sort]
        return np.asarray(np.arange(self.begin[-1, sort]) + np.repeat(more, self._number[:, sort]))

    def flows(self, sort: int) -> Ints:
        """Of each entry of a sort its flow."""
        return np.repeat(np.arange(len(self._made)), self._number[:, sort])

    def moved(self, numbers: NDArray[Any], sort: int, by: int, which: NDArray[np.bool_] | None = None) -> Ints:
        """Numbers of entries of the sort `by`, one for each entry of a sort, as they are in the flow of the entry.

        Those below 0 are none and stay; so do all but those that are asked for (`which`).
        """
        more = np.repeat(self.begin[:-1, by] - self._made[:, by], self._number[:, sort])
        return np.asarray(np.where(numbers >= 0 if which is None else which, numbers + more, numbers))

    def lists(self, begin: Ints, sort: int, by: int | None = None) -> tuple[Ints, Ints, Ints]:
        """Of lists, one for each entry of a sort: where they begin now, their values by number, and what to add.

        The values are numbers of entries of the sort `by`.
        """
        made = self.made(sort)
        length = np.diff(begin)[made]
        now = np.zeros(len(made) + 1, np.int64)
        np.cumsum(length, out=now[1:])
        values = np.arange(now[-1]) + np.repeat(begin[:-1][made] - now[:-1], length)
        more = np.zeros(len(self._made), np.int64) if by is None else self.begin[:-1, by] - self._made[:, by]
        return now, values, np.repeat(np.repeat(more, self._number[:, sort]), length)
