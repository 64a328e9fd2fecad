#!/usr/bin/env bash
# UXsim 1.15.1 (PyPI). Seen 2026-11-28.
# Expected: World.adddemand(orig, dest, t_start, t_end, volume=...) brings that many vehicles; the documentation says that demand below
#   the platoon size deltan is lost, so with deltan=1 nothing should be.
# Happens: the flow is summed step by step in floating point and the last vehicle of an interval may never come: 2 trucks an hour for a
#   day are 24 instead of 48, 4 are 72 instead of 96, 12 are 264 of 288; 3 and 6 an hour are right. A warning blames a large deltan.
# Who meets it: whoever gives an hourly profile of trucks at a border, where a few come an hour: up to half of the demand is missing.
# corridor_sim: draws release times of consignments and counts them (S01); nothing is added up by steps.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check "uxsim==1.15.1" 2>/dev/null

cat > "$work/day.py" <<'PY'
import warnings

import uxsim

warnings.simplefilter("ignore")
for trucks in (1, 2, 3, 4, 5, 6, 12):
    world = uxsim.World(name="", deltan=1, tmax=93_600, print_mode=0, save_mode=0, show_mode=0, random_seed=1)
    world.addNode("city", 0, 0)
    world.addNode("post", 1, 0)
    world.addLink("road", "city", "post", length=5_000, free_flow_speed=20)
    for hour in range(24):
        world.adddemand("city", "post", hour * 3600, (hour + 1) * 3600, volume=trucks)
    world.exec_simulation()
    world.analyzer.basic_analysis()
    print(f"{trucks} an hour: {24 * trucks} asked for, {int(world.analyzer.trip_all)} came")
PY

cat > "$work/expected" <<'TXT'
1 an hour: 24 asked for, 24 came
2 an hour: 48 asked for, 24 came
3 an hour: 72 asked for, 72 came
4 an hour: 96 asked for, 72 came
5 an hour: 120 asked for, 96 came
6 an hour: 144 asked for, 144 came
12 an hour: 288 asked for, 264 came
TXT
"$work/venv/bin/python" "$work/day.py" > "$work/seen"
diff "$work/expected" "$work/seen" && echo "unchanged"
