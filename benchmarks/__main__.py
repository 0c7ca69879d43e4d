"""`make bench`: every benchmark, or those named, and one table of what was measured; `--whole` sizes take an hour."""

import sys
from importlib import import_module
from typing import Any

from benchmarks.table import HEAD, written

ALL = (
    "advance",
    "processes",
    "portfolio",
    "audits",
    "growth",
    "imports",
    "statements",
    "payments",
    "sharing",
    "clock",
    "telling",
    "pages",
    "starting",
)


def main(names: tuple[str, ...]) -> None:
    """Print each row as soon as it is measured."""
    print(written(HEAD))
    print(written(["---"] * len(HEAD)))
    for name in names or ALL:
        benchmark: Any = import_module(f"benchmarks.{name}")
        for result in benchmark.run():
            print(written(result.cells()), flush=True)


if __name__ == "__main__":
    main(tuple(name for name in sys.argv[1:] if not name.startswith("--")))
