"""What a test is called: in its recordings, and in a command that runs just that test."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def test_id_of(item: pytest.Item) -> str:
    """The test's node id, as it is wherever the test runs.

    With ``--dist=loadgroup`` pytest-xdist appends the test's group to it (3.8, xdist/remote.py).
    """
    if not getattr(item.config.option, "loadgroup", False):
        return item.nodeid
    groups = {_group(mark) for mark in item.iter_markers("xdist_group")}
    return item.nodeid.removesuffix(f"@{'_'.join(sorted(groups))}")


def _group(mark: pytest.Mark) -> str:
    return str(mark.args[0] if mark.args else mark.kwargs.get("name", "default"))


def name_in_command(item: pytest.Item) -> str:
    """The test as it is named where the user has started pytest; a node id begins at the root."""
    _path, colons, rest = test_id_of(item).partition("::")
    folder = item.config.invocation_params.dir
    if folder == item.config.rootpath:
        return test_id_of(item)
    return f"{Path(os.path.relpath(item.path, folder)).as_posix()}{colons}{rest}"
