#!/usr/bin/env bash
# tomlkit 0.15.2 (PyPI). Seen 2026-11-29.
# Expected: doc["flows"]["fruit"]["figures"]["trucks"] = {...} changes that value and nothing else; tomlkit "preserves all comments,
#   indentations, whitespace and internal element ordering" (README), and the document in memory says what was meant.
# Happens: where the file has a dotted key (figures.trucks = {...} in [flows.fruit]) the new value is written as [figures.trucks], a table of the
#   file's root: the flow has no figures any more. A new key goes there too. A number, an inline_table() or .update() stays in its place.
# Who meets it: whoever changes TOML settings by script, as of sweeps over scenario files, which are full of dotted keys.
# corridor_sim: refuses the file that comes out, with the line and the unknown field; docs/for-scripts.md says how to write such a value.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check "tomlkit==0.15.2" 2>/dev/null

cat > "$work/edit.py" <<'PY'
import tomllib

import tomlkit

TEXT = """\
[flows.fruit]
trucks = 3
figures.trucks = { status = "published", low = 2 }

[run]
days = 30
"""


def told(name, change):
    document = tomlkit.parse(TEXT)
    change(document["flows"]["fruit"]["figures"])
    written = tomllib.loads(tomlkit.dumps(document))
    print(name, "| as written" if document.unwrap() == written else f"| in memory {document.unwrap()['flows']['fruit']}, written {written}")


def inline(figures):
    value = tomlkit.inline_table()
    value.update({"low": 1})
    figures["trucks"] = value


told("dict in its place", lambda figures: figures.__setitem__("trucks", {"low": 1}))
told("new dict", lambda figures: figures.__setitem__("days", {"low": 1}))
told("new number", lambda figures: figures.__setitem__("days", 1))
told("inline_table()", inline)
told("update()", lambda figures: figures["trucks"].update({"low": 1}))
PY

cat > "$work/expected" <<'TXT'
dict in its place | in memory {'trucks': 3, 'figures': {'trucks': {'low': 1}}}, written {'flows': {'fruit': {'trucks': 3}}, 'figures': {'trucks': {'low': 1}}, 'run': {'days': 30}}
new dict | in memory {'trucks': 3, 'figures': {'trucks': {'status': 'published', 'low': 2}, 'days': {'low': 1}}}, written {'flows': {'fruit': {'trucks': 3, 'figures': {'trucks': {'status': 'published', 'low': 2}}}}, 'figures': {'days': {'low': 1}}, 'run': {'days': 30}}
new number | as written
inline_table() | as written
update() | as written
TXT
"$work/venv/bin/python" "$work/edit.py" > "$work/seen"
diff "$work/expected" "$work/seen" && echo "unchanged"
