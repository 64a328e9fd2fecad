"""Indicators that fail at replication 1 while the environment has FAILS set, for the tests of what happens then."""

import os

from corridor_sim.indicators import INDICATORS, Indicator


class Failing(Indicator):
    def add_visits(self, block):
        if "FAILS" in os.environ and 1 in self.scope.replications[block.row]:
            self.fail()

    def table_rows(self):
        return iter(())


@INDICATORS.register("killer")
class Killer(Failing):
    def fail(self):
        os._exit(9)


@INDICATORS.register("raiser")
class Raiser(Failing):
    def fail(self):
        raise KeyError("a key of mine")
