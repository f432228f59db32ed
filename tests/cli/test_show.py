"""``vcr-llm show``: recordings as conversations, the same text wherever it is printed."""

from __future__ import annotations

import base64
import io
import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.cli.terminal import terminal
from tests.cli.trees import cassette, exchange, write
from vcr_llm._address import address_of, file_name
from vcr_llm._conversation import (
    Answer,
    Conversation,
    Failure,
    Message,
    Text,
    Tool,
    ToolCall,
    ToolResult,
    Usage,
)
from vcr_llm._foreign import Document
from vcr_llm._json import document_text
from vcr_llm.cli import _recordings, main
from vcr_llm.cli._conversation_text import Earlier, conversation_lines, readable_size
from vcr_llm.cli._output import Line, visible

ROOT = Path(__file__).parents[2]
OURS = ROOT / "cassettes"
URL = "https://api.openai.com/v1/chat/completions"


def document(
    *messages: Any, answer: Any = "Hi", sequence: int | None = None, **body: Any
) -> dict[str, Any]:
    """A recorded chat; a text is a message of the user's, or of the assistant's as the answer."""
    said = [
        item if isinstance(item, dict) else {"role": "user", "content": item} for item in messages
    ]
    message = answer if isinstance(answer, dict) else {"role": "assistant", "content": answer}
    request = {"model": "gpt-4o", "messages": said, **body}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    found: dict[str, Any] = {
        "test_id": None,
        "request": {
            "method": "POST",
            "url": URL,
            "headers": {},
            "body": request,
            "endpoint": "/v1/chat/completions",
            "model": request["model"],
        },
        "response": {"body": {"choices": [choice]}, "is_streaming": False},
    }
    if sequence is not None:
        found["sequence"] = sequence
    return {**found, "recorded_at": "2026-01-01T00:00:00Z"}


def saved(directory: Path, *documents: Document) -> list[Path]:
    """A cassette, each recording under the name that its address gives it."""
    directory.mkdir(parents=True, exist_ok=True)
    paths = []
    for found in documents:
        path = directory / file_name(address_of(found))
        path.write_text(document_text(found), encoding="utf-8")
        paths.append(path)
    return paths


