"""What must be true of money at every moment (`safety.md` 5), in the same SQL for both databases.

I… look at the views alone. One marked as of money stops all disbursement when it is broken.
"""

from lifecycle.invariants.statements import Statements

_DEAD = "('rejected', 'returned', 'abandoned')"

JOURNAL_BALANCES = Statements(
    id="I01",
    name="journal-balances",
    is_of_money=True,
    sql=(
        """
        SELECT entry_id, currency, COUNT(*) AS posting_count, CAST(SUM(amount_minor) AS bigint) AS sum_minor
          FROM v_posting GROUP BY entry_id, currency HAVING SUM(amount_minor) <> 0 OR COUNT(*) < 2
        """,
    ),
)

LEDGER_BALANCES = Statements(
    id="I02",
    name="ledger-balances",
    is_of_money=True,
    sql=(
        """
        SELECT currency, CAST(SUM(amount_minor) AS bigint) AS sum_minor
          FROM v_posting GROUP BY currency HAVING SUM(amount_minor) <> 0
        """,
    ),
)

FLOORS = Statements(
    id="I03",
    name="floors",
    is_of_money=True,
    sql=(
        """
        SELECT account_id, seq, CAST(balance AS bigint) AS balance_minor, floor_minor FROM (
            SELECT p.account_id, p.seq, a.floor_minor,
                SUM(p.amount_minor) OVER (PARTITION BY p.account_id ORDER BY p.seq) AS balance
              FROM v_posting p JOIN v_account a ON a.id = p.account_id WHERE a.floor_minor IS NOT NULL) x
         WHERE balance < floor_minor
        """,
    ),
)

KEPT_BALANCES = Statements(
    id="I04",
    name="cached-balances",
    is_of_money=True,
    sql=(
        """
        SELECT a.id AS account_id, a.balance_minor, CAST(COALESCE(SUM(p.amount_minor), 0) AS bigint) AS sum_minor
          FROM v_account a LEFT JOIN v_posting p ON p.account_id = a.id
         GROUP BY a.id, a.balance_minor HAVING COALESCE(SUM(p.amount_minor), 0) <> a.balance_minor
        """,
        """
        SELECT p.account_id, p.seq, p.currency FROM v_posting p JOIN v_account a ON a.id = p.account_id
         WHERE a.currency <> p.currency
        """,
    ),
)

RESERVED = Statements(
    id="I05",
    name="reserved",
    is_of_money=True,
    sql=(
        """
        SELECT fund_id, CAST(SUM(minor) AS bigint) AS too_much_minor FROM (
            SELECT fund_id, balance_minor AS minor FROM v_account WHERE kind = 'reserved'
            UNION ALL
            SELECT fund_id, -amount_minor FROM v_payout WHERE state IN ('approved', 'instructed')) x
         GROUP BY fund_id HAVING SUM(minor) <> 0
        """,
    ),
)

ONE_ALIVE = Statements(
    id="I06",
    name="one-alive",
    is_of_money=True,
    sql=(
        f"""
        SELECT payout_id, COUNT(*) AS alive_count FROM v_instruction WHERE status NOT IN {_DEAD}
         GROUP BY payout_id HAVING COUNT(*) > 1
        """,
    ),
)

IDS_UNIQUE = Statements(
    id="I07",
    name="ids-unique",
    is_of_money=True,
    sql=(
        "SELECT end_to_end_id FROM v_instruction GROUP BY end_to_end_id HAVING COUNT(*) > 1",
        "SELECT payout_id, attempt FROM v_instruction GROUP BY payout_id, attempt HAVING COUNT(*) > 1",
        "SELECT msg_id FROM v_batch GROUP BY msg_id HAVING COUNT(*) > 1",
        "SELECT file_name FROM v_batch GROUP BY file_name HAVING COUNT(*) > 1",
    ),
)

