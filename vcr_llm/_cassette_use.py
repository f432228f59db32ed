"""What a cassette did, as plain values that a worker of pytest-xdist can send."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class CassetteUse:
    """What came of a cassette between the moment it was opened and the one it was left."""

    path: str
    """The directory, from the root of the file system."""
    record_mode: str
    test_id: str | None = None
    """The test in which it was opened, None outside any."""
    is_tests_own: bool = False
    """Whether it is the cassette of a marked test, which pytest-recording opened."""
    is_flat: bool = False
    """Whether many tests share the directory, of which each sees its own recordings."""
    has_passed: bool = True
    played: Mapping[str, int] = field(default_factory=dict)
    """How often each file was played, by its path from the root of the file system."""
    played_elsewhere: int = 0
    """How often something was played that is in no file of ours, as with old cassettes."""
    written: Sequence[str] = ()
    """The files that it wrote; others may have been written when it was left."""
    recorded: int = 0
    missed: int = 0
    compared: int = 0
    """How many answers were compared with what the server says now."""
    drift: Sequence[tuple[str, str]] = ()
    """What differs: the path of a recording, and what is said of it."""

    @property
    def replayed(self) -> int:
        """How many requests it answered."""
        return sum(self.played.values()) + self.played_elsewhere

    @property
    def is_idle(self) -> bool:
        """Whether it did nothing at all."""
        return not (self.replayed or self.recorded or self.missed)

    @property
    def is_verified(self) -> bool:
        """Whether what it answered was sent all the same, to compare the answers."""
        return bool(self.compared or self.drift)
