"""The fund of the story: three investors, their commitments, two calls, and what came in. Amounts in fen."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from lifecycle.demo.story import Steps, Story, id_of
from lifecycle.funds.commands import AddFund, CallCapital, Commit, Contribute, SetLimit
from models.states import SourceKind

FUND = "ZS-1"
BANK_ACCOUNT = "310066001018800012345"
COMMITMENTS: Mapping[str, tuple[SourceKind, int]] = {
    "guidance": (SourceKind.STATE, 1_500_000_000),
    "group": (SourceKind.LARGE_ENTERPRISE, 900_000_000),
    "venture": (SourceKind.SOCIAL_CAPITAL, 600_000_000),
}
"""Thirty million yuan: half of it public money."""
FIRST_CALL, SECOND_CALL = 1_200_000_000, 600_000_000
HANS_LIMIT = 250_000_000


def treasury(story: Story) -> Steps:
    """Open the fund, and have its investors pay in as they are called; one of them is behind with its second part."""
    yield date(2024, 7, 15)
    sources = _open(story)
    yield date(2024, 7, 22)
    _call(story, FIRST_CALL, date(2024, 8, 20))
    for day, who, amount in (
        (date(2024, 8, 12), "guidance", 600_000_000),
        (date(2024, 8, 15), "group", 360_000_000),
        (date(2024, 8, 20), "venture", 240_000_000),
    ):
        yield from _pay_in(story, day, sources[who], amount)
    yield date(2025, 3, 3)
    _call(story, SECOND_CALL, date(2025, 4, 10))
    for day, who, amount in (
        (date(2025, 3, 24), "guidance", 300_000_000),
        (date(2025, 3, 31), "group", 180_000_000),
        (date(2025, 4, 10), "venture", 60_000_000),
    ):
        yield from _pay_in(story, day, sources[who], amount)


def _open(story: Story) -> dict[str, UUID]:
    asked: dict[str, Any] = {
        "code": FUND,
        "name": "中试基金一期",
        "organisation_id": story.organisations["fund"],
        "commitment_minor": sum(amount for _, amount in COMMITMENTS.values()),
        "debtor_name": "中试基金一期",
        "debtor_account": BANK_ACCOUNT,
        "debtor_bank": "301290000007",
    }
    fund = story.funds[FUND] = id_of(story.act("jin", AddFund, **asked))
    limit = {"user_id": story.people["han"].user_id, "up_to_minor": HANS_LIMIT, "reason": "分管合同限额"}
    story.act("jin", SetLimit, fund_id=fund, **limit)
    commitments = [
        {"fund_id": fund, "organisation_id": story.organisations[key], "kind": kind, "amount_minor": amount}
        for key, (kind, amount) in COMMITMENTS.items()
    ]
    answers = story.all("tian", Commit, commitments)
    return {key: UUID(answer["source_id"]) for key, answer in zip(COMMITMENTS, answers, strict=True)}


def _call(story: Story, amount: int, due: date) -> None:
    story.act("tian", CallCapital, fund_id=story.funds[FUND], amount_minor=amount, due_on=due)


def _pay_in(story: Story, day: date, source: UUID, amount: int) -> Steps:
    """Book what the bank's slip says, and see it in the statement of the day."""
    yield day
    said = {"amount_minor": amount, "received_on": day, "bank_ref": f"RK{day:%Y%m%d}01"}
    story.act("tian", Contribute, fund_id=story.funds[FUND], source_id=source, **said)
    yield story.after(day, 1)
    story.is_bank_due = True
