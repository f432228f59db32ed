"""Marked tests whose cassette got nothing, or that reached the network past it."""

from __future__ import annotations

import pytest

from .project import Project

NOTHING = "*The test is marked with vcr, but no request came to its cassette: *"
PAST = "*The test reached {host}:{port} past its cassette, from {place}: *"

# A transport of httpx that vcrpy does not know, and that opens connections of its own.
PAST_IT = """
import os
import socket
from urllib.parse import urlsplit

import httpx

class OwnTransport(httpx.BaseTransport):
    def handle_request(self, request):
        address = request.url.host, request.url.port
        with socket.create_connection(address) as connection:
            connection.sendall(b"GET /unknown HTTP/1.0\\r\\n\\r\\n")
            connection.recv(1024)
        return httpx.Response(200)

@pytest.mark.vcr{mark}
def test_answer():
    with httpx.Client(transport=OwnTransport()) as client:
        client.get(os.environ["OPENAI_BASE_URL"])
    {rest}
"""


def past(project: Project, place: str = "test_agent.py:*") -> str:
    """The line that names the connection."""
    host, _colon, port = project.server.url.removeprefix("http://").partition(":")
    return PAST.format(host=host, port=port, place=place)


@pytest.mark.parametrize("arguments", [(), ("-n2",)], ids=["alone", "xdist"])
def test_test_that_sends_nothing_is_a_warning(project: Project, arguments: tuple[str, ...]) -> None:
    """It passes, even where warnings are errors; the warning names the test."""
    project.test("@pytest.mark.vcr\ndef test_answer():\n    pass\n")
    run = project.run_apart if arguments else project.run
    result = run(*arguments)
    result.assert_outcomes(passed=1, warnings=1)
    assert result.ret == 0
    result.stdout.fnmatch_lines(["test_agent.py::test_answer", NOTHING])


SILENT = {
    "silenced by the project": (
        "@pytest.mark.filterwarnings('ignore::vcr_llm.VcrLlmWarning')\n"
        "@pytest.mark.vcr\ndef test_answer():\n    pass\n"
    ),
    "marked with its module": "pytestmark = pytest.mark.vcr\n\ndef test_answer():\n    pass\n",
    "skipped": "@pytest.mark.vcr\ndef test_answer():\n    pytest.skip('no')\n",
    "failed": "@pytest.mark.vcr\ndef test_answer():\n    assert not 1\n",
    "without a mark": "def test_answer():\n    pass\n",
    "left out by a hook": (
        "@pytest.mark.vcr(before_record_request=lambda request: None)\n"
        "def test_answer():\n    ask('Hi')\n"
    ),
    "recorded": "@pytest.mark.vcr\ndef test_answer():\n    ask('Hi')\n",
    "recorded in another cassette": (
        "import vcr_llm\n@pytest.mark.vcr\ndef test_answer():\n"
        "    with vcr_llm.use_cassette('cassettes/inner'):\n        ask('Hi')\n"
    ),
}


@pytest.mark.parametrize("source", SILENT.values(), ids=SILENT)
def test_no_warning_where_nothing_is_wrong(project: Project, source: str) -> None:
    """A test that used its cassette, or that had no occasion to, is not spoken of."""
    project.test(source)
    result = project.record()
    result.assert_outcomes(**{next(iter(result.parseoutcomes())): 1}, warnings=0)
    assert "its cassette" not in str(result.stdout)


def test_marked_module_that_leaves_recordings_is_told(project: Project) -> None:
    """A test of a marked module that has recordings, and plays none, is told of."""
    project.test("pytestmark = pytest.mark.vcr\n\ndef test_answer():\n    ask('Hi')\n")
    project.record().assert_outcomes(passed=1)
    project.test("pytestmark = pytest.mark.vcr\n\ndef test_answer():\n    pass\n")
    project.replay().stdout.fnmatch_lines([NOTHING])


