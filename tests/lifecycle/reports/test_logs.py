"""The history as JSON lines, XES and OCEL: whole, in order, and readable by others."""

import json
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import UUID
from xml.etree import ElementTree as ET

import pytest
from sqlalchemy import Engine

from lifecycle.projects.commands import Advance, Recycle
from lifecycle.reports.logs import WRITERS
from models.db import reading
from models.states import ProjectState, Role
from tests import factories as make
from tests.factories import House, key
from tests.mining import read_ocel, read_xes

XES = "{http://www.xes-standard.org/}"


@pytest.fixture
def house(each_house: House) -> House:
    """Two projects; the first was sent back once, and somebody was refused."""
    house = each_house
    one, other = make.projects(house, 2)
    house.do(Advance(command_id=key(), project_id=one, reason="ready"), by=Role.COORDINATOR)
    house.later(days=1)
    back = Recycle(command_id=key(), project_id=one, code="design", reason="<& 太热 🍳", target=ProjectState.INTAKE)
    house.do(back, by=Role.COORDINATOR)
    house.ask(Advance(command_id=key(), project_id=other, reason="not mine"), by=Role.PROJECT_LEAD)
    return house


def written(house: House, name: str, *only: UUID) -> tuple[str, int]:
    out = StringIO()
    with reading(house.engine) as session:
        count = WRITERS[name](session, out, frozenset(only))
    return out.getvalue(), count


def first_project(house: House) -> UUID:
    return UUID(str(house.one("SELECT id FROM project ORDER BY number LIMIT 1")))


class TestJsonLines:
    def test_name_every_act_once_in_the_order_of_time(self, house: House) -> None:
        text, count = written(house, "jsonl")

        lines = [json.loads(line) for line in text.splitlines()]

        seqs = [line["seq"] for line in lines]
        assert (len(lines), seqs) == (count, sorted(set(seqs)))
        assert [line["action"] for line in lines if line["object_type"] == "project"] == [
            "project.register",
            "project.register",
            "project.advance",
            "project.recycle",
            "project.advance.refused",
        ]

    def test_tell_why_and_why_not(self, house: House) -> None:
        lines = [json.loads(line) for line in written(house, "jsonl")[0].splitlines()]

        (back,) = (line for line in lines if line["action"] == "project.recycle")
        (refused,) = (line for line in lines if line["action"].endswith(".refused"))
        assert (back["reason"], back["codes"]) == ("<& 太热 🍳", [])
        assert (refused["action"], refused["actor"], refused["codes"]) == (
            "project.advance.refused",
            "project_lead",
            ["role"],
        )

    def test_tell_of_one_project_only_when_asked_so(self, house: House) -> None:
        lines = [json.loads(line) for line in written(house, "jsonl", first_project(house))[0].splitlines()]

        assert {line["project_number"] for line in lines} == {"PT-2025-0001"}


class TestXes:
    def test_has_a_trace_a_project_and_its_acts_in_order(self, house: House) -> None:
        text, count = written(house, "xes")

        traces = ET.fromstring(text).findall(f"{XES}trace")  # noqa: S314 - our own text

        assert [said(trace, "concept:name") for trace in traces] == ["PT-2025-0001", "PT-2025-0002"]
        assert sum(len(trace.findall(f"{XES}event")) for trace in traces) == count

    def test_marks_a_refusal_as_not_completed(self, house: House) -> None:
        events = ET.fromstring(written(house, "xes")[0]).iter(f"{XES}event")  # noqa: S314 - our own text

        aborted = [one for one in events if said(one, "lifecycle:transition") == "ate_abort"]
        assert [(said(one, "concept:name"), said(one, "codes")) for one in aborted] == [
            ("project.advance.refused", "role")
        ]

    def test_is_well_formed_also_without_any_project(self, sqlite_engine: Engine) -> None:
        assert ET.fromstring(written(make.a_house(sqlite_engine), "xes")[0]).findall(f"{XES}trace") == []  # noqa: S314

    @pytest.mark.slow
    def test_is_read_by_others(self, house: House, tmp_path: Path) -> None:
        path = tmp_path / "log.xes"
        path.write_text(written(house, "xes")[0], encoding="utf-8")

        events = read_xes(path)

        moves = [to for case, activity, to in events if case == "PT-2025-0001" and activity.startswith("project.")]
        assert moves == ["intake", "feasibility", "intake"]


class TestOcel:
    def test_names_only_objects_and_types_that_it_lists(self, house: House) -> None:
        log: dict[str, Any] = json.loads(written(house, "ocel")[0])

        known = {one["id"] for one in log["objects"]}
        types = {one["name"] for one in log["objectTypes"]}
        named = [link["objectId"] for one in (*log["objects"], *log["events"]) for link in one["relationships"]]
        assert set(named) <= known
        assert {one["type"] for one in log["objects"]} <= types
        assert {one["type"] for one in log["events"]} == {one["name"] for one in log["eventTypes"]}

    @pytest.mark.slow
    def test_is_read_by_others(self, house: House, tmp_path: Path) -> None:
        path = tmp_path / "log.json"
        text, count = written(house, "ocel")
        path.write_text(text, encoding="utf-8")

        found = read_ocel(path)

        assert found["events"] == count
        assert {"project", "organisation", "stage_run"} <= set(found["objects"])


def said(element: ET.Element, name: str) -> str | None:
    return next((one.get("value") for one in element if one.get("key") == name), None)
