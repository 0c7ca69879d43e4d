"""`docs/security.md` says what the program has: every table in one class, every number as it is."""

import re

from lifecycle.imports import archive, uploads
from models import limits
from models.file_store import DEFAULT_LIMIT_BYTES
from models.tables import metadata
from tests.house.test_rules import ROOT
from web.house import FEED_AT_ONCE, FEED_PER_MINUTE

PAGE = (ROOT / "docs/security.md").read_text("utf-8")


def rows(header: str) -> dict[str, list[str]]:
    """Return the rows of the one table with this header, by their first cell."""
    lines = PAGE.splitlines()
    start = lines.index(header) + 2
    cells = [line.strip("|").split("|") for line in lines[start : lines.index("", start)]]
    return {first.strip(): [one.strip() for one in rest] for first, *rest in cells}


class TestTheClasses:
    def test_hold_every_table_once(self) -> None:
        named = [name for cell in rows("| Class | Tables |").values() for name in re.findall(r"`(\w+)`", cell[0])]
        assert sorted(named) == sorted(metadata.tables)

    def test_call_secret_whatever_holds_a_secret(self) -> None:
        secret = re.findall(r"`(\w+)`", rows("| Class | Tables |")["secret"][0])
        held = {table.name for table in metadata.tables.values() for column in table.columns
                if re.search(r"token_sha256|password|secret|public_key|code_sha256", column.name)}  # fmt: skip
        assert held - set(secret) <= {"known_device"}  # whose cookie opens nothing


class TestTheLimits:
    def test_are_those_of_the_program(self) -> None:
        said = {name: cells[0] for name, cells in rows("| What | Limit | Beyond |").items()}
        endings = {one for those in uploads.ENDINGS.values() for one in those}
        assert set(re.findall(r"\.[a-z]+", said["one file"])) == endings | {".xml"}
        assert f"{DEFAULT_LIMIT_BYTES >> 20} MiB" in said["one file"]
        assert f"{archive.MAX_MEMBERS:,} members, {archive.MAX_TOTAL >> 20} MiB" in said["archive"]
        assert f"{uploads.MAX_PIXELS // 10**6} million pixels, {uploads.MAX_SIDE:,} a side" in said["picture"]
        assert f"{limits.SESSION_PER_MINUTE:,} a minute, {limits.SESSION_AT_ONCE:,}" in said["requests of a session"]
        assert f"{limits.TOKEN_PER_MINUTE} a minute, {limits.TOKEN_AT_ONCE}" in said["requests of an API token"]
        assert f"{FEED_PER_MINUTE} a minute, {FEED_AT_ONCE}" in said["requests for one calendar"]
        assert said["wrong passwords"].startswith(f"{limits.SIGN_IN_TRIES} in 5 minutes")
        tries = ", ".join(str(most) for _, most in limits.SECOND_FACTOR_TRIES)
        assert ", ".join(re.findall(r"\d+(?= in (?:5 minutes|an hour|a day))", said["wrong second factors"])) == tries