def test_connection_past_the_cassette_is_named(project: Project) -> None:
    """The test, the host and the line are named; that nothing came is not said beside it."""
    project.test(PAST_IT.format(mark="", rest="pass"))
    result = project.run()
    result.assert_outcomes(passed=1, warnings=1)
    result.stdout.fnmatch_lines(["test_agent.py::test_answer", past(project)])


def test_connection_of_a_test_that_also_replays_is_named(project: Project) -> None:
    """What is replayed is no connection; the other request is one, in a test that fails too."""
    project.test(PAST_IT.format(mark="", rest="ask('Hi')"))
    project.record().assert_outcomes(passed=1, warnings=1)
    project.run().assert_outcomes(passed=1, warnings=1)
    project.test(PAST_IT.format(mark="", rest="assert not ask('Hi')"))
    project.run().assert_outcomes(failed=1, warnings=1)


@pytest.mark.parametrize(
    "mark", ["(ignore_localhost=True)", "(ignore_hosts=['127.0.0.1'])"], ids=str
)
def test_ignored_host_is_not_named(project: Project, mark: str) -> None:
    """Who leaves a host out of cassettes means it."""
    project.test(PAST_IT.format(mark=mark, rest="ask('Hi')"))
    assert "past its cassette" not in str(project.record().stdout)


def test_sockets_are_as_they_were(project: Project) -> None:
    """After a run nothing of the watch is left."""
    import socket

    before = vars(socket.socket).get("connect"), socket.socket.connect
    project.test(PAST_IT.format(mark="", rest="pass"))
    project.run()
    assert (vars(socket.socket).get("connect"), socket.socket.connect) == before


CLIENTS = {
    "httpx": "httpx.get(url)",
    "httpx, async": "asyncio.run(through_httpx(url))",
    "aiohttp": "asyncio.run(through_aiohttp(url))",
    "requests": "requests.get(url)",
    "urllib": "urllib.request.urlopen(url).close()",
    "urllib3": "urllib3.request('GET', url)",
    "an event loop alone": "asyncio.run(asyncio.sleep(0))",
    "a pair of sockets": "[end.close() for end in socket.socketpair()]",
    "datagrams": "datagrams()",
    "a socket of the machine": "of_the_machine()",
}
ASKING = """
import asyncio, os, pathlib, socket, urllib.request
import aiohttp, httpx, requests, urllib3

async def through_httpx(url):
    async with httpx.AsyncClient() as client:
        await client.get(url)

async def through_aiohttp(url):
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        await response.read()

def datagrams():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sending:
        sending.connect(("127.0.0.1", 9))

def of_the_machine():
    path = str(pathlib.Path("socket").resolve())[-90:]
    with socket.socket(socket.AF_UNIX) as one, socket.socket(socket.AF_UNIX) as other:
        one.bind("socket")
        one.listen()
        other.connect("socket")

@pytest.mark.vcr
@pytest.mark.parametrize("call", {calls!r})
def test_call(call):
    ask("Hi")
    url = os.environ["OPENAI_BASE_URL"].replace("127.0.0.1", "localhost") + "/models"
    exec(call)
"""


def test_what_vcrpy_patches_is_no_connection_past_it(project: Project) -> None:
    """Of every client that vcrpy knows, and of what is no HTTP, nothing is said."""
    project.test(ASKING.format(calls=list(CLIENTS.values())))
    result = project.record("-Wignore::ResourceWarning")
    result.assert_outcomes(passed=len(CLIENTS), warnings=0)
    assert "its cassette" not in str(result.stdout)


def test_connection_of_a_recorded_tool_is_the_tools_own(project: Project) -> None:
    """What a tool sends while it runs is in the tool's recording."""
    project.test("""
        import os, socket
        from urllib.parse import urlsplit
        import vcr_llm

        @vcr_llm.recorded_tool(provider="search")
        def search(query):
            server = urlsplit(os.environ["OPENAI_BASE_URL"])
            socket.create_connection((server.hostname, server.port)).close()
            return "found"

        @pytest.mark.vcr
        def test_answer():
            assert search("Paris") == "found"
        """)
    project.record().assert_outcomes(passed=1, warnings=0)
    project.replay().assert_outcomes(passed=1, warnings=0)
