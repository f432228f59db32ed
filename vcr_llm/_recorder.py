"""``vcr_llm.VCR`` and ``vcr_llm.use_cassette``: vcrpy's, with our cassette behind them."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar, overload

import vcr
import vcr.errors
from vcr.cassette import CassetteContextDecorator
from vcr.patch import PATCHER_NAMES
from vcr.persisters.filesystem import FilesystemPersister
from vcr.record_mode import RecordMode, validate_record_mode
from vcr.request import Request as VcrRequest

from vcr_llm import (
    _aiohttp_stub,
    _http_client_stub,
    _httpx_stub,
    _tornado_stub,
    matchers,
    serializer,
)
from vcr_llm._cassette import RecordingCassette
from vcr_llm._cassette_files import directory_of
from vcr_llm._config import DEFAULT_MATCH_ON, HOST_MATCH_ON, SERIALIZER, refuse_unknown
from vcr_llm._errors import ConfigurationError, VcrLlmWarning
from vcr_llm._ledger import LEDGER
from vcr_llm._modes import LIVE, mode_from_environment, mode_word
from vcr_llm._open_cassettes import closed, opened
from vcr_llm._options import NAMES, Options
from vcr_llm._plan import Plan
from vcr_llm._redaction import Redaction
from vcr_llm.persister import DirectoryPersister

REWRITE = "rewrite"
# The options of vcrpy that change what is loaded, asked for or recorded.
_HOOKS = (
    *("filter_headers", "filter_query_parameters", "filter_post_data_parameters"),
    *("filter_sensitive_data", "ignore_hosts", "ignore_localhost", "decode_compressed_response"),
    *("before_record", "before_record_request", "before_record_response"),
    "after_load_interaction",
)

# What makes of a cassette one that is not there.
_SENDS_EVERYTHING = {
    "skip_patchers": PATCHER_NAMES,
    "before_record_request": lambda _request: None,
}

Function = TypeVar("Function", bound=Callable[..., Any])


class VCR(vcr.VCR):
    """A ``vcr.VCR`` whose cassettes are directories of recordings.

    Takes every option of ``vcr.VCR`` and ours; ``record_mode`` may also be ``"rewrite"``. With
    another ``serializer`` a cassette is vcrpy's own. Raises ConfigurationError for an option that
    does not exist or has the wrong type.
    """

    def __init__(self, **options: Any) -> None:
        refuse_unknown(options)
        self._own = {name: options.pop(name) for name in NAMES if name in options}
        Options.of(self._own)
        options.setdefault("serializer", SERIALIZER)
        mode = options.pop("record_mode", None)
        super().__init__(**options)
        self._mode: str | RecordMode | None = None  # vcrpy's constructor has set its own default
        if mode is not None:
            self.record_mode = mode
        equip(self)

    @property
    def record_mode(self) -> str | RecordMode:
        """The mode of cassettes that have none of their own: a mode of vcrpy's, or ``"rewrite"``.

        Where nobody set one, it is what the environment asks for.
        """
        return self._mode or mode_from_environment() or RecordMode.ONCE

    @record_mode.setter
    def record_mode(self, mode: str | RecordMode) -> None:
        self._mode = mode if mode == REWRITE else validate_record_mode(mode)

    @overload
    def use_cassette(self, path: Function, **options: Any) -> Function: ...
    @overload
    def use_cassette(
        self, path: str | os.PathLike[str] | None = None, **options: Any
    ) -> RecordingContext: ...
    def use_cassette(self, path: Any = None, **options: Any) -> Any:
        """The context of a cassette, or the function decorated with it."""
        return super().use_cassette(path, **options)

    def _use_cassette(
        self, with_current_defaults: Any = None, **options: Any
    ) -> CassetteContextDecorator:
        refuse_unknown(options)
        own: dict[str, Any] = {**self._own, "with_current_defaults": with_current_defaults}
        is_live = self._takes_environment(options) and mode_word() == LIVE
        if is_live:
            own |= _SENDS_EVERYTHING
        context: CassetteContextDecorator
        context = open_cassette(
            self,
            super()._use_cassette,
            {**own, **options},
            lambda: Plan(test_id=_current_test(), is_live=is_live),
        )
        return context

    def _takes_environment(self, options: Mapping[str, Any]) -> bool:
        """Whether ``VCR_LLM_MODE`` decides: nobody gave a mode."""
        return self._mode is None and "record_mode" not in options


@overload
def use_cassette(path: Function, **options: Any) -> Function: ...
@overload
def use_cassette(
    path: str | os.PathLike[str] | None = None, **options: Any
) -> RecordingContext: ...
def use_cassette(path: Any = None, **options: Any) -> Any:
    """``vcr.use_cassette`` with a directory of recordings: a context manager and a decorator.

    Takes the options of vcrpy and ours. ``path`` may be left out on a function, whose name the
    cassette then has.
    """
    return VCR().use_cassette(path, **options)


def equip(host: vcr.VCR) -> None:
    """Register the serializer and the matcher under their names."""
    host.register_serializer(SERIALIZER, serializer)
    host.register_matcher(matchers.BODY, matchers.llm_body)


def open_cassette(
    host: vcr.VCR,
    use_host_cassette: Callable[..., Any],
    options: Mapping[str, Any],
    plan: Callable[[], Plan],
) -> Any:
    """What ``host.use_cassette`` gives: our cassette for our serializer, else the host's own.

    ``plan`` is asked whenever the cassette is opened, since a decorator opens it many times.
    """
    if host.serializers.get(options.get("serializer", host.serializer)) is not serializer:
        return use_host_cassette(**{key: options[key] for key in options if key not in NAMES})
    _refuse_other_persister(host, options)
    own = Options.of(options)

    def arguments() -> dict[str, Any]:
        mode = options.get("record_mode", host.record_mode)
        if LEDGER.verifies:  # and so records nothing, whatever a mark or a caller says
            mode = RecordMode.NONE
        is_rewrite = mode == REWRITE
        mode = RecordMode.NEW_EPISODES if is_rewrite else mode
        given = {**options, **_matching(host, options), "record_mode": mode}
        merged: dict[str, Any] = host.get_merged_config(**given)
        library = options.get("cassette_library_dir", host.cassette_library_dir)
        merged["match_on"] = [
            matchers.BodyMatcher(own) if isinstance(matcher, matchers.BodyMatcher) else matcher
            for matcher in merged["match_on"]
        ]
        merged["path_transformer"] = _path_transformer(library, own, merged)
        merged["persister"] = DirectoryPersister
        merged["plan"] = replace(
            plan(),
            options=own,
            rewrite=is_rewrite,
            verifies=LEDGER.verifies,
            record_on_exception=merged["record_on_exception"],
            has_hooks=any(options.get(name, getattr(host, name, None)) for name in _HOOKS),
        )
        return merged

    if options.get("with_current_defaults"):
        current = arguments()
        return RecordingContext(RecordingCassette, lambda: current)
    return RecordingContext(RecordingCassette, arguments)


class LogFilter(logging.Filter):
    """Keeps secrets out of vcrpy's own log lines while a cassette is open."""

    def __init__(self, redaction: Redaction) -> None:
        super().__init__()
        self._redaction = redaction

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = self._redaction.text(record.getMessage()), ()
        return True


