"""A checkpoint says who signed which heads; a file that says anything else proves nothing."""

import hashlib
import json
import stat
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from sqlalchemy import Engine, text

from lifecycle.audit.checkpoints import write_checkpoint
from lifecycle.audit.findings import ProblemKind
from lifecycle.audit.keys import (
    BadKeyError,
    key_id,
    new_key,
    private_pem,
    public_pem,
    read_private_key,
    read_public_keys,
    write_key_pair,
)
from lifecycle.audit.verify import verify
from lifecycle.canonical import canonical
from lifecycle.installation import initialise
from models.db import make_engine, reading, transaction
from models.ids import new_id
from tests.lifecycle.audit.conftest import History, signed
from tests.lifecycle.world import NOW, a_world, some_projects


def changed(content: bytes, **values: Any) -> bytes:
    return canonical({**json.loads(content), **values}).encode()


class TestWriteCheckpoint:
    def test_signs_every_head_in_order_and_names_the_file_before(self, engine: Engine) -> None:
        world, programme, firm = a_world(engine)
        key = new_key()
        first = signed(world, key)
        some_projects(world, programme, firm, 3)

        second = signed(world, key)

        document = json.loads(second.content)
        with reading(engine) as session:
            chains = session.execute(text("SELECT COUNT(DISTINCT object_id), MAX(seq) FROM v_audit")).one()
            row = session.execute(text("SELECT * FROM v_checkpoint WHERE seq = 2")).one()
        assert (len(document["heads"]), document["audit_seq"]) == tuple(chains)
        assert document["heads"] == sorted(document["heads"])
        assert document["previous_sha256"] == hashlib.sha256(first.content).hexdigest()
        assert json.loads(first.content)["previous_sha256"] is None
        assert row.heads_sha256 == hashlib.sha256(canonical(document["heads"]).encode()).hexdigest()
        assert (row.signature, row.key_id) == (document["signature"], key_id(key.public_key()))

    def test_says_what_the_command_line_answers(self, history: History) -> None:
        answer = history.checkpoints[1].document("2.json")
        assert answer["sha256"] == hashlib.sha256(history.checkpoints[1].content).hexdigest()
        assert set(answer) == {"file", "sha256", "seq", "audit_seq", "heads_count", "heads_sha256", "at"}

    def test_signs_an_empty_history_too(self, engine: Engine) -> None:
        key = new_key()
        with transaction(engine) as session:
            initialise(session, mode=None, now=NOW, new_id=new_id)
            one = write_checkpoint(session, key=key, now=NOW)

        assert json.loads(one.content)["heads"] == []
        with reading(engine) as session:
            assert verify(session, keys={key_id(key.public_key()): key.public_key()}).is_ok

    def test_refuses_a_database_without_an_id(self, engine: Engine) -> None:
        with pytest.raises(LookupError, match="pilotway init"), transaction(engine) as session:
            write_checkpoint(session, key=new_key(), now=NOW)


class TestAFile:
    @pytest.mark.parametrize(
        ("values", "kind"),
        [
            ({"at": "2020-01-01T00:00:00.000000Z"}, ProblemKind.SIGNATURE),
            ({"heads": []}, ProblemKind.SIGNATURE),
            ({"signature": "no base 64"}, ProblemKind.SIGNATURE),
            ({"key_id": "0" * 64}, ProblemKind.SIGNATURE),
            ({"format": "pilotway-checkpoint/2"}, ProblemKind.SIGNATURE),
            ({"heads": [["user", 7]]}, ProblemKind.SIGNATURE),
            ({"database_id": "01980000-0000-7000-8000-000000000009"}, ProblemKind.FOREIGN),
            ({"seq": 9}, ProblemKind.MISSING),
        ],
    )
    def test_that_was_changed_is_refused(self, history: History, values: dict[str, Any], kind: ProblemKind) -> None:
        assert kind in self.kinds(history, changed(history.checkpoints[0].content, **values))

    @pytest.mark.parametrize("content", [b"", b"[]", b"\xff", b"{}", b"[" * 100_000])
    def test_that_is_no_checkpoint_is_refused(self, history: History, content: bytes) -> None:
        assert self.kinds(history, content) == {ProblemKind.SIGNATURE}

    @pytest.mark.parametrize(
        "values",
        [
            {"seq": 10**30},
            {"seq": -1},
            {"audit_seq": True},
            {"heads": [["project", "\ud800", 1, "0" * 64]]},
            {"heads": [["project", "x", 10**30, "0" * 64]]},
            {"heads": [["project", "x", 1, "not a hash"]]},
            {"previous_sha256": "\ud800"},
        ],
    )
    def test_that_no_database_could_hold_is_no_checkpoint(self, history: History, values: dict[str, Any]) -> None:
        content = json.dumps({**json.loads(history.checkpoints[0].content), **values}).encode()

        assert self.kinds(history, content) == {ProblemKind.SIGNATURE}

    def test_signed_by_somebody_else_is_refused(self, history: History) -> None:
        document = json.loads(history.checkpoints[0].content)
        del document["signature"]
        forger = new_key()
        signature = forger.sign(canonical(document).encode()).hex()
        assert ProblemKind.SIGNATURE in self.kinds(history, changed(canonical(document).encode(), signature=signature))

    @staticmethod
    def kinds(history: History, content: bytes) -> set[ProblemKind]:
        engine = make_engine(str(history.path))
        with reading(engine) as session:
            found = verify(session, keys=history.keys, files={"file.json": content})
        engine.dispose()
        assert [one.is_ok for one in found.files] == [False]
        return {problem.kind for problem in found.problems}


class TestKeys:
    def test_come_back_from_their_files_and_the_private_one_is_the_owners_alone(self, tmp_path: Path) -> None:
        write_key_pair(tmp_path / "key", tmp_path / "key.pub")

        private = read_private_key((tmp_path / "key").read_bytes())
        public = read_public_keys((tmp_path / "key.pub").read_bytes())

        assert list(public) == [key_id(private.public_key())]
        assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600

    @pytest.mark.parametrize("there", ["key", "key.pub"])
    def test_are_never_replaced(self, tmp_path: Path, there: str) -> None:
        (tmp_path / there).write_bytes(b"kept")
        with pytest.raises(FileExistsError):
            write_key_pair(tmp_path / "key", tmp_path / "key.pub")
        assert (tmp_path / there).read_bytes() == b"kept"

    def test_of_an_earlier_time_stand_in_the_same_public_file(self) -> None:
        old, new = new_key(), new_key()
        pem = public_pem(old.public_key()) + public_pem(new.public_key())
        assert list(read_public_keys(pem)) == [key_id(old.public_key()), key_id(new.public_key())]

    @pytest.mark.parametrize("pem", [b"", b"-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----\n"])
    def test_that_cannot_be_read_are_refused(self, pem: bytes) -> None:
        with pytest.raises(BadKeyError):
            read_private_key(pem)
        with pytest.raises(BadKeyError):
            read_public_keys(pem)

    def test_of_another_kind_are_refused(self) -> None:
        curve = ec.generate_private_key(ec.SECP256R1())
        with pytest.raises(BadKeyError, match="not of Ed25519"):
            read_private_key(curve.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        with pytest.raises(BadKeyError, match="not of Ed25519"):
            read_public_keys(curve.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))

    def test_private_pem_holds_no_password(self) -> None:
        assert private_pem(new_key()).startswith(b"-----BEGIN PRIVATE KEY-----")
