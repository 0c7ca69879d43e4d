import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from lifecycle.audit.verify import verify
from lifecycle.errors import Forbidden
from lifecycle.imports.portfolio import CHUNK, How, Phase, Step
from lifecycle.invariants.check import all_checks, check
from lifecycle.people.commands import AddOrganisation
from lifecycle.verdicts.cache import verdicts_of
from models.db import reading, transaction
from models.projects import Project
from models.states import OrganisationKind, Role
from tests.factories import House, key
from tests.lifecycle.imports.bringing import brought, digest, fates, project, wrong
from tests.lifecycle.imports.tables import BASE, GOOD, HEADER, csv_file, good, mapping

MODES = [How.WHOLE, How.PARTIAL]


def many(tmp_path: Path, count: int, *bad: int) -> Path:
    """Write a file of `count` projects, in which the rows with these numbers have a level that does not exist."""
    rows = [
        good(
            no=f"P{number}",
            title=f"Robot {number}",
            firm=f"Firm {number % 7}",
            code="",
            trl="12" if number in bad else "5",
        )
        for number in range(2, count + 2)
    ]
    return csv_file(tmp_path, [HEADER, *rows], name=f"{count}.csv")


def assert_sound(house: House) -> None:
    with reading(house.engine) as session:
        assert verify(session).problems == ()
        broken = [result for result in check(session, all_checks(), now=house.now).results if not result.is_ok]
    assert broken == []


