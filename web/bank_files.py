"""Files that come with a form of the bank's pages: looked at on disk, handed to who reads them, or kept as evidence."""

from pathlib import Path
from typing import Any

from starlette.datastructures import FormData

from lifecycle.banking.reading import detect
from lifecycle.banking.refusal import BankFileRefused
from lifecycle.errors import Invalid, unmet
from lifecycle.imports.problems import Unreadable
from lifecycle.imports.uploads import check_upload
from models.ports import Stored
from web.house import House
from web.papers import file_of, files_of, looked_at
from web.session import Visit

FIELD = "file"


def kept(house: House, form: FormData) -> tuple[Stored, str]:
    """Put the bank's word into the store of evidence; return hash and size, and its name. `Invalid` says why not.

    It is a document that may be handed in, or a message as banks send them.
    """
    with looked_at(file_of(form, FIELD), FIELD) as (path, name):
        if not _is_message(path, name):
            try:
                check_upload(path, name)
            except Unreadable as problem:
                raise Invalid(unmet(problem.code, **{"field": FIELD, "file": name, **problem.params})) from problem
        with path.open("rb") as stream:
            return files_of(house).put(stream), name


def _is_message(path: Path, name: str) -> bool:
    """Say whether it is an XML message of a bank, under the name of one."""
    if not name.lower().endswith(".xml"):
        return False
    with path.open("rb") as stream:
        try:
            detect(name, stream)
        except BankFileRefused as refused:
            raise Invalid(*refused.unmet) from refused
    return True


def taken(visit: Visit, form: FormData) -> Any:
    """Have a file of the bank read and its bookings written down by who signed in; what became of it.

    Its content is judged by who reads it: what is no answer of a bank goes to quarantine with the reason. The house
    was given who can do that; one without answers `Invalid`.
    """
    take = visit.house.take_file
    if take is None:
        raise Invalid(unmet("no_bank_here"))
    with looked_at(file_of(form, FIELD), FIELD) as (path, name):
        return take(visit.house.engine, name, lambda: path.open("rb"), visit.stamp)
