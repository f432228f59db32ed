"""``vcr-llm diff``: what changed, as a reader would say it, and in git's own diffs and logs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.terminal import terminal
from tests.cli.test_show import ASKED, OURS, TOLD, TOOL, URL, document, saved, shown
from tests.cli.trees import cassette, exchange, write
from vcr_llm.cli import main

JOKE = "Tell me a joke about {} in two lines, please."


def differ(
    capsys: pytest.CaptureFixture[str], *arguments: str | Path, status: int = 1
) -> list[str]:
    """The lines that `diff` prints."""
    capsys.readouterr()
    assert main(["diff", *map(str, arguments)]) == status
    printed = capsys.readouterr()
    assert printed.err == ""
    return printed.out.splitlines()


def pair(tmp_path: Path, old: Any, new: Any) -> tuple[Path, Path]:
    """Two recordings, each in a directory of its own."""
    (before,), (after,) = saved(tmp_path / "old", old), saved(tmp_path / "new", new)
    return before, after


def test_two_recordings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Parameters, model, tools, prompt, answer, reason, tokens: each in a line or a few."""
    old = document({"role": "system", "content": "Be brief."}, "How is Paris?", temperature=0.2)
    new = document("How is Rome?", answer=ASKED, model="gpt-5", temperature=0.7, tools=[TOOL])
    new["response"]["body"] |= {"usage": {"prompt_tokens": 1200}}
    new["response"]["body"]["choices"][0]["finish_reason"] = "tool_calls"
    assert differ(capsys, *pair(tmp_path, old, new)) == [
        "  model: gpt-4o -> gpt-5",
        "  temperature: 0.2 -> 0.7",
        "  added tool weather:",
        "    + The weather.",
        '    + - city: string, {"minLength": 1}, required',
        "    +     The city,",
        "    +     by its name.",
        '    + - unit: {"enum": ["C", "F"]}',
        "    + - odd: true",
        '    + - odder: {"type": ["string", "null"], "description": "d"}',
        "    + additionalProperties: false",
        "  removed message 1 (system): Be brief.",
        "  message 1 (user):",
        "      How is [-Paris-]{+Rome+}?",
        "  removed answer: Hi",
        '  added answer: call weather #1: city: "Rome"',
        "  finish reason: stop -> tool_calls",
        "  added input tokens: 1,200",
        "Recordings: 1 changed.",
    ]


def test_long_texts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Lines that changed, with a line around them; a line that is much the same by its words."""
    head = [f"line {number}" for number in range(9)]
    old = "\n".join([*head, "The quick brown fox jumps.", "", "gone"])
    new = "\n".join([*head, "The quick red fox jumps.", "", "something else", ""])
    assert differ(
        capsys, *pair(tmp_path, document("x", answer=old), document("x", answer=new))
    ) == [
        "  answer:",
        "      …",
        "      line 8",
        "      The quick [-brown-]{+red+} fox jumps.",
        "",
        "    - gone",
        "    + something else",
        "    +",
        "Recordings: 1 changed.",
    ]


def test_values_of_several_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is no text is shown as it was and as it is."""
    calls = [{"function": {"name": name, "arguments": {"a": 1}}} for name in "fg"]
    old, new = (
        document("x", answer={"tool_calls": [call]}, stop=["x" * 90, name])
        for call, name in zip(calls, "fg", strict=True)
    )
    old["request"]["body"]["a"], new["request"]["body"]["a"] = {"k": "v" * 60}, ["v" * 60]
    assert differ(capsys, *pair(tmp_path, old, new)) == [
        "  stop[1]: f -> g",
        "  a:",
        f'    - {{"k": "{"v" * 60}"}}',
        f'    + ["{"v" * 60}"]',
        "  answer: call:",
        "    - call f",
        "    -   a: 1",
        "    + call g",
        "    +   a: 1",
        "Recordings: 1 changed.",
    ]


