"""The same work done otherwise: a heap in Python, compiled C, plain SimPy, Ciw."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import tempfile
from heapq import heapreplace
from pathlib import Path

import numpy as np

C_FIFO = r"""
#include <math.h>
/* Start times of n customers in each of b rows: sorted lane-free times, insertion by one pass. */
void fifo(const double *a, const double *s, double *start, double *state, long b, long n, int c) {
  for (long k = 0; k < b; k++) {
    double *w = state + k * c;
    for (long i = 0; i < n; i++) {
      double begin = a[k*n+i] > w[0] ? a[k*n+i] : w[0];
      start[k*n+i] = begin;
      if (isinf(begin)) continue;
      double end = begin + s[k*n+i];
      int j = 1;
      while (j < c && w[j] < end) { w[j-1] = w[j]; j++; }
      w[j-1] = end;
    }
  }
}
"""


class CompiledFifo:
    """FIFO lanes in C, built on the spot; None from `found` where there is no compiler."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self.fifo = library.fifo
        pointer = ctypes.POINTER(ctypes.c_double)
        self.fifo.argtypes = [pointer, pointer, pointer, pointer, ctypes.c_long, ctypes.c_long, ctypes.c_int]

    @classmethod
    def found(cls) -> CompiledFifo | None:
        compiler = shutil.which("gcc") or shutil.which("cc")
        if compiler is None:
            return None
        folder = Path(tempfile.mkdtemp())
        (folder / "fifo.c").write_text(C_FIFO)
        subprocess.run(
            [compiler, "-O3", "-march=native", "-shared", "-fPIC", "-o", folder / "fifo.so", folder / "fifo.c"],
            check=True,
        )
        return cls(ctypes.CDLL(str(folder / "fifo.so")))

    def __call__(self, arrival_h, service_h, lanes, *, free_h=None, form="auto"):
        arrival, service = np.ascontiguousarray(arrival_h), np.ascontiguousarray(service_h)
        state = np.full((len(arrival), lanes), -np.inf) if free_h is None else free_h
        start = np.empty_like(arrival)
        double = ctypes.POINTER(ctypes.c_double)
        self.fifo(*(x.ctypes.data_as(double) for x in (arrival, service, start, state)), *arrival.shape, lanes)
        return start


def heap_fifo(arrival, service, lanes):
    """One row by a heap, on lists made beforehand."""
    free = [-np.inf] * lanes
    start = []
    for a, s in zip(arrival, service, strict=True):
        begin = a if a > free[0] else free[0]
        start.append(begin)
        heapreplace(free, begin + s)
    return start


def simpy_tandem(release, services, lanes):
    """Departures of a tandem in plain SimPy: a process a truck, a resource a station."""
    import simpy

    env = simpy.Environment()
    stations = [simpy.Resource(env, c) for c in lanes]
    depart = np.empty(len(release))

    def truck(k):
        for station, service in zip(stations, services, strict=True):
            with station.request() as lane:
                yield lane
                yield env.timeout(service[k])
        depart[k] = env.now

    def source():
        for k, at in enumerate(release):
            yield env.timeout(at - env.now)
            env.process(truck(k))

    env.process(source())
    env.run()
    return depart


def simpy_border(releases, takes, services, lanes):
    """Departures at a border in plain SimPy; `takes[j][k]` tells whether truck k goes through stage j."""
    import simpy

    env = simpy.Environment()
    stations = [simpy.Resource(env, c) for c in lanes]
    depart = np.empty(len(releases))

    def truck(k):
        for j, station in enumerate(stations):
            if takes[j][k]:
                with station.request() as lane:
                    yield lane
                    yield env.timeout(services[j][k])
        depart[k] = env.now

    def source():
        for k, at in enumerate(releases):
            yield env.timeout(at - env.now)
            env.process(truck(k))

    env.process(source())
    env.run()
    return depart


def ciw_tandem(per_h, means, lanes, until_h, seed=0):
    """Customers served by Ciw, which draws for itself; None where it is not installed."""
    try:
        import ciw
    except ImportError:
        return None
    count = len(lanes)
    routing = [[1.0 if j == k + 1 else 0.0 for j in range(count)] for k in range(count)]
    network = ciw.create_network(
        arrival_distributions=[ciw.dists.Exponential(per_h)] + [None] * (count - 1),
        service_distributions=[ciw.dists.Exponential(1 / mean) for mean in means],
        number_of_servers=list(lanes),
        routing=routing,
    )
    ciw.seed(seed)
    simulation = ciw.Simulation(network)
    simulation.simulate_until_max_time(until_h)
    return simulation.get_all_records()