class TestBringIn:
    @pytest.mark.parametrize("mode", MODES)
    def test_opens_the_stage_that_each_project_is_really_in(self, house: House, tmp_path: Path, mode: How) -> None:
        stages = [
            {"when": [{"level": "trl_current", "at_least": 7}], "stage": "handoff", "why": {"zh": "高", "en": "high"}},
            {"when": [{"level": "trl_current", "at_most": 1}], "stage": "stopped", "why": {"zh": "低", "en": "low"}},
            *BASE["stages"],
        ]
        rows = [good(), good(no="P2", trl="8", mrl="8"), good(no="P3", trl="1", mrl="1")]
        report = brought(house, csv_file(tmp_path, [HEADER, *rows]), mapping(tmp_path, stages=stages), mode=mode)
        assert (fates(report), report.is_written) == ({"new": 3}, True)
        assert dict(report.stages) == {"intake": 1, "handoff": 1, "stopped": 1}
        assert [project(house, f"book:P{n}").stage for n in (1, 2, 3)] == ["intake", "handoff", "stopped"]
        open_visits = house.rows("SELECT stage, due_on FROM stage_run WHERE state = 'open' ORDER BY stage")
        assert [tuple(row) for row in open_visits] == [("handoff", None), ("intake", None)]
        assert_sound(house)

    def test_keeps_what_the_source_says_and_names_what_it_lacks(self, house: House, tmp_path: Path) -> None:
        brought(house, csv_file(tmp_path, [HEADER, good(trl="", mrl="", title="")]), mapping(tmp_path, required=[]))
        row = project(house, "book:P1")
        outside = json.loads(row.outside)
        assert (row.name, row.received_on, row.received_precision) == ("", "2025-07-08", "day")
        assert outside["dates"] == {"received_on": {"on": "2025-07-08", "precision": "day"}}
        assert outside["money"] == [{"label": "grant", "amount_minor": 120050, "currency": "CNY"}]
        assert outside["stage_why"] == {"zh": "都在受理", "en": "all are in intake"}
        assert {"name", "trl_current", "mrl", "ended_on"} <= set(outside["missing"])
        assert outside["levels"] == {}
        assert house.one("SELECT count(*) FROM maturity_claim") == 0

    def test_claims_the_present_levels_without_evidence(self, house: House, tmp_path: Path) -> None:
        brought(house, csv_file(tmp_path, [HEADER, GOOD]), mapping(tmp_path))
        claims = house.rows("SELECT scale, level, evidence_id FROM maturity_claim ORDER BY scale")
        assert [tuple(row) for row in claims] == [("mrl", 4, None), ("trl", 5, None)]

    def test_leaves_the_applicant_open_where_the_source_names_none(self, house: House, tmp_path: Path) -> None:
        report = brought(house, csv_file(tmp_path, [HEADER, good(firm="", code="")]), mapping(tmp_path))
        assert (project(house, "book:P1").organisation_id, report.organisations) == (None, 0)

    def test_enters_the_firms_also_when_the_operator_brings_them(self, house: House, tmp_path: Path) -> None:
        report = brought(house, csv_file(tmp_path, [HEADER, GOOD]), mapping(tmp_path), by=Role.OPERATOR)

        assert (report.rows, report.wrong, report.organisations) == (1, 0, 1)

    def test_says_for_each_project_what_the_standard_still_asks(self, house: House, tmp_path: Path) -> None:
        brought(house, csv_file(tmp_path, [HEADER, GOOD]), mapping(tmp_path))
        with reading(house.engine) as session:
            rows = session.execute(text("SELECT id FROM project")).all()
        ((_, verdicts),) = judged(house, [UUID(rows[0].id)])
        assert {verdict.clause.partition(".")[0] for verdict in verdicts} == {"G1"}
        assert any(verdict.code == "evidence_missing" and verdict.owed_by for verdict in verdicts)

    @pytest.mark.parametrize("mode", MODES)
    def test_changes_nothing_the_second_time(self, house: House, tmp_path: Path, mode: How) -> None:
        path, how = many(tmp_path, 5), mapping(tmp_path)
        brought(house, path, how, mode=mode)
        before = digest(house)
        report = brought(house, path, how, mode=mode)
        assert (fates(report), report.organisations, report.is_written) == ({"unchanged": 5}, 0, False)
        assert digest(house) == before

    def test_brings_a_changed_text_and_leaves_the_stage_alone(self, house: House, tmp_path: Path) -> None:
        how = mapping(tmp_path)
        brought(house, csv_file(tmp_path, [HEADER, GOOD, good(no="P2")]), how)
        report = brought(house, csv_file(tmp_path, [HEADER, GOOD, good(no="P2", title="Better robot")]), how)
        assert fates(report) == {"unchanged": 1, "changed": 1}
        row = project(house, "book:P2")
        assert (row.name, row.version, row.stage) == ("Better robot", 2, "intake")
        assert_sound(house)

    def test_claims_the_level_that_the_source_says_now_and_none_that_it_leaves_out(
        self, house: House, tmp_path: Path
    ) -> None:
        how = mapping(tmp_path)
        for trl in ("5", "6", ""):
            brought(house, csv_file(tmp_path, [HEADER, good(trl=trl)]), how)

        claims = house.rows("SELECT level FROM maturity_claim WHERE scale = 'trl' ORDER BY at, level")
        assert [row.level for row in claims] == [5, 6]
        assert_sound(house)

    def test_is_brought_again_by_whom_brought_it_without_a_platform(self, house: House, tmp_path: Path) -> None:
        how = mapping(tmp_path)
        for title in ("one", "two"):
            path = csv_file(tmp_path, [HEADER, good(title=title)])
            brought(house, path, how, by=Role.COORDINATOR, platform=None)

        assert project(house, "book:P1").name == "two"

    def test_is_wrong_when_it_arrives_in_the_future(self, house: House, tmp_path: Path) -> None:
        report = brought(house, csv_file(tmp_path, [HEADER, good(day="2099-01-01")]), mapping(tmp_path))

        assert wrong(report.errors) == [(2, "day_in_future")]

    def test_takes_a_text_back_that_was_there_before(self, house: House, tmp_path: Path) -> None:
        how = mapping(tmp_path)
        for title in ("one", "two", "one", "two", "one"):
            brought(house, csv_file(tmp_path, [HEADER, good(title=title)]), how)
            assert project(house, "book:P1").name == title
        assert project(house, "book:P1").version == 5

    def test_counts_what_it_changed_or_found_odd(self, house: House, tmp_path: Path) -> None:
        path = csv_file(tmp_path, [HEADER, good(title="炒菜机器人"), good(no="P2", title="Plain")], encoding="gb18030")
        assert brought(house, path, mapping(tmp_path)).notices == {"encoding_assumed": 1}

    def test_counts_rows_that_the_mapping_leaves_out(self, house: House, tmp_path: Path) -> None:
        how = mapping(tmp_path, duplicates="first", filters=[{"column": "trl", "is": ["5"]}])
        report = brought(house, csv_file(tmp_path, [HEADER, GOOD, GOOD, good(no="P2", trl="4")]), how)
        assert fates(report) == {"new": 1, "skipped": 2}
        assert report.skipped == {"duplicate_skipped": 1, "row_filtered": 1}

    def test_tells_how_far_it_has_come(self, house: House, tmp_path: Path) -> None:
        steps: list[Step] = []
        brought(house, many(tmp_path, CHUNK + 1), mapping(tmp_path), tell=steps.append)
        assert [(step.phase, step.rows, step.total) for step in steps] == [
            (Phase.CHECKING, CHUNK, None), (Phase.CHECKING, CHUNK + 1, None),
            (Phase.WRITING, CHUNK, CHUNK + 1), (Phase.WRITING, CHUNK + 1, CHUNK + 1),
        ]  # fmt: skip

    @pytest.mark.parametrize("mode", [How.CHECK, How.WHOLE, How.PARTIAL])
    def test_ends_when_the_actor_may_not_import(self, house: House, tmp_path: Path, mode: How) -> None:
        before = digest(house)
        with pytest.raises(Forbidden):
            brought(house, csv_file(tmp_path, [HEADER, GOOD]), mapping(tmp_path), mode=mode, by=Role.PROJECT_LEAD)
        assert digest(house) == before


