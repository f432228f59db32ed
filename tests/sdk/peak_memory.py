"""Prints how much memory a cassette takes for one body: run as a program, in a process of its own.

Arguments: the URL, the cassette, the record mode.
"""

from __future__ import annotations

import hashlib
import json
import re
import resource
import sys
from pathlib import Path

import httpx

import vcr_llm

STATUS = Path("/proc/self/status")


def peak() -> int:
    """The most memory that this process has had so far, in bytes."""
    if STATUS.exists():
        # Linux hands ru_maxrss down from the parent through exec(2), but not this.
        found = re.search(r"VmHWM:\s+(\d+) kB", STATUS.read_text("ascii"))
        assert found is not None
        return int(found[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def main(url: str, cassette: str, mode: str) -> None:
    """Ask once in the cassette, and print the growth of the peak and the body's digest."""
    with vcr_llm.use_cassette(f"{cassette}-warm", record_mode="new_episodes"):
        httpx.Client().close()
    before = peak()
    with vcr_llm.use_cassette(cassette, record_mode=mode):
        body = httpx.get(url, timeout=60).content
    found = {"peak": peak() - before, "digest": hashlib.sha256(body).hexdigest()}
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
