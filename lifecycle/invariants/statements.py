"""What must be true at every moment, as SQL for both databases: each statement must return no row.

I… are the invariants of the contract, on its views alone, so that anybody can run them from outside; H… are those of
the house, on its tables too. Those about money stand in `money.py`, what needs more than SQL in `computed.py`.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from lifecycle.canonical import instant

LATE = timedelta(minutes=15)
"""How long something that nobody waits for may lie untouched (`safety.md` 5)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statements:
    """One invariant in SQL."""

    id: str
    name: str
    sql: tuple[str, ...]
    """May ask for the parameters of `Moment`."""
    is_of_money: bool = False
    """Broken, it stops all disbursement."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """As of when the invariants are asked."""

    now: datetime
    """Business time."""
    database_now: datetime
    """The database's own clock, which leases go by."""
    bank_answer_hours: int = 24
    """How long the bank may stay silent (`PILOTWAY_BANK_ANSWER_HOURS`)."""

    def parameters(self) -> dict[str, str]:
        """Return what the statements may ask for, in the form of the views."""
        return {
            "late": instant(self.now - LATE),
            "silent": instant(self.now - timedelta(hours=self.bank_answer_hours)),
            "db_late": instant(self.database_now - LATE),
        }


_IN_A_STAGE = "('intake', 'feasibility', 'small_batch_trial', 'market_validation', 'handoff')"
_UNDER_WAY = "('open', 'submitted', 'in_review')"
_WITHOUT_CHART = "('recovery')"
"""Subjects with a state but no chart: what changes it is written into the audit trail only."""

ONE_AUDIT_ROW = Statements(
    id="I12",
    name="one-audit-row",
    sql=(
        """
        SELECT t.seq, t.object_type, t.object_id FROM v_transition t LEFT JOIN v_audit a
            ON a.object_type = t.object_type AND a.object_id = t.object_id AND a.command_id = t.command_id
            AND a.from_state = t.from_state AND a.to_state = t.to_state AND a.action NOT LIKE '%.refused'
         GROUP BY t.seq, t.object_type, t.object_id HAVING COUNT(a.seq) <> 1
        """,
        f"""
        SELECT a.seq, a.object_type, a.object_id FROM v_audit a LEFT JOIN v_transition t
            ON a.object_type = t.object_type AND a.object_id = t.object_id AND a.command_id = t.command_id
            AND a.from_state = t.from_state AND a.to_state = t.to_state
         WHERE a.from_state <> a.to_state AND a.object_type NOT IN {_WITHOUT_CHART}
         GROUP BY a.seq, a.object_type, a.object_id HAVING COUNT(t.seq) <> 1
        """,
    ),
)

PATH = Statements(
    id="I13",
    name="path",
    sql=(
        """
        SELECT seq, object_type, object_id FROM (
            SELECT seq, object_type, object_id, from_state,
                COALESCE(LAG(to_state) OVER (PARTITION BY object_type, object_id ORDER BY seq), '') AS before
            FROM v_transition) x
         WHERE before <> from_state
        """,
        """
        SELECT o.object_type, o.id AS object_id FROM (
            SELECT 'project' AS object_type, id, stage AS state FROM v_project
            UNION ALL SELECT 'stage_run', id, state FROM v_stage_run
            UNION ALL SELECT 'review', id, state FROM v_review
            UNION ALL SELECT 'milestone', id, state FROM v_milestone
            UNION ALL SELECT 'payout', id, state FROM v_payout
            UNION ALL SELECT 'batch', id, state FROM v_batch) o
          LEFT JOIN (SELECT object_type, object_id, MAX(seq) AS seq FROM v_transition GROUP BY object_type, object_id) l
            ON l.object_type = o.object_type AND l.object_id = o.id
          LEFT JOIN v_transition t ON t.seq = l.seq
         WHERE t.to_state IS NULL OR t.to_state <> o.state
        """,
        """
        SELECT t.seq, t.object_type, t.object_id FROM v_transition t LEFT JOIN v_edge e
            ON e.object_type = t.object_type AND e.definition_version = t.definition_version AND e.event = t.event
            AND e.from_state = t.from_state AND e.to_state = t.to_state
         WHERE e.event IS NULL
        """,
    ),
)

