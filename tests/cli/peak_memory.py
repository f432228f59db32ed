"""Runs ``vcr-llm`` and prints how many bytes of memory it took: a program, in a process of its own.

Arguments: those of the command.
"""

from __future__ import annotations

import resource
import sys

from tests.sdk.peak_memory import peak
from vcr_llm.cli import main
from vcr_llm.cli._jobs import processes

if __name__ == "__main__":
    status = main(sys.argv[1:])
    # Of the processes that worked for this one, the system tells the largest.
    largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    sys.stdout.write(f"{peak() + largest * processes()}\n")
    sys.exit(status)