def judged(house: House, ids: list[UUID]) -> list[tuple[UUID, Any]]:
    table: Any = Project.__table__  # type: ignore[attr-defined]
    with reading(house.engine) as session:
        rows = session.execute(table.select().where(table.c.id.in_(ids))).all()
        return list(verdicts_of(session, rows, house.stamp()))


class TestWholeFile:
    def test_writes_nothing_when_a_row_is_wrong(self, house: House, tmp_path: Path) -> None:
        before = digest(house)
        report = brought(house, many(tmp_path, CHUNK + 100, CHUNK + 50), mapping(tmp_path))
        assert (fates(report), report.is_written) == ({"new": CHUNK + 99, "wrong": 1}, False)
        assert digest(house) == before

    def test_writes_nothing_when_the_file_itself_is_wrong(self, house: House, tmp_path: Path) -> None:
        report = brought(house, csv_file(tmp_path, [["no", "titel"], ["P1", "x"]]), mapping(tmp_path))
        assert (report.wrong, report.is_written) == (1, False)
        assert {error.code for error in report.errors} == {"column_unknown", "column_missing"}

    def test_counts_a_row_once_however_much_is_wrong_in_it(self, house: House, tmp_path: Path) -> None:
        report = brought(house, csv_file(tmp_path, [HEADER, good(trl="x", day="x"), good(no="")]), mapping(tmp_path))
        assert (report.wrong, len(report.errors)) == (2, 3)

    def test_names_the_row_that_the_database_refuses_and_writes_nothing(
        self, each_house: House, tmp_path: Path
    ) -> None:
        refuse_names(each_house, "Robot 450")
        before = digest(each_house)
        report = brought(each_house, many(tmp_path, CHUNK + 100), mapping(tmp_path), programme="bare")
        assert (fates(report), report.is_written) == ({"new": CHUNK + 99, "wrong": 1}, False)
        assert wrong(report.errors) == [(450, "database_refused")]
        assert report.errors[0].cells["title"] == "Robot 450"
        assert digest(each_house) == before


class TestInParts:
    def test_brings_the_good_rows_and_tells_the_wrong_ones(self, house: House, tmp_path: Path) -> None:
        told: list[Step] = []
        path = many(tmp_path, CHUNK + 100, 3, CHUNK + 50)
        report = brought(house, path, mapping(tmp_path), mode=How.PARTIAL, programme="bare", tell=told.append)
        assert (fates(report), report.is_written) == ({"new": CHUNK + 98, "wrong": 2}, True)
        assert [error.row for step in told for error in step.errors] == [3, CHUNK + 50]
        assert house.one("SELECT count(*) FROM project") == CHUNK + 98
        assert_sound(house)

    def test_leaves_alone_the_row_that_the_database_refuses(self, each_house: House, tmp_path: Path) -> None:
        refuse_names(each_house, "Robot 7")
        report = brought(each_house, many(tmp_path, 20), mapping(tmp_path), mode=How.PARTIAL, programme="bare")
        assert (fates(report), wrong(report.errors)) == ({"new": 19, "wrong": 1}, [(7, "database_refused")])
        assert each_house.one("SELECT count(*) FROM project") == 19

    def test_ends_when_it_is_the_database_that_is_broken(self, house: House, tmp_path: Path) -> None:
        with transaction(house.engine) as session:
            session.execute(text("ALTER TABLE maturity_claim RENAME TO elsewhere"))
        with pytest.raises(Exception, match="no such table"):
            brought(house, many(tmp_path, 20), mapping(tmp_path), mode=How.PARTIAL)
        assert house.one("SELECT count(*) FROM project") == 0

    def test_names_the_organisation_that_is_known_under_another_code(self, house: House, tmp_path: Path) -> None:
        how = mapping(tmp_path, columns=[*BASE["columns"][:-1], {"column": "sum", "to": "organisation_id"}])
        first = csv_file(tmp_path, [HEADER, good(sum="F1")])
        assert fates(brought(house, first, how)) == {"new": 1}
        other = good(no="P2", sum="F1", code="91350100M000100Y43")
        report = brought(house, csv_file(tmp_path, [HEADER, other, good(no="P3", sum="F1")]), how, mode=How.PARTIAL)
        assert (fates(report), wrong(report.errors)) == ({"new": 1, "wrong": 1}, [(2, "credit_code_differs")])


