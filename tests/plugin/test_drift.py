"""`--vcr-llm-verify` sends recorded requests again, and compares the shape of the answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import openai
import pytest

from .project import KEY, Project

pytestmark = pytest.mark.skipif(
    not hasattr(openai.OpenAI, "responses"), reason="openai before 1.66"
)

VERIFY = "--vcr-llm-verify"
TESTS = """
@pytest.mark.vcr
def test_answer():
    assert ask("count")

@pytest.mark.vcr
def test_stream():
    import openai
    with openai.OpenAI(max_retries=0) as client:
        stream = client.responses.create(model="gpt-4o", input="Hello", stream=True)
        assert [event.type for event in stream][-1] == "response.completed"
"""


@pytest.fixture
def recorded(project: Project) -> Project:
    """A project whose tests are recorded, one of them a stream."""
    project.test(TESTS)
    project.record().assert_outcomes(passed=2)
    return project


def edit(project: Project, cassette: str, change: Callable[[dict[str, Any]], None]) -> None:
    """Change the one recording of a test, as if its answer had been another one in those days."""
    (path,) = (project.path / "cassettes" / "test_agent" / cassette).glob("*.json")
    document = json.loads(path.read_text("utf-8"))
    change(document)
    path.write_text(json.dumps(document), "utf-8")


def with_older_shape(document: dict[str, Any]) -> None:
    """The answer lacks a member, has another one, one has another type; another reason to end."""
    body = document["response"]["body"]["__data__"]
    del body["usage"]["total_tokens"]
    body["usage"]["prompt_tokens"] = "9"
    body["choices"][0]["message"]["mood"] = "good"
    body["choices"][0]["finish_reason"] = "length"


DIFFERENCES = [
    'body.choices[*].finish_reason was "length", is "stop"',
    "body.choices[*].message.mood is gone: a string",
    "body.usage.prompt_tokens was a string, is a number",
    "body.usage.total_tokens is new: a number",
]
DRIFT = [
    "test_agent.py::test_answer",
    "  cassettes/test_agent/test_answer/*.json",
    *(f"    {line}".replace("[", "[[]") for line in DIFFERENCES),
    "*pytest TEST --record-mode=rewrite",
]


def test_the_same_shape_passes_and_nothing_is_written(recorded: Project) -> None:
    """Other words, ids, times and numbers are no drift; the tests run on their recordings."""
    before, answers = recorded.tree, recorded.answers
    result = recorded.run(VERIFY)
    result.assert_outcomes(passed=2)
    assert result.ret == 0
    line = "vcr-llm: 2 answers compared by shape; 0 differ from the recording"
    result.stdout.fnmatch_lines([line])
    assert recorded.answers == answers  # the server counts on
    assert recorded.tree == before
    assert line not in recorded.run(VERIFY, "-q").stdout.str()


@pytest.mark.parametrize("arguments", [(), ("-n2",), ("-q",)], ids=" ".join)
def test_drift_is_told_by_path_and_fails_the_run(
    recorded: Project, arguments: tuple[str, ...]
) -> None:
    """The tests pass: it is their recordings that are wrong."""
    edit(recorded, "test_answer", with_older_shape)
    before = recorded.tree
    run = recorded.run_apart if "-n2" in arguments else recorded.run
    result = run(VERIFY, *arguments)
    result.assert_outcomes(passed=2)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines([*DRIFT, "vcr-llm: 2 answers compared by shape; 1 differs from *"])
    assert recorded.tree == before
    recorded.run().assert_outcomes(passed=2)


def test_drift_in_a_stream_is_told_by_event(recorded: Project) -> None:
    """Events that are gone and new, their order, and the members of each kind."""

    def change(document: dict[str, Any]) -> None:
        for entry in document["response"]["body"]:
            payload = entry["__data__"]
            if payload["type"] == "response.output_text.delta":
                payload["type"] = "response.text.delta"
            if payload["type"] == "response.completed":
                payload["response"]["status"] = "incomplete"

    edit(recorded, "test_stream", change)
    recorded.test(TESTS.replace(' == "response.completed"', ""))
    result = recorded.run(VERIFY)
    result.stdout.fnmatch_lines(
        [
            "test_agent.py::test_stream",
            '*response.completed[]].response.status was "incomplete", is "completed"',
            "*body[[]response.output_text.delta[]] is new: an event",
            "*body[[]response.text.delta[]] is gone: an event",
        ]
    )


def test_a_request_without_an_answer_is_told_and_harms_no_test(recorded: Project) -> None:
    """The server is down: what could not be compared fails the run, without the key in a text."""
    with recorded.server_down():
        result = recorded.run(VERIFY)
    result.assert_outcomes(passed=2)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*was not answered: ConnectError: *"])
    assert KEY not in result.stdout.str()


def test_the_verdict_is_in_the_exit_status_and_the_file_without_a_terminal(
    recorded: Project,
) -> None:
    """A program reads it from `--vcr-llm-summary`; what was sent again was spent."""
    edit(recorded, "test_answer", with_older_shape)
    result = recorded.run(VERIFY, "-p", "no:terminal", "--vcr-llm-summary=summary.json")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    summary = json.loads((recorded.path / "summary.json").read_text("utf-8"))
    assert summary["exit_status"] == 1
    assert summary["not_spent"]["requests"] == summary["not_spent"]["tokens"] == 0
    assert summary["compared"] == 2
    assert [one["difference"] for one in summary["drift"]] == DIFFERENCES
    assert {one["test"] for one in summary["drift"]} == {"test_agent.py::test_answer"}


@pytest.mark.parametrize(
    "arguments",
    [
        "--block-network",
        "--disable-recording",
        "--vcr-llm-prune",
        "--record-mode=new_episodes",
        "VCR_LLM_MODE=live",
    ],
)
def test_what_does_not_go_together_is_refused(
    recorded: Project, arguments: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is sent, and the error names what is to be left out."""
    name, _, value = arguments.partition("=")
    if name.isupper():
        monkeypatch.setenv(name, value)
    result = recorded.run(VERIFY, *([] if name.isupper() else [arguments]))
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert f"does not go with {arguments}." in result.stderr.str()


