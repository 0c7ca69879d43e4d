"""What a bank, or somebody in its name, may send: refused whole with element and rule, and nothing of it is used."""

import json
import resource
from collections.abc import Callable, Iterator
from functools import partial
from io import BytesIO
from typing import BinaryIO

import pytest
from sqlalchemy import text

from flows.reconciliation import Taken, take_file
from lifecycle.banking.bank_csv import HEADER
from lifecycle.invariants.check import all_checks, check
from models.db import reading, transaction
from notifications.words import sentence
from tests import payments as pay
from tests.digest import changed, digest
from tests.factories import House
from tests.lifecycle.banking.statements import block, camt053, entry, pain002, statement, told, transfer
from tests.paying import ACCOUNT

QUARANTINE = {"bank_statement", "exception_case", "audit_record", "command_record", "outbox_message"}
MIB = 1 << 20
PAYEE = str(pay.ACCOUNT["account_number"])
LAUGHS = '<!DOCTYPE Document [<!ENTITY a "ha">' + "".join(
    f'<!ENTITY {name} "{f"&{inner};" * 10}">' for inner, name in zip("abcdefgh", "bcdefghi", strict=True)
) + "]>"  # fmt: skip
OUTSIDE = '<!DOCTYPE Document [<!ENTITY x SYSTEM "file:///etc/passwd">]>'


@pytest.fixture
def sent(house: House) -> House:
    """Give a payment of a hundred yuan at the bank."""
    pay.batches(house, state="sent")
    return house


def end_of(house: House) -> str:
    return str(house.one("SELECT end_to_end_id FROM v_instruction"))


def ours(house: House, *, amount: str = "100.00", closing: str = "4999900.00", account: str = ACCOUNT) -> bytes:
    """Return a statement that books our payment and fits the ledger, or nearly so."""
    booked = entry(amount, details=transfer(end_of(house), account=PAYEE))
    one = statement(booked, opening="5000000.00", closing=closing)
    return camt053(one.replace("62220000", account))


def report(house: House, parts: str = "", end: str | None = None) -> bytes:
    """Return a report that rejects our payment."""
    message = str(house.one("SELECT msg_id FROM v_batch"))
    return pain002(parts, block(told(end or end_of(house), "RJCT"))).replace(b"E1B7", message.encode())


def take(house: House, data: bytes | Callable[[], BinaryIO], name: str = "a.xml") -> Taken:
    open_it = data if callable(data) else lambda: BytesIO(data)
    return take_file(house.engine, name, open_it, house.stamp())


Made = Callable[[House], bytes]
HOSTILE: tuple[tuple[str, str, Made], ...] = (
    ("bank_xml_dtd", "Document", lambda house: ours(house).replace(b"<Document", LAUGHS.encode() + b"<Document")),
    ("bank_xml_dtd", "Document", lambda house: ours(house).replace(b"<Document", OUTSIDE.encode() + b"<Document")),
    ("bank_namespace", "Document", lambda house: ours(house).replace(b"camt.053.001.08", b"camt.053.001.99")),
    ("bank_namespace", "Document", lambda house: ours(house).replace(b"urn:iso", b"urn:osi")),
    ("bank_xml_malformed", "Document", lambda house: ours(house)[:-30]),
    ("bank_statement_unbalanced", "Stmt[1]/Bal", lambda house: ours(house, closing="4999900.01")),
    ("bank_statement_unbalanced", "Stmt[1]/Bal", lambda house: ours(house).replace(b"DBIT", b"CRDT")),
    (
        "bank_count_differs",
        "TtlNtries/NbOfNtries",
        lambda house: ours(house).replace(
            b"<Ntry>", b"<TxsSummry><TtlNtries><NbOfNtries>2</NbOfNtries></TtlNtries></TxsSummry><Ntry>"
        ),
    ),
    (
        "bank_sum_differs",
        "TtlNtries/Sum",
        lambda house: ours(house).replace(
            b"<Ntry>", b"<TxsSummry><TtlNtries><Sum>100.01</Sum></TtlNtries></TxsSummry><Ntry>"
        ),
    ),
    ("bank_count_differs", "OrgnlNbOfTxs", lambda house: report(house, "<OrgnlNbOfTxs>2</OrgnlNbOfTxs>")),
    ("bank_sum_differs", "OrgnlCtrlSum", lambda house: report(house, "<OrgnlCtrlSum>100.01</OrgnlCtrlSum>")),
    ("bank_result_foreign", "OrgnlEndToEndId", lambda house: report(house, end="PWOTHERS")),
    ("bank_message_unknown", "OrgnlMsgId", lambda house: pain002("<GrpSts>RJCT</GrpSts>")),
    ("bank_account_foreign", "Stmt[1]/Acct", lambda house: ours(house, account="6222020299999999999")),
    ("bank_amount", "Ntry[1]/Amt", lambda house: ours(house, amount="1e2")),
    (
        "bank_currency_differs",
        "Ntry[1]/Amt",
        lambda house: ours(house).replace(
            b'<Ntry><NtryRef>1</NtryRef><Amt Ccy="CNY"', b'<Ntry><NtryRef>1</NtryRef><Amt Ccy="EUR"'
        ),
    ),
)