def refuse_names(house: House, name: str) -> None:
    """Let the database itself refuse projects of this name, as a rule would that no reader knows of."""
    refusal, abort = f"'{name}'", "SELECT RAISE(ABORT, 'no')"
    sqlite = [
        f"CREATE TRIGGER refuse BEFORE INSERT ON project WHEN NEW.name = {refusal} BEGIN {abort}; END",
    ]
    body = f"IF NEW.name = {refusal} THEN RAISE EXCEPTION 'no'; END IF"
    postgres = [
        f"CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body}; RETURN NEW; END $$",
        "CREATE TRIGGER refuse BEFORE INSERT ON project FOR EACH ROW EXECUTE FUNCTION refuse()",
    ]
    with transaction(house.engine) as session:
        for statement in sqlite if house.engine.dialect.name == "sqlite" else postgres:
            session.connection().exec_driver_sql(statement)


class TestDryRun:
    @pytest.mark.parametrize("duplicates", ["error", "first", "merge"])
    def test_says_what_the_real_run_does_and_writes_nothing(
        self, house: House, tmp_path: Path, duplicates: str
    ) -> None:
        how = mapping(tmp_path, duplicates=duplicates)
        earlier = [good(no=f"P{n}", title=f"Robot {n}", code="") for n in range(1, 300)]
        brought(house, csv_file(tmp_path, [HEADER, *earlier]), how, programme="bare")
        rows = [
            *(good(no=f"P{n}", title=f"Robot {n % 250}", code="", firm=f"Firm {n % 9}") for n in range(200, 700)),
            good(no="P9999", trl="x", title="Wrong first"),
            good(no="P9999", title="Right then", code=""),
            *(good(no=f"P{n}", title="Again", code="") for n in (201, 650, 650, 651)),
        ]
        path = csv_file(tmp_path, [HEADER, *rows])
        before = digest(house)
        dry = brought(house, path, how, mode=How.CHECK, programme="bare")
        assert digest(house) == before
        real = brought(house, path, how, mode=How.PARTIAL, programme="bare")
        assert (dry.is_written, real.is_written) == (False, True)
        for name in ("fates", "stages", "organisations", "notices", "skipped", "errors"):
            assert getattr(dry, name) == getattr(real, name), name
        again = brought(house, path, how, mode=How.PARTIAL, programme="bare")
        assert set(fates(again)) <= {"unchanged", "wrong", "skipped"}
        assert_sound(house)


class TestMergedRows:
    def test_are_one_project_that_keeps_them_all(self, house: House, tmp_path: Path) -> None:
        how = mapping(tmp_path, duplicates="merge")
        rows = [GOOD, good(firm="Second Works", code="", sum="7.00"), good(no="P2"), good(firm="Third Works", code="")]
        report = brought(house, csv_file(tmp_path, [HEADER, *rows]), how)
        assert fates(report) == {"new": 2, "changed": 2}
        outside = json.loads(project(house, "book:P1").outside)
        assert outside["organisation"]["name"] == "Kitchen Works"
        assert [one["organisation"]["name"] for one in outside["also"]] == ["Second Works", "Third Works"]
        assert [one["row"] for one in outside["also"]] == [3, 5]

    def test_are_kept_once_however_often_they_come(self, house: House, tmp_path: Path) -> None:
        how = mapping(tmp_path, duplicates="merge")
        path = csv_file(tmp_path, [HEADER, GOOD, good(sum="7.00"), good(sum="7.00")])
        assert fates(brought(house, path, how)) == {"new": 1, "changed": 1, "unchanged": 1}
        before = digest(house)
        assert fates(brought(house, path, how)) == {"unchanged": 3}
        assert digest(house) == before


