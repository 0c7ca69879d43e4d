"""What does not fit its column is refused alike on either database, before anything is written."""

import pytest

from lifecycle.commands import Effects
from lifecycle.writing import misfits
from models.evidence import Upload
from models.payouts import Payout


@pytest.mark.parametrize(
    ("table", "column", "most"), [(Upload, "size_bytes", 2**31 - 1), (Payout, "amount_minor", 2**63 - 1)]
)
def test_a_whole_number_beyond_its_column_never_wraps_around(table: type, column: str, most: int) -> None:
    fits = Effects(acts=(), rows=((table, {column: most}),))
    over = [Effects(acts=(), rows=((table, {column: sign * (most + 1)}),)) for sign in (1, -1)]

    assert misfits(fits) == ()
    assert [one.code for said in over for one in misfits(said)] == ["number_over_limit"] * 2
