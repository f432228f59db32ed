"""What changed between conversations, as a reader would say it."""

from __future__ import annotations

import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conversation.payloads import chunk, recording
from vcr_llm._conversation import (
    Answer,
    Change,
    Data,
    Kind,
    Message,
    Pair,
    Refusal,
    Text,
    Tool,
    ToolCall,
    changes_between,
    conversation_of,
    paired,
    remainder_of,
)
from vcr_llm._conversation.texts import ChangedLine, Fate, Piece, changed_lines, similarity

ADDED, REMOVED, CHANGED = Kind.ADDED, Kind.REMOVED, Kind.CHANGED


def chat(
    *said: Any, answer: Any = "Hi", reason: str = "stop", tools: Any = (), **body: Any
) -> dict[str, Any]:
    """A recorded chat; what is said is a text of the user's, or a message."""
    messages = [
        item if isinstance(item, dict) else {"role": "user", "content": item} for item in said
    ]
    message = answer if isinstance(answer, dict) else {"role": "assistant", "content": answer}
    request = {"model": "gpt-4o", "messages": messages, "tools": [*tools], **body}
    return recording(request, {"choices": [{"message": message, "finish_reason": reason}]})


def changes(old: dict[str, Any], new: dict[str, Any]) -> list[Change]:
    """What changed from one document to another."""
    return changes_between(conversation_of(old), conversation_of(new))


def call(name: str = "f", own_id: str = "c", **arguments: Any) -> dict[str, Any]:
    """A message with the call of a tool."""
    function = {"name": name, "arguments": arguments}
    return {"role": "assistant", "tool_calls": [{"id": own_id, "function": function}]}


def result(content: Any, own_id: str = "c", **more: Any) -> dict[str, Any]:
    """A message of Anthropic's with the result of a tool."""
    told = {"type": "tool_result", "tool_use_id": own_id, "content": content, **more}
    return {"role": "user", "content": [told]}


def tool(name: str = "f", **more: Any) -> dict[str, Any]:
    """A tool, as it is offered."""
    return {"type": "function", "function": {"name": name, **more}}


