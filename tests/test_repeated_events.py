"""Long streams are recorded by examples of their events, and exactly as without them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from vcr_llm._document import from_document, parse_document
from vcr_llm._headers import Pattern
from vcr_llm._interaction import Interaction, Request, Response
from vcr_llm._json import Deferred, document_text
from vcr_llm._options import Options
from vcr_llm._recording import new_recording, recording_to_write

EVENTS = 400
OPENAI, ANTHROPIC = "https://api.openai.com/v1", "https://api.anthropic.com/v1/messages"
GOOGLE = "https://generativelanguage.googleapis.com/v1beta/models/g:streamGenerateContent?alt=sse"
EVENT_STREAM, LINES = "text/event-stream; charset=utf-8", "application/x-ndjson"
SECRET = "sk-proj-abcdefghijklmnopqrstuvwx"

Make = Callable[[int], str]


def chat(content: Any, **more: Any) -> str:
    """An event of a chat completion."""
    choices = [{"index": 0, "delta": {"content": content}, "logprobs": None}]
    chunk = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    return f"data: {compact({**chunk, 'choices': choices, **more})}\n\n"


def response(number: int) -> str:
    """An event of the Responses API, each with a number of its own."""
    kind = "response.output_text.delta"
    delta = {"type": kind, "delta": f' "{number}"\n', "sequence_number": number}
    return f"event: {kind}\ndata: {compact(delta)}\n\n"


def message(number: int) -> str:
    """An event of Anthropic's, some padded, with a ping now and then."""
    if number % 50 == 1:
        return 'event: ping\ndata: {"type": "ping"}\n\n'
    delta = {"type": "text_delta", "text": f"Grüße {number}"}
    text = compact({"type": "content_block_delta", "index": 0, "delta": delta})
    return f"event: content_block_delta\ndata: {text[:-1]}{' ' * (number % 3)}}}\n\n"


def generated(number: int) -> str:
    """An event of Gemini's, spaced, with line ends of its own."""
    value = {"candidates": [{"content": {"parts": [{"text": f"東京 {number}"}]}, "index": 0}]}
    return f"data: {json.dumps(value, ensure_ascii=False, separators=(',', ': '))}\r\n\r\n"


def line(number: int) -> str:
    """A line of Ollama's."""
    times = {"created_at": f"2026-01-01T00:00:{number % 60:02}Z", "done": False}
    return f"{compact({'model': 'm', 'message': {'content': str(number)}, **times})}\n"


def compact(value: Any) -> str:
    """JSON as most servers write it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


ALIKE: dict[str, tuple[str, str, Make]] = {
    "chat": (f"{OPENAI}/chat/completions", EVENT_STREAM, lambda n: chat(f" word {n} {'x' * 40}")),
    "responses": (f"{OPENAI}/responses", EVENT_STREAM, response),
    "messages": (ANTHROPIC, EVENT_STREAM, message),
    "gemini": (GOOGLE, EVENT_STREAM, generated),
    "ollama": ("http://localhost:11434/api/chat", LINES, line),
}
UNLIKE: dict[str, Make] = {
    "a number that Python spells differently": lambda n: chat("x" * 40, a=f"{n}", b=1.50 + n),
    "a kind for each event": lambda n: chat("x" * 40, **{f"name{n}": str(n)}),
    "escapes that JSON does not ask for": lambda n: chat(f"\ud83d\ude00 {n}").replace("}", "}"),
    "a field that may hold a secret": lambda n: chat(f"{n} {'x' * 40}", token=f"{n}-tG8xJ2mQpL0vR"),
    "a mark": lambda n: chat(f"\ue000{n:03}"),
    "always the same": lambda _n: chat("x" * 60),
    "text": lambda n: f'data: "a":"{n} {"x" * 60}"\n\n',
    "a payload in another field": lambda n: f'id: data: {{"a":"{n} {"x" * 60}"}}\ndata: 1\n\n',
    "one member that is named twice": lambda n: f'data: {{"a":"{n}","a":"{"x" * 60}"}}\n\n',
}


def exchange(events: list[str], url: str, content_type: str) -> Interaction:
    """An exchange with a stream of these events."""
    body = "".join(events).encode(errors="surrogatepass")
    headers = (("content-type", content_type),)
    request = Request("POST", url, (("authorization", "Bearer abcdefghijklmnop"),), b"{}")
    return Interaction(request, Response(200, "OK", headers, body), "test")


def texts(interaction: Interaction, **options: Any) -> tuple[str, str, bool]:
    """What is written, what would be written without examples, and whether there were some."""
    written = recording_to_write(interaction, Options(**options)).document
    plain = new_recording(interaction, Options(**options)).document
    is_deferred = isinstance(body_of(written), Deferred)
    one, other = (document_text({**each, "recorded_at": "x"}) for each in (written, plain))
    assert (body_of(written) == body_of(plain)) == (one == other)
    return one, other, is_deferred


def body_of(document: Any) -> Any:
    """The body of a document's response."""
    return document["response"]["body"]


