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
    where: dict[Name, tuple[str, ...]] = Field(default_factory=dict)
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


class Kind(StrEnum):
    """What an entry of a register of money is, in words of a fund."""

    PROMISE = "promise"
    """An investor commits capital."""
    CONTRIBUTION = "contribution"
    """Money comes in; negative: goes back."""
    COMMITMENT = "commitment"
    """The fund awards money to the activity; negative: takes some of it back."""
    PAYMENT = "payment"
    """Money goes out under the award; negative: comes back."""
    NONE = "none"


class EntryRule(Part):
    """Which entries are which act: those whose column has one of these values."""

    code: tuple[str, ...] = Field(min_length=1)
    entry: Kind
    why: Because | None = None


class FundMapping(Source):
    """A register of the money of several activities: each becomes a fund with one award."""

    reads: Literal["fund"]
    activity: Name
    time: Name
    amount: Name
    decimals: Literal["refuse", "half_up"] = "refuse"
    exponents: Literal["refuse", "read"] = "refuse"
    """`6.0E7`, as some programs write sixty million: elsewhere never an amount."""
    currency: tuple[Name, ...] = Field(min_length=1)
    """Columns of the currency; the first that is filled counts."""
    kind: Name
    """Column by which entries are told apart."""
    opening: Literal["none", "committed"] = "none"
    """Where no entry says where an activity's money comes from: it has none, or as much as it awards."""
    entries: tuple[EntryRule, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _is_sound(self) -> Self:
        seen: set[str] = set()
        for place, rule in enumerate(self.entries):
            if seen & set(rule.code):
                raise ValueError(f"entries.{place}: an earlier rule takes {min(seen & set(rule.code))!r}")
            if (rule.entry is Kind.NONE) != (rule.why is not None):
                raise ValueError(f"entries.{place}: `none` says why, and nothing else does")
            seen |= set(rule.code)
        return self

    @property
    def read_attributes(self) -> frozenset[str]:
        """Every column that is looked at."""
        return frozenset({self.activity, self.time, self.amount, self.kind, *self.currency})


Mappings: TypeAlias = PayoutMapping | FundMapping
_ADAPTER: TypeAdapter[Any] = TypeAdapter(Annotated[Mappings, Field(discriminator="reads")])


def load_replay_mapping(path: Path) -> Mappings:
    """Return the mapping in this file; `MappingProblem` names the place that is wrong."""
    mapping: Mappings = loaded(path, _ADAPTER.validate_python)
    return mapping


def shipped_replay_mappings() -> Iterator[Path]:
    """Yield the mappings that come with the product, by name."""
    yield from sorted(SHIPPED.glob("*.yaml"))