@pytest.mark.parametrize(
    ("code", "element", "made"), HOSTILE, ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_hostile_file_is_quarantined_whole(sent: House, code: str, element: str, made: Made) -> None:
    data, before = made(sent), digest(sent.engine)

    taken = take(sent, data)

    assert (taken.status, taken.why and taken.why.codes, taken.counts) == ("quarantined", (code,), {})
    assert taken.why is not None
    assert taken.why.element.endswith(element)
    assert taken.why.rule
    assert changed(before, digest(sent.engine)) <= QUARANTINE
    (case,) = sent.rows("SELECT kind FROM v_exception")
    assert case.kind == "file_quarantined"
    assert json.loads(sent.one("SELECT refusal FROM bank_statement"))["code"] == code
    for lang in ("zh-CN", "en"):
        said = sentence(code, taken.why.unmet[0].values, lang)
        assert taken.why.element in said
        assert "[" not in said.replace(taken.why.element, "")


def test_without_any_of_this_the_same_files_are_taken(sent: House) -> None:
    assert (
        take(sent, report(sent, "<OrgnlNbOfTxs>1</OrgnlNbOfTxs><OrgnlCtrlSum>100</OrgnlCtrlSum>")).status == "imported"
    )
    assert take(sent, ours(sent)).counts


class TestARepeatedMessage:
    def test_with_other_bytes_counts_nothing_again(self, sent: House) -> None:
        """The bank writes the same statement anew: same message id, same lines, another moment."""
        first = ours(sent)
        again = first.replace(b"T10:00:00Z</CreDtTm></GrpHdr>", b"T11:00:00Z</CreDtTm></GrpHdr>")
        assert first != again

        taken = [take(sent, data).document() for data in (first, again)]

        assert [(one["matched"], one["duplicate"], one["exception"]) for one in taken] == [(1, 0, 0), (0, 1, 0)]
        assert sent.one("SELECT COUNT(*) FROM v_bank_event") == 1
        assert_sound(sent)

    def test_of_one_end_to_end_id_pays_once(self, sent: House) -> None:
        """The same payment booked twice under two references: the second is money that nothing explains."""
        twice = statement(
            entry("100.00", details=transfer(end_of(sent), account=PAYEE)),
            entry("100.00", details=transfer(end_of(sent), account=PAYEE), ref="2"),
            opening="5000000.00",
            closing="4999800.00",
        ).replace("62220000", ACCOUNT)

        take(sent, camt053(twice))

        assert sent.one("SELECT balance_minor FROM v_account WHERE kind = 'paid'") == pay.AMOUNT
        assert sent.one("SELECT balance_minor FROM v_account WHERE kind = 'suspense'") == -pay.AMOUNT
        assert sent.rows("SELECT 1 FROM v_hold WHERE object_type = 'fund' AND lifted_at IS NULL")
        assert_sound(sent)

    def test_of_one_end_to_end_id_in_one_line_pays_once(self, sent: House) -> None:
        """One booking of two equal parts: each counts, whichever statement tells of it first or again."""
        part = transfer(end_of(sent), "100.00", account=PAYEE)
        booked = entry("200.00", details=part + part)
        twice = statement(booked, opening="5000000.00", closing="4999800.00").replace("62220000", ACCOUNT)
        later = statement(booked, opening="5000000.00", closing="4999800.00", number=8).replace("62220000", ACCOUNT)

        taken = [take(sent, camt053(one)).document() for one in (twice, later)]

        assert [(one["matched"], one["duplicate"]) for one in taken] == [(1, 0), (0, 1)]
        assert [row.effect for row in sent.rows("SELECT effect FROM v_bank_event ORDER BY seq")] == [
            *("applied", "suspense"),
        ]
        assert sent.one("SELECT balance_minor FROM v_account WHERE kind = 'paid'") == pay.AMOUNT
        assert sent.one("SELECT balance_minor FROM v_account WHERE kind = 'suspense'") == -pay.AMOUNT
        assert sent.one("SELECT kind FROM v_exception WHERE object_type = 'statement_line'") == "paid_twice_by_bank"
        assert_sound(sent)

    def test_that_brings_one_payment_back_in_two_parts_of_one_line_counts_both(self, sent: House) -> None:
        take(sent, ours(sent))
        parts = (transfer(end_of(sent), amount, account=PAYEE) for amount in ("40.00", "60.00"))
        back = entry("100.00", "CRDT", details="".join(parts), ref="2")
        later = statement(back, opening="4999900.00", closing="5000000.00", number=8)

        take(sent, camt053(later.replace("62220000", ACCOUNT)))

        assert sent.one("SELECT state FROM v_payout") == "returned"
        assert sent.one("SELECT balance_minor FROM v_account WHERE kind = 'paid'") == 0
        assert_sound(sent)


class TestNumbering:
    def test_that_leaves_one_out_is_a_case_and_the_statement_is_taken(self, sent: House) -> None:
        take(sent, ours(sent))
        later = statement(opening="4999900.00", closing="4999900.00", number=9).replace("62220000", ACCOUNT)

        taken = take(sent, camt053(later))

        assert taken.status == "imported"
        (case,) = sent.rows("SELECT kind, object_type FROM v_exception")
        assert (case.kind, case.object_type) == ("statement_missing", "statement")

    def test_without_a_gap_but_with_other_balances_is_a_case_too(self, sent: House) -> None:
        take(sent, ours(sent))
        later = statement(opening="4999800.00", closing="4999800.00", number=8).replace("62220000", ACCOUNT)

        take(sent, camt053(later))

        kinds = {row.kind for row in sent.rows("SELECT kind FROM v_exception")}
        assert kinds == {"balances_do_not_chain", "position_differs"}


class TestAnotherFundsPayment:
    def test_named_in_this_funds_statement_is_touched_by_nobody(self, house: House) -> None:
        """Whoever can write into one account's statement says nothing of another's payments."""
        pay.batches(house, 2, state="sent")
        mine, theirs = house.rows(
            "SELECT i.end_to_end_id, b.fund_id FROM v_instruction i"
            " JOIN payment_batch b ON b.id = i.batch_id ORDER BY i.end_to_end_id"
        )
        other = "6222020200000000077"
        own_account(house, mine.fund_id, other)
        forged = statement(
            entry("100.00", details=transfer(theirs.end_to_end_id, account=PAYEE)),
            opening="5000000.00",
            closing="4999900.00",
        ).replace("62220000", other)

        taken = take(house, camt053(forged))

        assert taken.document()["exception"] == 1
        assert {row.state for row in house.rows("SELECT state FROM v_payout")} == {"instructed"}
        assert house.one("SELECT kind FROM v_exception") == "of_another_fund"
        assert_sound(house)


def own_account(house: House, fund_id: str, number: str) -> None:
    """Let a fund pay from an account of its own."""
    with transaction(house.engine) as session:
        session.execute(text("UPDATE fund SET debtor_account = :n WHERE id = :f"), {"n": number, "f": fund_id})


def assert_sound(house: House) -> None:
    with reading(house.engine) as session:
        report = check(session, all_checks(), now=house.now)
    assert {one.id: one.sample for one in report.results if not one.is_ok and one.id != "I15"} == {}


class Endless(BytesIO):
    """A file that is made while it is read: of 200 MiB only one piece is ever in memory."""

    def __init__(self, pieces: Callable[[], Iterator[bytes]]) -> None:
        super().__init__()
        self._pieces, self._left = pieces, b""
        self.seek(0)

    def seek(self, offset: int, whence: int = 0, /) -> int:
        assert (offset, whence) == (0, 0)
        self._made, self._left = self._pieces(), b""
        return 0

    def read(self, size: int | None = -1, /) -> bytes:
        assert size is not None
        assert size > 0
        self._left = self._left or next(self._made, b"")
        found, self._left = self._left[:size], self._left[size:]
        return found

    read1 = read


@pytest.mark.long
class TestTwoHundredMebibytes:
    @pytest.mark.parametrize("name", ["a.xml", "a.csv"])
    def test_are_refused_by_their_size_with_flat_memory(self, sent: House, name: str) -> None:
        before, peak = digest(sent.engine), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

        taken = take(sent, lambda: Endless(partial(pieces, sent, name)), name)

        assert (taken.status, taken.why and taken.why.codes) == ("quarantined", ("bank_file_too_large",))
        assert taken.why is not None
        assert taken.why.rule == "<= 160 MiB"
        assert changed(before, digest(sent.engine)) <= QUARANTINE
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak < 100 * 1024, "KiB"


def pieces(house: House, name: str) -> Iterator[bytes]:
    """Yield 200 MiB: entries with much white space between them, or a table whose second line never ends."""
    if name.endswith(".csv"):
        yield (",".join(HEADER) + "\n2025-07-08,0.01,CNY,credit,,").encode()
        yield from (b"x" * MIB for _ in range(200))
        return
    head, tail = ours(house).split(b"<Ntry>")
    yield head
    yield from (entry("1.00").encode() + b" " * MIB for _ in range(200))
    yield b"<Ntry>" + tail
