"""An indicator whose worker dies at replication 1, for the test of what happens then."""

import os

from corridor_sim.indicators import INDICATORS, Indicator


@INDICATORS.register("killer")
class Killer(Indicator):
    def add_visits(self, block):
        if 1 in self.scope.replications[block.row]:
            os._exit(9)

    def table_rows(self):
        return iter(())
