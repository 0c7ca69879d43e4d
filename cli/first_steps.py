"""What stands behind `init`, `migrate`, `version` and `doctor`."""

import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from importlib import metadata
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from cli.door import Door
from cli.keys import make_key_files
from cli.tokens import DAYS_OF_A_TOKEN, give_token
from lifecycle.actor import Actor
from lifecycle.calendar import china
from lifecycle.errors import Invalid, Refused, unmet
from lifecycle.installation import OtherModeError, initialise, write_edges
from lifecycle.people.commands import AddUser, GrantRole, PublishStandard
from lifecycle.projects.chart import ARROWS
from lifecycle.standards import library
from models.clock import SystemClock
from models.db import make_engine, run_in_transaction
from models.installation import Installation
from models.migrate import upgrade
from models.people import User
from models.readiness import NotReadyError, check_ready, head_revision
from models.settings import Settings, SettingsError, load_settings
from models.states import Door as DoorName
from models.states import Role

PACKAGES = ("prefect", "sqlmodel", "sqlalchemy", "pydantic", "typer", "python-statemachine")
"""What `version` names besides ourselves."""

_BY_INIT = "init"
