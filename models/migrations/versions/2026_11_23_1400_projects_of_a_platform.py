"""Projects of a platform in the order of their numbers: whoever reads one platform's has the first page by an index."""

from alembic import op

revision = "2026_11_23_1400"
down_revision = "2026_11_23_1300"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Lead from 2026_11_23_1300 to 2026_11_23_1400."""
    op.create_index("ix_project_platform_id_number", "project", ["platform_id", "number"])
    op.drop_index("ix_project_platform_id", "project")


def downgrade() -> None:
    """Lead back to 2026_11_23_1300."""
    op.create_index("ix_project_platform_id", "project", ["platform_id"])
    op.drop_index("ix_project_platform_id_number", "project")
