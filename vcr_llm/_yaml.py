"""The YAML of cassettes -> values; nothing is executed, and nothing grows far beyond its text.

libyaml composes the nodes, since it is ten times as quick as Python. Checked before values are
made of them: how deep the text nests (libyaml's composer would overflow the stack), what its
aliases expand to, and that each tag only names data. What YAML 1.1 makes of ``12:30``,
``2024-01-01`` or ``no`` stays the text that it was on the wire.
"""

from __future__ import annotations

import base64
import re
from typing import Any
from urllib.parse import urlunsplit

import yaml
from yaml.constructor import SafeConstructor
from yaml.nodes import CollectionNode, MappingNode, Node, ScalarNode, SequenceNode

from vcr_llm._errors import MalformedRecording

try:
    from yaml import CSafeLoader as _FastLoader
except ImportError:  # PyYAML was built without libyaml
    from yaml import SafeLoader as _FastLoader  # type: ignore[assignment]

MAX_DEPTH = 250

_TAG = "tag:yaml.org,2002:"
_TEXT, _SEQUENCE, _MAPPING, _MERGE = (f"{_TAG}{name}" for name in ("str", "seq", "map", "merge"))
# A text with fewer brackets, and without a line that begins that far right, is not that deep.
_FAR_RIGHT = re.compile(rf"\n[ \t?:-]{{{MAX_DEPTH}}}")
# The look behind comes second, so that the search runs from one sign to the next.
_ANCHOR = re.compile(r"&(?<![^\s,\[{]&)\S")
_ALIAS = re.compile(r"\*(?<![^\s,\[{]\*)\S")
_ESCAPED_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_ROOM_TO_EXPAND = 1_000_000  # characters
_MOST_EXPANSION = 20
_PER_NODE = 8
_MOST_DIGITS = 4000

# Classes that are a string or a mapping and no more: what they were made of is their value.
_STRINGS = re.compile(
    r"multidict\.\w+\.(?:istr|upstr)|http\.HTTP(?:Method|Status)|yarl\.(?:_url\.)?URL"
    r"|(?:builtins|__builtin__)\.(?:str|unicode|int)"
)
_MAPPINGS = re.compile(
    r"multidict\.\w+\.(?:CI)?MultiDict(?:Proxy)?|collections\.OrderedDict"
    r"|requests\.structures\.CaseInsensitiveDict|urllib3\._collections\.HTTPHeaderDict"
)


def load_yaml(text: str) -> Any:  # noqa: ANN401 - YAML may be anything
    """The value of a YAML text.

    Raises MalformedRecording where it is no YAML, where a tag stands for an object of Python, and
    where it nests too deep or expands to far more than its text.
    """
    try:
        if _may_be_deep(text):
            _check_depth(text)
        return _loaded(text)
    except RecursionError:
        msg = f"is nested more than {MAX_DEPTH} levels deep"
        raise MalformedRecording(msg) from None
    except (yaml.YAMLError, ValueError) as error:
        msg = f"is not valid YAML: {_in_one_line(error)}"
        raise MalformedRecording(msg) from None
    except (AttributeError, LookupError, TypeError) as error:  # PyYAML believes what a tag says
        msg = f"is not valid YAML: a tag does not fit its value ({_in_one_line(error)})"
        raise MalformedRecording(msg) from None


def _loaded(text: str) -> Any:  # noqa: ANN401 - the same
    try:
        return _construct(_Loader(text), text)
    except yaml.scanner.ScannerError:
        # libyaml refuses the escaped halves of surrogate pairs that Python 2 wrote.
        if not _ESCAPED_SURROGATE.search(text):
            raise
    return _construct(_PatientLoader(text), text)


def _construct(loader: _Loader | _PatientLoader, text: str) -> Any:  # noqa: ANN401 - the same
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        if _ANCHOR.search(text) and _ALIAS.search(text):
            _check_expansion(node, len(text))
        return _value(loader, node)
    finally:
        loader.dispose()


def _in_one_line(error: Exception) -> str:
    if not isinstance(error, yaml.MarkedYAMLError):
        return " ".join(str(error).split())
    mark = error.problem_mark or error.context_mark
    place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
    return f"{place}{error.problem or error.context}"


# --- what is refused before values are made ---------------------------------------------------


def _may_be_deep(text: str) -> bool:
    return text.count("[") + text.count("{") > MAX_DEPTH or bool(_FAR_RIGHT.search("\n" + text))


