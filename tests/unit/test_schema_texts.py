"""Every field of scenario and design files is described in the JSON Schema, every number with its unit."""

import datetime as dt
import importlib.resources
import json
import re
import shutil
import subprocess
import tomllib

import pytest
from command_line import called

import corridor_sim as cs
from corridor_sim.core.errors import ScenarioError
from corridor_sim.files import design_files, packaged, scenario_files, table_schemas
from corridor_sim.files.schema import corridor_schema, upgrades_schema
from corridor_sim.study.observations import KNOWN

UNIT = re.compile(r"\[[^\[\]]+\]")
SCHEMAS = {
    "scenario": scenario_files.schema(),
    "overlay": scenario_files.schema(overlay=True),
    "design": design_files.schema(),
    "corridor": corridor_schema(),
    "upgrades": upgrades_schema(),
    "observations": table_schemas.observations_schema(),
    "validation": table_schemas.observed_schema(),
    "paths": table_schemas.paths_schema(),
}
OBSERVATIONS = """[observations.queue_in_may]
value = 120.0
sd = 15.0
discrepancy_sd = 10.0
indicator = "queue_mean"
where = { kind = "post", place = "northgate_b", direction = "entry" }
use = "calibration"

[observations.trucks_in_may]
value = 165
discrepancy_sd = 8.0
posts = [["northgate_b", "entry"]]
since = 2026-05-01
until = 2026-06-01
use = "validation"
scenario = "teaching"
settings = { "flows.flour.per_day" = 120.0 }
earlier = [150.0, 158, "queue_in_may"]
not_scored = "one snapshot"
"""


def fields(part, path=""):
    """Path and schema of each field, whatever it is inside of."""
    if isinstance(part, dict):
        for name, field in part.get("properties", {}).items() if isinstance(part.get("properties"), dict) else ():
            yield f"{path}.{name}", field
        for key, inner in part.items():
            yield from fields(inner, f"{path}.{key}")
    elif isinstance(part, list):
        for k, inner in enumerate(part):
            yield from fields(inner, f"{path}.{k}")


def holds_numbers(field):
    """Whether a field is a number, or a list or table of numbers, as far as it says so itself."""
    inner = [*field.get("anyOf", ()), *field.get("oneOf", ())]
    inner += [field[key] for key in ("items", "additionalProperties") if isinstance(field.get(key), dict)]
    return field.get("type") in ("number", "integer") or any(holds_numbers(one) for one in inner)


@pytest.mark.parametrize("which", SCHEMAS)
def test_every_field_has_a_description(which):
    found = dict(fields(SCHEMAS[which]))
    lacking = [path for path, field in found.items() if "const" not in field and not field.get("description")]
    assert len(found) > (6 if which == "paths" else 15)
    assert not lacking


@pytest.mark.parametrize("which", SCHEMAS)
def test_every_number_says_its_unit(which):
    numbers = {path: field for path, field in fields(SCHEMAS[which]) if "const" not in field and holds_numbers(field)}
    lacking = [
        f"{path}: {field['description']}" for path, field in numbers.items() if not UNIT.search(field["description"])
    ]
    assert len(numbers) > (1 if which == "paths" else 4)
    assert not lacking


def test_the_search_for_numbers_finds_those_of_lists_and_tables():
    assert holds_numbers({"anyOf": [{"type": "null"}, {"type": "array", "items": {"type": "number"}}]})
    assert holds_numbers({"additionalProperties": {"type": "integer"}, "type": "object"})
    assert not holds_numbers({"type": "string"})


