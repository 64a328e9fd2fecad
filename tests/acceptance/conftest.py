"""The folder that acceptance tests work in."""

import pytest
from acceptance_files import Folder


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return Folder(tmp_path)