def shown(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    """What `show` prints where nothing is wrong."""
    capsys.readouterr()
    assert main(["show", *map(str, arguments)]) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    return printed.out


def text_of(*lines: Line) -> str:
    """Lines as text."""
    return "\n".join("".join(span.text for span in line) for line in lines)


CALL = {"id": "call_x", "function": {"name": "weather", "arguments": '{"city": "Rome"}'}}
ASKED = {"role": "assistant", "content": None, "tool_calls": [CALL]}
TOLD = {"role": "tool", "tool_call_id": "call_x", "content": "18 °C\nsunny"}
SCHEMA = {
    "type": "object",
    "properties": {
        "city": {"type": "string", "description": "The city,\nby its name.", "minLength": 1},
        "unit": {"enum": ["C", "F"]},
        "odd": True,
        "odder": {"type": ["string", "null"], "description": "d"},
    },
    "required": ["city"],
    "additionalProperties": False,
}
TOOL = {
    "type": "function",
    "function": {"name": "weather", "description": "The weather.", "parameters": SCHEMA},
}

TWO_TURNS = """\
# {directory}

## 1 of 2: {first}
POST https://api.openai.com/v1/chat/completions
  model: gpt-4o
  temperature: 0.2

tool weather
  The weather.
  - city: string, {{"minLength": 1}}, required
      The city,
      by its name.
  - unit: {{"enum": ["C", "F"]}}
  - odd: true
  - odder: {{"type": ["string", "null"], "description": "d"}}
  additionalProperties: false

system
  Be brief.

user
  How is Rome?

answer
  call weather #1
    city: "Rome"

finish reason: stop
recorded: 2026-01-01T00:00:00Z

## 2 of 2: {second}
POST https://api.openai.com/v1/chat/completions
  model: gpt-4o
  temperature: 0.2

tools as in recording 1

messages 1 to 2 as in recording 1

assistant
  call weather #1
    city: "Rome"

tool
  result #1
    18 °C
    sunny

answer
  Sunny.

finish reason: stop
recorded: 2026-01-01T00:00:00Z
"""


def test_a_cassette(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its recordings in their order; what was said before is not said again."""
    system = {"role": "system", "content": "Be brief."}
    common: dict[str, Any] = {"temperature": 0.2, "tools": [TOOL]}
    first = document(system, "How is Rome?", answer=ASKED, sequence=0, **common)
    second = document(system, "How is Rome?", ASKED, TOLD, answer="Sunny.", sequence=1, **common)
    paths = saved(tmp_path, second, first)
    expected = TWO_TURNS.format(directory=tmp_path, first=paths[1].name, second=paths[0].name)
    assert shown(capsys, tmp_path) == expected


def test_one_recording_is_told_without_its_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Git shows it under a temporary name: the text is that of its content."""
    (path,) = saved(tmp_path, document("Hello"))
    other = tmp_path / "git-blob-a1b2c3.json"
    other.write_bytes(path.read_bytes())
    text = shown(capsys, path)
    assert text == shown(capsys, other)
    assert text.startswith("POST https://api.openai.com/v1/chat/completions\n  model: gpt-4o\n")
    assert str(tmp_path) not in text
    assert path.name not in text


def test_several_recordings_are_told_with_their_names(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where there is more than one, each has a heading."""
    first, second = saved(tmp_path, document("Hello"), document("Bye"))
    headings = [line for line in shown(capsys, second, first).splitlines() if line[:2] == "# "]
    assert headings == [f"# {second}", f"# {first}"]


def test_a_tree(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every cassette below a directory, in the order of names."""
    for name in ("b/test_x", "a/test_y"):
        saved(tmp_path / name, document(name))
    (tmp_path / "c").mkdir()
    headings = [line for line in shown(capsys, tmp_path).splitlines() if line[:2] == "# "]
    assert headings == [f"# {tmp_path / 'a/test_y'}", f"# {tmp_path / 'b/test_x'}"]


def test_the_projects_own_cassettes(capsys: pytest.CaptureFixture[str]) -> None:
    """Made with the real SDK: an error, a stream, a tool over two turns, an embedding."""
    text = shown(capsys, OURS)
    assert "error requests\n  Rate limit reached" in text
    assert "status: 429 Too Many Requests" in text
    assert "  You said: Tell me a story.\n" in text
    assert '  call get_weather #1\n    city: "Paris"\n' in text
    assert "1 embedding of " in text


def test_files_that_are_no_recordings_are_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Metadata, hidden files, and what somebody else keeps there."""
    saved(tmp_path, document("Hello"))
    others = {"metadata.json": "{}", ".hidden.json": "{", "notes.json": '{"a": 1}', "a.txt": "x"}
    for name, content in others.items():
        (tmp_path / name).write_text(content)
    assert "## 1 of 1: " in shown(capsys, tmp_path)


def test_a_directory_that_is_named_may_have_names_of_its_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A recording that somebody renamed still replays, and is still shown."""
    (path,) = saved(tmp_path, document("Hello"))
    path.rename(tmp_path / "hello.json")
    assert "## 1 of 1: hello.json\n" in shown(capsys, tmp_path)
    (tmp_path / "a broken one.json").write_text("{")
    assert main(["show", str(tmp_path)]) == 1
    printed = capsys.readouterr()
    assert "a broken one.json: is not valid JSON" in printed.err
    assert "## 1 of 1: hello.json\n" in printed.out


def test_a_cassette_of_vcrpys(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An old cassette reads as what `convert` would make of it, its secrets gone."""
    old = exchange("hello", "sk-proj-abcdefghijklmnopqrstuvwxyz0123456789")
    write(
        tmp_path,
        **{
            "test_x.yaml": cassette(old),
            "test_y.json": json.dumps({"version": 1, "interactions": [old]}),
        },
    )
    for name in ("test_x.yaml", "test_y.json"):
        text = shown(capsys, tmp_path / name)
        assert "\nuser\n  hello\n" in text
        assert "sk-proj" not in text
        assert "REDACTED" in text


def test_secrets_that_were_left_in_a_file_are_not_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A recording edited by hand, or converted with --verbatim."""
    secret = "sk-proj-abcdefghijklmnopqrstuvwxyz0123456789"
    (path,) = saved(tmp_path, document(f"My key is {secret}"))
    assert secret in path.read_text()
    for arguments in ([path], [path, "--json"]):
        assert secret not in shown(capsys, *arguments)


def test_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every recording with its path, for programs."""
    (path,) = saved(tmp_path / "a", document("Hello"))
    write(tmp_path, **{"old.yaml": cassette(exchange("hello"))})
    (first, second) = json.loads(shown(capsys, tmp_path / "a", tmp_path / "old.yaml", "--json"))
    assert (first["path"], first["dialect"]) == (str(path), "openai.chat")
    assert first["messages"][0]["parts"] == [{"type": "text", "text": "Hello", "citations": []}]
    assert (second["path"], second["method"]) == (str(tmp_path / "old.yaml"), "POST")


# --- what is wrong ------------------------------------------------------------------------------


def test_a_broken_recording_is_named_and_the_others_are_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Which file, where in it, what to do; exit status 1."""
    (path,) = saved(tmp_path, document("Hello"))
    broken = tmp_path / f"{'0' * 64}.json"
    broken.write_text('{"request": ')
    assert main(["show", str(tmp_path)]) == 1
    printed = capsys.readouterr()
    assert printed.err.startswith(f"{broken}: is not valid JSON: line 1, column 13: ")
    assert f"## 1 of 1: {path.name}" in printed.out
    assert main(["show", str(broken), "--json"]) == 1
    assert capsys.readouterr().out == "[]\n"


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("package.json", '{"name": "x"}', "holds"),
        ("notes.yaml", "just text", "holds text, not a cassette"),
        ("a.json", b"\xff", "is not UTF-8"),
        ("empty.json", "", "is empty"),
        ("a.yaml", "a: [", "is not valid YAML: line 2"),
    ],
)
def test_a_file_that_is_something_else(
    name: str, content: str | bytes, reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is named, with what it is."""
    write(tmp_path, **{name: content})
    assert main(["show", str(tmp_path / name)]) == 1
    printed = capsys.readouterr()
    assert f"{tmp_path / name}: " in printed.err
    assert reason in printed.err
    assert printed.out == ""


def test_a_directory_without_recordings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is said, so that nobody takes silence for an answer."""
    for arguments in (["show", str(tmp_path)], ["show", str(tmp_path), "--json"]):
        assert main(arguments) == 1
        assert capsys.readouterr().err == f"{tmp_path}: holds no recordings\n"


def test_a_file_that_is_too_large(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It would not fit in memory many times over."""
    (path,) = saved(tmp_path, document("Hello"))
    monkeypatch.setattr(_recordings, "_LARGEST", 10)
    assert main(["show", str(path)]) == 1
    assert "is larger than" in capsys.readouterr().err


def test_what_is_no_file(capsys: pytest.CaptureFixture[str]) -> None:
    """A device that never ends is not read."""
    assert main(["show", "/dev/zero"]) == 1
    assert capsys.readouterr().err == "/dev/zero: is no regular file\n"


def test_a_file_that_is_gone(tmp_path: Path) -> None:
    """What another process removes meanwhile is a problem of that file alone."""
    found = _recordings.load_cassette(tmp_path / "gone.json")
    assert [problem.reason for problem in found.problems] == [
        "cannot be read: No such file or directory"
    ]


def test_a_directory_that_cannot_be_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A directory without permission is named, and the others are shown."""
    saved(tmp_path / "test_x", document("Hello"))
    saved(tmp_path / "test_y", document("Hello"))
    scandir = os.scandir

    def refused(path: Any) -> Any:
        if str(path).endswith("test_x"):
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refused)
    assert main(["show", str(tmp_path)]) == 1
    assert f"{tmp_path / 'test_x'}: cannot be read: Permission denied" in capsys.readouterr().err
    found = _recordings.load_cassette(tmp_path / "test_x")
    assert found.problems[0].reason == "cannot be read: Permission denied"
    assert main(["show", str(tmp_path / "test_x")]) == 1


# --- where it is printed ------------------------------------------------------------------------

HOSTILE = "a\x1b[31mred\x07\x9b2J\u202eover\u2028line\ud800 [bold]b[/bold]\ttab\rreturn\r\nnext"
HOSTILE_MEMBER: dict[str, Any] = {"\x1b[2J": "\x1b[2J"}
HARMLESS = (
    r"  a\x1b[31mred\x07\x9b2J\u202eover\u2028line\ud800 [bold]b[/bold]"
    "\ttab\\x0dreturn\n  next\n"
)


def test_nothing_in_a_recording_reaches_the_terminal_as_a_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control characters and overrides are written out, brackets are no markup."""
    (path,) = saved(tmp_path, document(HOSTILE, answer=ASKED, **HOSTILE_MEMBER))
    text = shown(capsys, path)
    assert HARMLESS in text
    assert r'  \x1b[2J: "\u001b[2J"' in text
    assert main(["show", str(path), "--json"]) == 0
    assert "\x1b" not in capsys.readouterr().out
    screen = terminal(monkeypatch)
    assert main(["show", str(path)]) == 0
    assert r"a\x1b[31mred" in screen.getvalue()
    assert "\x1b[2J" not in screen.getvalue()


def test_a_pipe_gets_the_same_text_everywhere(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither colour nor the width of a terminal changes it; nothing is wrapped or cut."""
    (path,) = saved(tmp_path, document("word " * 100 + "end"))
    monkeypatch.setenv("COLUMNS", "20")
    narrow = shown(capsys, path)
    monkeypatch.setenv("COLUMNS", "200")
    assert narrow == shown(capsys, path)
    assert "  " + "word " * 100 + "end\n" in narrow
    assert "\x1b" not in narrow


def test_a_terminal_gets_colour(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who speaks is coloured; long lines are the terminal's business."""
    (path,) = saved(tmp_path, document("word " * 100 + "end"))
    screen = terminal(monkeypatch)
    assert main(["show", str(path)]) == 0
    assert "\x1b[1;36muser\x1b[0m\n" in screen.getvalue()
    assert "  " + "word " * 100 + "end\n" in screen.getvalue()


def test_an_encoding_without_a_character(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the stream cannot say is written out, never an error."""
    (path,) = saved(tmp_path, document("Grüße 🙂"))
    written = io.BytesIO()
    stream = io.TextIOWrapper(written, encoding="latin-1")
    monkeypatch.setattr("sys.stdout", stream)
    assert main(["show", str(path)]) == 0
    stream.flush()
    assert b"  Gr\xfc\xdfe \\U0001f642\n" in written.getvalue()


def test_visible_keeps_what_people_write() -> None:
    """Letters of all scripts, joiners and marks of direction stay."""
    text = "grüß 🙂 👩‍👧 עברית \u200f العربية\ttab"
    assert visible(text) == text


# --- how things look ----------------------------------------------------------------------------

BLANK = Conversation("http", "POST", "https://x", "/", status=200)


def answered(*parts: Any, **more: Any) -> Conversation:
    """A conversation with one answer."""
    return Conversation("http", "POST", "https://x", "/", answers=(Answer(parts),), **more)


def lines(conversation: Conversation) -> list[str]:
    """Its lines, without the first."""
    return text_of(*conversation_lines(conversation)).split("\n")[1:]


PNG_TEXT = base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()
IMAGE = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG_TEXT}"}}


def test_parts_of_messages(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Text with its sources, thinking, refusals, images, values that nobody knows."""
    cited = {"type": "url_citation", "url_citation": {"title": "A page", "url": "https://x"}}
    content = [
        {"type": "text", "text": "Look:", "annotations": [cited]},
        IMAGE,
        {"type": "input_audio", "input_audio": {}},
        {"odd": [1, 2]},
        {"type": "thinking", "thinking": "Hm\nm"},
        {"type": "redacted_thinking", "data": "…"},
        {"type": "refusal", "refusal": "No."},
    ]
    (path,) = saved(tmp_path, document({"role": "user", "name": "ann", "content": content}))
    assert """
user (ann)
  Look:
  [cites A page <https://x>]
  [image: image/png, 8 B, sha256 4c4b6a3b]
  [audio]
  {"odd": [1, 2]}
  thinking:
    Hm
    m
  [thinking, which the provider does not show]
  refusal:
    No.

answer
""" in shown(capsys, path)


def test_arguments_and_parameters(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A member in a line; texts of several lines and long values below their names."""
    long = {"words": ["a word"] * 12}
    arguments = {"code": "a = 1\n\nb = 2", "n": 1, "long": long, "data": "x" * 500, "v": [0] * 40}
    arguments["note"] = f"see {'x' * 500} there"
    calls = [
        {"id": "a", "function": {"name": "run", "arguments": arguments}},
        {"id": "b", "function": {"name": "sql", "arguments": "SELECT 1"}},
        {"function": {"name": "list", "arguments": [1]}},
    ]
    answer = {"role": "assistant", "tool_calls": calls}
    (path,) = saved(tmp_path, document("x", answer=answer, stop=["\n"], odd="a\nb"))
    text = shown(capsys, path)
    assert '  stop: ["\\n"]\n  odd:\n    a\n    b\n' in text
    assert "\n  call run #1\n    code:\n      a = 1\n\n      b = 2\n    n: 1\n" in text
    words = ",\n".join(['          "a word"'] * 12)
    assert f'    long:\n      {{\n        "words": [\n{words}\n        ]\n      }}\n' in text
    assert '    data: "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx… (500 characters, sha256 ' in text
    assert '    note: "see xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx… (500 characters, sha256 ' in text
    assert '    v: "[40 numbers, sha256 ' in text
    assert "  call sql #2\n    SELECT 1\n  call list\n    [1]\n" in text


def test_the_outcome() -> None:
    """Errors, status, the end of a stream, reasons, who answered, tokens."""
    usage = Usage(1200, 300, 1500, cached=1000, cache_written=5, reasoning=200)
    found = Conversation(
        "openai.chat",
        "POST",
        "https://x",
        "/",
        model="gpt-4o",
        status=429,
        failure=Failure("Slow\ndown.", "rate_limit", {"param": "messages"}),
        ended={"by": "client"},
        answers=(Answer((Text("a"),), "stop"), Answer((Text("b"),), "length", "model")),
        answered_by="gpt-4o-1",
        usage=usage,
        test_id="tests/a.py::test_x",
        recorded_at="2026-01-01T00:00:00Z",
    )
    cached = "1,000 cached, 5 written to the cache"
    assert lines(found) == [
        "  test: tests/a.py::test_x",
        "  model: gpt-4o",
        "",
        "answer 1",
        "  a",
        "",
        "answer 2",
        "  b",
        "",
        "error rate_limit",
        "  Slow",
        "  down.",
        '  param: "messages"',
        "status: 429 Too Many Requests",
        'stream ended: {"by": "client"}',
        "finish reason: stop, length",
        "answered by: gpt-4o-1",
        f"usage: 1,200 input ({cached}), 300 output (200 reasoning), 1,500 total",
        "recorded: 2026-01-01T00:00:00Z",
    ]


def test_an_outcome_of_which_little_is_known() -> None:
    """A status without a phrase, an error without a name, tokens of one side."""
    assert lines(
        Conversation("http", "GET", "https://x", "/", status=799, failure=Failure("x"))
    ) == [
        "",
        "error",
        "  x",
        "status: 799",
    ]
    assert lines(answered(usage=Usage(output=1)))[-1] == "usage: 1 output"
    assert lines(BLANK) == []


def test_results_that_failed_and_that_have_names() -> None:
    """An error of a tool is one, and says whose it is."""
    parts = (ToolResult((Text("a\n\nb"),), "#1", "search", is_error=True), ToolResult((), None))
    assert lines(answered(*parts))[1:] == [
        "answer",
        "  error of search #1",
        "    a",
        "",
        "    b",
        "  result",
    ]


def test_tools_of_all_kinds() -> None:
    """A provider's own tools, schemas that are none, and what else a tool says of itself."""
    tools = (
        Tool("web_search", "web_search_2025", options={"max_uses": 3}),
        Tool("googleSearch", "googleSearch"),
        Tool("sql", "custom", schema={"type": "text"}),
        Tool(
            "strict", schema={"type": "object", "properties": {}, "required": ["x"], "title": "T"}
        ),
        Tool("odd", schema={"properties": {"a": {"type": 5}}, "required": "a"}),
    )
    found = Conversation("http", "POST", "https://x", "/", tools=tools)
    assert lines(found) == [
        "",
        "tool web_search (web_search_2025)",
        "  max_uses: 3",
        "",
        "tool googleSearch",
        "",
        "tool sql (custom)",
        '  parameters: {"type": "text"}',
        "",
        "tool strict",
        '  required: ["x"]',
        '  title: "T"',
        "",
        "tool odd",
        '  - a: {"type": 5}',
    ]


def test_long_texts_without_spaces_are_shown() -> None:
    """Languages that write so are no base64."""
    text = "今日は" * 300
    assert lines(answered(Text(text))) == ["", "answer", f"  {text}"]


def test_what_was_said_before_is_said_once() -> None:
    """The longest beginning that an earlier recording has; one message is said again."""

    def said(*texts: str) -> Conversation:
        messages = tuple(Message("user", (Text(text),)) for text in texts)
        return Conversation("openai.chat", "POST", "https://x", "/", messages=messages)

    earlier = Earlier()
    for conversation in (said("a", "b"), said("a", "b", "c"), said("a")):
        earlier.add(conversation)

    def told(*texts: str) -> str:
        return text_of(*conversation_lines(said(*texts), earlier))

    assert "\nmessages 1 to 3 as in recording 2\n\nuser\n  d" in told("a", "b", "c", "d")
    assert told("a", "b").endswith("\nmessages 1 to 2 as in recording 1")
    assert "as in recording" not in told("a", "x")


def test_a_call_with_no_arguments() -> None:
    """Nothing is shown of nothing."""
    assert lines(answered(ToolCall("now", {})))[1:] == ["answer", "  call now"]


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (1_250_000, "1.2 MB"),
        (3 * 10**9, "3.0 GB"),
        (3 * 10**12, "3000.0 GB"),
    ],
)
def test_sizes(size: int, expected: str) -> None:
    """As people say them."""
    assert readable_size(size) == expected