class TestOrganisations:
    def test_are_one_for_one_credit_code(self, house: House, tmp_path: Path) -> None:
        rows = [GOOD, good(no="P2", firm="Kitchen Works Ltd")]
        report = brought(house, csv_file(tmp_path, [HEADER, *rows]), mapping(tmp_path))
        assert report.organisations == 1
        assert project(house, "book:P1").organisation_id == project(house, "book:P2").organisation_id

    def test_are_one_for_one_name_of_the_source_however_it_is_written(self, house: House, tmp_path: Path) -> None:
        rows = [good(code="", firm="Kitchen Works"), good(no="P2", code="", firm="ＫＩＴＣＨＥＮ works")]
        assert brought(house, csv_file(tmp_path, [HEADER, *rows]), mapping(tmp_path)).organisations == 1
        (row,) = house.rows("SELECT name, kind, outside_key FROM organisation WHERE outside_key IS NOT NULL")
        assert tuple(row) == ("Kitchen Works", "sme", "book:kitchen works")

    def test_that_we_know_by_credit_code_are_not_entered_again(self, house: House, tmp_path: Path) -> None:
        known = AddOrganisation(
            command_id=key(), name="炊具厂", kind=OrganisationKind.SME, credit_code="9144030071526726XG"
        )
        (answer,) = house.do(known)
        report = brought(house, csv_file(tmp_path, [HEADER, GOOD]), mapping(tmp_path))
        assert report.organisations == 0
        assert project(house, "book:P1").organisation_id == answer["object_id"]

    @pytest.mark.parametrize("mode", MODES)
    def test_that_come_with_their_code_first_are_known_by_their_number_then(
        self, house: House, tmp_path: Path, mode: How
    ) -> None:
        how = mapping(tmp_path, columns=[*BASE["columns"][:-1], {"column": "sum", "to": "organisation_id"}])
        rows = [good(no=f"P{n}", sum="F1", code=GOOD[3] if n % 450 == 1 else "") for n in range(1, CHUNK + 100)]
        path = csv_file(tmp_path, [HEADER, *rows])
        dry = brought(house, path, how, mode=How.CHECK, programme="bare")
        report = brought(house, path, how, mode=mode, programme="bare")
        assert (fates(report), report.organisations) == ({"new": CHUNK + 99}, 1)
        assert dry.organisations == 1
        assert house.one("SELECT count(DISTINCT organisation_id) FROM project") == 1

    def test_without_a_name_are_not_invented(self, house: House, tmp_path: Path) -> None:
        report = brought(house, csv_file(tmp_path, [HEADER, good(firm="")]), mapping(tmp_path))
        assert report.organisations == 0
        row = project(house, "book:P1")
        assert row.organisation_id is None
        assert json.loads(row.outside)["organisation"] == {"credit_code": "9144030071526726XG"}


KILLED = """
import json, os, signal, sys
from pathlib import Path
from uuid import UUID
from lifecycle.actor import Actor
from lifecycle.imports.mapping import load_mapping
from lifecycle.imports.portfolio import How, Phase
from models.db import make_engine
from models.states import Door
from tests.factories import House
from tests.lifecycle.imports.bringing import brought

def tell(step):
    if step.phase is Phase.WRITING and step.rows >= 800:
        os.kill(os.getpid(), signal.SIGKILL)

address, path, mapping, mode, people = sys.argv[1:]
house = House(make_engine(address))
programmes, parties, admin = json.loads(people)
house.programmes = {name: UUID(one) for name, one in programmes.items()}
house.parties = {name: UUID(one) for name, one in parties.items()}
house.people = {"admin": Actor(user_id=UUID(admin), person_id=UUID(admin), name="admin", door=Door.CLI)}
brought(house, Path(path), load_mapping(Path(mapping)), mode=How(mode), programme="bare", tell=tell)
"""


@pytest.mark.slow
@pytest.mark.long_on_postgres
class TestKilledInTheMiddle:
    @pytest.mark.parametrize(("mode", "left"), [(How.WHOLE, 0), pytest.param(How.PARTIAL, 800, marks=pytest.mark.long)])
    def test_leaves_whole_transactions_and_is_completed_by_a_repeat(
        self, each_house: House, tmp_path: Path, mode: How, left: int
    ) -> None:
        house, path, how = each_house, many(tmp_path, 1_000), mapping(tmp_path)
        assert killed(house, path, tmp_path / "mapping.yaml", mode) == -9
        assert house.one("SELECT count(*) FROM project") == left
        report = brought(house, path, how, mode=mode, programme="bare")
        assert fates(report) == ({"new": 1_000} if left == 0 else {"unchanged": 800, "new": 200})
        assert house.one("SELECT count(*) FROM project") == 1_000
        assert_sound(house)


def killed(house: House, path: Path, how: Path, mode: How) -> int:
    people = json.dumps([house.programmes, house.parties, house.people["admin"].user_id], default=str)
    address = house.engine.url.render_as_string(hide_password=False)
    arguments = [address.replace("sqlite+strict", "sqlite"), str(path), str(how), mode, people]
    ended = subprocess.run([sys.executable, "-c", KILLED, *arguments], check=False, timeout=300)
    return ended.returncode
