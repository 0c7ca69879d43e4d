"""Files that come with a form of the bank's pages: looked at on disk, handed to who reads them, or kept as evidence."""

from typing import Any

from starlette.datastructures import FormData

from lifecycle.errors import Invalid, unmet
from lifecycle.imports.taking_in import count, keep, look_at_bank_word
from models.ports import Stored
from web.papers import bringer, file_of, files_of, looked_at
from web.session import Visit

FIELD = "file"


def kept(visit: Visit, form: FormData) -> tuple[Stored, str]:
    """Put the bank's word into the store of evidence; return hash and size, and its name. `Invalid` says why not.

    It is a document that may be handed in, or a message as banks send them.
    """
    with looked_at(file_of(form, FIELD), FIELD) as (path, name):
        look_at_bank_word(path, name, FIELD)
        return keep(bringer(visit), files_of(visit.house), path, FIELD), name


def taken(visit: Visit, form: FormData) -> Any:
    """Have a file of the bank read and its bookings written down by who signed in; what became of it.

    Its content is judged by who reads it: what is no answer of a bank goes to quarantine with the reason. The house
    was given who can do that; one without answers `Invalid`.
    """
    take = visit.house.take_file
    if take is None:
        raise Invalid(unmet("no_bank_here"))
    with looked_at(file_of(form, FIELD), FIELD) as (path, name):
        count(bringer(visit), path.stat().st_size, FIELD)
        return take(visit.house.engine, name, lambda: path.open("rb"), visit.stamp)
