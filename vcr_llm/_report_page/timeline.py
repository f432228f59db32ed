"""A stream as a timeline: when each event came, what it is called, and what it added."""

from __future__ import annotations

from itertools import accumulate

from vcr_llm._conversation.growth import growth_of
from vcr_llm._conversation.members import at, items, mapping
from vcr_llm._foreign import Document
from vcr_llm._json import JSON

_APART = 50  # milliseconds between events whose times nobody recorded


def timeline_of(document: Document) -> dict[str, object] | None:
    """The events of a stream for the page: each a time, a label's number and its pieces.

    None where the document is no stream. ``is_recorded`` says that the times are the recording's.
    """
    steps = growth_of(document)
    if not steps:
        return None
    times = _times(at(mapping(document.get("response")), "timing"), len(steps))
    labels = list(dict.fromkeys(step.label for step in steps))
    places = {label: place for place, label in enumerate(labels)}
    return {
        "is_recorded": times is not None,
        "labels": labels,
        "events": [
            [when, places[step.label], [[str(voice), text] for voice, text in step.pieces]]
            for when, step in zip(times or _evenly(len(steps)), steps, strict=True)
        ],
    }


def _times(timing: JSON, count: int) -> list[int] | None:
    """The recorded times, never going back; None where they are not those of these events.

    One more than there are events is that of what closes a stream without being an event of it.
    """
    found = [time for time in items(timing) if isinstance(time, int) and time >= 0]
    if len(found) < count:
        return None
    return list(accumulate(found[:count], max))


def _evenly(count: int) -> list[int]:
    return [_APART * (place + 1) for place in range(count)]