SETTLED_ONCE = Statements(
    id="I08",
    name="settled-once",
    is_of_money=True,
    sql=(
        """
        SELECT instruction_id, COUNT(*) AS settled_count FROM v_bank_event
         WHERE kind = 'settle' AND effect = 'applied'
         GROUP BY instruction_id HAVING COUNT(*) > 1 OR MAX(instruction_id) IS NULL
        """,
        """
        SELECT e.seq, e.instruction_id, e.amount_minor
          FROM v_bank_event e JOIN v_instruction i ON i.id = e.instruction_id
         WHERE e.kind = 'settle' AND e.effect = 'applied'
           AND (e.amount_minor <> i.amount_minor OR e.currency <> i.currency)
        """,
        """
        SELECT instruction_id FROM v_bank_event WHERE effect = 'applied' AND kind IN ('settle', 'return')
         GROUP BY instruction_id
        HAVING SUM(CASE kind WHEN 'settle' THEN amount_minor ELSE -amount_minor END) < 0
        """,
    ),
)

SEPARATE_PEOPLE = Statements(
    id="I09",
    name="separate-people",
    is_of_money=True,
    sql=(
        """
        SELECT i.id AS instruction_id, i.payout_id, i.approvals_needed FROM v_instruction i
          JOIN v_payout p ON p.id = i.payout_id
          LEFT JOIN v_approval a ON a.payout_id = i.payout_id AND a.decision = 'approve'
           AND a.payload_hash = i.payload_hash AND a.at <= i.created_at AND a.approver_id <> p.requested_by
           AND COALESCE(a.on_behalf_of_id, '') <> p.requested_by
         GROUP BY i.id, i.payout_id, i.approvals_needed
        HAVING i.approvals_needed < 1 OR i.approvals_needed > COUNT(DISTINCT a.approver_id)
        """,
        """
        SELECT c.payout_id, c.seq FROM v_approval c JOIN v_payout p ON p.id = c.payout_id
         WHERE c.decision = 'certify' AND (c.approver_id = p.requested_by OR EXISTS (
            SELECT 1 FROM v_approval a WHERE a.payout_id = c.payout_id AND a.payload_hash = c.payload_hash
               AND a.decision = 'approve' AND a.approver_id = c.approver_id))
        """,
    ),
)

AS_APPROVED = Statements(
    id="I10",
    name="as-approved",
    is_of_money=True,
    sql=(
        """
        SELECT i.id AS instruction_id, i.payout_id, i.amount_minor
          FROM v_instruction i JOIN v_payout p ON p.id = i.payout_id
         WHERE i.payload_hash = p.payload_hash AND (i.amount_minor <> p.amount_minor OR i.currency <> p.currency)
        """,
        """
        SELECT p.id AS payout_id, p.state FROM v_payout p
          LEFT JOIN v_approval a ON a.payout_id = p.id AND a.decision = 'approve'
           AND a.payload_hash = p.payload_hash AND a.approver_id <> p.requested_by
         WHERE p.state IN ('approved', 'instructed')
         GROUP BY p.id, p.state, p.approvals_needed HAVING p.approvals_needed > COUNT(DISTINCT a.approver_id)
        """,
    ),
)

CEILINGS = Statements(
    id="I11",
    name="ceilings",
    is_of_money=True,
    sql=(
        """
        SELECT m.id AS milestone_id, m.amount_minor, CAST(SUM(p.amount_minor) AS bigint) AS sum_minor
          FROM v_milestone m JOIN v_payout p ON p.milestone_id = m.id
         WHERE p.state IN ('approved', 'instructed', 'paid')
         GROUP BY m.id, m.amount_minor HAVING SUM(p.amount_minor) > m.amount_minor
        """,
        """
        SELECT g.id AS agreement_id, g.amount_minor, CAST(SUM(m.amount_minor) AS bigint) AS sum_minor
          FROM v_agreement g JOIN v_milestone m ON m.agreement_id = g.id WHERE m.state <> 'waived'
         GROUP BY g.id, g.amount_minor HAVING SUM(m.amount_minor) > g.amount_minor
        """,
        """
        SELECT f.id AS fund_id, f.commitment_minor, CAST(SUM(g.amount_minor) AS bigint) AS sum_minor
          FROM v_fund f JOIN v_agreement g ON g.fund_id = f.id WHERE g.status = 'active'
         GROUP BY f.id, f.commitment_minor HAVING SUM(g.amount_minor) > f.commitment_minor
        """,
    ),
)

