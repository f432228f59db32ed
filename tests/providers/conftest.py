"""The server that all providers' SDKs talk to (https://github.com/CopilotKit/aimock)."""

from __future__ import annotations

import ssl
from collections.abc import Iterator

import pytest

from tests.sdk.test_aimock import CALLS, FIXTURES
from tests.servers.aimock import LLMOCK, running_aimock

pytest.register_assert_rewrite("tests.providers.conversations")

ANSWERS = {
    "fixtures": [
        {  # LiteLLM writes function_response, as Google allows, and aimock takes it for nothing
            "match": {"model": "gemini-litellm", "turnIndex": 1},
            "response": {"content": "Sunny, at 12:00."},
        },
        *(
            {  # else aimock says FUNCTION_CALL, which is no finish reason of Google's
                "match": {"userMessage": "weather", "hasToolResult": False, "model": model},
                "response": {"toolCalls": CALLS, "finishReason": "stop"},
            }
            for model in ("gemini-test", "gemini-litellm")
        ),
        {
            "match": {"userMessage": "cut"},
            "response": {"content": "A text that is too long to come through. " * 5},
            "truncateAfterChunks": 4,
            "streamingProfile": {"ttft": 5, "tps": 200},  # else nothing has left when it is cut
        },
        *FIXTURES["fixtures"],
    ]
}


@pytest.fixture(scope="session", autouse=True)
def no_certificates() -> Iterator[None]:
    """SDKs read the certificates of the world for every client, which takes half of the time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ssl.SSLContext, "load_verify_locations", lambda *_args, **_options: None)
        yield


@pytest.fixture(scope="session")
def aimock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the running server; it runs once for all tests of a process."""
    if not LLMOCK.exists():
        pytest.skip("npm install was not run in tests/aimock")
    with running_aimock(ANSWERS, tmp_path_factory.mktemp("aimock")) as (_program, address):
        yield address


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each conversation of a module's table is a test of its own."""
    if "conversation" in metafunc.fixturenames:
        metafunc.parametrize("conversation", metafunc.module.CONVERSATIONS, ids=str)
