"""Two folders and the memory of a test are one channel: what a name holds is never changed, nothing is half there."""

import errno
import hashlib
import os
from pathlib import Path

import pytest

from flows.bank_channel import BankInMemory, DropFolders
from models.ports import BankChannel, NotPut, PutResult, Transient

DATA = b"<Document/>"


def leave(channel: BankChannel, folder: Path, name: str, data: bytes) -> None:
    """Be the bank, and leave an answer."""
    if isinstance(channel, BankInMemory):
        channel.answers[name] = data
    else:
        (folder / "in").mkdir(exist_ok=True)
        (folder / "in" / name).write_bytes(data)


@pytest.fixture(params=["folders", "memory"])
def channel(request: pytest.FixtureRequest, tmp_path: Path) -> BankChannel:
    return BankInMemory() if request.param == "memory" else DropFolders(tmp_path / "out", tmp_path / "in")


class TestAChannel:
    def test_keeps_what_was_put_under_a_name_first(self, channel: BankChannel) -> None:
        assert channel.find("a.xml") is None
        assert channel.put("a.xml", DATA) == PutResult.DONE
        assert channel.put("a.xml", DATA) == PutResult.ALREADY_THERE
        assert channel.put("a.xml", b"other") == PutResult.OTHER_CONTENT
        assert channel.find("a.xml") == hashlib.sha256(DATA).hexdigest()

    def test_gives_answers_in_the_order_they_came_and_each_until_it_is_filed(
        self, channel: BankChannel, tmp_path: Path
    ) -> None:
        assert list(channel.inbox()) == []
        leave(channel, tmp_path, "b.xml", b"1")
        leave(channel, tmp_path, "a.csv", b"2")
        found = list(channel.inbox())
        assert [one.name for one in found] == ["b.xml", "a.csv"]
        with found[1].open() as stream:
            assert stream.read() == b"2"

        channel.file_away("b.xml", "done")

        assert [one.name for one in channel.inbox()] == ["a.csv"]


class TestFolders:
    def test_say_for_certain_when_nothing_was_put(self, tmp_path: Path) -> None:
        (tmp_path / "out").write_bytes(b"in the way")

        with pytest.raises(NotPut):
            DropFolders(tmp_path / "out", tmp_path / "in").put("a.xml", DATA)

    @pytest.mark.parametrize(("number", "said"), [(errno.ENOSPC, NotPut), (errno.EIO, Transient)])
    def test_doubt_a_name_that_a_broken_disk_may_have_made(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, said: type[Exception]
    ) -> None:
        def fails(*_: object) -> None:
            raise OSError(number, "the disk says so")

        monkeypatch.setattr(os, "link", fails)

        with pytest.raises(said) as found:
            DropFolders(tmp_path / "out", tmp_path / "in").put("a.xml", DATA)

        assert type(found.value) is said
        assert list((tmp_path / "out").iterdir()) == []

    def test_leave_nothing_beside_the_file(self, tmp_path: Path) -> None:
        DropFolders(tmp_path / "out", tmp_path / "in").put("a.xml", DATA)

        assert [path.name for path in (tmp_path / "out").iterdir()] == ["a.xml"]

    def test_do_not_read_what_still_arrives(self, tmp_path: Path) -> None:
        (tmp_path / "in").mkdir()
        (tmp_path / "in" / "a.xml.part").write_bytes(b"half")

        assert list(DropFolders(tmp_path / "out", tmp_path / "in").inbox()) == []

    def test_file_two_answers_of_one_name_side_by_side(self, tmp_path: Path) -> None:
        folders = DropFolders(tmp_path / "out", tmp_path / "in")
        for data in (b"1", b"2"):
            leave(folders, tmp_path, "a.xml", data)
            folders.file_away("a.xml", "quarantine")

        filed = sorted((tmp_path / "in" / "quarantine").iterdir())
        assert [(path.name, path.read_bytes()) for path in filed] == [("a-2.xml", b"2"), ("a.xml", b"1")]

    @pytest.mark.parametrize("name", ["../a.xml", "b/a.xml", ".a.xml", ""])
    def test_take_no_name_that_leads_elsewhere(self, tmp_path: Path, name: str) -> None:
        with pytest.raises(ValueError, match="not the name of a file"):
            DropFolders(tmp_path / "out", tmp_path / "in").put(name, DATA)

    def test_sweep_what_is_left_of_processes_that_are_gone(self, tmp_path: Path) -> None:
        out = tmp_path / "out"
        out.mkdir()
        (out / ".a.xml.999999999.part").write_bytes(b"half")
        (out / f".b.xml.{os.getpid()}.part").write_bytes(b"half")

        assert DropFolders(out, tmp_path / "in").sweep() == 1
        assert [path.name for path in out.iterdir()] == [f".b.xml.{os.getpid()}.part"]