COUNTED_ONCE = Statements(
    id="I18",
    name="counted-once",
    is_of_money=True,
    sql=(
        """
        SELECT source, bank_ref, kind, instruction_id, COUNT(*) AS times_count FROM v_bank_event
         GROUP BY source, bank_ref, kind, instruction_id, content_hash HAVING COUNT(*) > 1
        """,
    ),
)

STATEMENT_ADDS_UP = Statements(
    id="I19",
    name="statements",
    sql=(
        """
        SELECT s.id AS statement_id, s.opening_minor, CAST(COALESCE(SUM(l.amount_minor), 0) AS bigint) AS lines_minor,
            s.closing_minor
          FROM v_statement s LEFT JOIN v_statement_line l ON l.statement_id = s.id WHERE s.status = 'imported'
         GROUP BY s.id, s.opening_minor, s.closing_minor
        HAVING s.opening_minor + COALESCE(SUM(l.amount_minor), 0) <> s.closing_minor
        """,
        """
        SELECT l.id AS statement_line_id, l.statement_id FROM v_statement_line l
         WHERE l.status = 'exception' AND NOT EXISTS (
            SELECT 1 FROM v_exception x WHERE x.object_type = 'statement_line' AND x.object_id = l.id)
        """,
    ),
)

MATCHED_AMOUNTS = Statements(
    id="I20",
    name="matched-amounts",
    is_of_money=True,
    sql=(
        """
        SELECT l.id AS statement_line_id, l.amount_minor,
            CAST(SUM(CASE WHEN e.kind IN ('return', 'credit') THEN e.amount_minor ELSE -e.amount_minor END) AS bigint)
                AS events_minor
          FROM v_statement_line l JOIN v_bank_event e ON e.statement_line_id = l.id AND e.source <> 'people'
         WHERE l.status = 'matched'
         GROUP BY l.id, l.amount_minor
        HAVING SUM(CASE WHEN e.kind IN ('return', 'credit') THEN e.amount_minor ELSE -e.amount_minor END)
            <> l.amount_minor
        """,
    ),
)

NOTHING_STUCK = Statements(
    id="I21",
    name="nothing-stuck",
    sql=(
        """
        SELECT b.id AS batch_id, b.state, b.created_at, b.sent_at FROM v_batch b
         WHERE ((b.state = 'prepared' AND b.created_at < :late)
             OR (b.state IN ('sent', 'unknown') AND COALESCE(b.sent_at, b.created_at) < :silent))
           AND NOT EXISTS (
            SELECT 1 FROM v_exception x WHERE x.object_type = 'batch' AND x.object_id = b.id AND x.closed_at IS NULL)
        """,
        """
        SELECT o.id AS outbox_id, o.kind, o.created_at FROM v_outbox o
         WHERE o.status = 'waiting' AND o.attempts = 0 AND o.created_at < :late
           AND EXISTS (SELECT 1 FROM v_schedule_slot s WHERE s.schedule_id = 'outbox')
        """,  # where nobody ever told anything nothing is stuck: the clock of this installation was not started yet
        "SELECT object_type, object_id, holder, until_at FROM v_claim WHERE until_at < :db_late",
    ),
)

ENDED_PROJECTS = Statements(
    id="I25",
    name="ended-projects",
    is_of_money=True,
    sql=(
        """
        SELECT p.id AS payout_id, p.project_id, p.state FROM v_payout p JOIN v_project j ON j.id = p.project_id
         WHERE j.stage IN ('withdrawn', 'stopped') AND p.state IN ('requested', 'approved')
           AND p.purpose <> 'settlement'
        """,
    ),
)

PAYEE = Statements(
    id="I26",
    name="payee",
    is_of_money=True,
    sql=(
        """
        SELECT i.id AS instruction_id, i.payout_id FROM v_instruction i WHERE NOT EXISTS (
            SELECT 1 FROM v_payee_account a WHERE a.payee_hash = i.payee_hash AND a.confirmed_by IS NOT NULL
               AND a.confirmed_by <> a.proposed_by)
        """,
    ),
)

