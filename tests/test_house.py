"""How the package is built: what imports what, what is public, what an idle import costs."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path
from types import ModuleType

import pytest

import vcr_llm

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "vcr_llm"
SUBPACKAGES = ("_conversation", "_report_page")
MODULES = sorted(
    ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
    for folder in (PACKAGE, *(PACKAGE / name for name in SUBPACKAGES))
    for path in folder.glob("*.py")
)

# The thin edges. Every other module is the core, which knows values only.
EDGES = {
    "__init__",
    "_aiohttp_stub",
    "_cassette",
    "_cassette_files",
    "_cassette_tools",
    "_cassette_misses",
    "_catalogue",
    "_collected",
    "_config",
    "_drift",
    "_drift_report",
    "_entries",
    "_entry",
    "_event_loop",
    "_expiry",
    "_fixtures",
    "_http_client_stub",
    "_httpx_stub",
    "_interception",
    "_loading",
    "_leftovers",
    "_miss_reports",
    "_misses",
    "_modes",
    "_network_watch",
    "_open_cassettes",
    "_pruning",
    "_recorder",
    "_recording_directory",
    "_recording_turns",
    "_recording_writer",
    "_report",
    "_request_index",
    "_run_end",
    "_run_summary",
    "_run_uses",
    "_set_aside",
    "_saving",
    "_sending",
    "_test_names",
    "_test_run",
    "_test_warning",
    "_tool_entries",
    "_tools_at_work",
    "_tornado_stub",
    "_tool_failure",
    "_tool_misses",
    "_tool_run",
    "_tool_signature",
    "_tool_values",
    "_tools",
    "_vcrpy",
    "_whole_run",
    "matchers",
    "persister",
    "pytest_plugin",
    "serializer",
}
CORE = [name for name in MODULES if name not in EDGES]

HOSTS = {"vcr", "pytest", "pytest_recording", "_pytest", "httpx", "httpx2", "openai", "ollama"}
INPUT_OUTPUT = {
    *("pathlib", "shutil", "io", "tempfile", "glob", "gzip", "socket", "subprocess", "logging"),
    *("threading", "asyncio", "sys", "time", "urllib.request", "warnings"),
}
FILE_FUNCTIONS = {"open", "print", "input", "breakpoint", "exec", "eval", "compile"}

TEXT_FILES = {".py", ".md", ".toml", ".yml", ".yaml", ".json", ".cfg", ".txt", ".sh", ""}


def tree(module: str) -> ast.Module:
    """The syntax tree of one of our modules."""
    return ast.parse(source(module))


def source(module: str) -> str:
    """The text of one of our modules."""
    return (PACKAGE / f"{module.replace('.', '/')}.py").read_text(encoding="utf-8")


def is_for_types(node: ast.AST) -> bool:
    """Whether a block is only seen by mypy."""
    return isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")


def imports(node: ast.AST, *, at_import: bool = False) -> Iterator[str]:
    """What a tree imports when it runs; with ``at_import`` only what it imports at once."""
    for child in ast.iter_child_nodes(node):
        if is_for_types(child) or (at_import and isinstance(child, ast.FunctionDef)):
            continue
        if isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            yield from (
                f"vcr_llm.{alias.name}" if child.module == "vcr_llm" else str(child.module)
                for alias in child.names
            )
        else:
            yield from imports(child, at_import=at_import)


def of_ours(names: Iterator[str]) -> set[str]:
    """Our own modules among the imported ones."""
    ours = {name.removeprefix("vcr_llm.") for name in names if name.startswith("vcr_llm.")}
    return {f"{name}.__init__" if name in SUBPACKAGES else name for name in ours}


def run(code: str) -> str:
    """What a fresh Python prints."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def tracked_files() -> list[Path]:
    """The files of the repository, or everything beside the environments where git is not."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [ROOT / name for name in listed.stdout.splitlines()]


@pytest.mark.parametrize("module", CORE)
def test_the_core_knows_no_host_and_no_file(module: str) -> None:
    """vcrpy, pytest, HTTP libraries, files and terminals are the edges' business."""
    found = set(imports(tree(module)))
    assert {name for name in found if name.partition(".")[0] in HOSTS} == set()
    assert {name for name in found if name in INPUT_OUTPUT} - allowed(module) == set()
    calls = {
        node.func.id
        for node in ast.walk(tree(module))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert calls & FILE_FUNCTIONS == set()


def allowed(module: str) -> set[str]:
    """The exceptions, each with its reason."""
    # Options tell a user about those without effect, where they are given.
    return {"warnings"} if module == "_options" else set()


@pytest.mark.parametrize("module", CORE)
def test_the_core_uses_the_operating_system_for_paths_in_errors_only(module: str) -> None:
    """os is there for fspath and PathLike, nothing else of it."""
    used = {
        node.attr
        for node in ast.walk(tree(module))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "os"
    }
    assert used <= {"fspath", "PathLike"}


@pytest.mark.parametrize("module", CORE)
def test_the_core_imports_the_core_only(module: str) -> None:
    """Imports point upward: no core module knows an edge."""
    assert of_ours(imports(tree(module))) <= set(CORE)


def test_there_is_no_cycle() -> None:
    """The modules have an order in which each imports only those before it."""
    graph = {module: of_ours(imports(tree(module), at_import=True)) for module in MODULES}
    assert set(TopologicalSorter(graph).static_order()) == set(MODULES)


def test_few_modules_know_the_shapes_of_vcrpy() -> None:
    """vcrpy's dictionaries are known in one place, the dialects of its old files in another."""
    keys = re.compile(r"""["']status["']\]\s*\[["']code["']|["']string["']""")
    knowing = [module for module in MODULES if keys.search(source(module))]
    assert set(knowing) <= {"_old_cassette", "_vcrpy"}


def test_the_public_names_are_these() -> None:
    """What users may import, and nothing else is offered."""
    assert sorted(vcr_llm.__all__) == sorted(dir(vcr_llm))
    assert set(vcr_llm.__all__) == {
        *("VCR", "config", "use_cassette"),
        *("matchers", "persister", "serializer"),
        "cassette_fixture",
        *("VcrLlmError", "ConfigurationError", "RecordingError", "MalformedRecording"),
        *("RecordingNotSaved", "RecordingEnds", "RecordingExpired", "VcrLlmWarning"),
        *("recorded_tool", "RecordedToolError"),
    }
    for name in vcr_llm.__all__:
        assert getattr(vcr_llm, name) is not None


def test_a_name_that_is_not_public_is_an_attribute_error() -> None:
    """A typing mistake is met as in any other module."""
    with pytest.raises(AttributeError, match="module 'vcr_llm' has no attribute 'cassete'"):
        vcr_llm.cassete  # noqa: B018 - asking raises


@pytest.mark.parametrize("name", sorted(vcr_llm.__all__))
def test_every_public_name_is_documented(name: str) -> None:
    """It says what is true of it, and so do its own public functions and methods."""
    public = getattr(vcr_llm, name)
    assert inspect.getdoc(public)
    members = inspect.getmembers(
        public, lambda member: inspect.isfunction(member) or inspect.isclass(member)
    )
    for member, value in members:
        ours = str(getattr(value, "__module__", "")).startswith("vcr_llm")
        if ours and not member.startswith("_"):
            assert inspect.getdoc(value), f"{name}.{member}"


def test_every_module_says_what_it_is_for() -> None:
    """A module begins with its purpose."""
    assert all(ast.get_docstring(tree(module)) for module in MODULES)


def test_errors_are_what_their_tree_says() -> None:
    """One base for all, and none that vcrpy would swallow."""
    from vcr.persisters.filesystem import CassetteDecodeError

    assert issubclass(vcr_llm.ConfigurationError, vcr_llm.VcrLlmError | ValueError)
    assert issubclass(vcr_llm.MalformedRecording, vcr_llm.RecordingError)
    assert issubclass(vcr_llm.RecordingNotSaved, vcr_llm.RecordingError)
    assert issubclass(vcr_llm.RecordingError, vcr_llm.VcrLlmError)
    assert not issubclass(vcr_llm.RecordingError, CassetteDecodeError)
    error = vcr_llm.MalformedRecording("is empty").at(Path("a.json"))
    assert (str(error), error.path, error.problem) == ("a.json: is empty", "a.json", "is empty")
    assert vcr_llm.RecordingError("is empty").path is None


@pytest.mark.parametrize("module", ["vcr_llm", "vcr_llm.pytest_plugin"])
def test_importing_costs_nothing_that_is_not_needed(module: str) -> None:
    """A run without our serializer loads neither vcrpy, an HTTP library nor an SDK for us."""
    heavy = ("vcr", "httpx", "httpx2", "openai", "ollama", "yaml", "vcr_llm._document")
    code = f"import sys, {module}; print([n for n in {heavy!r} if n in sys.modules])"
    assert run(code) == "[]"


def test_recording_an_ordinary_answer_imports_no_sdk() -> None:
    """The SDK is only asked for the names of events that have no other."""
    code = (
        "import sys\n"
        "from vcr_llm._labels import label_of\n"
        "label_of({'object': 'chat.completion.chunk'}, '/v1/chat/completions', is_event=True)\n"
        "print('openai' in sys.modules)"
    )
    assert run(code) == "False"


def test_no_text_names_a_machine() -> None:
    """No file of the repository holds an absolute path of somebody's home or checkout."""
    absolute = re.compile(
        r"(?<![\w.:/])/(?:home|Users|root|work|private|mnt)/\w|\b[A-Z]:\\\\?\w+\\"
    )
    found = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in tracked_files()
        if path.suffix in TEXT_FILES and path.is_file() and path != Path(__file__)
        for match in absolute.finditer(path.read_text(encoding="utf-8", errors="replace"))
    ]
    assert found == []


def namespace(module: ModuleType) -> set[str]:
    """The public names that a module defines itself."""
    return {
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and getattr(value, "__module__", None) == module.__name__
    }


def test_the_serializer_is_what_vcrpy_expects() -> None:
    """Its two functions, beside what our own edges share of it."""
    assert {"serialize", "deserialize"} <= namespace(vcr_llm.serializer)
