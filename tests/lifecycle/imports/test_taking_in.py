"""What people may bring in a day: counted before anything is kept, per person and per organisation."""

import threading
from datetime import timedelta
from pathlib import Path

import pytest

from lifecycle.errors import Invalid, QuotaUsed
from lifecycle.imports.taking_in import Bringer, Share, count, keep
from models.file_store import DEFAULT_LIMIT_BYTES, EvidenceFiles
from models.ids import new_id
from models.ports import OutsideError
from tests.factories import House

MIB = 1 << 20


def bringing(house: House, login: str, *, files: int = 3, mib: int = 50) -> Bringer:
    share = Share(files=files, mib=mib)
    user_id = house.people[login].user_id
    return Bringer(engine=house.engine, user_id=user_id, now=house.now, share=share, new_id=new_id)


def refused(by: Bringer, size: int = 1) -> tuple[str, int]:
    with pytest.raises(QuotaUsed) as error:
        count(by, size)
    (reason,) = error.value.unmet
    return reason.code, int(reason.values["minutes"])


class TestAPerson:
    def test_brings_so_many_files_within_24_hours_and_then_again(self, house: House) -> None:
        for _ in range(3):
            count(bringing(house, "project_lead"), 1)
        assert refused(bringing(house, "project_lead")) == ("upload_quota_person", 24 * 60)

        house.now += timedelta(hours=23, minutes=59)
        assert refused(bringing(house, "project_lead")) == ("upload_quota_person", 1)
        house.now += timedelta(minutes=1)
        count(bringing(house, "project_lead"), 1)

    def test_brings_so_many_bytes_to_the_last_one(self, house: House) -> None:
        by = bringing(house, "project_lead")
        count(by, 30 * MIB)
        count(by, 20 * MIB)
        assert refused(by)[0] == "upload_quota_person"

    def test_who_is_of_no_organisation_is_counted_alone(self, house: House) -> None:
        for _ in range(3):
            count(bringing(house, "nobody"), 1)
        assert refused(bringing(house, "nobody"))[0] == "upload_quota_person"
        count(bringing(house, "auditor"), 1)

    def test_takes_no_last_place_twice_at_once(self, house: House) -> None:
        taken: list[bool] = []
        begin = threading.Barrier(6)

        def one() -> None:
            begin.wait()
            try:
                count(bringing(house, "project_lead"), 1)
                taken.append(True)
            except QuotaUsed:
                taken.append(False)

        threads = [threading.Thread(target=one) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(taken) == [False] * 3 + [True] * 3


class TestAnOrganisation:
    def test_brings_five_times_as_much_by_all_its_people(self, house: House) -> None:
        theirs = [row.login for row in house.rows(
            "SELECT DISTINCT u.login FROM app_user u JOIN role_grant g ON g.user_id = u.id"
            " WHERE g.organisation_id = :id ORDER BY u.login", id=str(house.parties["platform"]))]  # fmt: skip
        assert len(theirs) > 5
        for login in theirs[:5]:
            count(bringing(house, login, files=1), 1)

        assert refused(bringing(house, theirs[5], files=1))[0] == "upload_quota_organisation"
        count(bringing(house, "stranger", files=1), 1)


class TestAFileThatIsNotKept:
    def test_leaves_no_file_and_takes_no_place(self, house: House, tmp_path: Path) -> None:
        path = tmp_path / "paper.txt"
        path.write_text("word", encoding="utf-8")
        (tmp_path / "evidence").write_text("no folder", encoding="utf-8")

        with pytest.raises((OutsideError, OSError)):
            keep(bringing(house, "project_lead"), EvidenceFiles(str(tmp_path / "evidence")), path)

        assert house.one("SELECT count(*) FROM upload") == 0

    def test_because_the_day_is_used_up_is_nowhere(self, house: House, tmp_path: Path) -> None:
        path = tmp_path / "paper.txt"
        path.write_text("word", encoding="utf-8")
        for _ in range(3):
            count(bringing(house, "project_lead"), 1)

        with pytest.raises(QuotaUsed):
            keep(bringing(house, "project_lead"), EvidenceFiles(str(tmp_path / "evidence")), path)

        assert not (tmp_path / "evidence").exists()

    def test_because_it_is_too_large_is_not_counted(self, house: House) -> None:
        with pytest.raises(Invalid):
            count(bringing(house, "project_lead", mib=100), DEFAULT_LIMIT_BYTES + 1)
        assert house.one("SELECT count(*) FROM upload") == 0
