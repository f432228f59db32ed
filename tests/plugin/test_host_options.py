"""What vcrpy's own options, filters and hooks do with our cassettes."""

from __future__ import annotations

import pytest

from .project import ONE_TEST, Project, recorded_and_replayed


def test_request_and_response_hooks_run(project: Project) -> None:
    """Hooks that rewrite in place decide what is saved; hooks that give None save nothing."""
    project.configure(
        "before_record_request=request_hook, before_record_response=[response_hook]",
        more="""
        def request_hook(request):
            request.headers.pop("authorization", None)
            request.body = request.body.replace(b"Ann", b"NAME")
            return request

        def response_hook(response):
            if b"secret answer" in response["body"]["string"]:
                return None
            response["body"]["string"] = response["body"]["string"].replace(b"Ann", b"NAME")
            return response
        """,
    )
    project.test("""
        @pytest.mark.vcr
        def test_answer(vcr):
            first = ask("I am Ann")
            assert first == ("You said: I am NAME" if vcr.rewound else "You said: I am Ann")
            if not vcr.rewound:
                ask("secret answer")
        """)
    project.record().assert_outcomes(passed=1)
    project.replay().assert_outcomes(passed=1)
    (document,) = project.documents()
    assert document["request"]["body"]["messages"][0]["content"] == "I am NAME"
    assert project.recorded_answers() == ["You said: I am NAME"]


TALK = """
import os

import httpx

def post(path="/v1/chat/completions", **options):
    url = os.environ["OPENAI_BASE_URL"].removesuffix("/v1") + path
    return httpx.post(url, **options)

BODY = {"model": "m", "messages": [{"role": "user", "content": "Hello"}]}
"""

FILTERS = {
    "filter_headers": ('filter_headers=["x-team"], keep_request_headers=["x-team"]', "x-team"),
    "filter_headers with a replacement": (
        'filter_headers=[("x-team", "TEAM")], keep_request_headers=["x-team"]',
        "alpha",
    ),
    "filter_query_parameters": ('filter_query_parameters=["team"]', "beta"),
    "filter_query_parameters with a replacement": (
        'filter_query_parameters=[("team", "TEAM")]',
        "beta",
    ),
    "filter_post_data_parameters": ('filter_post_data_parameters=["user"]', "gamma"),
    "filter_post_data_parameters with a function": (
        'filter_post_data_parameters=[("user", lambda key, value, request: "USER")]',
        "gamma",
    ),
    "filter_nested_post_data_parameters": (
        'filter_post_data_parameters=["name"], filter_nested_post_data_parameters=True',
        "delta",
    ),
    "filter_sensitive_data": ('filter_sensitive_data={"<TEAM>": "beta"}', "beta"),
}


@pytest.mark.parametrize(("options", "hidden"), FILTERS.values(), ids=FILTERS)
def test_filter_hides_what_it_names(project: Project, options: str, hidden: str) -> None:
    """Each of vcrpy's filters keeps its value out of the files, and the request still matches."""
    project.configure(options)
    project.test(
        TALK
        + """
@pytest.mark.vcr
def test_answer():
    BODY["user"] = "gamma"
    BODY["messages"][0]["name"] = "delta"
    reply = post("/v1/chat/completions?team=beta", json=BODY, headers={"x-team": "alpha"})
    assert reply.json()["choices"][0]["message"]["content"] == "You said: Hello"
"""
    )
    recorded_and_replayed(project)
    assert [name for name, content in project.tree.items() if hidden.encode() in content] == []


SAVE_HOOKS = {
    "two arguments": "def {name}(request, response):",
    "with the cassette": "def {name}(request, response, cassette):\n    assert cassette.path",
}


@pytest.mark.parametrize("head", SAVE_HOOKS.values(), ids=SAVE_HOOKS)
def test_save_and_load_hooks_run(project: Project, head: str) -> None:
    """What is saved may differ from what was answered, and what is played from what was saved."""
    project.test(
        f"""
{head.format(name="hide")}
    request.body = request.body.replace(b"Ann", b"NAME")
    body = response["body"]
    body["string"] = body["string"].replace(b"Ann", b"NAME")
    return request, response

{head.format(name="restore")}
    request.body = request.body.replace(b"NAME", b"Ann")
    body = response["body"]
    body["string"] = body["string"].replace(b"NAME", b"Ann")
    return request, response

@pytest.mark.vcr(before_save_interaction=hide, after_load_interaction=[restore])
def test_answer():
    assert ask("I am Ann") == "You said: I am Ann"
"""
    )
    recorded_and_replayed(project)
    assert project.recorded_answers() == ["You said: I am NAME"]
    assert all(b"Ann" not in content for content in project.tree.values())


