"""What a replay's MAPPING.yaml says: which event of a log is which act on a payout, who did it, how much and when.

Nothing is guessed: an activity that no rule names is counted as unknown, one that has no counterpart here says why.
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeAlias
from zoneinfo import ZoneInfo

from pydantic import Field, TypeAdapter, field_validator, model_validator

from lifecycle.imports.csv_file import Encoding
from lifecycle.imports.mapping import Because, Part, loaded
from models.money import CURRENCY_DECIMALS, MAX_MINOR

SHIPPED = Path(__file__).parent / "mappings"
CASE_PREFIX = "case:"
"""An attribute of the case itself, as CSV logs write it too: `case:concept:name`."""

Name: TypeAlias = Annotated[str, Field(min_length=1, max_length=200)]
Zone: TypeAlias = Annotated[str, Field(min_length=1, max_length=60)]


class Deed(StrEnum):
    """What an event is, in words of a payout."""

    REQUEST = "request"
    """Asks for money; once more after it was sent back: amends, after it ended: asks anew."""
    CERTIFY = "certify"
    APPROVE = "approve"
    SEND_BACK = "send_back"
    REJECT = "reject"
    CANCEL = "cancel"
    RELEASE = "release"
    INSTRUCT = "instruct"
    """The payment run takes it: last gate, batch, file sent."""
    PAID = "paid"
    """The bank says that it left; where no run had taken it, the last gate is asked now."""
    RETURNED = "returned"
    """The bank says that it came back."""
    NONE = "none"
    """Has no counterpart; `why` says so."""


BY_CLOCK = frozenset({Deed.INSTRUCT, Deed.PAID, Deed.RETURNED})
"""What no person answers for: the payment run and the words of the bank."""


class ActRule(Part):
    """Which events are which act: those of this activity whose attributes have one of these values."""

    activity: Name
    where: dict[Name, tuple[str, ...]] = {}
    act: Deed
    why: Because | None = None

    def fits(self, activity: str, attributes: Mapping[str, str]) -> bool:
        """Say whether an event is meant."""
        return activity == self.activity and all(attributes.get(name) in asked for name, asked in self.where.items())


class AmountRule(Part):
    """Where the amount stands, or the one that every case has; only what is asked for here is rounded."""

    attribute: Name | None = None
    constant_minor: int | None = Field(default=None, ge=1, le=MAX_MINOR)
    decimals: Literal["refuse", "half_up"] = "refuse"
    """More decimals than the currency has: refused, or rounded half up where the log holds computed figures."""

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if (self.attribute is None) == (self.constant_minor is None):
            raise ValueError("name either attribute or constant_minor")
        return self


class Source(Part):
    """What every mapping says of its file."""

    source: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
    about: Because
    encoding: Encoding | None = None
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","
    timezone: Zone
    """Where a day begins; a time without its offset is of this zone."""

    @field_validator("timezone")
    @classmethod
    def _is_known(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError):
            raise ValueError(f"timezone {value!r} is not known") from None
        return value

    @property
    def zone(self) -> ZoneInfo:
        """The zone in which days are counted."""
        return ZoneInfo(self.timezone)


def _known_currency(value: str) -> str:
    if value not in CURRENCY_DECIMALS:
        raise ValueError(f"currency {value!r} is not one of {', '.join(CURRENCY_DECIMALS)}")
    return value


class PayoutMapping(Source):
    """A log of requests, approvals and payments."""

    reads: Literal["payouts"]
    case: Name = "case:concept:name"
    activity: Name = "concept:name"
    time: Name = "time:timestamp"
    person: tuple[Name, ...] = Field(min_length=1)
    """Attributes that together tell one person from another."""
    order: Literal["refuse", "by_time"] = "refuse"
    """What to do with a case whose events are not in the order of their times."""
    currency: str
    amount: AmountRule
    approvals: int = Field(default=1, ge=1, le=5)
    """How many people approve, of any amount."""
    asks: tuple[Literal["certifier", "release"], ...] = ()
    """Which words besides the approval the last gate asks for."""
    acts: tuple[ActRule, ...] = Field(min_length=1)

    _currency = field_validator("currency")(_known_currency)

    @model_validator(mode="after")
    def _is_sound(self) -> Self:
        complete: set[str] = set()
        for place, rule in enumerate(self.acts):
            if rule.activity in complete:
                raise ValueError(f"acts.{place}: an earlier rule takes every event {rule.activity!r}")
            if (rule.act is Deed.NONE) != (rule.why is not None):
                raise ValueError(f"acts.{place}: `none` says why, and nothing else does")
            if not rule.where:
                complete.add(rule.activity)
        missing = {Deed.REQUEST, Deed.APPROVE, Deed.PAID} - {rule.act for rule in self.acts}
        if missing:
            raise ValueError(f"acts: no rule leads to {', '.join(sorted(missing))}")
        return self

    def rule_of(self, activity: str, attributes: Mapping[str, str]) -> ActRule | None:
        """Return the first rule that fits; None for what the mapping does not know."""
        return next((rule for rule in self.acts if rule.fits(activity, attributes)), None)

    @property
    def read_attributes(self) -> frozenset[str]:
        """Every attribute that is looked at."""
        conditions = {name for rule in self.acts for name in rule.where}
        amount = {self.amount.attribute} if self.amount.attribute is not None else set()
        return frozenset({self.case, self.activity, self.time, *self.person, *conditions, *amount})


Mappings: TypeAlias = PayoutMapping
_ADAPTER: TypeAdapter[Any] = TypeAdapter(Mappings)


def load_replay_mapping(path: Path) -> Mappings:
    """Return the mapping in this file; `MappingProblem` names the place that is wrong."""
    mapping: Mappings = loaded(path, _ADAPTER.validate_python)
    return mapping


def shipped_replay_mappings() -> Iterator[Path]:
    """Yield the mappings that come with the product, by name."""
    yield from sorted(SHIPPED.glob("*.yaml"))
