"""pytest plugin for `scripts.vcrpy_suite`: vcrpy's tests make our recorders, not its own."""

import vcr

import vcr_llm
from vcr_llm import _config, _recorder  # noqa: F401 - imported before the names are exchanged

_KNOWN = _config.known_options()
_config.known_options = lambda: _KNOWN  # they are read off vcrpy's class, which is exchanged now
_HOST = vcr_llm.VCR()
vcr.VCR = vcr_llm.VCR  # type: ignore[assignment,misc]  # a class is exchanged
vcr.default_vcr = _HOST
vcr.use_cassette = _HOST.use_cassette
