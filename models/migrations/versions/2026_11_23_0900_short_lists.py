"""Short lists: indexes from which open invitations are read by page, and payouts counted and added up."""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_23_0900"
down_revision = "2026_11_23_0700"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Lead from 2026_11_23_0700 to 2026_11_23_0900."""
    with op.batch_alter_table("invitation", schema=None) as batch_op:
        batch_op.create_index(
            "ix_invitation_kind_created_at_id",
            ["kind", "created_at", "id"],
            unique=False,
            sqlite_where=sa.text("used_at IS NULL AND revoked_at IS NULL"),
            postgresql_where=sa.text("used_at IS NULL AND revoked_at IS NULL"),
        )

    with op.batch_alter_table("payout", schema=None) as batch_op:
        batch_op.create_index(
            "ix_payout_state_pay_by_on_currency_amount_minor",
            ["state", "pay_by_on", "currency", "amount_minor"],
            unique=False,
        )
        batch_op.drop_index("ix_payout_state_pay_by_on")


def downgrade() -> None:
    """Lead back to 2026_11_23_0700."""
    with op.batch_alter_table("payout", schema=None) as batch_op:
        batch_op.create_index("ix_payout_state_pay_by_on", ["state", "pay_by_on"], unique=False)
        batch_op.drop_index("ix_payout_state_pay_by_on_currency_amount_minor")

    with op.batch_alter_table("invitation", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_invitation_kind_created_at_id",
            sqlite_where=sa.text("used_at IS NULL AND revoked_at IS NULL"),
            postgresql_where=sa.text("used_at IS NULL AND revoked_at IS NULL"),
        )
