"""The order in which files are rewritten and renamed, for runs that are killed between two steps.

At every moment each recording is there once, under a name that is read as a recording's, and the
recordings come in the same order. Running again finishes the work.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

_ASIDE = "moving-"


def order_of_writes(numbers: Sequence[tuple[int | None, int | None]]) -> list[int]:
    """The order in which files get their new numbers; each has its old and its new one.

    The files come in the order of their replay. Numbers that fall are written from the first on and
    those that rise from the last on, so that none passes a neighbour that has its old one.
    """
    changes = [(new or 0) - (old or 0) for old, new in numbers]
    falling = [place for place, change in enumerate(changes) if change <= 0]
    rising = [place for place, change in enumerate(changes) if change > 0]
    return [*falling, *reversed(rising)]


def order_of_renames(wanted: Mapping[str, str], present: Collection[str]) -> list[tuple[str, str]]:
    """The steps that give files the names that are wanted for them, none onto another file.

    ``present`` are all names in the directory. Where names go round in a ring, one file steps aside
    under a name that nothing has.
    """
    pending = {old: new for old, new in wanted.items() if old != new}
    waiting = {new: old for old, new in pending.items()}
    taken = {*present}
    steps: list[tuple[str, str]] = []

    def move(old: str, new: str) -> None:
        steps.append((old, new))
        taken.remove(old)
        taken.add(new)

    for first in list(pending):
        name: str | None = first
        while name is not None and name in pending and pending[name] not in taken:
            # The name that it leaves may be what another one waits for.
            move(name, pending.pop(name))
            name = waiting.get(name)
    for first in list(pending):
        if first not in pending:
            continue
        aside = _free_name(first, taken)
        move(first, aside)
        last = pending.pop(first)
        name = waiting.get(first)
        while name is not None and name in pending:
            move(name, pending.pop(name))
            name = waiting.get(name)
        move(aside, last)
    return steps


def _free_name(name: str, taken: Collection[str]) -> str:
    aside = _ASIDE + name
    while aside in taken:
        aside = _ASIDE + aside
    return aside