def test_a_mark_or_a_caller_that_records_does_not(project: Project) -> None:
    """Verifying writes nothing, whatever a mode says; a request without recording is a miss."""
    project.test("""
        import vcr_llm

        @pytest.mark.vcr(record_mode="new_episodes")
        def test_mark():
            ask("Hello")

        def test_caller():
            with vcr_llm.use_cassette("cassettes/mine", record_mode="rewrite"):
                ask("Good bye")
    """)
    project.run().assert_outcomes(passed=2)
    before = project.tree
    result = project.run(VERIFY)
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["*2 answers compared*"])
    assert project.tree == before
    source = (project.path / "test_agent.py").read_text("utf-8")
    project.write("test_agent.py", source.replace("Hello", "Hi").replace("Good bye", "Bye"))
    result = project.run(VERIFY)
    result.assert_outcomes(failed=2)
    assert project.tree == before


LIBRARIES = {
    "requests": """
        import requests
        def post(url, body):
            return requests.post(url, json=body).json()
    """,
    "requests, by a proxy": """
        import os, requests
        def post(url, body):
            proxy = os.environ["OPENAI_BASE_URL"].removesuffix("/v1")
            url = "http://api.example.test/v1/chat/completions"
            return requests.post(url, json=body, proxies={"http": proxy}).json()
    """,
    "httplib2": """
        import httplib2, json
        def post(url, body):
            http = httplib2.Http()
            try:
                headers = {"Content-Type": "application/json"}
                return json.loads(http.request(url, "POST", json.dumps(body), headers)[1])
            finally:
                http.close()
    """,
    "botocore": """
        import botocore.awsrequest, botocore.httpsession, json
        def post(url, body):
            headers = {"Content-Type": "application/json"}
            request = botocore.awsrequest.AWSRequest("POST", url, headers, json.dumps(body))
            session = botocore.httpsession.URLLib3Session()
            return json.loads(session.send(request.prepare()).content)
    """,
    "urllib": """
        import json, urllib.request
        def post(url, body):
            request = urllib.request.Request(
                url, json.dumps(body).encode(), {"Content-Type": "application/json"}
            )
            with urllib.request.urlopen(request) as response:
                return json.load(response)
    """,
    "aiohttp": """
        import aiohttp, asyncio
        def post(url, body):
            async def send():
                async with aiohttp.ClientSession() as session:
                    async with session.post(url, json=body) as response:
                        return await response.json()
            return asyncio.run(send())
    """,
    "tornado": """
        import asyncio, json
        from tornado.httpclient import AsyncHTTPClient
        def post(url, body):
            async def send():
                headers = {"Content-Type": "application/json"}
                client = AsyncHTTPClient(force_instance=True)
                try:
                    reply = await client.fetch(
                        url, method="POST", body=json.dumps(body), headers=headers
                    )
                finally:
                    client.close()
                return json.loads(reply.body)
            return asyncio.run(send())
    """,
    "httpx, async": """
        import asyncio, httpx
        def post(url, body):
            async def send():
                async with httpx.AsyncClient(verify=False) as client:
                    return (await client.post(url, json=body)).json()
            return asyncio.run(send())
    """,
}