def _check_depth(text: str) -> None:
    """Walk over the parser's events, which needs no stack."""
    depth = 0
    for event in yaml.parse(text, Loader=_FastLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                msg = f"is nested more than {MAX_DEPTH} levels deep"
                raise MalformedRecording(msg)
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _check_expansion(root: Node, length: int) -> None:
    """Count what the aliases expand to, each anchor once."""
    sizes: dict[int, int | None] = {}

    def size(node: Node) -> int:
        known = sizes.get(id(node), 0)
        if known is None:
            msg = "has an alias that contains itself"
            raise MalformedRecording(msg)
        if not known:
            sizes[id(node)] = None
            known = sizes[id(node)] = _PER_NODE + sum(map(size, _children(node)), _length(node))
        return known

    if size(root) > _ROOM_TO_EXPAND + _MOST_EXPANSION * length:
        msg = "is a YAML bomb: its aliases expand to far more than the file holds"
        raise MalformedRecording(msg)


def _children(node: Node) -> list[Node]:
    if isinstance(node, MappingNode):
        return [part for pair in node.value for part in pair]
    return node.value if isinstance(node, CollectionNode) else []


def _length(node: Node) -> int:
    return len(node.value) if isinstance(node, ScalarNode) else 0


# --- values of tags ---------------------------------------------------------------------------


def _value(loader: SafeConstructor, node: Node) -> Any:  # noqa: ANN401 - YAML may be anything
    """The value of a node: text, lists and mappings here, which is quick, others by their tags."""
    tag = node.tag
    if tag == _TEXT and type(loader) is _Loader:
        return node.value
    if tag == _SEQUENCE:
        return [_value(loader, item) for item in node.value]
    if tag == _MAPPING and not any(name.tag == _MERGE for name, _item in node.value):
        try:
            return {_value(loader, name): _value(loader, item) for name, item in node.value}
        except TypeError:
            msg = f"is not valid YAML: line {node.start_mark.line + 1} has a key that is no text"
            raise MalformedRecording(msg) from None
    return loader.construct_object(node, deep=True)


def _text(loader: SafeConstructor, node: ScalarNode) -> str:
    return str(loader.construct_scalar(node))


def _whole_text(loader: SafeConstructor, node: ScalarNode) -> str:
    """Text whose halves of surrogate pairs are joined."""
    encoded = _text(loader, node).encode("utf-16", "surrogatepass")
    return encoded.decode("utf-16", "surrogatepass")


def _integer(loader: SafeConstructor, node: ScalarNode) -> object:
    text = _text(loader, node)
    is_number = ":" not in text and len(text) <= _MOST_DIGITS
    return loader.construct_yaml_int(node) if is_number else text


def _float(loader: SafeConstructor, node: ScalarNode) -> object:
    text = _text(loader, node)
    return text if ":" in text else loader.construct_yaml_float(node)


def _boolean(loader: SafeConstructor, node: ScalarNode) -> object:
    text = _text(loader, node)
    return {"true": True, "false": False}.get(text.lower(), text)


def _tuple(loader: SafeConstructor, node: SequenceNode) -> object:
    return tuple(loader.construct_sequence(node, deep=True))


def _bytes(loader: SafeConstructor, node: ScalarNode) -> bytes:
    return base64.b64decode(_text(loader, node))


def _python_object(loader: SafeConstructor, suffix: str, node: Node) -> object:
    """The data of the few classes that are known to be data; every other one is refused."""
    how, _colon, name = suffix.partition(":")
    arguments, state = _parts(loader, how, node)
    value = arguments[0] if arguments else state
    if _STRINGS.fullmatch(name):
        return value[0] if isinstance(value, tuple) else value
    if _MAPPINGS.fullmatch(name):
        return _as_mapping(value)
    if name == "urllib.parse.SplitResult":
        return urlunsplit(arguments)
    if name == "_io.BytesIO":
        return value[0] if value else b""
    if name == "builtins.iter":
        return list(value or ())
    msg = (
        f"has the tag !!python/{suffix} in line {node.start_mark.line + 1}, which stands for an "
        f"object of Python; nothing of it was imported or run"
    )
    raise MalformedRecording(msg)


def _parts(loader: SafeConstructor, how: str, node: Node) -> tuple[list[Any], Any]:
    """The arguments that an object of Python was made of, and its state."""
    if isinstance(node, SequenceNode):
        return loader.construct_sequence(node, deep=True), None
    if not isinstance(node, MappingNode):
        return [node.value] if node.value else [], None
    mapping = loader.construct_mapping(node, deep=True)
    if how == "object":
        return [], mapping
    return list(mapping.get("args") or ()), mapping.get("state") or mapping.get("dictitems")


def _as_mapping(value: Any) -> object:  # noqa: ANN401 - whatever the class was made of
    """A mapping by its items, or by the store in which a class of that kind keeps them."""
    if isinstance(value, dict):
        stored = value.get("_store") or value.get("_container")
        return dict(stored.values()) if isinstance(stored, dict) else value
    items: dict[str, list[object]] = {}
    for name, item in value or ():
        items.setdefault(name, []).append(item)
    return items


class _Loader(_FastLoader):
    """libyaml's loader."""

    def resolve(self, kind: type[Node], value: Any, implicit: Any) -> str:  # noqa: ANN401 - PyYAML's
        """The tag of a node without one: what PyYAML does, less what only its paths need."""
        if kind is not ScalarNode:
            return _SEQUENCE if kind is SequenceNode else _MAPPING
        if implicit[0]:
            for tag, pattern in self.yaml_implicit_resolvers.get(value[:1], ()):
                if pattern.match(value):
                    return str(tag)
        return _TEXT


class _PatientLoader(yaml.SafeLoader):
    """Python's loader, for what libyaml refuses."""


_LOADERS: tuple[Any, ...] = (_Loader, _PatientLoader)  # PyYAML's hints know no common base

for _kind in _LOADERS:
    for _name in ("timestamp", "value", "python/str", "python/unicode"):
        _kind.add_constructor(_TAG + _name, _text)
    _kind.add_constructor(f"{_TAG}int", _integer)
    _kind.add_constructor(f"{_TAG}float", _float)
    _kind.add_constructor(f"{_TAG}bool", _boolean)
    _kind.add_constructor(f"{_TAG}python/tuple", _tuple)
    _kind.add_constructor(f"{_TAG}python/bytes", _bytes)
    _kind.add_multi_constructor(f"{_TAG}python/", _python_object)
_LOADERS[1].add_constructor(f"{_TAG}str", _whole_text)
