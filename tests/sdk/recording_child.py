"""Records request after request until it is killed: run as a program.

Arguments: the server's URL, the cassette, the record mode. Prints the number of each exchange as
soon as it is complete.
"""

from __future__ import annotations

import sys
import urllib.request
from itertools import count

import vcr_llm


def main(url: str, cassette: str, mode: str) -> None:
    """Ask for one number after the other, each its own request."""
    with vcr_llm.use_cassette(cassette, record_mode=mode):
        for number in count():
            with urllib.request.build_opener().open(f"{url}/{number}") as reply:
                reply.read()
            sys.stdout.write(f"{number}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