def test_save_hook_that_gives_none_saves_nothing(project: Project) -> None:
    """An interaction that the hook drops is in no file, those beside it are."""
    project.test("""
        def drop(request, response):
            return None if b"private" in request.body else (request, response)

        @pytest.mark.vcr(before_save_interaction=drop)
        def test_answer(vcr):
            ask("private"), ask("Hello")
            assert len(vcr) == 2
        """)
    project.record().assert_outcomes(passed=1)
    assert project.recorded_answers() == ["You said: Hello"]


def test_load_hook_that_gives_none_hides_a_recording(project: Project) -> None:
    """An interaction that the hook drops is not played, and its file stays."""
    project.test(ONE_TEST)
    project.record().assert_outcomes(passed=1)
    tree = project.tree
    project.test("""
        @pytest.mark.vcr(after_load_interaction=lambda request, response: None)
        def test_answer(vcr):
            assert len(vcr) == 0
        """)
    project.replay().assert_outcomes(passed=1)
    project.record().assert_outcomes(passed=1)
    assert project.tree == tree


@pytest.mark.parametrize(
    "options",
    ["ignore_localhost=True", 'ignore_hosts=["127.0.0.1"]', 'ignore_hosts=[re.compile("127.*")]'],
)
def test_ignored_hosts_are_not_recorded(project: Project, options: str) -> None:
    """Requests to hosts that are ignored pass through, in every mode."""
    project.write(
        "conftest.py",
        f"""
        import re
        import pytest
        import vcr_llm

        @pytest.fixture
        def vcr_config():
            return vcr_llm.config({options})
        """,
    )
    project.test(ONE_TEST)
    project.record().assert_outcomes(passed=1)
    assert project.tree == {}
    project.run().assert_outcomes(passed=1)
    assert len(project.server.requests) == 2


DEFAULT = ["method", "scheme", "host", "port", "path", "query"]

MATCHED: dict[str, tuple[list[str], str, str, bool]] = {
    "body: same spelling": ([*DEFAULT, "body"], "json=BODY", "json=BODY", True),
    "body: another": ([*DEFAULT, "body"], "json=BODY", 'json=BODY | {"n": 2}', False),
    "raw_body": ([*DEFAULT, "raw_body"], "json=BODY", "content=json.dumps(BODY, indent=1)", False),
    "llm_body: another spelling": (
        [*DEFAULT, "llm_body"],
        "json=BODY, headers={'x': '1'}",
        "content=json.dumps(BODY, indent=1), headers={'content-type': 'application/json'}",
        True,
    ),
    "without query": (
        ["method", "path", "llm_body"],
        "json=BODY, params={'a': 1}",
        "json=BODY, params={'a': 2}",
        True,
    ),
    "with query": (
        ["method", "path", "query"],
        "json=BODY, params={'a': 1}",
        "json=BODY, params={'a': 2}",
        False,
    ),
    "uri": (["uri"], "json=BODY, params={'a': 1}", "json=BODY, params={'a': 2}", False),
    "headers": (["headers"], "json=BODY", "json=BODY, headers={'x': '1'}", False),
    "nothing": ([], "json=BODY", "json={}, params={'a': 1}", True),
    "vcrpy's default ignores the body": (DEFAULT, "json=BODY", "json={}", True),
}


@pytest.mark.parametrize(("match_on", "before", "after", "matches"), MATCHED.values(), ids=MATCHED)
def test_match_on_decides(
    project: Project, match_on: list[str], before: str, after: str, matches: bool
) -> None:
    """`match_on` may name any of vcrpy's matchers; what it does not name is not compared."""
    source = (
        TALK
        + f"""
import json

@pytest.mark.vcr(match_on={match_on})
def test_answer():
    post({{call}})
"""
    )
    project.test(source.replace("{call}", before))
    project.record().assert_outcomes(passed=1)
    project.test(source.replace("{call}", after))
    project.replay().assert_outcomes(passed=matches, failed=not matches)


def test_skipped_patchers_pass_requests_through(project: Project) -> None:
    """A library named in `skip_patchers` is not recorded."""
    project.test(
        TALK
        + """
@pytest.mark.vcr(skip_patchers=["httpx", "httpx2"])
def test_answer():
    post(json=BODY)
"""
    )
    project.record().assert_outcomes(passed=1)
    assert project.tree == {}


def test_compressed_responses_are_stored_decoded(project: Project) -> None:
    """`decode_compressed_response` is welcome and changes nothing."""
    project.configure("decode_compressed_response=True")
    project.test(ONE_TEST)
    recorded_and_replayed(project)
