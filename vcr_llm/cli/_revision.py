"""What git has of a path in some revision, as files in a folder: nothing is checked out.

https://git-scm.com/docs/git-ls-tree, https://git-scm.com/docs/git-cat-file
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, NamedTuple

_FILES = (b"100644", b"100755")  # neither links nor other repositories
_JSON = b".json"


class RevisionError(Exception):
    """Git does not have what was asked for; the message says why."""


class _Blob(NamedTuple):
    digest: bytes
    place: Path


def copy_revision(revision: str, path: Path, into: Path) -> None:
    """Write the JSON files that a revision has below a path, or the file that it has there.

    Raises RevisionError where there is no git, no repository or no such revision. A path that the
    revision does not have is no error: all that is there now is new.
    """
    if not revision or revision.startswith("-"):  # the latter is an option, to git
        msg = f"'{revision}' is neither a directory nor a revision of git's"
        raise RevisionError(msg)
    folder = path if path.is_dir() else path.parent
    root = Path(os.fsdecode(_git(folder, "rev-parse", "--show-toplevel").rstrip(b"\n")))
    commit = _git(folder, "rev-parse", "--verify", f"{revision}^{{commit}}").decode().strip()
    place = Path(os.path.realpath(path)).relative_to(os.path.realpath(root))
    listed = _git(root, "ls-tree", "-r", "-z", "--full-tree", commit, "--", os.fspath(place))
    _write(root, list(_blobs(listed, place, is_tree=path.is_dir())), into)


def _blobs(listed: bytes, below: Path, *, is_tree: bool) -> Iterator[_Blob]:
    """What `git ls-tree -z` lists: mode, type and digest before a tab, then the path."""
    for line in listed.split(b"\0"):
        facts, _tab, name = line.partition(b"\t")
        if not facts.startswith(_FILES) or (is_tree and not name.endswith(_JSON)):
            continue
        path = Path(os.fsdecode(name))
        place = path.relative_to(below) if is_tree else Path(path.name)
        if ".." not in place.parts:
            yield _Blob(facts.split()[2], place)


def _write(root: Path, blobs: list[_Blob], into: Path) -> None:
    with tempfile.TemporaryFile() as wanted:
        wanted.writelines(blob.digest + b"\n" for blob in blobs)
        wanted.seek(0)
        command = ("git", "-C", root, "cat-file", "--batch")
        with subprocess.Popen(command, stdin=wanted, stdout=subprocess.PIPE) as process:  # noqa: S603 - git, with digests that it listed
            for blob in blobs:
                target = into / blob.place
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(_next_blob(_pipe(process), blob))


def _next_blob(source: IO[bytes], blob: _Blob) -> bytes:
    """The content that git gives next, after a line with digest, type and size, and before one.

    Raises RevisionError where it has none, as in a clone that was made without all objects.
    """
    match source.readline().split():
        case [_digest, b"blob", size]:
            content = source.read(int(size))
            source.read(1)
            return content
    msg = f"{blob.place} cannot be read from its objects; git fetch them all"
    raise RevisionError(msg)


def _pipe(process: subprocess.Popen[bytes]) -> IO[bytes]:
    assert process.stdout is not None  # noqa: S101 - it was asked for
    return process.stdout


def _git(folder: Path, *arguments: str) -> bytes:
    command = ("git", "-C", os.fspath(folder), *arguments)
    try:
        done = subprocess.run(command, capture_output=True, check=False)  # noqa: S603 - git, and arguments that are no options
    except FileNotFoundError:
        msg = "git is not installed, which --base REV reads from; give a directory instead"
        raise RevisionError(msg) from None
    if done.returncode:
        raise RevisionError(os.fsdecode(done.stderr).strip().removeprefix("fatal: "))
    return done.stdout
