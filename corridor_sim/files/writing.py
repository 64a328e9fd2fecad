"""Files that are there whole or not at all.

Everything that the command line and the model write goes through `write`: the
content is written beside its place under another name and moved there.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from corridor_sim.core.errors import CorridorError
from corridor_sim.files.reading import shown


def refuse_existing(path: Path, *, overwrite: bool = False) -> None:
    """Raise CorridorError if `path` cannot be written: it exists, is no regular file, or its folder does not exist."""
    if path.is_dir():
        raise CorridorError(f"{shown(path)} is a folder; name a file")
    if path.is_symlink():
        raise CorridorError(f"{shown(path)} is a link; name the file itself, or - for standard output")
    if path.exists() and not path.is_file():
        raise CorridorError(
            f"{shown(path)} is no regular file (a device, pipe or socket); name a file, or - for output"
        )
    if path.exists() and not overwrite:
        raise CorridorError(f"{shown(path)} exists; choose another name or overwrite it (--overwrite, overwrite=True)")
    if not path.parent.is_dir():
        raise CorridorError(f"the folder {shown(path.parent)} does not exist")
    if not os.access(path.parent, os.W_OK):
        raise CorridorError(f"the folder {shown(path.parent)} cannot be written to")


def write(content: str | bytes, path: Path, *, overwrite: bool = False) -> None:
    """Write a file whole or not at all; text as UTF-8.

    Raises
    ------
    CorridorError
        If the file exists and `overwrite` is not set, or its folder does not exist.
    """
    refuse_existing(path, overwrite=overwrite)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content.encode() if isinstance(content, str) else content)
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
