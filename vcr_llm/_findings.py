"""What is wrong with recordings: in the document itself, and among those of one cassette."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from typing import NamedTuple

from vcr_llm._canonical import Named, is_ours
from vcr_llm._foreign import Document
from vcr_llm._recording import says_the_same, sequence_of
from vcr_llm._sdk_models import Refusal, refusals
from vcr_llm._secrets_left import Cure, Leftover, kind_in, secrets_left
from vcr_llm._well_formed import Fault, faults, located

_FMT = "`vcr-llm fmt`"
_REMOVED = "`vcr-llm fmt --redact` takes it out"
_REVOKE = "if it is a real one, revoke it"


class Rule(StrEnum):
    """What a finding is about."""

    SECRET = "secret"  # noqa: S105 - a rule's name
    MALFORMED = "malformed"
    SDK = "sdk"
    NAME = "name"
    SEQUENCE = "sequence"
    COPY = "copy"
    LEFTOVER = "leftover"
    UNREADABLE = "unreadable"


class Finding(NamedTuple):
    """Something that is wrong: where in the file, what it is, and what to do."""

    place: str
    rule: Rule
    message: str


def document_findings(document: Document) -> list[Finding]:
    """What is wrong with a document by itself."""
    malformed = [_of_fault(fault) for fault in faults(document)]
    refused = [] if malformed else map(_of_refusal, refusals(document))
    return [*malformed, *map(_of_secret, secrets_left(document)), *refused]


def broken_findings(problem: str, text: str) -> list[Finding]:
    """What is wrong with a file that is no recording: why it is none, and the secrets in it."""
    place, what = located(problem)
    return [Finding(place, Rule.MALFORMED, what), *text_findings(text)]


def metadata_findings(metadata: Document) -> list[Finding]:
    """The secrets in what is stored beside recordings."""
    found = secrets_left({"metadata": metadata})
    return [_of_secret(left._replace(place=left.place.removeprefix("metadata."))) for left in found]


def text_findings(text: str) -> Iterator[Finding]:
    """The secrets in a text that is no document, by line."""
    for number, line in enumerate(text.splitlines(), 1):
        kind = kind_in(line)
        if kind is not None:
            yield _of_secret(Leftover(f"line {number}", kind, Cure.HAND))


def name_finding(kind: str) -> Finding:
    """A secret in the name of a file, which is that of a test."""
    return _of_secret(Leftover("test_id", kind, Cure.HAND))._replace(place="name")


def _of_fault(fault: Fault) -> Finding:
    return Finding(fault.place, Rule.MALFORMED, f"{fault.problem}; repair it, or record it again")


def _of_refusal(refusal: Refusal) -> Finding:
    message = f"{refusal.model} refuses it: {refusal.problem}; repair it, or record it again"
    return Finding(refusal.place, Rule.SDK, message)


def _of_secret(left: Leftover) -> Finding:
    message = f"holds what looks like {left.kind}; {_cure(left)}; {_REVOKE}"
    return Finding(left.place, Rule.SECRET, message)


def _cure(left: Leftover) -> str:
    if left.place == "test_id":
        return "give the test's parameter an id that does not show it"
    if left.cure is Cure.HAND:
        return "take it out by hand"
    if left.cure is Cure.REMOVAL and left.place.startswith("request"):
        return f"{_REMOVED}, and the option redact lets the request still match"
    return _REMOVED


# --- among the recordings of a cassette -------------------------------------------------------


def cassette_findings(
    before: Sequence[Named], after: Sequence[Named]
) -> Iterator[tuple[str, Finding]]:
    """What is wrong among recordings, by file; ``after`` is what `canonical` makes of them.

    Both are in the order of replay.
    """
    copies = dict(_copies(before))
    yield from copies.items()
    for old, new in zip(before, after, strict=True):
        if old.name != new.name:
            message = f"is not what its address says; {_FMT} calls it {new.name}"
            yield old.name, Finding("name", Rule.NAME, message)
    for name, problem in _misnumbered(before, after):
        if name not in copies:
            message = f"{problem}; {_FMT} counts them from 0 without a gap"
            yield name, Finding("sequence", Rule.SEQUENCE, message)


def _copies(recordings: Iterable[Named]) -> Iterator[tuple[str, Finding]]:
    """Recordings of our own that say the same as another one, and claim its place."""
    seen: dict[tuple[object, ...], list[Named]] = {}
    for recording in filter(lambda each: is_ours(each.document), recordings):
        document = recording.document
        place = (document.get("test_id"), sequence_of(document))
        known = seen.setdefault(place, [])
        first = next((one for one in known if says_the_same(one.document, document)), None)
        if first is None:
            known.append(recording)
        else:
            message = f"says the same as {first.name}, in the same place; delete one of them"
            yield recording.name, Finding("", Rule.COPY, message)


def _misnumbered(before: Iterable[Named], after: Iterable[Named]) -> Iterator[tuple[str, str]]:
    """The files at which numbers go wrong; not those that are wrong for nothing but these."""
    shifts: dict[object, int] = {}
    for old, new in zip(before, after, strict=True):
        has, wants = sequence_of(old.document), sequence_of(new.document)
        test = new.document.get("test_id")
        shift = (has or 0) - (wants or 0)
        if has is None and wants is not None:
            yield old.name, "is missing, though the recording is not the only one"
        elif wants is None and has is not None:
            yield old.name, f"is {has}, though the recording is the only one"
        elif shift > shifts.get(test, 0):
            yield old.name, f"is {has}, where {wants} would be next"
        elif shift < shifts.get(test, 0):
            yield old.name, f"is {has}, which another recording has"
        shifts[test] = shift
