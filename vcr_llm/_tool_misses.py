"""What to say when no recording answers the call of a tool."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from vcr_llm._json import render
from vcr_llm._misses import counted, difference_lines, how_to_record, listed
from vcr_llm._request_key import Difference, IgnoredPath, value_differences
from vcr_llm._tool_call import Arguments, ToolCall, compared_arguments

_LONGEST_ARGUMENTS = 200


class ToolCandidate(NamedTuple):
    """A recorded call, and the file that holds it."""

    name: str
    call: ToolCall
    is_played: bool


def describe_tool_miss(  # noqa: PLR0913 - one keyword for each line of the text
    incoming: ToolCall,
    candidates: Sequence[ToolCandidate],
    *,
    defaults: Arguments,
    ignore: Sequence[IgnoredPath],
    cassette: str,
    record_mode: str,
    test_id: str | None,
) -> str:
    """The call, the nearest recording and what differs by path, and how to record."""
    of_tool = [found for found in candidates if _is_same_tool(found.call, incoming)]
    how_many = counted(len(candidates), "recorded tool call")
    lines = [
        f"No recording answers the call {_shown(incoming)}",
        f"Cassette: {cassette} ({how_many}, record mode {record_mode})",
        "",
    ]
    compared = [
        (candidate, _differences(candidate.call, incoming, defaults, ignore))
        for candidate in of_tool
    ]
    if matching := [found.name for found, differences in compared if not differences]:
        lines += ["These match, but are already played:", *listed(matching), ""]
    elif compared:
        nearest, differences = min(compared, key=lambda pair: (len(pair[1]), pair[0].is_played))
        played = ", already played" if nearest.is_played else ""
        lines += [f"Nearest is {nearest.name}{played}. It differs in:"]
        lines += [*difference_lines(differences, "call"), ""]
    elif candidates:
        others = dict.fromkeys(
            f"{found.call.tool_name} of {found.call.provider}" for found in candidates
        )
        lines += ["It holds calls of other tools only:", *listed(list(others)), ""]
    return "\n".join([*lines, *how_to_record(test_id)])


def _is_same_tool(one: ToolCall, other: ToolCall) -> bool:
    return (one.provider, one.tool_name) == (other.provider, other.tool_name)


def _shown(call: ToolCall) -> str:
    arguments = ", ".join(
        f"{name}={render(value, 'spaced')}" for name, value in call.kwargs.items()
    )
    if len(arguments) > _LONGEST_ARGUMENTS:
        arguments = f"{arguments[:_LONGEST_ARGUMENTS]}…"
    return f"{call.tool_name}({arguments}) of {call.provider}"


def _differences(
    recorded: ToolCall, incoming: ToolCall, defaults: Arguments, ignore: Sequence[IgnoredPath]
) -> list[Difference]:
    """Where the arguments differ; one that is missing is the default."""
    sides = (
        compared_arguments({**defaults, **call.kwargs}, ignore) for call in (recorded, incoming)
    )
    return value_differences(*sides)