class RecordingContext(CassetteContextDecorator):
    """vcrpy's context of a cassette, which restores the HTTP libraries whatever saving does."""

    if TYPE_CHECKING:  # vcrpy's own has no type hints

        def __call__(self, function: Function) -> Function: ...  # type: ignore[override]  # wrapt

    _opened: RecordingCassette
    _log_filter: LogFilter

    def __enter__(self) -> RecordingCassette:
        cassette: RecordingCassette = super().__enter__()
        self._opened = cassette
        if not cassette.plan.is_live:
            opened(cassette)
        self._log_filter = LogFilter(Redaction(cassette.plan.options.redact))
        for logger in _host_loggers():
            logger.addFilter(self._log_filter)
        return cassette

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        cassette = self._opened
        closed(cassette)
        super().__exit__(kind, error, traceback)
        for logger in _host_loggers():
            logger.removeFilter(self._log_filter)
        _tell_misses(cassette, error)
        if cassette.plan.is_finished_later():
            return
        try:
            cassette.finish(has_raised=kind is not None)
        except Exception as problem:
            if error is None:
                raise
            # What was raised inside the cassette is what the user has to see first.
            error.add_note(f"vcr-llm: {problem}")


def _tell_misses(cassette: RecordingCassette, error: BaseException | None) -> None:
    """Say again which requests no recording answered: an SDK may have hidden it."""
    if not cassette.misses or cassette.plan.name_in_command is not None:
        return
    text = "\n\n".join(cassette.misses)
    if error is None:
        warnings.warn(f"{text}\n\nThe code in the cassette went on without it.", VcrLlmWarning, 3)
    elif text not in str(error):
        error.add_note(f"vcr-llm: {text}")


def _refuse_other_persister(host: vcr.VCR, options: Mapping[str, Any]) -> None:
    persister = options.get("persister", host.persister)
    if persister in (FilesystemPersister, DirectoryPersister):
        return
    if isinstance(persister, DirectoryPersister) or hasattr(persister, "extra_paths"):
        return
    name = getattr(persister, "__name__", type(persister).__name__)
    msg = (
        f'serializer="llm" keeps recordings in a directory by itself, so the persister {name} '
        "would never be asked. Take one of the two away, or do what the persister does in "
        "before_save_interaction."
    )
    raise ConfigurationError(msg)


def _matching(host: vcr.VCR, options: Mapping[str, Any]) -> dict[str, Any]:
    """``match_on`` with the body, unless the user chose what to match on."""
    if "match_on" in options or tuple(host.match_on) != HOST_MATCH_ON:
        return {}
    return {"match_on": DEFAULT_MATCH_ON}


def _path_transformer(
    library: str | os.PathLike[str] | None, own: Options, merged: Mapping[str, Any]
) -> Callable[[str], str]:
    """Where a cassette's name leads: its directory, or the one that all share."""
    transform = merged["path_transformer"]
    if own.layout == "flat" and library:
        return lambda _path: os.fspath(library)
    return lambda path: str(directory_of(transform(path) if transform else path))


def _current_test() -> str | None:
    """The test whose body is running, by pytest's own word."""
    current = os.environ.get("PYTEST_CURRENT_TEST", "")
    return current.removesuffix(" (call)") if current.endswith(" (call)") else None


def _host_loggers() -> list[logging.Logger]:
    """vcrpy's loggers: a filter works on the logger itself, not on those below it."""
    known = logging.root.manager.loggerDict.items()
    return [
        logger
        for name, logger in known
        if name.partition(".")[0] == "vcr" and isinstance(logger, logging.Logger)
    ]


def _host_message(cassette: Any, request: VcrRequest, similar_requests: Any, reason: str) -> str:
    if isinstance(cassette, RecordingCassette):
        return cassette.miss_text(request)
    return str(_message(cassette, request, similar_requests, reason))


# vcrpy's exception for a miss prints the URL and the body as they were sent, and has no point to
# say something else (vcrpy 9.4.2, vcr/errors.py). For other cassettes it says what it always said.
_message = vcr.errors._message
vcr.errors._message = _host_message
_httpx_stub.install()
_http_client_stub.install()
_aiohttp_stub.install()
_tornado_stub.install()
