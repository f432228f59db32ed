"""What can go wrong, as a tree.

VcrLlmError
├─ ConfigurationError         an option is unknown, of the wrong type, or contradicts another
├─ RecordedToolError          a recorded tool had raised an exception that is no built-in one
├─ RecordingError             carries ``path``, the file or directory it is about
│  ├─ MalformedRecording      a file is not a recording: which place in it, what was expected
│  ├─ RecordingNotSaved       a recording could not be written, or a cassette not replaced
│  ├─ RecordingEnds           the code reads on where the recorded client stopped reading
│  └─ RecordingExpired        recordings are older than ``max_age``, and ``on_expiry`` is "fail"
└─ VcrLlmWarning              (a UserWarning) worth a look, nothing is lost

A request or a call of a tool that no recording answers raises vcrpy's own
``vcr.errors.CannotOverwriteExistingCassetteException``, which teams already catch and explain.

None of these derives from vcrpy's ``CassetteDecodeError``: vcrpy swallows that one, treats the
cassette as empty and records over the file (vcrpy 9.4.2, ``Cassette._load``).
"""

from __future__ import annotations

import os


class VcrLlmError(Exception):
    """Anything that vcr-llm refuses to do."""


class ConfigurationError(VcrLlmError, ValueError):
    """An option is unknown, has the wrong type, or contradicts another one."""


class RecordedToolError(VcrLlmError):
    """A tool raised this when it was recorded; ``type_name`` is the name of the exception's type.

    Nothing is imported because a recording names it: ``recorded_tool(raises=...)`` names the
    exceptions of your own that a replay may raise again.
    """

    def __init__(self, type_name: str, message: str) -> None:
        self.type_name = type_name
        self.message = message
        super().__init__(f"{type_name}: {message}" if message else type_name)

    def __reduce__(self) -> tuple[type[RecordedToolError], tuple[str, str]]:
        return type(self), (self.type_name, self.message)


class RecordingError(VcrLlmError):
    """Something is wrong with a file of a cassette; ``path`` says which, where it is known."""

    def __init__(self, problem: str, *, path: str | os.PathLike[str] | None = None) -> None:
        self.problem = problem
        self.path = None if path is None else os.fspath(path)
        super().__init__(problem if self.path is None else f"{self.path}: {problem}")

    def at(self, path: str | os.PathLike[str]) -> RecordingError:
        """The same error with the file named: the core raises without a path, the edge adds it."""
        return type(self)(self.problem, path=path)


class MalformedRecording(RecordingError):
    """A file in a cassette is not a recording."""


class RecordingNotSaved(RecordingError):
    """A recording could not be written; what was on disk before is still there."""


class RecordingEnds(RecordingError):
    """A stream is read on where the client that was recorded had closed it: no more is known."""


class RecordingExpired(RecordingError):
    """Recordings that were played are older than the user allows."""


class VcrLlmWarning(UserWarning):
    """Something that deserves a look, while nothing is lost."""
