"""Raw JSON text that follows its value: what was changed in the value is changed in the text.

`response.framing` may hold the raw text of an event or a body. When a value is normalised or
redacted, the text has to say the same, and nothing else of it may change.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from vcr_llm._json import JSON, parse, render

Change = tuple[str | None, JSON, JSON]


def framing_after(
    framing: dict[str, JSON],
    before: JSON,
    after: JSON,
    clean: Callable[[str], str] = str,
) -> dict[str, JSON]:
    """The framing of a body whose value changed.

    A raw text that cannot be made to follow is left out: the value is then written in the usual
    layout, so that what was removed from it never survives in the text.
    """
    changed = {key: value for key, value in framing.items() if key not in ("raw", "events")}
    if isinstance(raw := framing.get("raw"), str):
        text = _followed(raw, before, after, clean)
        if text is not None:
            changed["raw"] = text
    events = framing.get("events")
    if isinstance(events, dict):
        entries_before = before if isinstance(before, list) else []
        entries_after = after if isinstance(after, list) else []
        followed: dict[str, JSON] = {}
        for index, difference in events.items():
            place = int(index) if index.isdecimal() else len(entries_before)
            kept = difference
            if place < len(entries_before) and isinstance(difference, dict):
                pair = entries_before[place], entries_after[place]
                kept = _difference_after(difference, *pair, clean)
            if kept:
                followed[index] = kept
        if followed:
            changed["events"] = followed
    return changed


def _difference_after(
    difference: dict[str, JSON], before: JSON, after: JSON, clean: Callable[[str], str]
) -> dict[str, JSON]:
    changed: dict[str, JSON] = {}
    for key, value in difference.items():
        if key in ("raw", "data") and isinstance(value, str):
            text = _followed(value, before, after, clean)
            if text is None:
                continue
            changed[key] = text
        else:
            changed[key] = value
    return changed


def _followed(raw: str, before: JSON, after: JSON, clean: Callable[[str], str]) -> str | None:
    """The text with the changes of its value.

    None where it would not say the same, or where a secret would still stand in it.
    """
    changes = list(_changes(before, after))
    text = clean(raw)
    for key, old, new in changes:
        text = _replaced(text, key, old, new)
    if clean is not str and any(_stands_in(old, text) for _key, old, _new in changes):
        return None
    return text if not changes or _still_says(text, raw, after) else None


def _stands_in(value: JSON, text: str) -> bool:
    return isinstance(value, str) and value != "" and _quoted(value)[1:-1] in text


def _still_says(text: str, raw: str, after: JSON) -> bool:
    """Whether a JSON text gives the new value; a text that never was JSON says what it says."""
    try:
        parse(raw.strip())
    except ValueError:
        return True
    try:
        value = parse(text.strip())
    except ValueError:  # what stood there was part of another text, too
        return False
    data = after.get("__data__") if isinstance(after, dict) and "__data__" in after else after
    return value == data


def _changes(before: JSON, after: JSON, key: str | None = None) -> Iterator[Change]:
    """The leaves that differ, with the key they stand under."""
    if isinstance(before, dict) and isinstance(after, dict):
        for name, value in before.items():
            yield from _changes(value, after.get(name), name)
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for old, new in zip(before, after, strict=True):
            yield from _changes(old, new, key)
    elif before != after:
        yield key, before, after


def _replaced(text: str, key: str | None, old: JSON, new: JSON) -> str:
    if isinstance(old, str):
        return text.replace(_quoted(old), _quoted(new))
    name = re.escape(_quoted(key)) if key is not None else ""
    return re.sub(
        rf"({name}\s*:\s*){re.escape(render(old))}(?![\w.+-])",
        lambda match: match[1] + render(new),
        text,
    )


def _quoted(value: JSON) -> str:
    return render(value)
