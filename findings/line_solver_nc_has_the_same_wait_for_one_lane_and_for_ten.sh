#!/usr/bin/env bash
# line-solver 3.0.8.0 (LINE, PyPI). Seen 2026-11-29.
# Expected: solvers of one model of LINE differ by method and agree where the answer is known: Poisson arrivals, exponential services of
#   an hour, c lanes at load 0.8. The page of NC (solver-nc.html) lists exact methods, and one for open networks.
# Happens: NC takes the model and tells 5 h at the post for any number of lanes, without a warning; 5 h is right for one lane. MVA and
#   MAM give 2.78 h for two lanes and 1.20 h for ten, as Erlang C does: NC says four times as much.
# Who meets it: whoever asks by formula what a second lane would bring: by this solver it brings nothing.
# corridor_sim: `theory.mmc_wait` is Erlang C for any number of lanes, and runs of every engine are held against it (tests/theory).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check "line-solver==3.0.8.0" 2>/dev/null

cat > "$work/lanes.py" <<'PY'
import math

from line_solver import MAM, MVA, NC, Exp, Network, OpenClass, Queue, SchedStrategy, Sink, Source


def erlang_c_h(lanes, load):
    """Time at the post of c lanes, services of an hour: wait and service."""
    offered = lanes * load
    full = offered**lanes / math.factorial(lanes) / (1 - load)
    wait = full / (sum(offered**k / math.factorial(k) for k in range(lanes)) + full)
    return wait / (lanes - offered) + 1


def line_h(solver, lanes, load):
    model = Network("post")
    source, post = Source(model, "trucks"), Queue(model, "post", SchedStrategy.FCFS)
    sink, truck = Sink(model, "road"), OpenClass(model, "truck", 0)
    source.setArrival(truck, Exp(lanes * load))
    post.setService(truck, Exp(1.0))
    post.setNumberOfServers(lanes)
    model.link(Network.serialRouting(source, post, sink))
    table = solver(model, verbose=False).avg_table()
    return float(table["RespT"].iloc[1])


for lanes in (1, 2, 10):
    told = ", ".join(f"{solver.__name__[-3:].lstrip('r')} {line_h(solver, lanes, 0.8):.2f}" for solver in (MVA, MAM, NC))
    print(f"SEEN {lanes} lanes: Erlang C {erlang_c_h(lanes, 0.8):.2f} h; {told}")
PY

cat > "$work/expected" <<'TXT'
1 lanes: Erlang C 5.00 h; MVA 5.00, MAM 5.00, NC 5.00
2 lanes: Erlang C 2.78 h; MVA 2.78, MAM 2.78, NC 5.00
10 lanes: Erlang C 1.20 h; MVA 1.20, MAM 1.20, NC 5.00
TXT
"$work/venv/bin/python" "$work/lanes.py" | sed -n "s/^SEEN //p" > "$work/seen"
diff "$work/expected" "$work/seen" && echo "unchanged"