CHAIN = Statements(
    id="I14",
    name="chain",
    sql=(
        f"""
        SELECT seq, object_type, object_id, chain_seq FROM (
            SELECT seq, object_type, object_id, chain_seq, prev_hash,
                LAG(chain_seq) OVER (PARTITION BY object_type, object_id ORDER BY chain_seq) AS before,
                LAG(hash) OVER (PARTITION BY object_type, object_id ORDER BY chain_seq) AS hash_before
            FROM v_audit) x
         WHERE chain_seq <> COALESCE(before, 0) + 1 OR prev_hash <> COALESCE(hash_before, '{"0" * 64}')
        """,
    ),
)

COMMAND_ONCE = Statements(
    id="I24",
    name="command-once",
    sql=("SELECT actor_id, command_id FROM v_command GROUP BY actor_id, command_id HAVING COUNT(*) > 1",),
)

TOLD_ONCE = Statements(
    id="I16",
    name="told-once",
    sql=(
        """
        SELECT dedupe_key, channel, recipient FROM v_delivery
         GROUP BY dedupe_key, channel, recipient HAVING COUNT(*) > 1
        """,
        "SELECT message_id FROM v_delivery WHERE message_id IS NOT NULL GROUP BY message_id HAVING COUNT(*) > 1",
    ),
)

SLOT_ONCE = Statements(
    id="I17",
    name="slot-once",
    sql=("SELECT schedule_id, slot_at FROM v_schedule_slot GROUP BY schedule_id, slot_at HAVING COUNT(*) > 1",),
)

ONE_VISIT = Statements(
    id="H01",
    name="one-visit",
    sql=(
        f"""
        SELECT p.id AS project_id, p.stage FROM v_project p
          LEFT JOIN v_stage_run r ON r.project_id = p.id AND r.state IN {_UNDER_WAY}
         WHERE p.stage IN {_IN_A_STAGE} GROUP BY p.id, p.stage HAVING COUNT(r.id) <> 1 OR MIN(r.stage) <> p.stage
        """,
        f"""
        SELECT p.id AS project_id, r.id AS stage_run_id FROM v_project p
          JOIN v_stage_run r ON r.project_id = p.id AND r.state IN {_UNDER_WAY}
         WHERE p.stage NOT IN {_IN_A_STAGE}
        """,
        f"""
        SELECT CAST(p.id AS text) AS project_id FROM project p
          LEFT JOIN stage_run r ON r.id = p.stage_run_id AND r.project_id = p.id AND r.stage = p.stage
            AND r.state IN {_UNDER_WAY}
         WHERE (p.stage IN {_IN_A_STAGE} AND r.id IS NULL)
            OR (p.stage NOT IN {_IN_A_STAGE} AND p.stage_run_id IS NOT NULL)
        """,
    ),
)

NUMBERS = Statements(
    id="H03",
    name="number-series",
    sql=(
        """
        SELECT p.id AS project_id, p.number FROM v_project p LEFT JOIN number_series s
            ON s.kind = SUBSTR(p.number, 1, 2) AND s.year = CAST(SUBSTR(p.number, 4, 4) AS integer)
         WHERE s.last IS NULL OR s.last < CAST(SUBSTR(p.number, 9) AS integer)
        """,
    ),
)

HOLD_ON_A_PROJECT = Statements(
    id="H04",
    name="hold-stands-on-something",
    sql=(
        """
        SELECT h.id AS hold_id, h.object_id FROM v_hold h LEFT JOIN v_project p ON p.id = h.object_id
         WHERE h.object_type = 'project' AND (p.id IS NULL OR (h.lifted_at IS NULL AND p.stage NOT IN
            ('intake', 'feasibility', 'small_batch_trial', 'market_validation', 'handoff')))
        """,
    ),
)

STATEMENTS = (ONE_AUDIT_ROW, PATH, CHAIN, TOLD_ONCE, SLOT_ONCE, COMMAND_ONCE, ONE_VISIT, NUMBERS, HOLD_ON_A_PROJECT)
"""All invariants in SQL but those about money, in the order in which they are reported."""
