"""The border and the tandem of `work.py` in Cimba (PyPI ``cimba``), tokens through containers, servers as processes.

Cimba compiles a model with numba onto its C engine. The border's two classes of trucks have the
same laws there, so one stream of arrivals stands for both. No ``from __future__ import annotations``: Cimba reads the
annotations as they are. Random numbers are its own, so answers are compared as means.
"""

import math

import cimba as cb
import numpy as np
from cimba import inputs


def _lognormal(mean, cv):
    variance = math.log1p(cv * cv)
    return inputs.dist.lognormal(mean=math.log(mean) - variance / 2, sigma=math.sqrt(variance))


class Tandem(cb.Model):
    """M/M/2 -> M/M/3, both at 0.8."""

    gap: cb.Input[float] = inputs.dist.exponential(mean=1 / 1.6)
    s0: cb.Input[float] = inputs.dist.exponential(mean=1.0)
    s1: cb.Input[float] = inputs.dist.exponential(mean=0.8 * 3 / 1.6)
    q0: cb.Container
    q1: cb.Container
    n0: cb.Container
    n1: cb.Container
    mean0: cb.Output[float]
    mean1: cb.Output[float]
    visits: cb.Output[float]

    @cb.process
    def arrivals(self):
        while True:
            cb.hold(self.gap.next())
            self.q0.put(1)

    @cb.process(copies=2)
    def first(self):
        while True:
            self.q0.get(1)
            cb.hold(self.s0.next())
            self.n0.put(1)
            self.q1.put(1)

    @cb.process(copies=3)
    def second(self):
        while True:
            self.q1.get(1)
            cb.hold(self.s1.next())
            self.n1.put(1)

    @cb.on_end
    def measure(self):
        self.mean0 = self.q0.mean_level()
        self.mean1 = self.q1.mean_level()
        self.visits = self.n0.level() + self.n1.level()


class Border(cb.Model):
    """Documents, X-ray for a third, inspection for a tenth, release."""

    gap: cb.Input[float] = inputs.dist.exponential(mean=24 / 400)
    documents: cb.Input[float] = _lognormal(0.168, 0.6)
    xray: cb.Input[float] = _lognormal(0.25, 0.4)
    inspection: cb.Input[float] = _lognormal(1.2, 0.5)
    release: cb.Input[float] = inputs.dist.exponential(mean=0.08)
    u: cb.Input[float] = inputs.dist.uniform(low=0.0, high=1.0)
    v: cb.Input[float] = inputs.dist.uniform(low=0.0, high=1.0)
    qd: cb.Container
    qx: cb.Container
    qi: cb.Container
    qr: cb.Container
    nd: cb.Container
    nx: cb.Container
    ni: cb.Container
    nr: cb.Container
    ld: cb.Output[float]
    lx: cb.Output[float]
    li: cb.Output[float]
    lr: cb.Output[float]
    visits: cb.Output[float]

    @cb.process
    def arrivals(self):
        while True:
            cb.hold(self.gap.next())
            self.qd.put(1)

    @cb.process(copies=4)
    def work_documents(self):
        while True:
            self.qd.get(1)
            cb.hold(self.documents.next())
            self.nd.put(1)
            if self.u.next() < 0.33:
                self.qx.put(1)
            elif self.v.next() < 0.10:
                self.qi.put(1)
            else:
                self.qr.put(1)

    @cb.process(copies=2)
    def work_xray(self):
        while True:
            self.qx.get(1)
            cb.hold(self.xray.next())
            self.nx.put(1)
            if self.v.next() < 0.10:
                self.qi.put(1)
            else:
                self.qr.put(1)

    @cb.process(copies=3)
    def work_inspection(self):
        while True:
            self.qi.get(1)
            cb.hold(self.inspection.next())
            self.ni.put(1)
            self.qr.put(1)

    @cb.process(copies=2)
    def work_release(self):
        while True:
            self.qr.get(1)
            cb.hold(self.release.next())
            self.nr.put(1)

    @cb.on_end
    def measure(self):
        self.ld = self.qd.mean_level()
        self.lx = self.qx.mean_level()
        self.li = self.qi.mean_level()
        self.lr = self.qr.mean_level()
        self.visits = self.nd.level() + self.nx.level() + self.ni.level() + self.nr.level()


_MADE = {}


def _run(kind, replications, hours, queues):
    model = _MADE.setdefault(kind, kind())  # compiled once
    window = cb.Window(warmup=0, duration=hours)
    found = cb.Experiment(model, replications=replications, window=window, seed=123).run()[model]
    answers = {f"queue {id}": float(np.mean(np.asarray(getattr(found, name)))) for id, name in queues.items()}
    return float(np.sum(np.asarray(found.visits))), answers


def tandem(replications, consignments):
    """Visits and mean numbers waiting."""
    return _run(Tandem, replications, consignments / 1.6, {"s0": "mean0", "s1": "mean1"})


def border(replications, days):
    """Visits and mean numbers waiting."""
    names = {"documents": "ld", "xray": "lx", "inspection": "li", "release": "lr"}
    return _run(Border, replications, 24 * days, names)
