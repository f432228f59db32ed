"""Tools of every kind, as an application has them; each writes down that it ran."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel

import vcr_llm

ran: list[str] = []
"""The tools that ran, in order."""


class Sky(Enum):
    """What is above."""

    CLEAR = "clear"
    GREY = "grey"


class Place(BaseModel):
    """What is asked for."""

    name: str
    since: datetime | None = None


ROME = Place(name="Rome")


@dataclass(frozen=True)
class Reading:
    """A part of what is given back."""

    degrees: float
    sky: Sky


@dataclass
class Report:
    """What is given back."""

    place: Place
    readings: list[Reading]
    sources: set[str] = field(default_factory=set)


class Forecast(BaseModel):
    """What another tool gives back."""

    place: Place
    at: datetime
    chance: float


class Span(NamedTuple):
    """From one day to another."""

    first: int
    last: int


class StationDownError(Exception):
    """An exception of the application, which takes more than a message."""

    def __init__(self, station: str, *, retry_after: int) -> None:
        self.retry_after = retry_after
        super().__init__(f"{station} is down")


@vcr_llm.recorded_tool(provider="weather")
def report(place: Place, days: int = 1, *more: str, units: str = "C", **options: Any) -> Report:
    """A function whose arguments come in every way."""
    ran.append("report")
    sources = {units, *more, *options}
    return Report(place, [Reading(20.5 + day, Sky.CLEAR) for day in range(days)], sources)


@vcr_llm.recorded_tool(provider="weather")
async def forecast(place: Place) -> Forecast | None:
    """A coroutine, whose answer is never the same twice."""
    ran.append("forecast")
    await asyncio.sleep(0)
    if place.name == "nowhere":
        return None
    return Forecast(place=place, at=datetime.now(UTC), chance=0.25)


@vcr_llm.recorded_tool(provider="weather")
def hours(count: int) -> Iterator[Reading]:
    """A generator that fails at noon."""
    for hour in range(count):
        if hour == 12:
            raise ConnectionResetError(104, "the station is gone", "station-1")
        ran.append("hour")
        yield Reading(float(hour), Sky.GREY)


@vcr_llm.recorded_tool(provider="weather")
async def alerts(count: int) -> AsyncIterator[dict[str, int]]:
    """An async generator."""
    for number in range(count):
        ran.append("alert")
        await asyncio.sleep(0)
        yield {"number": number}


@vcr_llm.recorded_tool(provider="weather", raises=[StationDownError])
def station(name: str) -> str:
    """A tool that raises what is asked for."""
    ran.append("station")
    if name == "far":
        raise StationDownError(name, retry_after=5)
    if name == "unknown":
        raise KeyError(name)
    if name == "broken":
        raise UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte")
    return name


class Office:
    """Tools that are methods."""

    def __init__(self, city: str) -> None:
        self.city = city

    @vcr_llm.recorded_tool(provider="office")
    def span(self, first: int) -> Span:
        """A method."""
        ran.append("span")
        return Span(first, first + len(self.city))

    @classmethod
    @vcr_llm.recorded_tool(provider="office")
    def motto(cls, language: str) -> tuple[str, bytes]:
        """A method of the class."""
        ran.append("motto")
        return language, cls.__name__.encode()

    @vcr_llm.recorded_tool(provider="office")
    @staticmethod
    def archive(year: int) -> Path:
        """A static method, decorated from outside."""
        ran.append("archive")
        return Path("archive", str(year))
