"""Prints the bytes that it takes to record a stream: a program, so that nothing else is counted.

https://man7.org/linux/man-pages/man5/proc_pid_status.5.html
"""

from __future__ import annotations

import ctypes
import gc
import re
import sys
from pathlib import Path

from scripts.benchmarks.contestants import NEW_EPISODES, Contestant, all_recorders
from scripts.benchmarks.measure import PEAK, open_stream


def main(name: str, folder: Path, short: str, long: str) -> None:
    """A short stream first, for what is imported and made only once."""
    (contestant,) = [one for one in (Contestant(), *all_recorders()) if one.name == name]
    record(contestant, folder / "short.yaml", short)
    before = forget_peak()
    record(contestant, folder / "long.yaml", long)
    print(peak() - before)


def record(contestant: Contestant, cassette: Path, url: str) -> None:
    """Read a stream to its end, and keep no event of it."""
    client = contestant.client((), f"{url}/v1")
    with contestant.open(cassette, NEW_EPISODES):
        for _event in open_stream(client, 0):
            pass


def forget_peak() -> int:
    """From now on, the peak is that of what comes; the memory that is taken now, in bytes."""
    gc.collect()
    # What is free goes back to the system, or a stream would take it and cost nothing.
    ctypes.CDLL(None).malloc_trim(0)
    PEAK.write_text("5", encoding="utf-8")
    return peak()


def peak() -> int:
    """The most memory that this process had so far, in bytes.

    `getrusage` would give that of the process which started this one, where that had more.
    """
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    (kilobytes,) = re.findall(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)
    return int(kilobytes) * 1024


if __name__ == "__main__":
    program_name, program_folder, *urls = sys.argv[1:]
    main(program_name, Path(program_folder), *urls)
