"""pytest plugin for `scripts.public_suites`: what a user adds to a project's `vcr_config`."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest
import vcr

import vcr_llm


def pytest_addoption(parser: pytest.Parser) -> None:
    """Whose matching it shall be."""
    parser.addoption("--matching", choices=("own", "ours"), default="ours")


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(
    fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
) -> Generator[None, Any, Any]:
    """The fixture `vcr_config` of any scope, wherever it stands, is merged with our settings."""
    value = yield
    if fixturedef.argname == "vcr_config":
        is_ours = request.config.getoption("matching") == "ours"
        own = {"match_on": value.get("match_on", vcr.VCR().match_on)}
        value.update(vcr_llm.config(**({} if is_ours else own)))
    return value
