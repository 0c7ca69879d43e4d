"""Triggers that refuse to change or remove what happened: the tables that only grow (`safety.md` 2.1, rule 3)."""

APPEND_ONLY = (
    "approval",
    "audit_record",
    "bank_event",
    "batch_figure",
    "checkpoint",
    "command_record",
    "design_revision",
    "judgement",
    "maturity_claim",
    "measurement",
    "posting",
    "transition",
)
"""Tables whose rows stay as they were written; a correction is a new row."""

_POSTGRES_FUNCTION = """
CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING
        MESSAGE = TG_TABLE_NAME || ' only grows: a row is neither changed nor removed',
        ERRCODE = 'restrict_violation';
END $$
"""


def create_triggers(dialect: str) -> list[str]:
    """Return the statements that protect all append-only tables on `sqlite` or `postgresql`; safe to repeat."""
    if dialect == "sqlite":
        return [statement for table in APPEND_ONLY for statement in _sqlite(table)]
    return [_POSTGRES_FUNCTION, *(statement for table in APPEND_ONLY for statement in _postgres(table))]


def drop_triggers(dialect: str) -> list[str]:
    """Return the statements that take the protection away, for a migration that has to copy a table."""
    if dialect == "sqlite":
        return [f"DROP TRIGGER IF EXISTS {table}_{act}" for table in APPEND_ONLY for act in ("no_update", "no_delete")]
    acts = ("no_change", "no_truncate")
    return [f"DROP TRIGGER IF EXISTS {table}_{act} ON {table}" for table in APPEND_ONLY for act in acts]


def _sqlite(table: str) -> list[str]:
    return [
        f"CREATE TRIGGER IF NOT EXISTS {table}_no_{act.lower()} BEFORE {act} ON {table}"
        f" BEGIN SELECT RAISE(ABORT, '{table} only grows: a row is neither changed nor removed'); END"
        for act in ("UPDATE", "DELETE")
    ]


def _postgres(table: str) -> list[str]:
    return [
        f"CREATE OR REPLACE TRIGGER {table}_{name} BEFORE {acts} ON {table}\n"
        f"FOR EACH {each} EXECUTE FUNCTION refuse_change()"
        for name, acts, each in (("no_change", "UPDATE OR DELETE", "ROW"), ("no_truncate", "TRUNCATE", "STATEMENT"))
    ]
