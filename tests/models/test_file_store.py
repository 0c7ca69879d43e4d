"""Both stores keep evidence alike: the same tests for the one on a disk and its twin in memory."""

import hashlib
import io
import os
from pathlib import Path

import pytest

from models.file_store import DEFAULT_LIMIT_BYTES, EvidenceFiles, MemoryFiles, NotStoredError, TooLarge
from models.ports import FileStore, OutsideError

REPORT = "样机试验报告".encode() * 1000
REPORT_SHA256 = hashlib.sha256(REPORT).hexdigest()


@pytest.fixture(params=["disk", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> FileStore:
    return EvidenceFiles(str(tmp_path / "evidence")) if request.param == "disk" else MemoryFiles()


class BrokenSender(io.BytesIO):
    """A sender that goes away after the first bytes."""

    def read(self, size: int | None = -1) -> bytes:
        sent = super().read(size)
        if not sent:
            raise ConnectionResetError("the sender is gone")
        return sent


class TestEveryStore:
    def test_gives_back_the_bytes_under_their_sha256(self, store: FileStore) -> None:
        stored = store.put(io.BytesIO(REPORT), DEFAULT_LIMIT_BYTES)

        assert (stored.sha256, stored.size_bytes) == (REPORT_SHA256, len(REPORT))
        assert store.exists(REPORT_SHA256)
        with store.open(REPORT_SHA256) as file:
            assert file.read() == REPORT

    def test_keeps_the_same_content_once(self, store: FileStore) -> None:
        assert store.put(io.BytesIO(REPORT), 10**6) == store.put(io.BytesIO(REPORT), 10**6)

    def test_takes_an_empty_file(self, store: FileStore) -> None:
        stored = store.put(io.BytesIO(b""), 0)
        assert (stored.size_bytes, store.exists(stored.sha256)) == (0, True)

    def test_takes_exactly_the_limit(self, store: FileStore) -> None:
        assert store.put(io.BytesIO(REPORT), len(REPORT)).size_bytes == len(REPORT)

    def test_refuses_one_byte_more_and_keeps_nothing(self, store: FileStore) -> None:
        with pytest.raises(TooLarge, match=str(len(REPORT) - 1)):
            store.put(io.BytesIO(REPORT), len(REPORT) - 1)
        assert not store.exists(REPORT_SHA256)

    def test_keeps_nothing_of_a_sender_that_went_away(self, store: FileStore) -> None:
        with pytest.raises(OutsideError, match="the sender is gone"):
            store.put(BrokenSender(REPORT), 10**6)
        assert not store.exists(REPORT_SHA256)

    def test_reads_no_more_than_the_limit_asks_for(self, store: FileStore) -> None:
        endless = open("/dev/zero", "rb")  # noqa: SIM115, PTH123 - closed below
        with endless, pytest.raises(TooLarge):
            store.put(endless, 3_000_000)

    def test_says_what_is_not_there(self, store: FileStore) -> None:
        assert not store.exists("0" * 64)
        with pytest.raises(NotStoredError):
            store.open("0" * 64)

    @pytest.mark.parametrize("wrong", ["../../../etc/passwd", "0" * 63, "A" * 64, "", "０" * 64, "0" * 64 + "\n"])
    def test_refuses_a_name_that_is_no_digest(self, store: FileStore, wrong: str) -> None:
        for ask in (store.open, store.exists):
            with pytest.raises(ValueError, match="not a SHA-256"):
                ask(wrong)


class TestEvidenceFiles:
    def test_lays_files_under_the_first_two_characters(self, tmp_path: Path) -> None:
        EvidenceFiles(str(tmp_path)).put(io.BytesIO(REPORT))

        assert files_below(tmp_path) == [f"{REPORT_SHA256[:2]}/{REPORT_SHA256}"]

    def test_leaves_nothing_on_the_disk_of_what_it_did_not_take(self, tmp_path: Path) -> None:
        with pytest.raises(TooLarge):
            EvidenceFiles(str(tmp_path)).put(io.BytesIO(REPORT), 10)
        with pytest.raises(OutsideError):
            EvidenceFiles(str(tmp_path)).put(BrokenSender(REPORT), 10**6)

        assert files_below(tmp_path) == []

    def test_does_not_touch_a_file_that_is_there(self, tmp_path: Path) -> None:
        store = EvidenceFiles(str(tmp_path))
        store.put(io.BytesIO(REPORT))
        path = tmp_path / REPORT_SHA256[:2] / REPORT_SHA256
        before = path.stat().st_ino

        store.put(io.BytesIO(REPORT))

        assert path.stat().st_ino == before

    def test_says_that_the_store_did_not_do_it(self, tmp_path: Path) -> None:
        (tmp_path / "evidence").write_text("a file where the folder should be")
        with pytest.raises(OutsideError, match="the file store did not do it"):
            EvidenceFiles(str(tmp_path / "evidence")).put(io.BytesIO(REPORT))

    def test_flushes_the_file_before_its_name_is_seen(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        seen: list[list[str]] = []
        real = os.fsync

        def watched(descriptor: int) -> None:
            seen.append(files_below(tmp_path))
            real(descriptor)

        monkeypatch.setattr(os, "fsync", watched)

        EvidenceFiles(str(tmp_path)).put(io.BytesIO(REPORT))

        assert [name.partition("/")[0] for name in seen[0]] == ["incoming"]
        assert seen[1:] == [[f"{REPORT_SHA256[:2]}/{REPORT_SHA256}"]] * 2

    def test_reaches_other_places_through_fsspec(self) -> None:
        store = EvidenceFiles("memory://pilotway-evidence")
        store.put(io.BytesIO(REPORT))
        with store.open(REPORT_SHA256) as file:
            assert file.read() == REPORT


def files_below(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
