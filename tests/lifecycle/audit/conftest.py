"""A small installation with history and two signed checkpoints, made once and copied for each test."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from lifecycle.audit.checkpoints import CheckpointFile, write_checkpoint
from lifecycle.audit.findings import Verification
from lifecycle.audit.keys import key_id, new_key
from lifecycle.audit.verify import verify
from models.db import make_engine, reading, transaction
from tests.lifecycle.world import World, a_world, some_projects


@dataclass(frozen=True, slots=True)
class History:
    """A database file with its checkpoints as they were carried out, and the key that signed them."""

    path: Path
    key: Ed25519PrivateKey
    checkpoints: tuple[CheckpointFile, CheckpointFile]

    @property
    def keys(self) -> dict[str, Ed25519PublicKey]:
        """The public half, as a verifier holds it."""
        return {key_id(self.key.public_key()): self.key.public_key()}

    @property
    def files(self) -> dict[str, bytes]:
        """The checkpoints by the names of their files."""
        return {f"{number}.json": one.content for number, one in enumerate(self.checkpoints, start=1)}

    def verified(self, *, files: bool = False) -> Verification:
        """Verify the file as it is now."""
        engine = make_engine(str(self.path))
        with reading(engine) as session:
            found = verify(session, keys=self.keys, files=self.files if files else {})
        engine.dispose()
        return found


@pytest.fixture(scope="session")
def history_template(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> History:
    """Make the history once."""
    path = tmp_path_factory.mktemp("history") / "history.db"
    shutil.copyfile(sqlite_template, path)
    engine, key = make_engine(str(path)), new_key()
    world, programme, firm = a_world(engine)
    some_projects(world, programme, firm, 4)
    first = signed(world, key)
    some_projects(world, programme, firm, 4)
    second = signed(world, key)
    engine.dispose()
    return History(path, key, (first, second))


@pytest.fixture
def history(history_template: History, tmp_path: Path) -> History:
    """Give a copy to spoil."""
    shutil.copyfile(history_template.path, tmp_path / "history.db")
    return History(tmp_path / "history.db", history_template.key, history_template.checkpoints)


def signed(world: World, key: Ed25519PrivateKey) -> CheckpointFile:
    """Write a checkpoint of the world as it is."""
    with transaction(world.engine) as session:
        return write_checkpoint(session, key=key, now=world.now)