@pytest.mark.parametrize("normalize", [True, False])
@pytest.mark.parametrize("case", ALIKE)
def test_events_that_are_alike_are_written_by_example(case: str, *, normalize: bool) -> None:
    """The file is the same to the byte, and gives the stream back."""
    url, content_type, make = ALIKE[case]
    events = [make(number) for number in range(EVENTS)]
    end = ["data: [DONE]\n\n"] if case == "chat" else []
    interaction = exchange(events + end, url, content_type)
    written, plain, is_deferred = texts(interaction, normalize=normalize)
    assert is_deferred
    assert written == plain
    if not normalize:
        assert from_document(parse_document(written)).response.body == interaction.response.body


@pytest.mark.parametrize("case", UNLIKE)
def test_what_has_no_example_is_written_as_ever(case: str) -> None:
    """A stream in which examples stand for too few events, or for none, is recorded without."""
    events = [UNLIKE[case](number) for number in range(EVENTS)]
    interaction = exchange(events, f"{OPENAI}/chat/completions", EVENT_STREAM)
    written, plain, is_deferred = texts(interaction)
    assert written == plain
    assert not is_deferred


@pytest.mark.parametrize(
    ("secret", "redact"),
    [
        (SECRET, ()),
        (f"a\\n{SECRET}\\n", ()),
        ("abcdefghijklmnop", ()),
        ("hush", ["hush"]),
        ("hush", [re.compile("h.sh")]),
        (r"a \"b\"", [re.compile(r'a "b"')]),
    ],
)
def test_a_secret_in_one_of_many_events_is_redacted(secret: str, redact: list[Pattern]) -> None:
    """An event with a secret stands for itself, whatever the others are examples of."""
    events = [chat(f" word {number} {'x' * 40}") for number in range(EVENTS)]
    events[77] = events[77].replace(" word 77", f"{secret} 77")
    interaction = exchange(events, f"{OPENAI}/chat/completions", EVENT_STREAM)
    written, plain, is_deferred = texts(interaction, redact=tuple(redact))
    assert is_deferred
    assert written == plain
    assert "REDACTED 77" in written.replace("\\n", "")


@pytest.mark.parametrize("rule", ["000", "00", "<>", "7301946", re.compile("="), re.compile(r"\Z")])
def test_a_rule_that_meets_a_mark_lets_nothing_be_marked(rule: Pattern) -> None:
    """What redaction would do to a mark it does not do to the texts in whose place it stands."""
    events = [chat(f" word {number} {'x' * 40}") for number in range(EVENTS)]
    written, plain, _ = texts(exchange(events, ANTHROPIC, EVENT_STREAM), redact=(rule,))
    assert written == plain


def test_a_stream_in_which_one_event_differs_keeps_it() -> None:
    """Other line ends, another layout, a comment: what is unusual about one event is its own."""
    events = [chat(f" word {number} {'x' * 40}") for number in range(EVENTS)]
    events[3] = events[3].replace("\n", "\r\n")
    events[5] = events[5].replace('":', '": ')
    events[7] = f": comment\n{events[7]}"
    events[9] = events[9][:50]
    interaction = exchange(events, f"{OPENAI}/chat/completions", EVENT_STREAM)
    written, plain, _ = texts(interaction)
    assert written == plain