@pytest.mark.parametrize("library", LIBRARIES)
def test_every_library_is_verified(project: Project, library: str) -> None:
    """The client gets what was recorded, and what the server says now is compared with it."""
    pytest.importorskip(library.partition(",")[0])
    project.write("client.py", LIBRARIES[library])
    project.test("""
        import os
        from client import post

        @pytest.mark.vcr
        def test_answer():
            body = {"model": "gpt-4o", "messages": [{"role": "user", "content": "count"}]}
            answer = post(os.environ["OPENAI_BASE_URL"] + "/chat/completions", body)
            with open("answers.log", "a") as log:
                log.write(answer["choices"][0]["message"]["content"] + chr(10))
    """)
    project.record().assert_outcomes(passed=1)
    answers = project.answers
    result = project.run_apart(VERIFY)
    assert result.ret == 0
    result.stdout.fnmatch_lines(["vcr-llm: 1 answer compared by shape; 0 differ*"])
    assert project.answers == answers
    edit(project, "test_answer", with_older_shape)
    result = project.run_apart(VERIFY)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines([*DRIFT, "vcr-llm: 1 answer compared by shape; 1 differs*"])
    with project.server_down():
        result = project.run_apart(VERIFY)
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*was not answered: *"])


def test_a_fixtures_cassette_is_verified(project: Project) -> None:
    """What a session's fixture requests is compared, too."""
    project.configure(
        more="""
        answers = vcr_llm.cassette_fixture("answers")

        @pytest.fixture(scope="session")
        def greeting(answers):
            from agent import ask
            return ask("Hello?")
        """
    )
    project.test("def test_one(greeting):\n    assert greeting\n")
    project.record().assert_outcomes(passed=1)
    (path,) = (project.path / "cassettes/answers").glob("*.json")
    document = json.loads(path.read_text("utf-8"))
    with_older_shape(document)
    path.write_text(json.dumps(document), "utf-8")
    result = project.run(VERIFY)
    result.stdout.fnmatch_lines(["  cassettes/answers/*.json", *DRIFT[2:]])


@pytest.mark.parametrize("status", [429, 503])
def test_passing_trouble_is_not_sent_again(recorded: Project, status: int) -> None:
    """An error that was recorded says nothing about the shape of answers."""
    edit(recorded, "test_answer", lambda document: document["response"].update(status=status))
    recorded.test(TESTS.replace('assert ask("count")', "pytest.raises(Exception, ask, 'count')"))
    result = recorded.run(VERIFY)
    assert result.ret == 0
    result.stdout.fnmatch_lines(["*1 answer compared*"])
