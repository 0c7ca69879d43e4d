"""Makes the objects of a scenario file through the verbs of everybody, one after the other; a refusal ends the load."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import lifecycle.verbs  # noqa: F401 - fills the registry: a load may need every verb
from lifecycle.acting import Acting
from lifecycle.payouts.commands import Approve, RequestPayout
from lifecycle.payouts.payees import COOLING_OFF_DAYS
from lifecycle.scenarios.cast import Cast, Wish
from lifecycle.scenarios.file import Scenario
from lifecycle.scenarios.funds import open_funds, open_programmes
from lifecycle.scenarios.people import (
    confirm_accounts,
    enter_accounts,
    enter_admin,
    enter_organisations,
    enter_users,
    give_tokens,
    has_second_account,
    keep_second_factors,
    set_passwords,
)
from lifecycle.scenarios.projects import Paper, begin_projects, end_projects, move_projects
from models.states import PayoutState, Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What a load needs of the world besides a session."""

    paper: Paper
    draw_token: Callable[[], tuple[str, str]]
    """Gives a new token as (text, SHA-256)."""
    clock_at: datetime
    """What the clock says: tokens hold from then on, however far the instant of the scenario lies back."""
    seal: Callable[[str], str]
    """Seals the secret of an authenticator app as the installation keeps it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What was made or found: ref -> id, and ref of a user -> token."""

    ids: Mapping[str, UUID]
    tokens: Mapping[str, str]


def load(play: Acting, scenario: Scenario, means: Means) -> Loaded:
    """Make everything that the file names, or find it; `ScenarioRefused` when a rule stands in the way.

    Where a firm gets a second account, all up to the agreements lies so many working days before, that the account has
    cooled off by the instant of the play; the rest, and else everything, is done at that instant.
    """
    cast = Cast(play=play)
    now = play.now
    if has_second_account(cast, scenario):
        begins = play.calendar.add_working_days(play.today, -COOLING_OFF_DAYS - 1)
        play.now -= timedelta(days=(play.today - begins).days)
    enter_admin(cast)
    enter_organisations(cast, scenario)
    enter_users(cast, scenario)
    set_passwords(cast, scenario)
    keep_second_factors(cast, scenario, means.seal)
    tokens = give_tokens(cast, scenario, means.draw_token, from_at=max(now, means.clock_at))
    enter_accounts(cast, scenario)
    open_funds(cast, scenario)
    open_programmes(cast, scenario)
    courses = begin_projects(cast, scenario)
    confirm_accounts(cast, scenario)
    play.now = max(play.now, now)
    move_projects(cast, courses, means.paper)
    _pay(cast, scenario)
    end_projects(cast, courses)
    return Loaded(ids=cast.ids, tokens=tokens)


def _pay(cast: Cast, scenario: Scenario) -> None:
    """Ask for the money, and let the people named approve in their order, as many as each payout needs."""
    login = {one.ref: one.login for one in scenario.users}
    tranche = {one.ref: (project, one) for project in scenario.projects for one in project.milestones}
    asked: list[Wish] = []
    for number, one in enumerate(scenario.payouts):
        project, milestone = tranche[one.milestone]
        firm = cast.ids[project.organisation]
        who = login[one.requested_by] if one.requested_by else cast.hand(Role.FINANCE_OFFICER, firm)
        said = {"milestone_id": cast.ids[one.milestone], "payee_account_id": cast.ids[one.account]}
        asked.append(
            (who, f"/payouts/{number}", {**said, "new_amount_minor": one.amount_minor or milestone.amount_minor})
        )
    made = cast.all(RequestPayout, asked)
    cast.ids |= {one.ref: UUID(said["object_id"]) for one, said in zip(scenario.payouts, made, strict=True)}
    state = {number: str(said["state"]) for number, said in enumerate(made)}
    for turn in range(max((len(one.approved_by) for one in scenario.payouts), default=0)):
        wishes: dict[int, Wish] = {}
        for number, one in enumerate(scenario.payouts):
            if state[number] == PayoutState.REQUESTED and turn < len(one.approved_by):
                who = login[one.approved_by[turn]]
                word = {"payout_id": cast.ids[one.ref], "amount_minor": asked[number][2]["new_amount_minor"]}
                called = {"callback_by": who, "callback_at": cast.play.now.isoformat()}  # a changed account asks for it
                wishes[number] = (who, f"/payouts/{number}/approved_by/{turn}", {**word, **called})
        answers = cast.all(Approve, list(wishes.values()))
        state |= {number: str(said["state"]) for number, said in zip(wishes, answers, strict=True)}
