"""Who did what: indexes from which the audit trail is read by time, by person and by act."""

from alembic import op

revision = "2026_11_23_1300"
down_revision = "2026_11_23_0900"
branch_labels = None
depends_on = None

_READ_BY = (("at", "seq"), ("actor_id", "at", "seq"), ("action", "at", "seq"))


def upgrade() -> None:
    """Lead from 2026_11_23_0900 to 2026_11_23_1300."""
    for columns in _READ_BY:
        op.create_index("_".join(("ix_audit_record", *columns)), "audit_record", columns)


def downgrade() -> None:
    """Lead back to 2026_11_23_0900."""
    for columns in reversed(_READ_BY):
        op.drop_index("_".join(("ix_audit_record", *columns)), "audit_record")
