"""A scenario file comes in: read whole, the paper of its reports stored, then everything in one transaction."""

import hashlib
import secrets
from collections.abc import Callable
from datetime import datetime
from io import BytesIO
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlmodel import Session

from cli.door import Door, token_sha256
from cli.errors import Refusal
from cli.output import Column
from lifecycle.access.codes import sealed
from lifecycle.acting import Acting
from lifecycle.calendar import china
from lifecycle.commands import REGISTRY
from lifecycle.errors import Invalid, unmet
from lifecycle.scenarios.cast import ScenarioRefused
from lifecycle.scenarios.file import LARGEST_BYTES, Scenario, read_scenario
from lifecycle.scenarios.load import Loaded, Means, load
from lifecycle.scenarios.projects import Paper
from models.db import run_in_transaction
from models.file_store import EvidenceFiles
from notifications.words import title

_PAPER = "scenario.txt"


def load_file(door: Door, file: Path) -> None:
    """Make what the file names and print ids and tokens; `Invalid` where it is wrong, `Refusal` where a rule refuses.

    A wrong file is named before anything is written. The paper lies in the store before the transaction, like every
    document: where the load is refused, `recover` takes it away.
    """
    if not door.is_rehearsal:
        raise Invalid(unmet("only_in_rehearsal", option="scenario load"))
    with file.open("rb") as stream:
        content = stream.read(LARGEST_BYTES + 1)
    scenario = read_scenario(content)
    means = Means(paper=_paper(door, scenario, content), draw_token=_draw_token, clock_at=door.now, seal=_seal(door))
    ids = door.settings.make_ids()

    def work(session: Session) -> Loaded:
        zone, now = ZoneInfo(door.settings.timezone), _instant(door, scenario)
        play = Acting(calendar=china(), new_id=ids.new, zone=zone, now=now, prefix=f"scenario-{ids.new()}")
        play.session = session
        return load(play, scenario, means)

    try:
        loaded = run_in_transaction(door.engine, work)
    except ScenarioRefused as refused:
        verb = title("verb", REGISTRY[type(refused.command)].permission, door.output.lang)
        raise Refusal(refused.error, verb=verb, ref=refused.place, place=refused.place) from refused
    _show(door, loaded)


def _seal(door: Door) -> Callable[[str], str]:
    key = door.settings.seal_key()
    return lambda secret: sealed(secret, key)


def _instant(door: Door, scenario: Scenario) -> datetime:
    """Return the instant of the load: of `--now`, else the file's, else the clock's."""
    return door.now if door.caller.now is not None or scenario.now is None else scenario.now


def _paper(door: Door, scenario: Scenario, content: bytes) -> Paper:
    """Store the paper that reports rest on: it names the file by its hash, for the file itself may hold passwords."""
    said = f"pilotway scenario {hashlib.sha256(content).hexdigest()}\n".encode()
    if scenario.is_reported:
        EvidenceFiles(door.settings.evidence_place()).put(BytesIO(said))
    return Paper(file_name=_PAPER, sha256=hashlib.sha256(said).hexdigest(), size_bytes=len(said))


def _draw_token() -> tuple[str, str]:
    text = f"pt_{secrets.token_urlsafe(32)}"
    return text, token_sha256(text)


def _show(door: Door, loaded: Loaded) -> None:
    output = door.output
    if output.as_json:
        output.document({"ok": True, "ids": loaded.ids, "tokens": loaded.tokens})
        return
    rows = [{"ref": ref, "id": made, "token": loaded.tokens.get(ref, "")} for ref, made in loaded.ids.items()]
    output.table((Column(key="ref", is_wide=True), Column(key="id"), Column(key="token")), rows)
