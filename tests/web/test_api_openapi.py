"""The description of the API: every example fits its schema, every operation is there, every route is described."""

import re
from collections.abc import Iterator
from inspect import cleandoc
from typing import Any

import pytest
from fastapi import FastAPI
from jsonschema import Draft202012Validator, FormatChecker

from models.states import Role
from notifications.words import sentence
from tests.factories import House
from tests.web.browser import Browser
from tests.web.test_api import Program
from web.api.births import BIRTHS
from web.api.openapi import document
from web.app import API, API_PREFIX
from web.nouns import NOUNS

WHOLE = document("en")


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, ways in WHOLE["paths"].items():
        for method, one in ways.items():
            yield method, path, one


def examples() -> Iterator[tuple[str, Any, Any]]:
    """Yield every example with its place and its schema."""
    for method, path, one in operations():
        for content in one.get("requestBody", {}).get("content", {}).values():
            yield f"{method} {path} sends", content["schema"], content["example"]
        for status, answer in one["responses"].items():
            for content in answer.get("content", {}).values():
                yield f"{method} {path} {status}", content["schema"], content["example"]
        for parameter in one["parameters"]:
            said = (
                WHOLE["components"]["parameters"][parameter["$ref"].split("/")[-1]]
                if "$ref" in parameter
                else parameter
            )
            yield f"{method} {path} {said['name']}", said["schema"], said["example"]
    for name, answer in WHOLE["components"]["responses"].items():
        for content in answer["content"].values():
            for code, shown in content["examples"].items():
                yield f"{name} {code}", content["schema"], shown["value"]


class TestTheDocument:
    def test_has_examples_that_fit_their_schemas(self) -> None:
        wrong = []
        for place, schema, shown in examples():
            whole = {**schema, "components": WHOLE["components"]}
            checker = Draft202012Validator(whole, format_checker=FormatChecker())
            wrong += [f"{place}: {error.message}" for error in checker.iter_errors(shown)]

        assert not wrong

    def test_gives_an_example_wherever_something_is_sent_or_answered(self) -> None:
        assert len(list(examples())) > 700
        for method, path, one in operations():
            (done, *_), _ = [code for code in one["responses"] if code < "300"], None
            assert done == "204" or "example" in next(iter(one["responses"][done]["content"].values())), (method, path)

    def test_refers_to_nothing_that_is_not_there(self) -> None:
        found = set(re.findall(r"'\$ref': '#/components/(\w+)/([\w-]+)'", str(WHOLE)))

        assert not [(kind, name) for kind, name in found if name not in WHOLE["components"][kind]]

    def test_names_each_operation_once(self) -> None:
        names = [one["operationId"] for _, _, one in operations()]

        assert len(names) == len(set(names))

    def test_is_in_both_languages_with_the_same_codes(self) -> None:
        other = document("zh-CN")

        assert list(other["paths"]) == list(WHOLE["paths"])
        assert (
            other["paths"]["/projects/{ref}/commands/hold"]["post"]["summary"]
            != (WHOLE["paths"]["/projects/{ref}/commands/hold"]["post"]["summary"])
        )

    def test_says_what_each_verb_does_as_its_command_says_it_and_in_chinese(self) -> None:
        verbs = {verb.permission: verb for noun in NOUNS.values() for verb in noun.verbs}
        for permission, verb in {**verbs, **{verb.permission: verb for verb in BIRTHS.values()}}.items():
            own = " ".join(cleandoc(verb.command.__doc__ or "").split())
            assert sentence(f"does.{permission}", {}, "en") == own, permission
        for path, ways in document("zh-CN")["paths"].items():
            for method, one in ways.items():
                for said in (one["summary"], one.get("description", one["summary"])):
                    assert re.search("[\u4e00-\u9fff]", said), f"{method} {path}: {said}"

    def test_describes_every_route(self) -> None:
        described = {(method.upper(), f"{API_PREFIX}{path}") for method, path, _ in operations()}
        generic = {"/{path}", "/{path}/{ref}", "/{path}/{ref}/{part}", "/{path}/{ref}/commands", "/openapi.json",
                   "/{path}/{ref}/commands/{name}", "/schedules/{ref}/commands/{name}"}  # fmt: skip
        every: list[Any] = [route for router in API for route in router.routes]
        routes = {(method, f"{API_PREFIX}{route.path}") for route in every
                  if route.path not in generic for method in route.methods}  # fmt: skip

        assert not routes - described


@pytest.fixture
def program(house: House, browser: Browser) -> Program:
    """Give a program that may do little."""
    return Program(house, browser, Role.AUDITOR)


class TestEveryOperation:
    def test_is_there(self, console: FastAPI, program: Program) -> None:
        """What writes asks for its key before anything else; what is not there would not."""
        console.state.house.meter.at_once = 10_000
        console.state.house.meter.per_minute = 600_000
        wrong: list[tuple[Any, ...]] = []
        for method, path, one in operations():
            address = re.sub(r"\{\w+\}", "01985c3e-7a00-7000-8000-000000000007", path)
            if one["tags"] == ["session"] or method == "get":
                continue
            answer = program.browser.ask(method.upper(), f"{API_PREFIX}{address}", headers=program.headers,
                                         **_body(one))  # fmt: skip
            if (answer.status_code, answer.json().get("code")) != (400, "key_missing"):
                wrong.append((method, path, answer.status_code, answer.text))
        lists = [path for method, path, _ in operations() if method == "get" and "{" not in path]
        wrong += [(path, answer.text) for path in lists
                  if (answer := program.get(path[1:])).status_code not in (200, 403)]  # fmt: skip

        assert not wrong

    def test_is_refused_as_a_problem_where_there_is_none(self, program: Program) -> None:
        for method, path in (("GET", "nothing"), ("POST", "nothing"), ("PUT", "projects"), ("POST", "payees"),
                             ("DELETE", "projects/x"), ("GET", "projects/x/commands/hold")):  # fmt: skip
            answer = program.browser.ask(method, f"{API_PREFIX}/{path}", headers=program.headers)
            assert answer.status_code in (404, 405)
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.status_code == 404 or answer.headers["allow"]


def _body(one: dict[str, Any]) -> dict[str, Any]:
    for kind, content in one.get("requestBody", {}).get("content", {}).items():
        if kind == "application/json":
            return {"json": content["example"]}
        return {"data": {"type": "x"}, "files": {"file": ("a.csv", b"a,b")}}
    return {}


class TestTheReference:
    def test_is_pages_of_our_own_in_both_languages(self, console: FastAPI, browser: Browser) -> None:
        page = browser.open("/api")
        assert "Projects" in page.text
        page = browser.follow("Projects")
        assert "/api/v1/projects/{ref}/commands/hold" in page.text
        assert "/api/v1/projects/{ref}/commands/hold" in page.text
        page = browser.follow(WHOLE["paths"]["/projects/{ref}/commands/hold"]["post"]["summary"])
        assert "until_on" in page.text
        assert "<script>" not in page.answer.text
        assert "style=" not in page.answer.text
        with Browser(console, lang="zh-CN") as chinese:
            assert "暂停" in chinese.open("/api/projects").text

    def test_has_a_page_for_every_kind_and_operation_within_the_weight_of_a_page(self, browser: Browser) -> None:
        paths = [one["name"] for one in WHOLE["tags"]]
        paths += [f"{one['tags'][0]}/{one['operationId']}" for _, _, one in operations()]
        for path in paths:
            page = browser.open(f"/api/{path}")
            assert page.status == 200
            assert len(page.answer.content) < 120_000
        assert browser.open("/api/nothing").status == 404