HIGH = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
LOW = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a", "b"]}


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (chat("x"), chat("x"), []),
        (
            chat("x", temperature=0.2),
            chat("x", temperature=0.7),
            [Change(CHANGED, "temperature", Data(0.2), Data(0.7))],
        ),
        (chat("x"), chat("x", seed=None), [Change(ADDED, "seed", new=Data(None))]),
        (chat("x", seed=1), chat("x"), [Change(REMOVED, "seed", Data(1))]),
        (chat("x", seed=1), chat("x", seed=1.0), []),
        (chat("x", seed=1), chat("x", seed=True), [Change(CHANGED, "seed", Data(1), Data(True))]),
        (
            chat("x", a={"b": ["p", "q"]}),
            chat("x", a={"b": ["q"]}),
            [Change(REMOVED, "a.b[]", Data("p"))],
        ),
        (
            chat("x", a=[{"b": 1}]),
            chat("x", a=[{"b": 2}, 3]),
            [Change(CHANGED, "a[0].b", Data(1), Data(2)), Change(ADDED, "a[]", new=Data(3))],
        ),
        (chat("x", a=[0] * 201), chat("x", a=[0] * 201), []),
        (
            chat("x", a=[0] * 201),
            chat("x", a=[1]),
            [Change(CHANGED, "a", Data([0] * 201), Data([1]))],
        ),
        (chat("x", a={}), chat("x", a=[]), [Change(CHANGED, "a", Data({}), Data([]))]),
        (chat("x"), chat("x", model="gpt-5"), [Change(CHANGED, "model", "gpt-4o", "gpt-5")]),
        (chat("x"), chat("y"), [Change(CHANGED, "message 1 (user)", "x", "y")]),
        (
            chat("x"),
            chat("x", "y"),
            [Change(ADDED, "message 2 (user)", new=Message("user", (Text("y"),)))],
        ),
        (
            chat("w", "x"),
            chat("x"),
            [Change(REMOVED, "message 1 (user)", Message("user", (Text("w"),)))],
        ),
        (
            chat("x"),
            chat({"role": "system", "content": "s"}, "y"),
            [
                Change(ADDED, "message 1 (system)", new=Message("system", (Text("s"),))),
                Change(CHANGED, "message 2 (user)", "x", "y"),
            ],
        ),
        (
            chat({"role": "user", "content": "x", "name": "ann"}),
            chat({"role": "user", "content": "x", "name": "bob"}),
            [Change(CHANGED, "message 1 (user): name", "ann", "bob")],
        ),
        (chat("x"), chat("x", answer="Hello"), [Change(CHANGED, "answer", "Hi", "Hello")]),
        (
            chat("x"),
            chat("x", reason="length"),
            [Change(CHANGED, "finish reason", "stop", "length")],
        ),
        (
            chat("x"),
            chat("x", answer={"refusal": "No."}),
            [
                Change(REMOVED, "answer", Text("Hi")),
                Change(ADDED, "answer: refusal", new=Refusal("No.")),
            ],
        ),
        (
            chat("x", answer={"refusal": "No."}),
            chat("x", answer={"refusal": "Never."}),
            [Change(CHANGED, "answer: refusal", "No.", "Never.")],
        ),
        (
            chat("x", answer={"reasoning": "a"}),
            chat("x", answer={"reasoning": "b"}),
            [Change(CHANGED, "answer: thinking", "a", "b")],
        ),
        (chat("x", answer=call(own_id="c1")), chat("x", answer=call(own_id="c2")), []),
        (
            chat("x", answer=call(city="Rome")),
            chat("x", answer=call(city="Bern", n=1)),
            [
                Change(CHANGED, "answer: call f #1: city", "Rome", "Bern"),
                Change(ADDED, "answer: call f #1: n", new=Data(1)),
            ],
        ),
        (
            chat("x", answer=call("f")),
            chat("x", answer=call("g")),
            [Change(CHANGED, "answer: call", ToolCall("f", {}, "#1"), ToolCall("g", {}, "#1"))],
        ),
        (
            chat("x", call("g", "b"), call("f", "c", n=1)),
            chat("x", call("f", "c", n=1)),
            [
                Change(
                    REMOVED,
                    "message 2 (assistant)",
                    Message("assistant", (ToolCall("g", {}, "#1"),)),
                )
            ],
        ),
        (
            chat(call(), result("a")),
            chat(call(), result("b", is_error=True)),
            [
                Change(CHANGED, "message 2 (user): result #1: is an error", False, True),
                Change(CHANGED, "message 2 (user): result #1", "a", "b"),
            ],
        ),
        (
            chat({"role": "user", "content": [{"odd": 1}]}),
            chat({"role": "user", "content": [{"odd": 2}]}),
            [Change(CHANGED, "message 1 (user): odd", Data(1), Data(2))],
        ),
        (
            chat(
                "x",
                answer={"content": [{"type": "text", "text": "Hi", "citations": [{"title": "A"}]}]},
            ),
            chat(
                "x",
                answer={"content": [{"type": "text", "text": "Hi", "citations": [{"title": "B"}]}]},
            ),
            [Change(CHANGED, "answer: citations", ("A",), ("B",))],
        ),
        (chat("x", tools=[tool()]), chat("x"), [Change(REMOVED, "tool f", Tool("f"))]),
        (
            chat("x", tools=[tool(), tool()]),
            chat("x", tools=[tool()]),
            [Change(REMOVED, "tool f (2)", Tool("f"))],
        ),
        (chat("x", tools=[tool("f"), tool("g")]), chat("x", tools=[tool("g"), tool("f")]), []),
        (
            chat("x", tools=[tool(parameters=HIGH, description="a", strict=True)]),
            chat("x", tools=[tool(parameters=LOW, description="b")]),
            [
                Change(CHANGED, "tool f: description", "a", "b"),
                Change(CHANGED, "tool f: parameters.properties.a.type", "string", "integer"),
                Change(ADDED, "tool f: parameters.required[]", new=Data("b")),
                Change(REMOVED, "tool f: strict", Data(True)),
            ],
        ),
    ],
)
def test_changes(old: dict[str, Any], new: dict[str, Any], expected: list[Change]) -> None:
    """Each thing under its name, by its path, or by its words."""
    assert changes(old, new) == expected


