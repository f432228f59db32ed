"""Places in a document, as a person writes them."""

from __future__ import annotations

from vcr_llm._json_path import item, member, pattern


def test_places_are_written_as_in_code() -> None:
    """Names with a dot, indexes in brackets, names that are no words quoted and escaped."""
    place = item(member(member("", "request"), "messages"), 3)
    assert place == "request.messages[3]"
    assert member(place, "x-request-id") == "request.messages[3].x-request-id"
    assert member(place, 'a "b"\x1b') == r'request.messages[3]["a \"b\"\u001b"]'
    assert member("", "1.5") == '["1.5"]'


def test_a_pattern_leaves_the_indexes_open() -> None:
    """What the items of an array have in common."""
    assert pattern("response.body[31].choices[0].delta") == "response.body[*].choices[*].delta"
