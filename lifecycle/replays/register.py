"""A register of money as its entries: read from CSV, checked, every entry with what the mapping says it is."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

from lifecycle.replays.amounts import minor_of_text, plain_of
from lifecycle.replays.log import Unread, instant_of, table_rows
from lifecycle.replays.mapping import EntryRule, FundMapping, Kind
from lifecycle.replays.refusal import LogRefused, naming
from models.money import AmountProblem, decimals_of

MAX_ENTRIES = 100_000
_RANK = {Kind.PROMISE: 0, Kind.CONTRIBUTION: 1, Kind.COMMITMENT: 2, Kind.PAYMENT: 3, Kind.NONE: 4}
"""Order of the entries of one day: money is there before it is awarded, and awarded before it is paid."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of the register."""

    place: str
    activity: str
    kind: Kind
    code: str
    at: datetime
    day: date
    amount_minor: int
    currency: str


@dataclass(slots=True, kw_only=True)
class Register:
    """A register that may be played, its entries in the order of their days."""

    file: str
    entries: list[Entry] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)
    unknown: Counter[str] = field(default_factory=Counter)
    """Code that no rule names -> its entries."""


def read_register(path: Path, mapping: FundMapping, *, first: int | None = None) -> Register:
    """Return the entries, or the first so many, of a CSV register, also packed; `LogRefused` for one that is none.

    An entry whose amount or currency cannot be read is left out by itself, and listed.
    """
    register = Register(file=path.name)
    rules = {code: rule for rule in mapping.entries for code in rule.code}
    with naming(path.name):
        rows = table_rows(path, mapping.encoding, mapping.delimiter, mapping.read_attributes)
        for number, (place, row) in enumerate(rows, start=1):
            if first is not None and number > first:
                break
            if number > MAX_ENTRIES:
                rule = f"entries <= {MAX_ENTRIES}"
                raise LogRefused("log_too_long", file=path.name, place=place, rule=rule, limit=MAX_ENTRIES)
            known = rules.get(row.get(mapping.kind, ""))
            if known is None:
                register.unknown[row.get(mapping.kind, "")] += 1
            else:
                _enter(register, place, row, known, mapping)
    if not register.entries and not register.unread:
        raise LogRefused("log_nothing_known", file=path.name, rule="entries", known=mapping.entries[0].code[0])
    register.entries.sort(key=lambda entry: (entry.day, _RANK[entry.kind]))
    return register


def _enter(register: Register, place: str, row: dict[str, str], rule: EntryRule, mapping: FundMapping) -> None:
    file, name, written = register.file, row.get(mapping.activity, ""), row.get(mapping.time, "")
    if not name.strip():
        raise LogRefused("log_case_unnamed", file=file, place=place, rule=mapping.activity, attribute=mapping.activity)
    if not written:
        raise LogRefused("log_no_time", file=file, place=place, rule=mapping.time)
    at = instant_of(written, mapping.zone, file=file, place=place, rule=mapping.time)
    currency = next((row[column] for column in mapping.currency if row.get(column)), "")
    try:
        decimals_of(currency)
        text = row.get(mapping.amount, "")
        text = plain_of(text) if mapping.exponents == "read" else text
        amount = minor_of_text(text, currency, is_rounded=mapping.decimals == "half_up")
    except AmountProblem as problem:
        code, rule_text = problem.code, mapping.amount
        register.unread.append(Unread(case=name, place=place, code=code, rule=rule_text, values=problem.params))
        return
    register.entries.append(
        Entry(
            place=place,
            activity=name,
            kind=rule.entry,
            code=row[mapping.kind],
            at=at,
            day=at.astimezone(mapping.zone).date(),
            amount_minor=amount,
            currency=currency,
        )
    )