def test_everything_that_may_come_and_go(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Thinking, refusals, results, images, notes, citations, a second answer, a failure."""
    image = {"type": "image_url", "image_url": {"url": "https://x/a.png"}}
    other = {"type": "image_url", "image_url": {"url": "https://x/b.png"}}
    cited = [{"type": "url_citation", "url_citation": {"title": "A page"}}]
    said = {"content": [{"type": "text", "text": "a", "annotations": cited}], "reasoning": "Hm"}
    back = {
        "role": "user",
        "content": [{"type": "tool_result", "tool_use_id": "c", "content": "a\nb"}],
    }
    failed = {
        "role": "user",
        "content": [
            {"type": "tool_result", "tool_use_id": "c", "content": "a\nb", "is_error": True}
        ],
    }
    old = document({"role": "user", "content": [image]}, back)
    new = document({"role": "user", "content": [other]}, failed, answer={"refusal": "No."})
    new["response"]["body"]["choices"].append({"index": 1, "message": said})
    new["response"]["ended"] = {"by": "client"}
    assert differ(capsys, *pair(tmp_path, old, new)) == [
        "  message 1 (user): [image: https://x/a.png] -> [image: https://x/b.png]",
        "  message 2 (user): result #1: is an error: no -> yes",
        "  removed answer 1: Hi",
        "  added answer 1: refusal: No.",
        "  added answer 2:",
        "    + thinking:",
        "    +   Hm",
        "    + a",
        "    + [cites A page]",
        '  added end of the stream: {"by": "client"}',
        "Recordings: 1 changed.",
    ]
    lines = differ(capsys, tmp_path / "new", tmp_path / "old")
    assert "  removed answer 1: refusal: No." in lines


def test_results_and_thinking_that_came_and_went(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Parts of messages that stay, without the heading that the line has already."""
    now = {"tool_calls": [{"function": {"name": "now", "arguments": "{}"}}]}
    came = differ(
        capsys, *pair(tmp_path / "a", document("x", answer={}), document("x", answer=now))
    )
    assert came[0] == "  added answer: call now"
    back = {"type": "tool_result", "tool_use_id": "c", "content": "a\nb"}
    old = document({"role": "user", "content": ["x", back]}, answer={"content": "a"})
    new = document({"role": "user", "content": ["x"]}, answer={"content": "a", "reasoning": "Hm"})
    assert differ(capsys, *pair(tmp_path, old, new)) == [
        "  removed message 1 (user): result #1:",
        "    - a",
        "    - b",
        "  added answer: thinking: Hm",
        "Recordings: 1 changed.",
    ]


def test_citations_that_changed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each in a line of its own."""

    def cited(*titles: str) -> dict[str, Any]:
        found = [{"type": "url_citation", "url_citation": {"title": title}} for title in titles]
        return document(
            "x", answer={"content": [{"type": "text", "text": "a", "annotations": found}]}
        )

    assert differ(capsys, *pair(tmp_path, cited("one"), cited("two", "three"))) == [
        "  answer: citations:",
        "    - one",
        "    + two",
        "    + three",
        "Recordings: 1 changed.",
    ]


# --- cassettes ----------------------------------------------------------------------------------


def test_two_cassettes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Recordings are paired by what was asked; the rest came or went."""
    kept, edited = document("Hello", sequence=0), document(JOKE.format("cats"), sequence=1)
    lost = document("What is 2 + 2?", sequence=2)
    changed, came = document(JOKE.format("dogs"), sequence=0), document("Count to 5", sequence=2)
    before = saved(tmp_path / "old", kept, edited, lost)
    after = saved(tmp_path / "new", changed, {**kept, "sequence": 1}, came)
    assert differ(capsys, tmp_path / "old", tmp_path / "new") == [
        f"recording 1: POST {URL} ({before[1].name} -> {after[0].name})",
        "  message 1 (user):",
        "      Tell me a joke about [-cats-]{+dogs+} in two lines, please.",
        "",
        f"recording 3: POST {URL} ({before[2].name} -> {after[2].name})",
        "  message 1 (user):",
        "    - What is 2 + 2?",
        "    + Count to 5",
        "",
        "Recordings: 2 changed, 1 same.",
    ]


def test_recordings_that_came_and_went(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """They are shown as a whole."""
    (lost,) = saved(tmp_path / "old", document("Hello"))
    other = document("Hello")
    other["request"] |= {"url": "https://x/v1/embeddings", "endpoint": "/v1/embeddings"}
    (came,) = saved(tmp_path / "new", other)
    common = [
        "model: gpt-4o",
        "",
        "user",
        "  Hello",
        "",
        "answer",
        "  Hi",
        "",
        "finish reason: stop",
        "recorded: 2026-01-01T00:00:00Z",
    ]

    def whole(sign: str, url: str) -> list[str]:
        return [
            f"    {sign} POST {url}",
            f"    {sign}   {common[0]}",
            *(f"    {sign} {line}".rstrip() for line in common[1:]),
        ]

    chat, embeddings = "https://api.openai.com/v1/chat/completions", "https://x/v1/embeddings"
    assert differ(capsys, tmp_path / "old", tmp_path / "new") == [
        f"recording 1 removed: POST {chat} ({lost.name})",
        *whole("-", chat),
        "",
        f"recording 2 added: POST {embeddings} ({came.name})",
        *whole("+", embeddings),
        "",
        "Recordings: 1 added, 1 removed.",
    ]


def test_what_changed_once_is_told_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A conversation repeats itself with every turn; so would what changed in it."""
    for name, city in (("old", "Rome"), ("new", "Bern")):
        asked = json.loads(json.dumps(ASKED).replace("Rome", city))
        first = document(f"How is {city}?", answer=asked, sequence=0)
        second = document(f"How is {city}?", asked, TOLD, answer="Sunny.", sequence=1)
        saved(tmp_path / name, first, second)
    lines = differ(capsys, tmp_path / "old", tmp_path / "new")
    assert lines[1:4] == [
        "  message 1 (user):",
        "      How is [-Rome-]{+Bern+}?",
        "  answer: call weather #1: city: Rome -> Bern",
    ]
    assert lines[6:] == ["  and what changed in recording 1 as well", "", "Recordings: 2 changed."]


def test_trees(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Cassettes are paired by their places."""
    for tree, prompt in (("old", "How is Rome?"), ("new", "How is Bern?")):
        saved(tmp_path / tree / "a/test_x", document(prompt))
        saved(tmp_path / tree / "a/test_same", document("Hello"))
    saved(tmp_path / "old/test_lost", document("Hello"))
    lines = differ(capsys, tmp_path / "old", tmp_path / "new")
    headings = [line for line in lines if line.startswith("# ")]
    assert headings == [f"# {tmp_path / 'new/a/test_x'}", f"# {tmp_path / 'old/test_lost'}"]
    assert lines[-1] == "Recordings: 1 changed, 1 removed, 1 same."


def test_a_file_and_a_directory(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An old cassette and what became of it."""
    write(tmp_path, **{"test_x.yaml": cassette(exchange("hello"))})
    assert main(["convert", str(tmp_path), str(tmp_path)]) == 0
    assert differ(capsys, tmp_path / "test_x.yaml", tmp_path / "test_x", status=0) == [
        "Nothing changed."
    ]


# --- nothing changed ----------------------------------------------------------------------------


def test_nothing_changed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """When it was recorded and in which place is nothing."""
    old = document("Hello", sequence=0)
    new = {**old, "sequence": 3, "recorded_at": "2027-01-01T00:00:00Z"}
    before, after = pair(tmp_path, old, new)
    assert differ(capsys, before, after, status=0) == ["Nothing changed."]
    assert differ(capsys, OURS, OURS, status=0) == ["Nothing changed."]


def test_only_ids_and_formatting_changed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is said which."""
    old, new = document("Hello"), document("Hello")
    old["response"]["body"]["id"], new["response"]["body"]["id"] = "a", "b"
    new["response"]["framing"] = {"json": "spaced"}
    assert differ(capsys, *pair(tmp_path, old, new), status=0) == [
        "  only ids, times or formatting: response.framing, response.body.id",
        "Nothing changed in what is said.",
    ]


def test_something_else_changed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What a conversation does not show is a change nevertheless."""
    old, new = document("Hello"), document("Hello")
    new["response"]["body"]["service_tier"] = "flex"
    new["response"]["body"]["id"] = "b"
    assert differ(capsys, *pair(tmp_path, old, new)) == [
        "  not in the conversation, which is the same:",
        '  added response.body.service_tier: "flex"',
        "Recordings: 1 changed.",
    ]


# --- for programs, in a terminal, wrong usage ---------------------------------------------------


def test_json_of_changes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each pair with its files, what became of it, and its changes."""
    before, after = pair(tmp_path, document("How is Rome?", seed=1), document("How is Bern?"))
    assert main(["diff", str(before), str(after), "--json"]) == 1
    assert json.loads(capsys.readouterr().out) == {
        "same": False,
        "recordings": [
            {
                "state": "changed",
                "old": str(before),
                "new": str(after),
                "changes": [
                    {"kind": "removed", "subject": "seed", "old": 1, "new": None},
                    {
                        "kind": "changed",
                        "subject": "message 1 (user)",
                        "old": "How is Rome?",
                        "new": "How is Bern?",
                    },
                ],
                "meaningless": [],
            }
        ],
    }
    assert main(["diff", str(tmp_path / "old"), os.devnull, "--json"]) == 1
    (found,) = json.loads(capsys.readouterr().out)["recordings"]
    assert (found["state"], found["old"], found["new"]) == ("removed", str(before), None)


def test_a_terminal_gets_colour(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Red is what went, green what came."""
    paths = pair(tmp_path, document("How is Rome?", seed=1), document("How is Bern?", seed=2))
    screen = terminal(monkeypatch)
    assert main(["diff", *map(str, paths)]) == 1
    assert "\x1b[31m1\x1b[0m\x1b[2m -> \x1b[0m\x1b[32m2\x1b[0m" in screen.getvalue()
    assert "\x1b[31m[-Rome-]\x1b[0m\x1b[32m{+Bern+}\x1b[0m" in screen.getvalue()


def test_hostile_texts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Control characters are written out."""
    paths = pair(tmp_path, document("a \x1b[2J b"), document("a \x1b[2J c"))
    assert r"      a \x1b[2J [-b-]{+c+}" in differ(capsys, *paths)


def test_broken_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """They are named, and the status is 1 even if nothing else changed."""
    for name in ("old", "new"):
        saved(tmp_path / name, document("Hello"))
    broken = tmp_path / "new" / f"{'0' * 64}.json"
    broken.write_text("{")
    assert main(["diff", str(tmp_path / "old"), str(tmp_path / "new")]) == 1
    printed = capsys.readouterr()
    assert printed.err.startswith(f"{broken}: is not valid JSON")
    assert printed.out == "Nothing changed.\n"


def test_directories_without_recordings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """They are not the same, they are nothing."""
    assert main(["diff", str(tmp_path), str(tmp_path)]) == 1
    assert f"{tmp_path}: holds no recordings\n" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [["absent"], ["absent", "."], [".", "absent"], [".", ".", "."], ["."] * 6, []],
)
def test_wrong_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """What is not there, or too many or too few."""
    assert main(["diff", *arguments]) == 2
    assert "Error: " in capsys.readouterr().err


@pytest.mark.parametrize("command", ["show", "diff"])
def test_the_help_says_what_to_tell_git(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The lines of .gitattributes and of git's configuration."""
    assert main([command, "--help"]) == 0
    printed = capsys.readouterr().out
    assert "cassettes/**/*.json diff=vcr-llm\n" in printed
    assert 'git config diff.vcr-llm.textconv "vcr-llm diff"\n' in printed


# --- git ----------------------------------------------------------------------------------------


def test_one_argument_is_converted_to_text(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What `show` prints; what is no recording is its own text, as git would die otherwise."""
    (path,) = saved(tmp_path / "a", document("Hello"))
    assert "\n".join(differ(capsys, path, status=0)) + "\n" == shown(capsys, path)
    assert "\n".join(differ(capsys, tmp_path / "a", status=0)) + "\n" == shown(
        capsys, tmp_path / "a"
    )
    (tmp_path / "metadata.json").write_text('{\n  "a": "\x1b"\n}')
    assert differ(capsys, tmp_path / "metadata.json", status=0) == ["{", r'  "a": "\x1b"', "}"]


def test_what_git_hands_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Seven arguments, or nine of a file that was renamed; the status is 0, or git would die."""
    before, after = pair(tmp_path, document("How is Rome?"), document("How is Bern?"))
    rest = ("0" * 40, "100644")
    told = ["  message 1 (user):", "      How is [-Rome-]{+Bern+}?"]
    driver: list[str | Path] = ["a/b.json", before, *rest, after, *rest]
    assert differ(capsys, *driver, status=0) == ["a/b.json", *told]
    assert differ(capsys, *driver, "a/c.json", "similarity index 95%", status=0) == [
        "a/c.json",
        *told,
    ]
    assert differ(capsys, "a.json", before, *rest, before, *rest, status=0) == [
        "a.json",
        "  nothing but when it was recorded",
    ]
    added = differ(capsys, "a.json", os.devnull, ".", ".", after, *rest, status=0)
    assert added[:2] == ["a.json", "    + POST https://api.openai.com/v1/chat/completions"]
    removed = differ(capsys, "a.json", before, *rest, os.devnull, ".", ".", status=0)
    assert "    -   How is Rome?" in removed


def test_what_git_hands_over_is_no_recording(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A merge that was not finished, or another file: the lines that changed."""
    (before,) = saved(tmp_path, document("Hello"))
    broken = tmp_path / "b.json"
    broken.write_text(before.read_text().replace("{", "<<<<<<< ours\n{", 1))
    lines = differ(capsys, "a.json", before, "0", "0", broken, "0", "0", status=0)
    assert lines[0] == "a.json"
    assert "+<<<<<<< ours" in lines
    gone = differ(capsys, "a.json", tmp_path / "gone", "0", "0", broken, "0", "0", status=0)
    assert f"-{tmp_path / 'gone'}: cannot be read: No such file or directory" in gone


class Repository:
    """A git repository with recordings in it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
            "HOME": str(root),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_PAGER": "cat",
        }
        self("init", "--quiet", ".")
        self("config", "user.name", "Ann")
        self("config", "user.email", "ann@example.org")

    def __call__(self, *arguments: str) -> str:
        """What git prints."""
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.root,
            env=self._environment,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    def commit(self, message: str) -> None:
        """Everything there is, as a commit."""
        self("add", "--all")
        self("commit", "--quiet", "--message", message)


PROGRAM = f'"{sys.executable}" -c "import sys; from vcr_llm.cli import main; sys.exit(main())" diff'


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """Two commits: a recording, and the same one with another prompt and another answer."""
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    found = Repository(tmp_path)
    (tmp_path / ".gitattributes").write_text("cassettes/**/*.json diff=vcr-llm\n")
    recording = tmp_path / "cassettes" / "test_x" / f"{'a' * 64}.json"
    (path,) = saved(tmp_path / "cassettes/test_x", document("How is Rome?", answer="Sunny."))
    path.rename(recording)
    (recording.parent / "metadata.json").write_text('{"a": 1}\n')
    found.commit("A recording")
    (path,) = saved(tmp_path / "cassettes/test_x", document("How is Bern?", answer="Rainy."))
    path.rename(recording)
    (recording.parent / "metadata.json").write_text('{"a": 2}\n')
    return found


def test_git_diff_and_log_of_conversations(repository: Repository) -> None:
    """git's own diff, of what `show` says; other JSON is compared as it is."""
    repository("config", "diff.vcr-llm.textconv", PROGRAM)
    repository("config", "diff.vcr-llm.cachetextconv", "true")
    text = repository("diff", "--unified=1")
    assert " user\n-  How is Rome?\n+  How is Bern?\n \n answer\n-  Sunny.\n+  Rainy.\n" in text
    assert '-{"a": 1}\n+{"a": 2}\n' in text
    repository.commit("Another prompt")
    log = repository("log", "--patch", "--unified=0")
    assert "+POST https://api.openai.com/v1/chat/completions\n+  model: gpt-4o\n" in log
    assert "-  How is Rome?\n+  How is Bern?\n" in log


def test_git_diff_and_log_in_the_commands_words(repository: Repository) -> None:
    """What changed as this command says it, for files that changed, came and were renamed."""
    repository("config", "diff.vcr-llm.command", PROGRAM)
    path = f"cassettes/test_x/{'a' * 64}.json\n"
    told = "  message 1 (user):\n      How is [-Rome-]{+Bern+}?\n  answer: Sunny. -> Rainy.\n"
    assert path + told in repository("diff")
    repository.commit("Another prompt")
    log = repository("log", "--patch", "--ext-diff")
    assert path + told in log
    assert path + "    + POST https://api.openai.com/v1/chat/completions\n" in log
    repository("mv", path.strip(), path.strip().replace("a" * 64, "b" * 64))
    renamed = repository.root / path.strip().replace("a" * 64, "b" * 64)
    renamed.write_text(renamed.read_text().replace("Bern", "Oslo"))
    assert "How is [-Bern-]{+Oslo+}?" in repository("diff", "HEAD", "-M")