BATCH_TOTALS = Statements(
    id="I27",
    name="batch-totals",
    is_of_money=True,
    sql=(
        """
        SELECT b.id AS batch_id, b.instruction_count, COUNT(i.id) AS found_count, b.total_minor,
            CAST(COALESCE(SUM(i.amount_minor), 0) AS bigint) AS sum_minor
          FROM v_batch b LEFT JOIN v_instruction i ON i.batch_id = b.id
         GROUP BY b.id, b.instruction_count, b.total_minor
        HAVING COUNT(i.id) <> b.instruction_count OR COALESCE(SUM(i.amount_minor), 0) <> b.total_minor
        """,
    ),
)

PAID = Statements(
    id="I28",
    name="paid",
    is_of_money=True,
    sql=(
        """
        SELECT fund_id, CAST(SUM(minor) AS bigint) AS too_much_minor FROM (
            SELECT fund_id, balance_minor AS minor FROM v_account WHERE kind = 'paid'
            UNION ALL
            SELECT p.fund_id, CASE e.kind WHEN 'settle' THEN -e.amount_minor ELSE e.amount_minor END
              FROM v_bank_event e JOIN v_instruction i ON i.id = e.instruction_id JOIN v_payout p ON p.id = i.payout_id
             WHERE e.effect = 'applied' AND e.kind IN ('settle', 'return')) x
         GROUP BY fund_id HAVING SUM(minor) <> 0
        """,
    ),
)

STATE_AND_BANK = Statements(
    id="I29",
    name="state-and-bank",
    is_of_money=True,
    sql=(
        """
        SELECT p.id AS payout_id, p.state FROM v_payout p WHERE p.state = 'paid' AND NOT EXISTS (
            SELECT 1 FROM v_instruction i JOIN v_bank_event e ON e.instruction_id = i.id
             WHERE i.payout_id = p.id AND e.kind = 'settle' AND e.effect = 'applied')
        """,
        f"""
        SELECT p.id AS payout_id, p.state, COUNT(i.id) AS alive_count FROM v_payout p
          LEFT JOIN v_instruction i ON i.payout_id = p.id AND i.status NOT IN {_DEAD}
         GROUP BY p.id, p.state
        HAVING COUNT(i.id) <> CASE WHEN p.state IN ('instructed', 'paid') THEN 1 ELSE 0 END
        """,
    ),
)

TRANCHES = Statements(
    id="H06",
    name="tranches-make-the-award",
    sql=(
        """
        SELECT g.id AS agreement_id, g.amount_minor, CAST(COALESCE(SUM(m.amount_minor), 0) AS bigint) AS sum_minor
          FROM v_agreement g LEFT JOIN v_milestone m ON m.agreement_id = g.id AND m.state <> 'waived'
         WHERE g.status = 'active'
         GROUP BY g.id, g.amount_minor HAVING COALESCE(SUM(m.amount_minor), 0) <> g.amount_minor
        """,
    ),
)

PAID_IN = Statements(
    id="H07",
    name="paid-in-as-contributed",
    sql=(
        """
        SELECT CAST(s.id AS text) AS source_id, s.paid_in_minor,
            CAST(COALESCE(SUM(c.amount_minor), 0) AS bigint) AS sum_minor
          FROM fund_source s LEFT JOIN contribution c ON c.source_id = s.id
         GROUP BY s.id, s.paid_in_minor HAVING COALESCE(SUM(c.amount_minor), 0) <> s.paid_in_minor
        """,
    ),
)

MONEY = (
    JOURNAL_BALANCES,
    LEDGER_BALANCES,
    FLOORS,
    KEPT_BALANCES,
    RESERVED,
    ONE_ALIVE,
    IDS_UNIQUE,
    SETTLED_ONCE,
    SEPARATE_PEOPLE,
    AS_APPROVED,
    CEILINGS,
    COUNTED_ONCE,
    STATEMENT_ADDS_UP,
    MATCHED_AMOUNTS,
    NOTHING_STUCK,
    ENDED_PROJECTS,
    PAYEE,
    BATCH_TOTALS,
    PAID,
    STATE_AND_BANK,
    TRANCHES,
    PAID_IN,
)
"""All invariants about money and the bank, in the order of their ids."""
