from collections import Counter
from typing import Any

import pytest
from jinja2 import meta

from lifecycle.deliveries.rules import PRIVATE
from models.db import reading, run_in_transaction
from models.states import Role
from notifications.fan_out import fan_out, waiting
from notifications.messages import KINDS, OF_THE_CLOCK, PARTS, entries, kind_of
from notifications.recipients import CASE_PARTS, PANEL_PARTS
from notifications.render import _environment, compose, headline
from notifications.samples import sample_facts
from notifications.subjects import about_all
from notifications.words import LANGUAGES
from tests.conftest import ROOT
from tests.factories import House
from tests.lifecycle.recipes import RECIPES
from tests.notifications.letters import FRAME, to

ALL = sorted({**KINDS, **OF_THE_CLOCK})
TEXTS = {kind: texts for _, kind, texts in entries()}
TELLING = sorted(verb for verb, recipe in RECIPES.items() if recipe.tells)


class TestTheRegistry:
    def test_has_one_text_for_each_kind(self) -> None:
        written = Counter(kind for _, kind, _ in entries())
        assert sorted(written) == ALL
        assert set(written.values()) == {1}

    def test_has_a_kind_for_whatever_a_verb_tells(self) -> None:
        assert {kind for recipe in RECIPES.values() for kind in recipe.tells} <= set(ALL)

    def test_tells_somebody_of_each_kind(self) -> None:
        assert [kind for kind in ALL if not (kind_of(kind).audiences or kind_of(kind).is_letter)] == []

    def test_says_of_each_message_of_the_clock_whether_it_leaves_the_house(self) -> None:
        assert set(OF_THE_CLOCK) - PRIVATE == {"report.frozen"}
        assert set(ALL) >= PRIVATE

    def test_names_people_that_can_be_found(self) -> None:
        known = set(Role) | CASE_PARTS | PANEL_PARTS
        named = {one.role for kind in ALL for one in kind_of(kind).audiences}
        assert named <= known

    @pytest.mark.parametrize("kind", ALL)
    def test_says_the_same_parts_in_both_languages(self, kind: str) -> None:
        zh, en = TEXTS[kind]["zh"], TEXTS[kind]["en"]
        assert set(zh) == set(en) <= set(PARTS)
        assert {"subject", "text"} <= set(zh)

    @pytest.mark.parametrize("kind", ALL)
    def test_says_what_to_do_next_where_somebody_has_a_task(self, kind: str) -> None:
        if any(one.is_task for one in kind_of(kind).audiences):
            assert TEXTS[kind]["en"]["next"]

    @pytest.mark.parametrize("kind", ALL)
    def test_says_what_comes_next_where_somebody_only_knows(self, kind: str) -> None:
        """Also that there is nothing to do is said, in words of its own: no message leaves its reader wondering."""
        if not all(one.is_task for one in kind_of(kind).audiences):
            assert all(TEXTS[kind][lang]["then"].strip() for lang in ("zh", "en"))

    @pytest.mark.parametrize("kind", ALL)
    def test_uses_the_same_facts_in_both_languages(self, kind: str) -> None:
        environment = _environment("en", FRAME.zone)
        used = [
            set().union(*(meta.find_undeclared_variables(environment.parse(text)) for text in texts.values()))
            for texts in TEXTS[kind].values()
        ]
        assert used[0] == used[1]


class TestSamples:
    @pytest.mark.parametrize("lang", LANGUAGES)
    @pytest.mark.parametrize("kind", ALL)
    def test_make_a_whole_message(self, kind: str, lang: Any) -> None:
        for is_task in (True, False):
            words = compose(kind, {**sample_facts(kind), **to(is_task=is_task)}, lang, FRAME)
            assert all(text.strip() and "{{" not in text for text in (words.subject, words.text, words.html))


class TestWhatVerbsTell:
    @pytest.mark.parametrize("verb", TELLING)
    def test_can_be_rendered_in_both_languages(self, house: House, verb: str) -> None:
        recipe = RECIPES[verb]
        house.do(*recipe.make(house, 1), by=recipe.by)

        with reading(house.engine) as session:
            rows = waiting(session, limit=10_000)
            abouts = about_all(session, rows, house.stamp())

        assert set(recipe.tells) <= {row.kind for row in rows}
        for row in {row.kind: row for row in rows}.values():
            for lang in LANGUAGES:
                assert headline(row.kind, abouts[row.id].facts, lang, FRAME)
                for is_task in (True, False):
                    words = compose(row.kind, {**abouts[row.id].facts, **to(is_task=is_task)}, lang, FRAME)
                    assert "None" not in words.text

        done = run_in_transaction(
            house.engine, lambda session: fan_out(session, waiting(session, limit=10_000), FRAME, house.stamp())
        )
        assert (done.sent, done.parked) == (len(rows), {})


class TestTheLinesOfCode:
    def test_no_text_stands_in_a_module(self) -> None:
        """Whoever mends a sentence looks into `messages/` and finds all of them."""
        source = (ROOT / "notifications" / "messages.py").read_text(encoding="utf-8")
        assert not any("\u4e00" <= letter <= "\u9fff" for letter in source)
