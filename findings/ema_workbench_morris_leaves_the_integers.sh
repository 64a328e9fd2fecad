#!/usr/bin/env bash
# ema_workbench 2.5.3 with SALib 1.6.0 (PyPI). Seen 2026-11-28.
# Expected: IntegerParameter("lanes", 1, 3) is 1, 2 or 3 in every design; other samplers of the same package do so.
# Happens: SALib is given the bounds 1 to 4 and its samples are rounded down. The Morris design stands on the bounds themselves, so lanes = 4
#   is run about as often as the others, with nothing said; Sobol, whose points lie inside, stays within. A CategoricalParameter of
#   three values with the Morris sampler ends in KeyError: 3 for the same reason.
# Who meets it: screening of upgrades with whole numbers of lanes, shifts or trains: a quarter of the runs is outside the stated range.
# corridor_sim: draws of inputs (`cs.uncertainty`) take whole numbers as whole numbers within their range.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check "ema_workbench==2.5.3" "SALib==1.6.0" 2>/dev/null

cat > "$work/lanes.py" <<'PY'
from ema_workbench import CategoricalParameter, IntegerParameter, Model, RealParameter, Samplers, ScalarOutcome, SequentialEvaluator


def wait(lanes=1, share=0.0, post="astara"):
    return {"wait_h": share / lanes}


def values(parameter, sampler, size=128):
    model = Model("border", function=wait)
    model.uncertainties = [parameter, RealParameter("share", 0, 1)]
    model.outcomes = [ScalarOutcome("wait_h")]
    with SequentialEvaluator(model) as evaluator:
        experiments, _ = evaluator.perform_experiments(size, uncertainty_sampling=sampler)
    return sorted({str(value) for value in experiments[parameter.name]})


for sampler in (Samplers.LHS, Samplers.SOBOL, Samplers.MORRIS):
    print("RESULT", sampler.name, *values(IntegerParameter("lanes", 1, 3), sampler))
try:
    print("RESULT", *values(CategoricalParameter("post", ["astara", "bilasuvar", "samur"]), Samplers.MORRIS))
except KeyError as error:
    print("RESULT KeyError", error)
PY

cat > "$work/expected" <<'TXT'
RESULT LHS 1 2 3
RESULT SOBOL 1 2 3
RESULT MORRIS 1 2 3 4
RESULT KeyError 3
TXT
"$work/venv/bin/python" -W ignore "$work/lanes.py" 2> /dev/null | grep ^RESULT > "$work/seen"
diff "$work/expected" "$work/seen" && echo "unchanged"