def plain(value):
    """A TOML value as JSON validators are handed it."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value.isoformat() if isinstance(value, (dt.date, dt.datetime, dt.time)) else value


def schema_of(path, data):
    tables = {"observations": "observations", "observed": "validation", "paths": "paths"}
    if (of := next((of for table, of in tables.items() if table in data), None)) is not None:
        return of
    if path.parent.name == "upgrades":
        return "upgrades"
    if path.parent.name == "designs":
        return "design"
    return "overlay" if "extends" in data else "scenario" if "run" in data else "corridor"


def packaged_files():
    scenarios = packaged.scenario_folder()
    data = importlib.resources.files("corridor_sim") / "data"
    found = [*scenarios.rglob("*.toml"), *data.rglob("*.toml")]
    known = {"schema", "observed", "paths"}
    return [path for path in found if known & set(tomllib.loads(path.read_text(encoding="utf-8")))]


def files_to_check(folder):
    """Every packaged file, and one of observations, of which none is packaged."""
    (folder / "seen.toml").write_text(OBSERVATIONS, encoding="utf-8")
    return [*packaged_files(), folder / "seen.toml"]


def test_the_schema_of_observations_has_the_fields_that_are_read(tmp_path):
    assert set(table_schemas.OBSERVATION) == set(KNOWN)
    files_to_check(tmp_path)
    assert [one.name for one in cs.read_observations(tmp_path / "seen.toml")] == ["queue_in_may", "trucks_in_may"]


MAY = "since = 2026-05-01\nuntil = 2026-06-01"
WRONG = {
    "neither a row nor a count": "value = 1.0\nsd = 1.0",
    "both": f"value = 1.0\nsd = 1.0\nindicator = 'wait_h'\nposts = [['a', 'exit']]\n{MAY}",
    "a count without dates": "value = 1.0\nsd = 1.0\nposts = [['a', 'exit']]",
    "no value": "sd = 1.0\nindicator = 'wait_h'",
    "a direction that is none": f"value = 1.0\nsd = 1.0\nposts = [['a', 'out']]\n{MAY}",
    "a spread below 0": "value = 1.0\nsd = -1.0\nindicator = 'wait_h'",
    "a field that is none": "value = 1.0\nsd = 1.0\nindicator = 'wait_h'\nsure = true",
    "an earlier value of 0": "value = 1.0\nindicator = 'wait_h'\nuse = 'validation'\nearlier = [0.0]",
}


@pytest.mark.parametrize("which", WRONG)
def test_schema_and_program_refuse_the_same_wrong_observations(which, tmp_path):
    jsonschema = pytest.importorskip("jsonschema")
    text = f"[observations.one]\n{WRONG[which]}\n"
    assert not jsonschema.Draft202012Validator(SCHEMAS["observations"]).is_valid(plain(tomllib.loads(text)))
    (tmp_path / "wrong.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ScenarioError):
        cs.read_observations(tmp_path / "wrong.toml")


@pytest.mark.parametrize("which", ["observations", "validation", "paths"])
def test_the_command_prints_the_schemas_of_tables(which):
    assert json.loads(called("schema", f"--{which}").stdout) == SCHEMAS[which]
    told = called("schema", f"--{which}", "--design")
    assert told.exit_code == 2
    assert f"--design and --{which} exclude each other" in told.output


def test_every_packaged_file_fits_the_schema_of_its_kind(tmp_path):
    jsonschema = pytest.importorskip("jsonschema")
    validators = {which: jsonschema.Draft202012Validator(schema) for which, schema in SCHEMAS.items()}
    for schema in SCHEMAS.values():
        jsonschema.Draft202012Validator.check_schema(schema)
    files, used = files_to_check(tmp_path), set()
    for path in files:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        which = schema_of(path, data)
        used.add(which)
        told = [
            f"{path.name}: {error.json_path}: {error.message}" for error in validators[which].iter_errors(plain(data))
        ]
        assert not told
    assert len(files) > 40
    assert used == set(SCHEMAS)


RIGHT = ["2026-06-10", "2026-06-10T13:00:00", "2026-06-10T13:00:00Z", "2026-06-10T13:00:00+03:00", '"2026-06-10 13:00"']
CLOSURE = """schema = 1
extends = "teaching"
name = "storm"
[improvements.storm]
kind = "closure"
at = "checkpoints.northgate_a.exit"
until = 2027-06-12T00:00:00
from = """


@pytest.mark.parametrize("written", RIGHT)
def test_the_schema_takes_dates_and_times_with_and_without_an_offset(written):
    jsonschema = pytest.importorskip("jsonschema")
    validator = jsonschema.Draft202012Validator(SCHEMAS["overlay"])
    assert validator.is_valid(plain(tomllib.loads(CLOSURE + written)))
    assert not validator.is_valid(plain(tomllib.loads(CLOSURE + "5")))


@pytest.mark.parametrize("written", ['"soon"', "13:00:00", "5"])
def test_the_program_refuses_what_is_no_instant(written):
    with pytest.raises(ScenarioError, match="from"):
        cs.loads(CLOSURE + written)


def lint(tool, schema, files, folder):
    """A check of files by one of the programs that editors use: the finished process."""
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is not installed")
    if tool == "taplo":
        call = ["taplo", "lint", "--no-auto-config", "--schema", schema.as_uri(), *files]
    elif tool == "check-jsonschema":
        call = ["check-jsonschema", "--schemafile", str(schema), *files]
    else:
        (folder / "tombi.toml").write_text(
            f"[[schemas]]\npath = '{schema}'\ninclude = ['*.of.toml']\n", encoding="utf-8"
        )
        call = ["tombi", "lint", "--offline", *files]
    return subprocess.run(call, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("tool", ["taplo", "tombi", "check-jsonschema"])
@pytest.mark.parametrize("which", SCHEMAS)
def test_the_programs_of_editors_take_every_packaged_file_and_refuse_a_wrong_one(tool, which, tmp_path):
    schema = tmp_path / f"{which}.json"
    schema.write_text(json.dumps(SCHEMAS[which]), encoding="utf-8")
    names = []
    for number, path in enumerate(files_to_check(tmp_path)):
        text = path.read_text(encoding="utf-8")
        if schema_of(path, tomllib.loads(text)) == which:
            names.append(f"{number}.of.toml")
            (tmp_path / names[-1]).write_text(text, encoding="utf-8")
    if which == "overlay":
        names += [f"{k}.right.of.toml" for k in range(len(RIGHT) - 1)]
        for name, written in zip(names[-4:], RIGHT, strict=False):
            (tmp_path / name).write_text(CLOSURE + written + "\n", encoding="utf-8")
    done = lint(tool, schema, names, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    (tmp_path / "wrong.of.toml").write_text("schema = 1\nnonsense = 3\n", encoding="utf-8")
    assert lint(tool, schema, ["wrong.of.toml"], tmp_path).returncode != 0
