from lifecycle.standards import library
from lifecycle.standards.difference import differences


class TestDifferences:
    def test_between_two_versions_are_the_places_that_were_changed(self) -> None:
        found = differences(library.by_name("hardware@v3.1"), library.by_name("hardware@v3.2"))

        places = {one.path: (one.kind, one.old, one.new) for one in found}
        assert places["small_batch_trial/criteria/G3.4/parameters/bound"] == ("changed", 0.85, 0.9)
        assert {one.clause for one in found} == {"G3.4"}

    def test_of_a_pack_with_itself_are_none(self) -> None:
        assert differences(library.default(), library.default()) == []

    def test_with_a_pack_that_asks_for_nothing_are_removals(self) -> None:
        found = differences(library.default(), library.bare())

        assert "removed" in {one.kind for one in found if one.clause == "G3.4"}
        assert not [one for one in found if one.clause and one.kind == "added"]
