"""The YAML of cassettes: tags of Python that are data, and plain scalars as they were written."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from vcr_llm._errors import MalformedRecording
from vcr_llm._yaml import MAX_DEPTH, load_yaml

_BASE64 = "aGk="


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("!!binary aGk=", b"hi"),
        ("!!python/bytes aGk=", b"hi"),
        ("!!python/str text", "text"),
        ("!!python/unicode text", "text"),
        ("!!python/tuple [1, 2]", (1, 2)),
        ("!!python/object/apply:multidict._multidict.istr [Accept]", "Accept"),
        ("!!python/object/new:multidict._multidict_py.istr {args: [Accept]}", "Accept"),
        ("!!python/object/apply:http.HTTPMethod [POST]", "POST"),
        ("!!python/object/apply:http.HTTPStatus [200]", 200),
        ("!!python/object/new:builtins.str [text]", "text"),
        ("!!python/object/new:builtins.str text", "text"),
        (
            (
                "!!python/object/new:yarl.URL {state: !!python/tuple "
                "[!!python/object/new:urllib.parse.SplitResult [https, host, /path, q=1, '']]}"
            ),
            "https://host/path?q=1",
        ),
        (
            "!!python/object/apply:multidict._multidict.CIMultiDict [[[A, 1], [A, 2]]]",
            {"A": [1, 2]},
        ),
        ("!!python/object/apply:collections.OrderedDict {dictitems: {a: 1}}", {"a": 1}),
        ("!!python/object/apply:collections.OrderedDict ''", {}),
        (
            (
                "!!python/object:requests.structures.CaseInsensitiveDict "
                "{_store: {accept: !!python/tuple [Accept, '*/*']}}"
            ),
            {"Accept": "*/*"},
        ),
        (
            "!!python/object/new:_io.BytesIO {state: !!python/tuple [!!binary aGk=, 0, null]}",
            b"hi",
        ),
        ("!!python/object/new:_io.BytesIO {state: null}", b""),
        (
            "!!python/object/apply:builtins.iter {args: [[!!binary aGk=]]}",
            [b"hi"],
        ),
        ("!!python/object/apply:builtins.iter []", []),
    ],
)
def test_objects_that_are_data_are_that_data(text: str, value: Any) -> None:
    """What vcrpy's loader knows, and classes that are a string or a mapping, need no import."""
    assert load_yaml(text) == value


def test_no_module_is_imported_for_a_tag() -> None:
    """A tag names a class; its module stays unimported."""
    code = (
        "import sys; from vcr_llm._yaml import load_yaml; before = set(sys.modules); "
        "load_yaml('!!python/object/apply:multidict._multidict.istr [Accept]'); "
        "print(set(sys.modules) - before)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12:30", "12:30"),
        ("1:30.5", "1:30.5"),
        ("2024-01-01", "2024-01-01"),
        ("no", "no"),
        ("true", True),
        ("=", "="),
        ("12", 12),
        ("1.5", 1.5),
        ("9" * 5000, "9" * 5000),
        ("~", None),
        ("", None),
        (r'"\ud83d\ude00"', "😀"),
        (r'"\ud83d"', "\ud83d"),
        ("a: &x [1]\nb: *x", {"a": [1], "b": [1]}),
        ("<<: {a: 1}\nb: 2", {"a": 1, "b": 2}),
        ("[" + "[], " * 3 + "]", [[], [], []]),
    ],
)
def test_plain_scalars_are_what_was_written(text: str, value: Any) -> None:
    """Times, dates and words stay text; numbers, constants and aliases are values."""
    assert load_yaml(text) == value


@pytest.mark.parametrize(
    "text", ["[" * MAX_DEPTH + "]" * MAX_DEPTH, f"[{'[], ' * 1000}]", "a:\n" + " " * 1000 + "b: c"]
)
def test_many_brackets_and_far_lines_are_fine(text: str) -> None:
    """What only looks as if it were deep is read."""
    assert load_yaml(text)


def test_pyyaml_without_libyaml_does_as_well() -> None:
    """Where PyYAML was built without libyaml, its own loader reads cassettes, slowly."""
    code = (
        "import yaml; del yaml.CSafeLoader; from vcr_llm._yaml import load_yaml; "
        "assert load_yaml('a: [1, x, 12:30, !!python/tuple [2]]') == {'a': [1, 'x', '12:30', (2,)]}"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    "text",
    [
        "!!python/object/apply:os.system [ls]",
        "!!python/object/new:builtins.eval [ls]",
        "!!python/object/apply:builtins.exec {args: [ls]}",
        "!!python/module:os",
        "!!python/complex 1j",
        "!unknown x",
        "a: 'no end",
        "!!int x",
        "{!!int }",
        "!!float ''",
        "!!python/object/apply:multidict._multidict.istr [!!python/tuple []]",
        "!!python/object/apply:_io.BytesIO [1]",
        "!!binary ÿ",
        r'"\ud83" ',
        "a: 1\n---\nb: 2",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    """An unknown tag, a value that does not fit its tag, or two documents are errors of ours."""
    with pytest.raises(MalformedRecording):
        load_yaml(text)


def test_a_deep_text_that_is_shallow_to_libyaml_is_refused() -> None:
    """Tags whose values are constructed at once may reach Python's own limit first."""
    depth = MAX_DEPTH - 1
    text = "!!python/tuple [" * depth + "]" * depth
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(600)
    try:
        with pytest.raises(MalformedRecording, match="nested"):
            load_yaml(text)
    finally:
        sys.setrecursionlimit(limit)
