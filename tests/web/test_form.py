"""The form that all of the console keeps to: words in the catalogue, tokens on forms, labels, reads that only read."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields
from pathlib import Path

import pytest
from fastapi.routing import APIRoute

from lifecycle.funds.commands import ADD
from lifecycle.projects.commands import HOLD
from lifecycle.projects.rules import HOLD_REASONS
from lifecycle.verbs import BY_NAME
from notifications.words import is_known
from tests.factories import House, projects
from tests.web.browser import Browser
from web.app import API, PAGES
from web.forms import KEY, VERSION, inputs
from web.nouns import NOUNS
from web.render import statics
from web.session import typed

WEB = Path(__file__).parents[2] / "web"
TEMPLATES = sorted((WEB / "templates").rglob("*.html"))
_MARKUP = re.compile(r"{#.*?#}|{%.*?%}|{{.*?}}|<!doctype html>|</?[a-zA-Z][^<>]*>", re.DOTALL)
_SPOKEN = re.compile(r"""(?:placeholder|title|aria-label|alt|value)="([^"{]*[A-Za-z\u4e00-\u9fff]{3,}[^"{]*)\"""")
_VALUES = {"yes", "true", "make", "end"}
_ATTRIBUTES = {"required", "aria", "invalid", "true", "describedby"}
"""What stands in a macro of attributes, outside of any tag."""


class TestATemplate:
    @pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
    def test_holds_no_word_of_its_own(self, path: Path) -> None:
        source = path.read_text(encoding="utf-8")

        stray = re.findall(r"[A-Za-z\u4e00-\u9fff]{2,}", _MARKUP.sub(" ", _MARKUP.sub(" ", source)))

        assert set(stray) <= _ATTRIBUTES
        assert [said for said in _SPOKEN.findall(source) if said not in _VALUES] == []

    @pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
    def test_says_only_what_the_catalogue_knows(self, path: Path) -> None:
        said = re.findall(r"""\bt\("([a-z0-9_.]+)"[,)]""", path.read_text(encoding="utf-8"))

        assert [key for key in said if not is_known(f"page.{key}")] == []

    @pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
    def test_gives_every_form_that_writes_the_token_of_its_session(self, path: Path) -> None:
        source = path.read_text(encoding="utf-8")

        forms = re.findall(r'<form method="post".*?</form>', source, re.DOTALL)

        assert all("parts.token()" in form or "{{ csrf }}" in form for form in forms)
        assert len(forms) == source.count('method="post"')


class TestARoute:
    @pytest.mark.parametrize("route", [one for router in PAGES for one in router.routes], ids=str)
    def test_of_a_page_that_writes_takes_its_form_with_the_token(self, route: APIRoute) -> None:
        takes = {dependency.call for dependency in route.dependant.dependencies}

        methods = route.methods or set()
        assert methods <= {"GET", "POST"}
        assert ("POST" in methods) == (typed in takes)

    def test_has_an_address_of_its_own(self) -> None:
        known = [(one.path, tuple(one.methods or ())) for router in (*PAGES, *API) for one in _routes(router.routes)]

        assert len(known) == len(set(known))


def _routes(routes: Sequence[object]) -> Iterator[APIRoute]:
    yield from (one for one in routes if isinstance(one, APIRoute))


class TestAField:
    def test_of_every_verb_with_a_page_has_a_label(self) -> None:
        asked = {
            one.name
            for noun in NOUNS.values()
            for verb in noun.verbs
            for one in fields(verb.command)
            if one.name not in (KEY, VERSION, f"{verb.subject_name}_id")
        }

        assert [
            name for name in sorted(asked) if not (is_known(f"page.field.{name}") or is_known(f"field.{name}"))
        ] == []

    def test_of_every_verb_on_a_main_path_is_a_verb(self) -> None:
        known = {verb.permission for verb in BY_NAME.values()}

        assert [one for noun in NOUNS.values() for one in noun.first if one not in known] == []


class TestReading:
    def test_changes_nothing(self, house: House, signed_in: Callable[..., Browser]) -> None:
        (made,) = projects(house)
        number = house.one("SELECT number FROM project WHERE id = :id", id=str(made))
        visitor = signed_in("coordinator")
        before = _counts(house)

        for path in ("/", "/board", "/projects", f"/projects/{number}", "/problems/gate-unmet", "/nothing-here"):
            visitor.open(path)
        for verb in NOUNS["projects"].verbs:
            assert visitor.open(f"/projects/{number}/do/{NOUNS['projects'].spoken(verb)}").status == 200

        assert _counts(house) == before

    def test_loads_nothing_from_elsewhere_and_little_at_all(self) -> None:
        contents = [content for content, *_ in statics().values()]

        assert not [one for one in contents if re.search(rb"https?://(?!www\.w3\.org/2000/svg)", one)]
        assert sum(map(len, contents)) < 40_000


class TestALabel:
    def test_tells_the_code_of_a_reason_from_a_code_of_its_own(self) -> None:
        chosen = inputs(HOLD, {"code": [(one, one) for one in HOLD_REASONS]})
        called = [{one.name: one.called for one in asked}["code"] for asked in (inputs(ADD, {}), chosen)]

        assert called == ["own_code", "code"]
        assert is_known("page.field.own_code")


def _counts(house: House) -> list[int]:
    tables = ("audit_record", "transition", "command_record", "outbox_message", "web_session", "sign_in_attempt")
    return [house.one(f"SELECT count(*) FROM {table}") for table in tables]
