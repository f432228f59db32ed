"""What the page shows of a recording: marks, timeline, sides of a change, row, texts, files."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.reports import received
from vcr_llm._conversation import (
    Change,
    Data,
    Kind,
    Media,
    Message,
    Text,
    Thing,
    Tool,
    changes_between,
    conversation_of,
)
from vcr_llm._report_page import Heading, Source, page_recording, report_files
from vcr_llm._report_page.marks import Mark, MarkKind, marks_of
from vcr_llm._report_page.sides import sides_of
from vcr_llm._report_page.timeline import timeline_of

REDACTED, CONSTANT = MarkKind.REDACTED, MarkKind.CONSTANT


def document(body: Any = None, answer: Any = None, **more: Any) -> dict[str, Any]:
    """A document of OpenAI's chat."""
    response = {"body": answer, "is_streaming": isinstance(answer, list), **more}
    path = more.pop("endpoint", "/v1/chat/completions")
    request = {"method": "POST", "url": f"https://x{path}", "endpoint": path, "body": body}
    return {"test_id": "t.py::t", "request": request, "response": response}


def chat(*messages: dict[str, Any], answer: Any = None) -> dict[str, Any]:
    """A chat that is answered with a message."""
    choices = [{"message": {"role": "assistant", **(answer or {"content": "fine"})}}]
    return document({"model": "m", "messages": list(messages)}, {"choices": choices})


def chunk(text: str) -> dict[str, Any]:
    """A piece of an answer."""
    return {"id": "rec-0123456789ab", "created": 0, "choices": [{"delta": {"content": text}}]}


# --- marks ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("held", "expected"),
    [
        (document({"key": "REDACTED"}), [Mark(REDACTED, "request.body.key", "REDACTED")]),
        (
            document({"a b": [f"{'x' * 30}REDACTED{'y' * 30}"]}),
            [Mark(REDACTED, 'request.body["a b"][*]', f"…{'x' * 24}REDACTED{'y' * 24}…")],
        ),
        (
            document({}, [chunk("a"), chunk("b")]),
            [
                Mark(CONSTANT, "response.body[*].id", "rec-0123456789ab", 2),
                Mark(CONSTANT, "response.body[*].created", "0", 2),
            ],
        ),
        (
            document({}, {"__type__": "x.Y", "__data__": {"id": "rec-0123456789ab"}}),
            [Mark(CONSTANT, "response.body.__data__.id", "rec-0123456789ab")],
        ),
        (
            document(
                {},
                {"created_at": "1970-01-01T00:00:00.000000Z", "total_duration": 0},
                endpoint="/api/chat",
            ),
            [
                Mark(CONSTANT, "response.body.created_at", "1970-01-01T00:00:00.000000Z"),
                Mark(CONSTANT, "response.body.total_duration", "0"),
            ],
        ),
        (document({}, {"id": "chatcmpl-1", "created": 0}), []),
        (document({}, "text"), []),
        ({"request": None}, []),
    ],
)
def test_what_is_not_as_the_wire_had_it(held: dict[str, Any], expected: list[Mark]) -> None:
    """Each place once, with what stands there now, and in how many events it does."""
    assert marks_of(held) == expected


# --- the timeline ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("timing", "is_recorded", "times"),
    [
        ([5, 40], True, [5, 40]),
        ([5, 40, 41], True, [5, 40]),
        ([40, 5], True, [40, 40]),
        ([5], False, [50, 100]),
        ("soon", False, [50, 100]),
        ([True, -1], False, [50, 100]),
    ],
)
def test_when_events_came(timing: Any, is_recorded: bool, times: list[int]) -> None:
    """As it was recorded, for each event; else evenly, which is said."""
    timeline = timeline_of(document({}, [chunk("a"), chunk("b")], timing=timing))
    assert timeline == {
        "is_recorded": is_recorded,
        "labels": ["event"],
        "events": [[times[0], 0, [["text", "a"]]], [times[1], 0, [["text", "b"]]]],
    }


def test_what_is_no_stream_has_no_timeline() -> None:
    """Nor has a stream without an event."""
    assert timeline_of(document({}, {})) is None
    assert timeline_of(document({}, [])) is None


