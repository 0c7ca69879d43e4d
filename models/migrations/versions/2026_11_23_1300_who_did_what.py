"""Who did what: indexes from which the audit trail is read by time, by person and by act."""

from alembic import op

revision = "2026_11_23_1300"
down_revision = "2026_11_23_0900"
branch_labels = None
depends_on = None

_READ_BY = (
    ("audit_record", "at", "seq"),
    ("audit_record", "actor_id", "at", "seq"),
    ("audit_record", "action", "at", "seq"),
    ("command_record", "verb", "at"),
)


def upgrade() -> None:
    """Lead from 2026_11_23_0900 to 2026_11_23_1300."""
    for table, *columns in _READ_BY:
        op.create_index("_".join(("ix", table, *columns)), table, columns)


def downgrade() -> None:
    """Lead back to 2026_11_23_0900."""
    for table, *columns in reversed(_READ_BY):
        op.drop_index("_".join(("ix", table, *columns)), table)
