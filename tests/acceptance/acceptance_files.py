"""A user's folder: overlay files written, the command line called in it, its tables read."""

import csv
import io
import shutil
from pathlib import Path

from command_line import called

HERE = Path(__file__).parent


class Folder:
    """Writes scenario files into a folder that is the working directory, and runs commands there."""

    def __init__(self, path):
        self.path = path
        shutil.copy(HERE / "border.toml", path)

    def write(self, name, text, extends="border.toml"):
        """An overlay; its name without `.toml` is the name of the scenario."""
        head = f'schema = 1\nname = "{name}"\n' + (f'extends = "{extends}"\n' if extends else "")
        # Keys of the top come before the first table.
        (self.path / f"{name}.toml").write_text(head + text, encoding="utf-8")
        return f"{name}.toml"

    def call(self, *arguments):
        """What a command came to: exit_code, stdout, stderr."""
        result = called(*arguments)
        assert "Traceback" not in result.output, result.output
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    def rows(self, *arguments):
        """The rows of a CSV table that a command prints."""
        result = self.call(*arguments, "--format", "csv", "-q")
        assert result.exit_code == 0, result.stderr
        return list(csv.DictReader(io.StringIO(result.stdout)))

    def value(self, rows, indicator, column="mean", **where):
        """The number in the only row that fits."""
        found = [
            row for row in rows
            if row["indicator"] == indicator
            and all(row[key] == value for key, value in {"cargo_class": "", "of": "", **where}.items())
        ]  # fmt: skip
        assert len(found) == 1, (indicator, where, len(found))
        return float(found[0][column])