# --- sides ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("thing", "expected"),
    [
        (None, None),
        (3, {"type": "data", "value": 3}),
        (("a", "b"), {"type": "data", "value": ["a", "b"]}),
        ("new", {"type": "data", "value": "new"}),
        (Data({"a": [0.5] * 3}), {"type": "data", "value": {"a": [0.5] * 3}}),
        (Text("hi"), {"type": "text", "text": "hi", "citations": []}),
    ],
)
def test_a_thing_that_came(thing: Thing | None, expected: Any) -> None:
    """By its kind, so that the page knows how to show it."""
    (side,) = sides_of([Change(Kind.ADDED, "x", None, thing)])
    assert side == {"kind": "added", "subject": "x", "old": None, "new": expected}


def test_messages_and_tools_say_what_they_are() -> None:
    """Which their members do not."""
    message, tool = Message("user", (Text("hi"),)), Tool("f")
    found = sides_of([Change(Kind.REMOVED, "m", message), Change(Kind.REMOVED, "t", tool)])
    assert [side["old"]["type"] for side in found] == ["message", "tool"]  # type: ignore[index]  # a dict


def test_texts_stand_side_by_side() -> None:
    """By lines, with the fate of each word; base64 by its digest."""
    old, new = "same\nthe old one", f"same\nthe new one\n{'QUJD' * 200}"
    (side,) = sides_of([Change(Kind.CHANGED, "x", old, new)])
    assert str(side["lines"]).count("QUJD") < 20
    (side,) = sides_of([Change(Kind.CHANGED, "x", "the old one here", "the new one here")])
    assert side["lines"] == [
        [["kept", "the "], ["removed", "old"], ["added", "new"], ["kept", " one here"]]
    ]


# --- rows and texts -------------------------------------------------------------------------------

USER = {"role": "user", "content": "  Say\n hello "}
CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
RESULT = {"role": "tool", "tool_call_id": "c", "content": "it is 3"}


def rpc(method: str, parameters: Any = None) -> dict[str, Any]:
    """A message of JSON-RPC."""
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}


@pytest.mark.parametrize(
    ("held", "asked", "answered"),
    [
        (chat(USER), "Say hello", "fine"),
        (chat({"role": "system", "content": "x"}, USER, RESULT), "Say hello", "fine"),
        (chat(RESULT), "it is 3", "fine"),
        (chat(USER, answer={"tool_calls": [CALL]}), "Say hello", 'f({"a": 1})'),
        (chat({"role": "user", "content": "x" * 200}), f"{'x' * 119}…", "fine"),
        (chat(), "", "fine"),
        (chat({"role": "user", "content": ""}), "", "fine"),
        (document({}, {"odd": 1}), "", '{"odd": 1}'),
        (document({}, {"error": {"message": "No."}}, status=400), "", "No."),
        (document({}, {"__type__": "bytes", "__data__": "AAAA"}), "", ""),
        (document(rpc("tools/list"), None, status=202), "tools/list", ""),
        (document(rpc("initialize", {"a": 1}), {"result": {}}), "initialize", ""),
        (document(rpc("tools/call", {"name": "f", "arguments": {"a": 1}})), 'f({"a": 1})', ""),
    ],
)
def test_the_row_says_what_it_is_about(held: dict[str, Any], asked: str, answered: str) -> None:
    """What a person said last and what was answered, in a line."""
    row = page_recording(Source("a", "b.json", held)).row
    assert (row.asked, row.answered) == (asked, answered)


@pytest.mark.parametrize(
    ("more", "outcome"),
    [
        ({}, "ok"),
        ({"status": 500}, "error"),
        ({"ended": {"by": "client"}}, "cut"),
        ({"ended": {"by": "error", "type": "E", "message": "", "before_response": True}}, "error"),
    ],
)
def test_how_it_went(more: dict[str, Any], outcome: str) -> None:
    """Answered, an error, or cut."""
    assert (
        page_recording(Source("a", "b", document({}, [chunk("a")], **more))).row.outcome == outcome
    )


