"""The two functions that models are told about, and the answers that aimock's fixtures expect."""

from __future__ import annotations

from collections.abc import Callable


def weather(city: str, days: int) -> str:
    """The weather there.

    Args:
        city: where
        days: how long

    """
    return f"{city}: sunny for {days} days"


def clock(zone: str) -> str:
    """The time there.

    Args:
        zone: where

    """
    return f"12:00 in {zone}"


FUNCTIONS: dict[str, Callable[..., str]] = {"weather": weather, "clock": clock}
PARAMETERS = {
    "weather": {
        "type": "object",
        "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
    },
    "clock": {"type": "object", "properties": {"zone": {"type": "string"}}},
}
"""Their parameters as JSON Schema."""