def test_an_image_that_changed() -> None:
    """Media are compared by what they are and by their digests."""
    images = [
        {"type": "image_url", "image_url": {"url": url}} for url in ("https://a", "https://b")
    ]
    old, new = (chat({"role": "user", "content": [image]}) for image in images)
    (change,) = changes(old, new)
    assert (change.kind, change.subject) == (CHANGED, "message 1 (user)")


def test_several_answers() -> None:
    """Answers are compared by their places."""
    old = recording(
        {"n": 2, "messages": []}, [chunk({"content": "a"}), chunk({"content": "b"}, "stop", 1)]
    )
    new = recording({"n": 2, "messages": []}, [chunk({"content": "c"})])
    answer = Answer((Text("b"),), "stop")
    assert changes(old, new) == [
        Change(CHANGED, "answer 1", "a", "c"),
        Change(REMOVED, "answer 2", answer),
    ]
    assert changes(new, old)[1] == Change(ADDED, "answer 2", new=answer)


def test_what_became_of_the_exchange() -> None:
    """URL, status, error, the end of the stream, the model that answered, tokens."""
    old = recording(
        {"model": "m", "messages": []}, {**chunk({}), "model": "a", "usage": {"prompt_tokens": 1}}
    )
    error = {"error": {"message": "Slow down.", "type": "rate", "code": 5}}
    new = recording(
        {"model": "m", "messages": []}, error, url="https://x/y", status=429, ended={"by": "client"}
    )
    assert changes(old, new) == [
        Change(CHANGED, "URL", old["request"]["url"], "https://x/y"),
        Change(REMOVED, "answer", Answer(())),
        Change(CHANGED, "status", 200, 429),
        Change(ADDED, "error", new="Slow down."),
        Change(ADDED, "kind of error", new="rate"),
        Change(ADDED, "end of the stream", new=Data({"by": "client"})),
        Change(REMOVED, "answered by", "a"),
        Change(ADDED, "error: code", new=Data(5)),
        Change(REMOVED, "input tokens", 1),
    ]


def test_when_it_was_recorded_is_no_change() -> None:
    """Neither is how a stream was cut into events."""
    old = recording({"messages": []}, [chunk({"content": "Hello"})])
    new = recording({"messages": []}, [chunk({"content": "Hel"}), chunk({"content": "lo"})])
    assert changes(old, {**new, "recorded_at": "2027-01-01T00:00:00Z"}) == []
    assert remainder_of(old, new).meaningless == ("response.events",)
    assert remainder_of(old, old) == remainder_of(new, new)


# --- what differs in documents that say the same ------------------------------------------------


def varied(**more: Any) -> dict[str, Any]:
    """A document whose answer has more than the conversation shows."""
    document = chat("x", answer=call())
    document["response"]["body"] |= more
    return document


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (varied(id="a"), varied(id="b")),
        (varied(created=1), varied(created=2)),
        (varied(request_id="a"), varied(request_id="b")),
        (varied(responseId="a"), varied()),
        (varied(created_at="a"), varied(created_at="b")),
        (varied(x=[{"id": 1}, {"id": 3}]), varied(x=[{"id": 2}, {"id": 4}])),
        (chat("x", call(own_id="a")), chat("x", call(own_id="b"))),
        (recording(None, {}, framing={"json": "spaced"}), recording(None, {})),
        (recording(None, {}, timing=[1]), recording(None, {}, timing=[2])),
    ],
)
def test_ids_times_and_layout_have_no_meaning(old: dict[str, Any], new: dict[str, Any]) -> None:
    """They change with every recording; they are named, each place once."""
    found = remainder_of(old, new)
    assert changes(old, new) == []
    assert found.changes == ()
    assert len(found.meaningless) == 1
    assert "[0]" not in found.meaningless[0]


