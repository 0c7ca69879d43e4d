"""The log of a run: its last lines stand in its row. Rows of before have none."""

import sqlalchemy as sa
from alembic import op

from models.types import JSONText

revision = "2026_11_23_0700"
down_revision = "2026_11_22_1900"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Lead from 2026_11_22_1900 to 2026_11_23_0700."""
    op.add_column("scheduled_run", sa.Column("log", JSONText(), nullable=True))


def downgrade() -> None:
    """Lead back to 2026_11_22_1900."""
    with op.batch_alter_table("scheduled_run", schema=None) as batch_op:
        batch_op.drop_column("log")
