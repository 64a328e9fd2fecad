"""The notebooks run as they are, show what they promise, and are kept without outputs."""

import json
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

FOLDER = Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
EXPECTED = {
    "01_first_look": ["image/png", "not distinguishable", "sampling noise only", "difference"],
    "02_build_your_own_border": ["image/png", "must be a whole number", "hill"],
    "03_compare_upgrades": ["image/png", "net present value", "second_scanner"],
    "04_read_and_trust_the_numbers": [
        "image/png",
        "sampling noise",
        "inputs  ",
        "draws survive",
        "equal to the bit",
        "passed",
        "intervals contain",
        "overload",
    ],
    "06_from_projects_to_a_decision": [
        "image/png",
        "named with a probability",
        "2024: Second scanner",
        "draws of the inputs",
        "hangs most on",
        "void",
    ],
    "07_what_the_roadmaps_bought": [
        "image/png",
        "arrive only with the measures",
        "sampling",
        "inputs",
        "Samur entry",
    ],
    "05_batch_study": ["manifest.json", "(24, 24)", "reached: True", "overload"],
}


def source(cell):
    return cell["source"] if isinstance(cell["source"], str) else "".join(cell["source"])


def test_every_notebook_is_known_here():
    assert [path.stem for path in NOTEBOOKS] == sorted(EXPECTED)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_kept_without_outputs(path):
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "code":
            assert cell["outputs"] == []
            assert cell["execution_count"] is None


def test_the_first_notebook_has_ten_lines_to_an_answer():
    cells = json.loads(NOTEBOOKS[0].read_text(encoding="utf-8"))["cells"]
    code = [line for cell in cells if cell["cell_type"] == "code" for line in source(cell).splitlines() if line.strip()]
    assert len(code) <= 10


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_and_shows_what_it_promises(path, tmp_path):
    # A cell of the last notebook takes 45 s of processor time, some minutes by the clock where others use the machine.
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    )
    client.execute()
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error"]
    warned = [output.text for output in outputs if output.get("name") == "stderr" and "Warning" in output.text]
    assert all("CorridorWarning" in text for text in warned), warned
    shown = json.dumps(outputs, ensure_ascii=False)
    for words in EXPECTED[path.stem]:
        assert words in shown, words
    assert list(tmp_path.iterdir()) == []
