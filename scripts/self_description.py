"""What the code says of itself, as Markdown: options, commands, the public names."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields
from functools import cache
from itertools import chain
from typing import Any, cast

import click
import griffe
import pytest

import vcr_llm
from scripts.environments import ROOT
from vcr_llm import pytest_plugin
from vcr_llm._errors import ConfigurationError
from vcr_llm._options import NAMES, Options
from vcr_llm._secret_names import _SECRET_FIELDS, _SECRET_HEADERS, _SECRET_PARAMETERS
from vcr_llm._secret_shapes import _SHAPES
from vcr_llm.cli import COMMANDS, cli

_CODE = re.compile(r'"[^"]*"|\b(?:True|False|None|timedelta)\b')
_WIDTH = 88  # of the help, as wide as the site shows without a scroll bar


@cache
def _package() -> griffe.Module:
    return cast("griffe.Module", griffe.load("vcr_llm", search_paths=[ROOT]))


def options() -> str:
    """The table of our options: name, default, meaning."""
    return _table(
        ("option", "default", "meaning"),
        ((f"`{name}`", f"`{_default(name)}`", _meaning(name)) for name in NAMES),
    )


def options_with_values() -> str:
    """The same with the values that an option takes."""
    return _table(
        ("option", "value", "default", "meaning"),
        ((f"`{name}`", _values(name), f"`{_default(name)}`", _meaning(name)) for name in NAMES),
    )


def pytest_options() -> str:
    """The table of what our plugin adds to the command line of pytest."""
    parser = pytest.Parser(_ispytest=True)
    pytest_plugin.pytest_addoption(parser)
    added = parser.getgroup("vcr-llm").options
    return _table(
        ("option", "meaning"),
        (_pytest_option(option.names()[0], option.attrs()) for option in added),
    )


def commands() -> str:
    """The help of every command."""
    with click.Context(cli, info_name="vcr-llm", **cli.context_settings) as parent:
        return "\n\n".join(_help(name, parent) for name in COMMANDS)


def secret_places() -> str:
    """The table of names under which something is redacted whatever it is."""
    places = {
        "headers": _SECRET_HEADERS,
        "parameters of a query or a form": _SECRET_PARAMETERS | _SECRET_FIELDS,
        "fields of JSON, parts of multipart": _SECRET_FIELDS,
    }
    return _table(("where", "names"), ((place, _listed(places[place])) for place in places))


def secret_shapes() -> str:
    """How the keys begin that are redacted wherever they stand."""
    return _listed({begin for begin, _rest in _SHAPES})


def public_names() -> str:
    """The public functions, classes and errors with their docstrings."""
    return "\n\n".join(chain.from_iterable(_entry(name) for name in _public()))


PARTS: dict[str, Callable[[], str]] = {
    "options": options,
    "options-with-values": options_with_values,
    "pytest-options": pytest_options,
    "commands": commands,
    "secret-places": secret_places,
    "secret-shapes": secret_shapes,
    "public-names": public_names,
}


def _default(name: str) -> str:
    (default,) = (field.default for field in fields(Options) if field.name == name)
    return repr(default).replace("'", '"')


def _meaning(name: str) -> str:
    return _joined(_package()[f"_options.Options.{name}"].docstring.value)


def _values(name: str) -> str:
    """What the error says that a wrong value should have been."""
    with pytest.raises(ConfigurationError) as error:
        Options.of({name: object()})
    (expected,) = re.findall(r" should be (.*), not <", str(error.value))
    return _CODE.sub(r"`\g<0>`", expected.replace("'", '"'))


def _pytest_option(name: str, attributes: Mapping[str, Any]) -> tuple[str, str]:
    value = f"={attributes['metavar']}" if attributes.get("metavar") else ""
    return f"`{name}{value}`", _joined(attributes["help"])


def _help(name: str, parent: click.Context) -> str:
    command = cast("click.Command", cli.get_command(parent, name))
    context = command.context_class(
        command, info_name=name, parent=parent, terminal_width=_WIDTH, max_content_width=_WIDTH
    )
    return f"### vcr-llm {name}\n\n```text\n{command.get_help(context)}\n```"


def _public() -> Iterator[str]:
    """Functions and classes first, then errors and warnings from the base down, then modules."""
    kinds = {name: _package()[name].kind for name in vcr_llm.__all__}
    is_error = {name: _is_error(name) for name in kinds}
    yield from sorted(
        kinds, key=lambda name: (kinds[name] is griffe.Kind.MODULE, is_error[name], name.lower())
    )


def _is_error(name: str) -> bool:
    public = getattr(vcr_llm, name)
    return isinstance(public, type) and issubclass(public, BaseException)


def _entry(name: str) -> Iterator[str]:
    found: Any = _package()[name]
    yield f"### vcr_llm.{name}"
    if found.is_function:
        yield f"```text\n{found.signature(return_type=False)}\n```"
    if found.is_class and found.bases:
        yield f"A subclass of {' and '.join(f'`{base}`' for base in found.bases)}."
    yield _markdown(found.docstring.value)


def _markdown(docstring: str) -> str:
    """A docstring's double backticks are Markdown's single ones."""
    return docstring.replace("``", "`")


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names, key=str.lower))


def _joined(text: str) -> str:
    return " ".join(text.split())


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = tuple(head)
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
