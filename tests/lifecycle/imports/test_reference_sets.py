import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from lifecycle.imports.mapping import SHIPPED, load_mapping
from lifecycle.imports.rows import Outcome, ProjectRow, RowError, read_projects


def facts(folder: Path) -> Any:
    return json.loads((folder / "facts.json").read_text(encoding="utf-8"))


def read(path: Path, name: str) -> tuple[list[ProjectRow], list[RowError]]:
    found: list[Outcome] = list(read_projects(path, load_mapping(SHIPPED / f"{name}.yaml")))
    projects = [item for item in found if isinstance(item, ProjectRow)]
    errors = [item for item in found if isinstance(item, RowError)]
    assert len(projects) + len(errors) == len(found)
    return projects, errors


def stages(projects: list[ProjectRow]) -> dict[str, int]:
    return dict(Counter(str(project.stage) for project in projects))


class TestSbir:
    def test_phase_1_comes_in_whole(self, reference_data: Path) -> None:
        oracle = facts(reference_data / "sbir")
        projects, errors = read(reference_data / "sbir" / "phase1_1983_1990.csv.gz", "sbir_phase1")
        assert (len(projects), errors) == (oracle["phase1_1983_1990"]["rows"], [])
        assert stages(projects) == {"feasibility": 7_998}
        amounts = sorted(project.money[0].amount_minor for project in projects)
        middle = len(amounts) // 2
        assert (amounts[middle - 1] + amounts[middle]) / 200 == oracle["facts"]["median_phase1_usd"]
        assert sum("name" in project.missing for project in projects) == 12  # 11 "N/A", 1 "Not Available"
        assert sum(notice.code == "text_shortened" for item in projects for notice in item.notices) == 244
        assert {project.received_on.precision for project in projects if project.received_on} == {"year"}

    def test_phase_2_comes_in_whole(self, reference_data: Path) -> None:
        oracle = facts(reference_data / "sbir")
        projects, errors = read(reference_data / "sbir" / "phase2_1984_2002.csv.gz", "sbir_phase2")
        assert (len(projects), errors) == (oracle["phase2_1984_2002"]["rows"], [])
        assert stages(projects) == {"small_batch_trial": 11_401}
        assert sum("name" in project.missing for project in projects) == 1_399

    @pytest.mark.parametrize(("file", "mapping"), [("phase1_2018", "sbir_phase1"), ("phase2_2017", "sbir_phase2")])
    def test_later_years_come_in_whole(self, reference_data: Path, file: str, mapping: str) -> None:
        projects, errors = read(reference_data / "sbir" / f"{file}.csv.gz", mapping)
        assert (len(projects), errors) == (facts(reference_data / "sbir")[file]["rows"], [])

    def test_all_four_files_agree_with_the_oracle(self, reference_data: Path) -> None:
        oracle = facts(reference_data / "sbir")["facts"]
        files = {"phase1_1983_1990": 1, "phase1_2018": 1, "phase2_1984_2002": 2, "phase2_2017": 2}
        found = [read(reference_data / "sbir" / f"{file}.csv.gz", f"sbir_phase{n}")[0] for file, n in files.items()]
        every = [project for projects in found for project in projects]
        assert len({project.key for project in every}) == len(every) == 8_010 + 12_112
        assert len({project.organisation_id for project in every}) == oracle["firms"]
        amounts = [project.money[0].amount_minor for project in every]
        assert (amounts.count(0), max(amounts)) == (oracle["zero_amounts"], 100 * int(oracle["max_amount_usd"]))

    def test_a_phase_2_file_under_the_phase_1_mapping_is_refused_row_by_row(self, reference_data: Path) -> None:
        projects, errors = read(reference_data / "sbir" / "phase2_2017.csv.gz", "sbir_phase1")
        assert projects == []
        assert {(error.column, error.code) for error in errors} == {("phase", "stage_unknown")}


class TestTechport:
    def test_comes_in_whole_with_the_levels_of_the_oracle(self, reference_data: Path) -> None:
        oracle = facts(reference_data / "techport")
        projects, errors = read(reference_data / "techport" / "techport_projects.csv", "techport")
        assert (len(projects), errors) == (oracle["rows"], [])
        assert sum(project.trl_current is None for project in projects) == oracle["trl_current_missing"]
        assert sum(project.trl_goal is None for project in projects) == oracle["trl_end_missing"]
        reached = sum((item.trl_current or 0) >= (item.trl_goal or 99) for item in projects)
        assert reached == oracle["goal_reached"]
        assert dict(Counter(item.facts["source_status"] for item in projects)) == oracle["status"]
        assert {item.started_on.precision for item in projects if item.started_on} == {"month"}
        assert stages(projects) == {"intake": 21, "feasibility": 4, "small_batch_trial": 3, "handoff": 1}


class TestEuProjects:
    def test_come_in_but_for_amounts_that_would_have_to_be_rounded(self, reference_data: Path) -> None:
        oracle = facts(reference_data / "eu_projects")
        projects, errors = read(reference_data / "eu_projects" / "fp_projects.csv", "eu_projects")
        assert len(projects) + len(errors) == oracle["projects"]
        assert {(error.column, error.code) for error in errors} == {("total_ecContribution", "amount_decimals")}
        assert len(errors) == 14
        anomalies = Counter(notice.code for project in projects for notice in project.notices)
        assert anomalies == {"received_after_start": oracle["signed_after_start"]}
        unsigned = sum(project.received_on is None for project in projects)
        unsigned += sum(not error.cells["ecSignatureDate"] for error in errors)
        assert unsigned == oracle["signature_date_missing"]
        assert all("organisation" in project.missing for project in projects)
        assert stages(projects) == {"feasibility": 462, "small_batch_trial": 12, "intake": 10}

    def test_cases_come_in_but_for_two_with_characters_that_cannot_be_seen(self, reference_data: Path) -> None:
        oracle = facts(reference_data / "eu_projects")
        projects, errors = read(reference_data / "eu_projects" / "ips_cases.csv", "eu_cases")
        assert len(projects) + len(errors) == oracle["ips_cases"]
        assert [(error.row, error.column, error.params["character"]) for error in errors] == [
            (153, "description", "U+200E"),
            (446, "description", "U+009D"),
        ]
        words = Counter(item.facts["source_status"] for item in projects)
        words.update(error.cells["status"] for error in errors)
        assert dict(words) == oracle["ips_status"]
        assert sum(project.ended_on is not None for project in projects) == oracle["ips_end_date_known"]
        assert sum("organisation" in project.missing for project in projects) == 11


class TestChineseProjects:
    def test_come_in_with_their_parents_but_for_two_without_a_number(self, reference_data: Path) -> None:
        path = reference_data / "cn_projects" / "nkrd_materials_genome_2016_2018.csv"
        projects, errors = read(path, "cn_projects")
        levels = Counter(project.facts["level"] for project in projects)
        assert levels == {"project": 44, "subject": 182}
        assert {error.row for error in errors} == {228, 229}
        assert {error.code for error in errors} == {"row_key_placeholder"}
        keys = {project.key for project in projects}
        assert all(project.parent_key in keys for project in projects if project.facts["level"] == "subject")
        assert {project.received_on.on.year for project in projects if project.received_on} == {2016, 2017, 2018}
        assert all("\n" not in (project.name or "") for project in projects)
