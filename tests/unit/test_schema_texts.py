"""Every field of scenario and design files is described in the JSON Schema, every number with its unit."""

import datetime as dt
import importlib.resources
import json
import re
import shutil
import subprocess
import tomllib

import pytest

import corridor_sim as cs
from corridor_sim.core.errors import ScenarioError
from corridor_sim.files import design_files, packaged, scenario_files
from corridor_sim.files.schema import corridor_schema, upgrades_schema

UNIT = re.compile(r"\[[^\[\]]+\]")
SCHEMAS = {
    "scenario": scenario_files.schema(),
    "overlay": scenario_files.schema(overlay=True),
    "design": design_files.schema(),
    "corridor": corridor_schema(),
    "upgrades": upgrades_schema(),
}


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
    assert len(found) > 20
    assert not lacking


@pytest.mark.parametrize("which", SCHEMAS)
def test_every_number_says_its_unit(which):
    numbers = {path: field for path, field in fields(SCHEMAS[which]) if "const" not in field and holds_numbers(field)}
    lacking = [
        f"{path}: {field['description']}" for path, field in numbers.items() if not UNIT.search(field["description"])
    ]
    assert len(numbers) > 4
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
    if path.parent.name == "upgrades":
        return "upgrades"
    if path.parent.name == "designs":
        return "design"
    return "overlay" if "extends" in data else "scenario" if "run" in data else "corridor"


def packaged_files():
    scenarios = packaged.scenario_folder()
    data = importlib.resources.files("corridor_sim") / "data"
    found = [*scenarios.rglob("*.toml"), *data.rglob("*.toml")]
    return [path for path in found if "schema" in tomllib.loads(path.read_text(encoding="utf-8"))]


def test_every_packaged_file_fits_the_schema_of_its_kind():
    jsonschema = pytest.importorskip("jsonschema")
    validators = {which: jsonschema.Draft202012Validator(schema) for which, schema in SCHEMAS.items()}
    for schema in SCHEMAS.values():
        jsonschema.Draft202012Validator.check_schema(schema)
    files, used = packaged_files(), set()
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
    for number, path in enumerate(packaged_files()):
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
