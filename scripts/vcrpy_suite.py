"""`python -m scripts.vcrpy_suite`: vcrpy's own tests with our recorder in place of its own.

Prints the tests that pass with vcrpy alone and do not with us, and fails where one is not known. It
is run by hand, for each new release of vcrpy: its tests need many libraries and servers.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from pathlib import Path

from scripts.environments import ROOT, Environment, TestRun, download_source, read_pyproject

HOST = "vcrpy"
LIBRARIES = (
    *("aiohttp", "boto3", "cryptography", "httpbin>=0.10.3", "httplib2", "httpx", "httpx2"),
    *("pysocks", "pytest", "pytest-aiohttp", "pytest-asyncio", "pytest-httpbin", "requests"),
    *("tornado", "urllib3"),
)
# Of tests/integration, unless it says otherwise, with what is meant to be different.
KNOWN = {
    "a cassette is a directory, and reads its files itself": (
        r"test_aiohttp.py::test_filter_query_parameters",
        r"test_basic.py::test_nonexistent_directory",
        r"test_config.py::test_set_drop_unused_requests",
        r"test_filter.py::test_filter_(querystring|sensitive_data)",
        r"test_record_mode.py::test_all_record_mode_.*",
        r"test_register_persister.py::.*",
        r"unit/test_vcr.py::test_(.*path_transformer|ensure_suffix.*|inject_cassette_into_method)",
        r"unit/test_vcr.py::test_use_cassette_persister_option",
    ),
    "headers of a response that say nothing to a client are not kept": (
        r"test_aiohttp.py::test_cookies.*",
        r"test_(httplib2|requests|urllib3).py::test_(response_)?headers",
        r"test_httpx2?.py::test_cookies",
    ),
    "headers of a request are not kept": (r"test_filter.py::test_filter_basic_auth",),
    "a compressed body is kept decoded": (r"test_\w+.py::test_gzip__decode_compressed_.*",),
    "an empty body of a request is none": (r"test_requests.py::test_filter_post_params",),
    "a stream that breaks is recorded": (r"test_httpx_stream_cleanup.py::test_recording_.*",),
    "an option that does not exist is refused": (r"test_proxy.py::test_use_proxy.*",),
    "a response that is none is refused": (
        r"unit/test_vcr.py::test_vcr_before_record_response_iterable",
    ),
}
_SETTINGS = """[pytest]
markers = online
asyncio_default_fixture_loop_scope = session
asyncio_default_test_loop_scope = session
"""


def main() -> int:
    """Run the tests twice, and tell what the second run lacks."""
    dependencies = read_pyproject()["project"]["dependencies"]
    environment = Environment("vcrpy", sys.executable, (*LIBRARIES, *dependencies))
    environment.prepare()
    with tempfile.TemporaryDirectory() as folder:
        source = download_source(HOST, Path(folder), isolated=True)
        suite = Path(folder) / "suite"  # beside the sources, so that the installed vcrpy is tested
        suite.mkdir()
        (source / "tests").rename(suite / "tests")
        (suite / "pytest.ini").write_text(_SETTINGS, encoding="utf-8")
        alone = _run(environment, suite)
        ours = _run(environment, suite, "-p", "scripts.vcrpy_as_ours")
    print(f"{source.name} alone: {alone.summary}; with our recorder: {ours.summary}")
    lost = sorted(_passed(alone) - _passed(ours))
    reasons = {test: _reason(test) for test in lost}
    for test, reason in reasons.items():
        print(f"{test}: {reason or 'NOT KNOWN'}")
    return 0 if _passed(ours) and all(reasons.values()) else 1


def _run(environment: Environment, suite: Path, *options: str) -> TestRun:
    bundles = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
    variables = {"PYTHONPATH": str(ROOT), **{name: "" for name in bundles if name in os.environ}}
    chosen = ("-m", "not online", "-p", "no:recording", "-p", "no:vcr_llm", "-rA", "--no-header")
    return environment.pytest(*chosen, *options, "tests", folder=suite, variables=variables)


def _passed(run: TestRun) -> set[str]:
    return set(re.findall(r"^PASSED tests/(?:integration/)?(\S.*?)$", run.output, re.MULTILINE))


def _reason(test: str) -> str | None:
    name = test.partition("[")[0]
    for reason, patterns in KNOWN.items():
        if any(re.fullmatch(pattern, name) for pattern in patterns):
            return reason
    return None


if __name__ == "__main__":
    sys.exit(main())