@pytest.mark.parametrize(
    ("old", "new", "subject"),
    [
        (varied(logprobs=[1]), varied(logprobs=[2]), "response.body.logprobs[0]"),
        (recording(None, {}, headers={"x": "1"}), recording(None, {}), "response.headers"),
        (recording(None, {}), {**recording(None, {}), "note": 1}, "note"),
        (recording(None, {"a": 1}), recording(None, [{"a": 1}]), "response.is_streaming"),
    ],
)
def test_what_the_conversation_does_not_show(
    old: dict[str, Any], new: dict[str, Any], subject: str
) -> None:
    """Everything else that differs is a change of its own."""
    assert changes(old, new) == []
    assert [change.subject for change in remainder_of(old, new).changes] == [subject]


# --- texts --------------------------------------------------------------------------------------

KEPT = Fate.KEPT


def line(text: str, fate: Fate = KEPT) -> ChangedLine:
    """A line that has one fate."""
    return ChangedLine((Piece(text, fate),), fate)


GAP = ChangedLine(())


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "the weather in Paris today",
            "the weather in Rome today",
            [
                ChangedLine(
                    (
                        Piece("the weather in "),
                        Piece("Paris", Fate.REMOVED),
                        Piece("Rome", Fate.ADDED),
                        Piece(" today"),
                    )
                )
            ],
        ),
        (
            "one two three four five six",
            "one 2 3 four five six",
            [
                ChangedLine(
                    (
                        Piece("one "),
                        Piece("two three", Fate.REMOVED),
                        Piece("2 3", Fate.ADDED),
                        Piece(" four five six"),
                    )
                )
            ],
        ),
        ("a b c", "a b c d", [ChangedLine((Piece("a b c"), Piece(" d", Fate.ADDED)))]),
        ("a b c d", "a b c", [ChangedLine((Piece("a b c"), Piece(" d", Fate.REMOVED)))]),
        (
            "one thing",
            "completely other",
            [line("one thing", Fate.REMOVED), line("completely other", Fate.ADDED)],
        ),
        (
            "a\nb\nc\nd\ne",
            "a\nb\nc\nd\nX",
            [GAP, line("d"), line("e", Fate.REMOVED), line("X", Fate.ADDED)],
        ),
        (
            "a\nb\nc\nd\ne",
            "X\nb\nc\nd\ne",
            [line("a", Fate.REMOVED), line("X", Fate.ADDED), line("b"), GAP],
        ),
        (
            "a\n1\n2\n3\n4\nb",
            "X\n1\n2\n3\n4\nY",
            [
                line("a", Fate.REMOVED),
                line("X", Fate.ADDED),
                line("1"),
                GAP,
                line("4"),
                line("b", Fate.REMOVED),
                line("Y", Fate.ADDED),
            ],
        ),
        (
            "a\n1\n2\n3\nb",
            "X\n1\n2\n3\nY",
            [
                line("a", Fate.REMOVED),
                line("X", Fate.ADDED),
                line("1"),
                line("2"),
                line("3"),
                line("b", Fate.REMOVED),
                line("Y", Fate.ADDED),
            ],
        ),
        ("a\nb", "a", [line("a"), line("b", Fate.REMOVED)]),
        ("a", "b\nc", [line("a", Fate.REMOVED), line("b", Fate.ADDED), line("c", Fate.ADDED)]),
    ],
)
def test_texts(old: str, new: str, expected: list[ChangedLine]) -> None:
    """Words where a line is still much the same, whole lines elsewhere, and a line around them."""
    assert changed_lines(old, new) == expected


def test_huge_lines_are_compared_as_a_whole() -> None:
    """Comparing words takes time with their square."""
    old, new = "word " * 3000, "word " * 3000 + "more"
    assert changed_lines(old, new) == [line(old, Fate.REMOVED), line(new, Fate.ADDED)]
    assert similarity(old, new) == 1


