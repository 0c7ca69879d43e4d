"""Drafts a migration from the tables: `python -m models.migrations "what changes"`, called by `make migration`."""

import sys

from models.clock import SystemClock
from models.migrate import draft

sys.stdout.write(f"{draft(sys.argv[1], SystemClock().now())}\n")