def test_a_search_finds_all_that_is_said() -> None:
    """Parameters, tools, thinking, calls, results, media, errors; numbers of embeddings are not."""
    parts = [
        {"type": "text", "text": "see"},
        {"type": "image_url", "image_url": {"url": "https://i"}},
    ]
    held = chat(
        {"role": "user", "content": parts}, RESULT, answer={"content": "", "tool_calls": [CALL]}
    )
    held["request"]["body"] |= {"temperature": 0.5, "stop": "END", "odd": [0.25] * 40}
    held["request"]["body"]["tools"] = [
        {"type": "function", "function": {"name": "f", "description": "about f", "parameters": {}}}
    ]
    texts = "\n".join(page_recording(Source("a", "b", held)).texts)
    for said in (
        "temperature 0.5",
        "stop END",
        "about f",
        "see",
        "https://i",
        "it is 3",
        'f {"a": 1}',
    ):
        assert said in texts
    assert "0.25, 0.25" not in texts
    failed = document({}, {"error": {"message": "No.", "code": "busy"}}, status=429)
    assert "busy" in "\n".join(page_recording(Source("a", "b", failed)).texts)
    thought = chat(USER, answer={"content": "yes", "reasoning": "hmm", "refusal": "never"})
    assert "hmm" in "\n".join(page_recording(Source("a", "b", thought)).texts)


def test_numbers_keep_their_spelling_in_the_json() -> None:
    """The text of the recording is in the details, and is one that `json.loads` takes."""
    held = json.loads(page_recording(Source("a", "b", chat(USER))).details)
    assert json.loads(held["raw"]) == chat(USER)
    assert held["timeline"] is None
    assert held["old_name"] is None


def test_a_changed_recording_has_its_changes() -> None:
    """With the name that its file had, where that is another one."""
    old, new = chat({"role": "user", "content": "Say hi to me"}), chat(USER)
    changes = tuple(changes_between(conversation_of(old), conversation_of(new)))
    source = Source("a", "b", new, state="changed", old_name="c", changes=changes)
    held = json.loads(page_recording(source).details)
    assert [change["subject"] for change in held["changes"]] == ["message 1 (user)"]
    assert held["old_name"] == "c"


def test_media_are_told_not_shown() -> None:
    """Their bytes are on no page."""
    (side,) = sides_of([Change(Kind.ADDED, "x", None, Media("image", "image/png", size=3))])
    assert side["new"] == {
        "type": "media",
        **dict.fromkeys(("name", "url", "digest")),
        "kind": "image",
        "media_type": "image/png",
        "size": 3,
    }


# --- files ----------------------------------------------------------------------------------------


def test_many_recordings_are_split() -> None:
    """Details into files of a size that opens fast, texts into larger ones; each text once."""
    long = "word " * 30_000
    recordings = [
        page_recording(
            Source("a", str(place), chat({"role": "user", "content": f"{place} {long}"}))
        )
        for place in range(20)
    ]
    recordings.append(page_recording(Source("a", "empty", chat({"role": "user", "content": ""}))))
    files = dict(report_files(recordings, Heading("x"), []))
    details = [name for name in files if name.startswith("data/d")]
    assert len(details) == 21
    assert len([name for name in files if name.startswith("data/t")]) == 2
    _name, index = received(files["data/index.js"])
    assert (len(index["rows"]), index["text_files"]) == (21, 2)
    _name, last = received(files["data/t1.js"])
    assert ["fine", list(range(21))] in last or [
        "fine",
        list(range(21)),
    ] in received(files["data/t0.js"])[1]


def test_no_recordings_have_an_index() -> None:
    """And nothing else."""
    assert list(dict(report_files([], Heading("x"), []))) == ["data/index.js"]


def test_problems_are_told_without_secrets() -> None:
    """In the path and in the reason."""
    key = "sk-proj-Ab1Cd2Ef3Gh4Ij5Kl6Mn7Op8Qr9St0Uv"
    files = dict(report_files([], Heading("x"), [(f"a[{key}]", key)]))
    assert received(files["data/index.js"])[1]["problems"] == [["a[REDACTED]", "REDACTED"]]
