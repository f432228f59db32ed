"""The documentation: what the code says of itself is written into the pages; the site is built.

    python -m scripts.docs           write the generated parts, then build the site into build/site
    python -m scripts.docs --write   write the generated parts only

A generated part stands in a page between `<!-- generated: NAME -->` and `<!-- end -->`. A test
fails where it is not what the code says.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys

from scripts.environments import ROOT, CommandError, Environment
from scripts.self_description import PARTS

PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
SITE = ROOT / "build" / "site"
_PART = re.compile(
    r"^<!-- generated: (?P<name>[\w-]+) -->\n.*?^<!-- end -->$", re.MULTILINE | re.DOTALL
)


def filled(page: str) -> str:
    """A page with its generated parts as the code has them now."""
    return _PART.sub(lambda part: _part(part["name"]), page)


def _part(name: str) -> str:
    return f"<!-- generated: {name} -->\n\n{PARTS[name]().strip()}\n\n<!-- end -->"


def write() -> None:
    """Fill every page."""
    for page in PAGES:
        before = page.read_text(encoding="utf-8")
        after = filled(before)
        if after != before:
            page.write_text(after, encoding="utf-8")
            print(f"Wrote {page.relative_to(ROOT)}")


def build() -> None:
    """Build the site, in an environment of its own; a warning is an error."""
    environment = Environment("docs", sys.executable, ("--group", "pyproject.toml:docs"))
    environment.prepare()
    done = subprocess.run(
        [environment.path / "bin" / "zensical", "build", "--strict", "--clean"],
        cwd=ROOT,
        env={**os.environ, "NO_COLOR": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise CommandError(done.stdout.partition("Traceback")[0])
    print(f"The site: {SITE.relative_to(ROOT)}/index.html")


def main() -> int:
    """Write, and build unless told not to; the result is the exit status."""
    write()
    if "--write" in sys.argv[1:]:
        return 0
    try:
        build()
    except CommandError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
