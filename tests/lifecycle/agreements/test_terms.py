from lifecycle.agreements.terms import PlannedTranche, plan_of
from lifecycle.standards.library import default

RULES = default().funds


class TestPlan:
    def test_keeps_its_last_tranche_back_whatever_it_is_called(self) -> None:
        asked = (
            PlannedTranche(code="T1", share_basis_points=4000, gate="G2"),
            PlannedTranche(code="R", share_basis_points=3000, gate="G3"),
            PlannedTranche(code="T2", share_basis_points=3000, gate="G5"),
        )

        plan = plan_of(asked, RULES)

        assert plan is not None
        advance, middle, last = plan
        assert advance.needs == RULES.tranches[0].needs
        assert (last.is_retention, last.needs) == (True, RULES.tranches[-1].needs)
        assert ("progress" in middle.needs, "retention_over" in middle.needs) == (True, False)