TEXTS = st.text(alphabet=string.ascii_lowercase[:3] + " \n", max_size=60)


@given(old=TEXTS, new=TEXTS)
def test_every_word_is_accounted_for(old: str, new: str) -> None:
    """What stayed and what went is the old text, what stayed and what came the new one."""
    lines = changed_lines(old, new)
    if GAP in lines:
        return
    for text, other in ((old, Fate.ADDED), (new, Fate.REMOVED)):
        left = [found for found in lines if found.fate is not other]
        told = (
            "".join(piece.text for piece in found.pieces if piece.fate is not other)
            for found in left
        )
        assert "\n".join(told) == text


# --- which recording is which -------------------------------------------------------------------


def test_recordings_of_the_same_request_belong_together() -> None:
    """Whatever their order and their files; the first of several equal ones with the first."""
    a, b, again = chat("a"), chat("b"), chat("a", answer="Hello")
    assert paired([a, b, again], [b, a, again]) == [Pair(1, 0), Pair(0, 1), Pair(2, 2)]


def test_recordings_of_one_test_belong_together() -> None:
    """Tests that share a directory may ask the same."""
    one, other = ({**chat("a"), "test_id": name} for name in ("one", "other"))
    assert paired([one, other], [other, one]) == [Pair(1, 0), Pair(0, 1)]
    renamed = {**chat("a"), "test_id": "renamed"}
    assert paired([one], [renamed]) == [Pair(0, 0)]


WEATHER = "What will the weather be like in {} tomorrow afternoon?"
JOKE = "Please tell me a very short joke about {}, in two lines."


def test_recordings_that_are_alike_belong_together() -> None:
    """By what was asked, not by their places."""
    old = [chat(WEATHER.format("Paris")), chat(JOKE.format("cats"))]
    new = [chat(JOKE.format("dogs")), chat(WEATHER.format("Rome"))]
    assert paired(old, new) == [Pair(1, 0), Pair(0, 1)]


def test_a_recording_that_went_stands_where_it_was() -> None:
    """One that came and one that went, of endpoints that have nothing to do with each other."""
    lost = recording({"input": "x"}, url="https://api.openai.com/v1/embeddings")
    assert paired([lost, chat("a")], [chat("a")]) == [Pair(0, None), Pair(0 + 1, 0)]
    assert paired([chat("a"), lost], [chat("a")]) == [Pair(0, 0), Pair(1, None)]
    assert paired([], [chat("a")]) == [Pair(None, 0)]


def test_recordings_that_have_nothing_in_common_are_different_ones() -> None:
    """Unless each is the only one that is left of its endpoint."""
    old = [chat("Count to five."), chat(JOKE.format("cats"))]
    new = [chat(WEATHER.format("Rome")), chat(JOKE.format("dogs"))]
    unlike = [
        chat({"role": "user", "content": text}, **{key: text})
        for key, text in (("p", "q" * 60), ("r", "s " * 60))
    ]
    assert paired(old[:1], new[:1]) == [Pair(0, 0)]
    assert Pair(1, 1) in paired(old, new)
    assert paired(unlike, [recording({"odd": 1}), recording({"odder": 2})]) == [
        Pair(0, None),
        Pair(1, None),
        Pair(None, 0),
        Pair(None, 1),
    ]


def test_many_recordings_are_paired_in_order() -> None:
    """Comparing each with each would take too long."""
    old = [chat(f"question {number}") for number in range(20)]
    new = [chat(f"query {number}") for number in range(21)]
    assert paired(old, new) == [*(Pair(place, place) for place in range(20)), Pair(None, 20)]


def test_documents_without_a_request_are_paired_too() -> None:
    """A text that was sent is compared as it is."""
    odd: Any = {"request": 5}
    assert paired([odd], [odd]) == [Pair(0, 0)]
    texts = [
        recording({"__type__": "str", "__data__": text})
        for text in ("a b c", "x y z", "a b d", "x y w")
    ]
    assert paired(texts[:2], texts[2:]) == [Pair(0, 0), Pair(1, 1)]
