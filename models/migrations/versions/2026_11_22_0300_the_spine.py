"""The spine: people, programmes, projects, evidence, trials, reviews, holds, and the journal of all that happens."""

import sqlalchemy as sa
from alembic import op

from models.types import Day, Id, JSONText, UTCDateTime

revision = "2026_11_22_0300"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Lead from nothing to 2026_11_22_0300."""
    op.create_table(
        "app_user",
        sa.Column("id", Id(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("audit_seq", sa.Integer(), nullable=False),
        sa.Column("audit_head", sa.String(), nullable=False),
        sa.Column("person_id", Id(), nullable=False),
        sa.Column("login", sa.String(length=100), nullable=False),
        sa.Column("email", sa.String(length=200), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("language", sa.String(length=5), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("competences", JSONText(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.CheckConstraint("status IN ('active', 'disabled')", name=op.f("ck_app_user_status_known")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_app_user")),
        sa.UniqueConstraint("email", name=op.f("uq_app_user_email")),
        sa.UniqueConstraint("login", name=op.f("uq_app_user_login")),
    )
    with op.batch_alter_table("app_user", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_app_user_person_id"), ["person_id"], unique=False)

    op.create_table(
        "audit_record",
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("actor_id", Id(), nullable=True),
        sa.Column("door", sa.Text(), nullable=False),
        sa.Column("action", sa.String(length=80), nullable=False),
        sa.Column("object_type", sa.String(length=20), nullable=False),
        sa.Column("object_id", Id(), nullable=False),
        sa.Column("chain_seq", sa.Integer(), nullable=False),
        sa.Column("from_state", sa.String(length=40), nullable=False),
        sa.Column("to_state", sa.String(length=40), nullable=False),
        sa.Column("command_id", sa.String(length=255), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("prev_hash", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.CheckConstraint("door IN ('web', 'api', 'cli', 'flow', 'recover')", name=op.f("ck_audit_record_door_known")),
        sa.CheckConstraint("chain_seq >= 1", name=op.f("ck_audit_record_chain_seq_from_one")),
        sa.CheckConstraint("length(prev_hash) = 64 AND length(hash) = 64", name=op.f("ck_audit_record_hashes_whole")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_audit_record")),
        sa.UniqueConstraint(
            "object_type", "object_id", "chain_seq", name=op.f("uq_audit_record_object_type_object_id_chain_seq")
        ),
    )
    op.create_table(
        "checkpoint",
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("audit_seq", sa.BigInteger(), nullable=False),
        sa.Column("heads_count", sa.Integer(), nullable=False),
        sa.Column("heads_sha256", sa.String(length=64), nullable=False),
        sa.Column("file_sha256", sa.String(length=64), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("key_id", sa.String(length=64), nullable=False),
        sa.Column("signature", sa.String(length=200), nullable=False),
        sa.CheckConstraint("audit_seq >= 0 AND heads_count >= 0", name=op.f("ck_checkpoint_counts_not_negative")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_checkpoint")),
    )
    op.create_table(
        "command_record",
        sa.Column("actor_id", Id(), nullable=False),
        sa.Column("command_id", sa.String(length=255), nullable=False),
        sa.Column("verb", sa.String(length=80), nullable=False),
        sa.Column("object_type", sa.String(length=20), nullable=False),
        sa.Column("object_id", Id(), nullable=False),
        sa.Column("body_sha256", sa.String(length=64), nullable=False),
        sa.Column("answer", JSONText(), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("actor_id", "command_id", name=op.f("pk_command_record")),
    )
    op.create_table(
        "edge",
        sa.Column("object_type", sa.String(length=20), nullable=False),
        sa.Column("definition_version", sa.Integer(), nullable=False),
        sa.Column("event", sa.String(length=40), nullable=False),
        sa.Column("from_state", sa.String(length=40), nullable=False),
        sa.Column("to_state", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint(
            "object_type", "definition_version", "event", "from_state", "to_state", name=op.f("pk_edge")
        ),
    )
    op.create_table(
        "hold",
        sa.Column("id", Id(), nullable=False),
        sa.Column("object_type", sa.String(length=20), nullable=False),
        sa.Column("object_id", Id(), nullable=False),
        sa.Column("reason", sa.String(length=60), nullable=False),
        sa.Column("note", sa.String(length=10000), nullable=False),
        sa.Column("needs_decision", sa.Boolean(), nullable=False),
        sa.Column("from_at", UTCDateTime(), nullable=False),
        sa.Column("from_on", Day(), nullable=False),
        sa.Column("until_on", Day(), nullable=False),
        sa.Column("extensions", sa.Integer(), nullable=False),
        sa.Column("put_by", Id(), nullable=True),
        sa.Column("lifted_at", UTCDateTime(), nullable=True),
        sa.Column("lifted_on", Day(), nullable=True),
        sa.Column("lifted_by", Id(), nullable=True),
        sa.Column("first_lifter_id", Id(), nullable=True),
        sa.CheckConstraint("(lifted_at IS NULL) = (lifted_on IS NULL)", name=op.f("ck_hold_lifted_whole")),
        sa.CheckConstraint("extensions >= 0", name=op.f("ck_hold_extensions_not_negative")),
        sa.CheckConstraint("until_on >= from_on", name=op.f("ck_hold_days_in_order")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hold")),
    )
    with op.batch_alter_table("hold", schema=None) as batch_op:
        batch_op.create_index("ix_hold_object_id_lifted_at", ["object_id", "lifted_at"], unique=False)

    op.create_table(
        "installation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("database_id", sa.String(length=36), nullable=False),
        sa.Column("epoch", sa.String(length=8), nullable=False),
        sa.Column("mode", sa.String(length=10), nullable=False),
        sa.Column("clock_at", UTCDateTime(), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.CheckConstraint("clock_at IS NULL OR mode = 'rehearsal'", name=op.f("ck_installation_clock_in_rehearsal")),
        sa.CheckConstraint("mode IN ('production', 'rehearsal')", name=op.f("ck_installation_mode_known")),
        sa.CheckConstraint("id = 1", name=op.f("ck_installation_single")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_installation")),
    )
    op.create_table(
        "number_series",
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.CheckConstraint("last >= 0", name=op.f("ck_number_series_last_not_negative")),
        sa.PrimaryKeyConstraint("kind", "year", name=op.f("pk_number_series")),
    )
    op.create_table(
        "organisation",
        sa.Column("id", Id(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("audit_seq", sa.Integer(), nullable=False),
        sa.Column("audit_head", sa.String(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("credit_code", sa.String(length=18), nullable=True),
        sa.Column("country", sa.String(length=2), nullable=True),
        sa.Column("outside_key", sa.String(length=300), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('sme', 'platform', 'funder', 'investor', 'customer', 'receiver', 'lab', 'supplier', 'association', 'authority', 'auditor_firm', 'operator')",
            name=op.f("ck_organisation_kind_known"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organisation")),
        sa.UniqueConstraint("outside_key", name=op.f("uq_organisation_outside_key")),
    )
    with op.batch_alter_table("organisation", schema=None) as batch_op:
        batch_op.create_index("ix_organisation_name", ["name"], unique=False)
        batch_op.create_index(
            "ux_organisation_credit_code",
            ["credit_code"],
            unique=True,
            sqlite_where=sa.text("credit_code IS NOT NULL"),
            postgresql_where=sa.text("credit_code IS NOT NULL"),
        )

    op.create_table(
        "outbox_message",
        sa.Column("id", Id(), nullable=False),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("dedupe_key", sa.String(length=200), nullable=False),
        sa.Column("object_type", sa.String(length=20), nullable=False),
        sa.Column("object_id", Id(), nullable=False),
        sa.Column("facts", JSONText(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.CheckConstraint(
            "status IN ('waiting', 'sent', 'failed', 'given_up')", name=op.f("ck_outbox_message_status_known")
        ),
        sa.CheckConstraint("attempts >= 0 AND fence >= 0", name=op.f("ck_outbox_message_counts_not_negative")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox_message")),
        sa.UniqueConstraint("dedupe_key", name=op.f("uq_outbox_message_dedupe_key")),
    )
    with op.batch_alter_table("outbox_message", schema=None) as batch_op:
        batch_op.create_index("ix_outbox_message_status_created_at", ["status", "created_at"], unique=False)

    op.create_table(
        "standard_pack",
        sa.Column("id", Id(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("audit_seq", sa.Integer(), nullable=False),
        sa.Column("audit_head", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("code", sa.String(length=60), nullable=False),
        sa.Column("pack_version", sa.String(length=20), nullable=False),
        sa.Column("body", JSONText(), nullable=False),
        sa.Column("published_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_standard_pack")),
        sa.UniqueConstraint("sha256", name=op.f("uq_standard_pack_sha256")),
    )
    op.create_table(
        "transition",
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("object_type", sa.String(length=20), nullable=False),
        sa.Column("object_id", Id(), nullable=False),
        sa.Column("event", sa.String(length=40), nullable=False),
        sa.Column("from_state", sa.String(length=40), nullable=False),
        sa.Column("to_state", sa.String(length=40), nullable=False),
        sa.Column("actor_id", Id(), nullable=True),
        sa.Column("command_id", sa.String(length=255), nullable=False),
        sa.Column("definition_version", sa.Integer(), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_transition")),
    )
    with op.batch_alter_table("transition", schema=None) as batch_op:
        batch_op.create_index("ix_transition_object_type_object_id", ["object_type", "object_id"], unique=False)

    op.create_table(
        "api_token",
        sa.Column("id", Id(), nullable=False),
        sa.Column("user_id", Id(), nullable=False),
        sa.Column("token_sha256", sa.String(length=64), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("expires_at", UTCDateTime(), nullable=False),
        sa.Column("revoked_at", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_api_token_user_id_app_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_token")),
        sa.UniqueConstraint("token_sha256", name=op.f("uq_api_token_token_sha256")),
    )
    with op.batch_alter_table("api_token", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_api_token_user_id"), ["user_id"], unique=False)

    op.create_table(
        "organisation_tie",
        sa.Column("id", Id(), nullable=False),
        sa.Column("organisation_id", Id(), nullable=False),
        sa.Column("other_id", Id(), nullable=False),
        sa.Column("share_basis_points", sa.Integer(), nullable=False),
        sa.Column("is_common_control", sa.Boolean(), nullable=False),
        sa.Column("since_on", Day(), nullable=True),
        sa.CheckConstraint("organisation_id <> other_id", name=op.f("ck_organisation_tie_two_organisations")),
        sa.CheckConstraint(
            "share_basis_points BETWEEN 0 AND 10000", name=op.f("ck_organisation_tie_share_at_most_all")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_organisation_tie_organisation_id_organisation")
        ),
        sa.ForeignKeyConstraint(
            ["other_id"], ["organisation.id"], name=op.f("fk_organisation_tie_other_id_organisation")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organisation_tie")),
    )
    with op.batch_alter_table("organisation_tie", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_organisation_tie_organisation_id"), ["organisation_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_organisation_tie_other_id"), ["other_id"], unique=False)

    op.create_table(
        "programme",
        sa.Column("id", Id(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("audit_seq", sa.Integer(), nullable=False),
        sa.Column("audit_head", sa.String(), nullable=False),
        sa.Column("code", sa.String(length=60), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("organisation_id", Id(), nullable=True),
        sa.Column("pack_sha256", sa.String(length=64), nullable=False),
        sa.Column("profiles", JSONText(), nullable=False),
        sa.Column("has_fund", sa.Boolean(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_programme_organisation_id_organisation")
        ),
        sa.ForeignKeyConstraint(
            ["pack_sha256"], ["standard_pack.sha256"], name=op.f("fk_programme_pack_sha256_standard_pack")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_programme")),
        sa.UniqueConstraint("code", name=op.f("uq_programme_code")),
    )
    op.create_table(
        "role_grant",
        sa.Column("id", Id(), nullable=False),
        sa.Column("user_id", Id(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("organisation_id", Id(), nullable=True),
        sa.Column("granted_at", UTCDateTime(), nullable=False),
        sa.Column("granted_by", Id(), nullable=True),
        sa.Column("revoked_at", UTCDateTime(), nullable=True),
        sa.CheckConstraint(
            "role IN ('project_lead', 'finance_officer', 'process_engineer', 'coordinator', 'technical_manager', 'lab_lead', 'quality_engineer', 'ehs_officer', 'expert', 'panel_chair', 'customer_rep', 'receiver_lead', 'certifier', 'fund_manager', 'fund_director', 'payer', 'accountant', 'auditor', 'sponsor', 'standard_editor', 'operator', 'admin')",
            name=op.f("ck_role_grant_role_known"),
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_role_grant_organisation_id_organisation")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_role_grant_user_id_app_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_role_grant")),
    )
    with op.batch_alter_table("role_grant", schema=None) as batch_op:
        batch_op.create_index("ix_role_grant_organisation_id_role", ["organisation_id", "role"], unique=False)
        batch_op.create_index(batch_op.f("ix_role_grant_user_id"), ["user_id"], unique=False)

    op.create_table(
        "project",
        sa.Column("id", Id(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("audit_seq", sa.Integer(), nullable=False),
        sa.Column("audit_head", sa.String(), nullable=False),
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=500), nullable=False),
        sa.Column("title_key", sa.String(length=500), nullable=False),
        sa.Column("programme_id", Id(), nullable=False),
        sa.Column("organisation_id", Id(), nullable=True),
        sa.Column("platform_id", Id(), nullable=True),
        sa.Column("receiver_id", Id(), nullable=True),
        sa.Column("transfer_to_id", Id(), nullable=True),
        sa.Column("platform_since_at", UTCDateTime(), nullable=True),
        sa.Column("transfer_due_on", Day(), nullable=True),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("stage_run_id", Id(), nullable=True),
        sa.Column("pack_sha256", sa.String(length=64), nullable=False),
        sa.Column("profiles", JSONText(), nullable=False),
        sa.Column("definition_version", sa.Integer(), nullable=False),
        sa.Column("received_on", Day(), nullable=True),
        sa.Column("received_precision", sa.String(length=5), nullable=False),
        sa.Column("last_restart_on", Day(), nullable=True),
        sa.Column("outside_key", sa.String(length=300), nullable=True),
        sa.Column("parent_key", sa.String(length=300), nullable=True),
        sa.Column("outside", JSONText(), nullable=True),
        sa.Column("outside_sha256", sa.String(length=64), nullable=True),
        sa.Column("next_due_at", UTCDateTime(), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.CheckConstraint(
            "received_precision IN ('day', 'month', 'year', 'none')", name=op.f("ck_project_received_precision_known")
        ),
        sa.CheckConstraint(
            "stage IN ('intake', 'feasibility', 'small_batch_trial', 'market_validation', 'handoff', 'in_production', 'withdrawn', 'stopped')",
            name=op.f("ck_project_stage_known"),
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_project_organisation_id_organisation")
        ),
        sa.ForeignKeyConstraint(
            ["pack_sha256"], ["standard_pack.sha256"], name=op.f("fk_project_pack_sha256_standard_pack")
        ),
        sa.ForeignKeyConstraint(["platform_id"], ["organisation.id"], name=op.f("fk_project_platform_id_organisation")),
        sa.ForeignKeyConstraint(["programme_id"], ["programme.id"], name=op.f("fk_project_programme_id_programme")),
        sa.ForeignKeyConstraint(["receiver_id"], ["organisation.id"], name=op.f("fk_project_receiver_id_organisation")),
        sa.ForeignKeyConstraint(
            ["transfer_to_id"], ["organisation.id"], name=op.f("fk_project_transfer_to_id_organisation")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_project")),
        sa.UniqueConstraint("number", name=op.f("uq_project_number")),
        sa.UniqueConstraint("outside_key", name=op.f("uq_project_outside_key")),
    )
    with op.batch_alter_table("project", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_project_next_due_at"), ["next_due_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_project_organisation_id"), ["organisation_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_project_platform_id"), ["platform_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_project_programme_id"), ["programme_id"], unique=False)
        batch_op.create_index("ix_project_stage_received_on", ["stage", "received_on"], unique=False)
        batch_op.create_index("ix_project_title_key", ["title_key"], unique=False)

    op.create_table(
        "characteristic",
        sa.Column("id", Id(), nullable=False),
        sa.Column("project_id", Id(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("unit", sa.String(length=20), nullable=False),
        sa.Column("lower_limit", sa.Float(), nullable=True),
        sa.Column("upper_limit", sa.Float(), nullable=True),
        sa.Column("is_critical", sa.Boolean(), nullable=False),
        sa.Column("gauge", sa.String(length=100), nullable=True),
        sa.CheckConstraint("lower_limit <= upper_limit", name=op.f("ck_characteristic_limits_in_order")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_characteristic_project_id_project")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_characteristic")),
        sa.UniqueConstraint("project_id", "name", name=op.f("uq_characteristic_project_id_name")),
    )
    with op.batch_alter_table("characteristic", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_characteristic_project_id"), ["project_id"], unique=False)

    op.create_table(
        "customer_order",
        sa.Column("id", Id(), nullable=False),
        sa.Column("project_id", Id(), nullable=False),
        sa.Column("reference", sa.String(length=60), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("customer_id", Id(), nullable=True),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("signed_on", Day(), nullable=True),
        sa.Column("is_binding", sa.Boolean(), nullable=False),
        sa.Column("paid_on", Day(), nullable=True),
        sa.Column("cancelled_on", Day(), nullable=True),
        sa.CheckConstraint("kind IN ('letter_of_intent', 'order')", name=op.f("ck_customer_order_kind_known")),
        sa.CheckConstraint(
            "(amount_minor IS NULL) = (currency IS NULL)", name=op.f("ck_customer_order_amount_with_currency")
        ),
        sa.CheckConstraint(
            "amount_minor BETWEEN 0 AND 10000000000000", name=op.f("ck_customer_order_amount_minor_bounds")
        ),
        sa.CheckConstraint("quantity >= 0", name=op.f("ck_customer_order_quantity_not_negative")),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["organisation.id"], name=op.f("fk_customer_order_customer_id_organisation")
        ),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_customer_order_project_id_project")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer_order")),
        sa.UniqueConstraint("project_id", "reference", name=op.f("uq_customer_order_project_id_reference")),
    )
    with op.batch_alter_table("customer_order", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_customer_order_project_id"), ["project_id"], unique=False)

    op.create_table(
        "design_revision",
        sa.Column("id", Id(), nullable=False),
        sa.Column("project_id", Id(), nullable=False),
        sa.Column("label", sa.String(length=60), nullable=False),
        sa.Column("frozen_on", Day(), nullable=False),
        sa.Column("touched_clauses", JSONText(), nullable=False),
        sa.Column("reason", sa.String(length=10000), nullable=False),
        sa.Column("user_id", Id(), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_design_revision_project_id_project")),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_design_revision_user_id_app_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_design_revision")),
        sa.UniqueConstraint("project_id", "label", name=op.f("uq_design_revision_project_id_label")),
    )
    with op.batch_alter_table("design_revision", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_design_revision_project_id"), ["project_id"], unique=False)

    op.create_table(
        "evidence",
        sa.Column("id", Id(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("audit_seq", sa.Integer(), nullable=False),
        sa.Column("audit_head", sa.String(), nullable=False),
        sa.Column("project_id", Id(), nullable=False),
        sa.Column("type", sa.String(length=60), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("version_no", sa.Integer(), nullable=False),
        sa.Column("file_name", sa.String(length=200), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("form", JSONText(), nullable=False),
        sa.Column("revision", sa.String(length=60), nullable=True),
        sa.Column("valid_until_on", Day(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("submitted_on", Day(), nullable=False),
        sa.Column("author_id", Id(), nullable=False),
        sa.Column("author_person_id", Id(), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.CheckConstraint("status IN ('current', 'superseded', 'withdrawn')", name=op.f("ck_evidence_status_known")),
        sa.CheckConstraint("length(sha256) = 64", name=op.f("ck_evidence_sha256_whole")),
        sa.CheckConstraint("size_bytes >= 0", name=op.f("ck_evidence_size_not_negative")),
        sa.CheckConstraint("version_no >= 1", name=op.f("ck_evidence_version_no_from_one")),
        sa.ForeignKeyConstraint(["author_id"], ["app_user.id"], name=op.f("fk_evidence_author_id_app_user")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_evidence_project_id_project")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evidence")),
        sa.UniqueConstraint(
            "project_id", "type", "key", "version_no", name=op.f("uq_evidence_project_id_type_key_version_no")
        ),
    )
    with op.batch_alter_table("evidence", schema=None) as batch_op:
        batch_op.create_index("ix_evidence_project_id_type", ["project_id", "type"], unique=False)
        batch_op.create_index(batch_op.f("ix_evidence_sha256"), ["sha256"], unique=False)

    op.create_table(
        "project_member",
        sa.Column("id", Id(), nullable=False),
        sa.Column("project_id", Id(), nullable=False),
        sa.Column("user_id", Id(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("since_at", UTCDateTime(), nullable=False),
        sa.Column("until_at", UTCDateTime(), nullable=True),
        sa.CheckConstraint(
            "role IN ('project_lead', 'finance_officer', 'process_engineer', 'coordinator', 'technical_manager', 'lab_lead', 'quality_engineer', 'ehs_officer', 'expert', 'panel_chair', 'customer_rep', 'receiver_lead', 'certifier', 'fund_manager', 'fund_director', 'payer', 'accountant', 'auditor', 'sponsor', 'standard_editor', 'operator', 'admin')",
            name=op.f("ck_project_member_role_known"),
        ),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_project_member_project_id_project")),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_project_member_user_id_app_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_project_member")),
        sa.UniqueConstraint("project_id", "user_id", "role", name=op.f("uq_project_member_project_id_user_id_role")),
    )
    with op.batch_alter_table("project_member", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_project_member_project_id"), ["project_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_project_member_user_id"), ["user_id"], unique=False)

    op.create_table(
        "scenario_trial",
        sa.Column("id", Id(), nullable=False),
        sa.Column("project_id", Id(), nullable=False),
        sa.Column("site", sa.String(length=200), nullable=False),
        sa.Column("customer_id", Id(), nullable=True),
        sa.Column("profile", sa.String(length=10000), nullable=True),
        sa.Column("agreement_signed_on", Day(), nullable=True),
        sa.Column("started_on", Day(), nullable=True),
        sa.Column("ended_on", Day(), nullable=True),
        sa.Column("report_signed_on", Day(), nullable=True),
        sa.Column("units", sa.Integer(), nullable=False),
        sa.Column("unit_batches", JSONText(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=True),
        sa.Column("limits", JSONText(), nullable=False),
        sa.Column("measured", JSONText(), nullable=False),
        sa.Column("witness", sa.String(length=200), nullable=True),
        sa.Column("valid_until_on", Day(), nullable=True),
        sa.CheckConstraint("ended_on >= started_on", name=op.f("ck_scenario_trial_days_in_order")),
        sa.CheckConstraint(
            "units >= 0 AND (failures IS NULL OR failures >= 0)", name=op.f("ck_scenario_trial_counts_not_negative")
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["organisation.id"], name=op.f("fk_scenario_trial_customer_id_organisation")
        ),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_scenario_trial_project_id_project")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scenario_trial")),
        sa.UniqueConstraint("project_id", "site", name=op.f("uq_scenario_trial_project_id_site")),
    )
    with op.batch_alter_table("scenario_trial", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_scenario_trial_project_id"), ["project_id"], unique=False)

    op.create_table(
        "stage_run",
        sa.Column("id", Id(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("audit_seq", sa.Integer(), nullable=False),
        sa.Column("audit_head", sa.String(), nullable=False),
        sa.Column("project_id", Id(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("visit", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("opened_on", Day(), nullable=False),
        sa.Column("due_on", Day(), nullable=True),
        sa.Column("maximum_on", Day(), nullable=True),
        sa.Column("planned_panel_on", Day(), nullable=True),
        sa.Column("closed_on", Day(), nullable=True),
        sa.Column("reason", sa.String(length=10000), nullable=True),
        sa.CheckConstraint(
            "stage IN ('intake', 'feasibility', 'small_batch_trial', 'market_validation', 'handoff', 'in_production', 'withdrawn', 'stopped')",
            name=op.f("ck_stage_run_stage_known"),
        ),
        sa.CheckConstraint(
            "stage NOT IN ('in_production', 'withdrawn', 'stopped')", name=op.f("ck_stage_run_visits_a_stage")
        ),
        sa.CheckConstraint(
            "state IN ('open', 'submitted', 'in_review', 'passed', 'recycled', 'closed')",
            name=op.f("ck_stage_run_state_known"),
        ),
        sa.CheckConstraint("visit >= 1", name=op.f("ck_stage_run_visit_from_one")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_stage_run_project_id_project")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stage_run")),
        sa.UniqueConstraint("project_id", "stage", "visit", name=op.f("uq_stage_run_project_id_stage_visit")),
    )
    with op.batch_alter_table("stage_run", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_stage_run_project_id"), ["project_id"], unique=False)

    op.create_table(
        "trial_batch",
        sa.Column("id", Id(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("audit_seq", sa.Integer(), nullable=False),
        sa.Column("audit_head", sa.String(), nullable=False),
        sa.Column("project_id", Id(), nullable=False),
        sa.Column("number", sa.String(length=10), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("made_on", Day(), nullable=False),
        sa.Column("revision", sa.String(length=60), nullable=True),
        sa.Column("size", sa.Float(), nullable=True),
        sa.Column("hours", sa.Float(), nullable=True),
        sa.Column("recipe", sa.String(length=200), nullable=True),
        sa.Column("equipment", sa.String(length=200), nullable=True),
        sa.Column("worker", sa.String(length=200), nullable=True),
        sa.Column("is_closed", sa.Boolean(), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.CheckConstraint("kind IN ('trial', 'production_run', 'ongoing')", name=op.f("ck_trial_batch_kind_known")),
        sa.CheckConstraint("hours >= 0", name=op.f("ck_trial_batch_hours_not_negative")),
        sa.CheckConstraint("size > 0", name=op.f("ck_trial_batch_size_positive")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_trial_batch_project_id_project")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trial_batch")),
        sa.UniqueConstraint("project_id", "number", name=op.f("uq_trial_batch_project_id_number")),
    )
    with op.batch_alter_table("trial_batch", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_trial_batch_project_id"), ["project_id"], unique=False)

    op.create_table(
        "verification_track",
        sa.Column("id", Id(), nullable=False),
        sa.Column("project_id", Id(), nullable=False),
        sa.Column("verification", sa.Text(), nullable=False),
        sa.Column("asked_on", Day(), nullable=False),
        sa.Column("started_on", Day(), nullable=True),
        sa.Column("finished_on", Day(), nullable=True),
        sa.Column("is_passed", sa.Boolean(), nullable=True),
        sa.CheckConstraint(
            "verification IN ('design', 'function', 'process', 'adaptation', 'production')",
            name=op.f("ck_verification_track_verification_known"),
        ),
        sa.CheckConstraint(
            "(finished_on IS NULL) = (is_passed IS NULL)", name=op.f("ck_verification_track_finished_whole")
        ),
        sa.CheckConstraint("finished_on >= started_on", name=op.f("ck_verification_track_days_in_order")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_verification_track_project_id_project")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_verification_track")),
        sa.UniqueConstraint("project_id", "verification", name=op.f("uq_verification_track_project_id_verification")),
    )
    with op.batch_alter_table("verification_track", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_verification_track_project_id"), ["project_id"], unique=False)

    op.create_table(
        "batch_figure",
        sa.Column("id", Id(), nullable=False),
        sa.Column("batch_id", Id(), nullable=False),
        sa.Column("entry_no", sa.Integer(), nullable=False),
        sa.Column("started", sa.Integer(), nullable=False),
        sa.Column("passed_first_time", sa.Integer(), nullable=False),
        sa.Column("is_conforming", sa.Boolean(), nullable=True),
        sa.Column("defects", JSONText(), nullable=False),
        sa.Column("cost_minor", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("reason", sa.String(length=10000), nullable=True),
        sa.Column("user_id", Id(), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.CheckConstraint(
            "(cost_minor IS NULL) = (currency IS NULL)", name=op.f("ck_batch_figure_cost_with_currency")
        ),
        sa.CheckConstraint("cost_minor BETWEEN 0 AND 10000000000000", name=op.f("ck_batch_figure_cost_minor_bounds")),
        sa.CheckConstraint(
            "passed_first_time BETWEEN 0 AND started", name=op.f("ck_batch_figure_passed_at_most_started")
        ),
        sa.CheckConstraint("started >= 0", name=op.f("ck_batch_figure_started_not_negative")),
        sa.ForeignKeyConstraint(["batch_id"], ["trial_batch.id"], name=op.f("fk_batch_figure_batch_id_trial_batch")),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_batch_figure_user_id_app_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_batch_figure")),
        sa.UniqueConstraint("batch_id", "entry_no", name=op.f("uq_batch_figure_batch_id_entry_no")),
    )
    with op.batch_alter_table("batch_figure", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_batch_figure_batch_id"), ["batch_id"], unique=False)

    op.create_table(
        "completion_notice",
        sa.Column("id", Id(), nullable=False),
        sa.Column("project_id", Id(), nullable=False),
        sa.Column("stage_run_id", Id(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("clauses", JSONText(), nullable=False),
        sa.Column("issued_on", Day(), nullable=False),
        sa.Column("due_on", Day(), nullable=False),
        sa.Column("answered_on", Day(), nullable=True),
        sa.CheckConstraint("due_on >= issued_on", name=op.f("ck_completion_notice_days_in_order")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_completion_notice_project_id_project")),
        sa.ForeignKeyConstraint(
            ["stage_run_id"], ["stage_run.id"], name=op.f("fk_completion_notice_stage_run_id_stage_run")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_completion_notice")),
        sa.UniqueConstraint("project_id", "number", name=op.f("uq_completion_notice_project_id_number")),
    )
    with op.batch_alter_table("completion_notice", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_completion_notice_project_id"), ["project_id"], unique=False)

    op.create_table(
        "issue",
        sa.Column("id", Id(), nullable=False),
        sa.Column("project_id", Id(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("severity", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("batch_id", Id(), nullable=True),
        sa.Column("owner", sa.String(length=200), nullable=True),
        sa.Column("opened_on", Day(), nullable=False),
        sa.Column("due_on", Day(), nullable=True),
        sa.Column("disposition", sa.String(length=10000), nullable=True),
        sa.Column("closed_on", Day(), nullable=True),
        sa.CheckConstraint(
            "kind IN ('issue', 'deviation', 'incident', 'safety_complaint', 'audit_finding')",
            name=op.f("ck_issue_kind_known"),
        ),
        sa.CheckConstraint("closed_on >= opened_on", name=op.f("ck_issue_days_in_order")),
        sa.CheckConstraint("severity BETWEEN 1 AND 4", name=op.f("ck_issue_severity_in_range")),
        sa.ForeignKeyConstraint(["batch_id"], ["trial_batch.id"], name=op.f("fk_issue_batch_id_trial_batch")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_issue_project_id_project")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_issue")),
        sa.UniqueConstraint("project_id", "number", name=op.f("uq_issue_project_id_number")),
    )
    with op.batch_alter_table("issue", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_issue_project_id"), ["project_id"], unique=False)

    op.create_table(
        "judgement",
        sa.Column("id", Id(), nullable=False),
        sa.Column("project_id", Id(), nullable=False),
        sa.Column("stage_run_id", Id(), nullable=False),
        sa.Column("clause", sa.String(length=10), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("party", sa.String(length=20), nullable=True),
        sa.Column("competence", sa.Text(), nullable=True),
        sa.Column("part", sa.String(length=60), nullable=True),
        sa.Column("is_yes", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(length=10000), nullable=False),
        sa.Column("evidence_sha256s", JSONText(), nullable=False),
        sa.Column("user_id", Id(), nullable=False),
        sa.Column("person_id", Id(), nullable=False),
        sa.Column("on", Day(), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.CheckConstraint(
            "competence IN ('technical', 'manufacturing_quality', 'market', 'finance')",
            name=op.f("ck_judgement_competence_known"),
        ),
        sa.CheckConstraint(
            "role IN ('project_lead', 'finance_officer', 'process_engineer', 'coordinator', 'technical_manager', 'lab_lead', 'quality_engineer', 'ehs_officer', 'expert', 'panel_chair', 'customer_rep', 'receiver_lead', 'certifier', 'fund_manager', 'fund_director', 'payer', 'accountant', 'auditor', 'sponsor', 'standard_editor', 'operator', 'admin')",
            name=op.f("ck_judgement_role_known"),
        ),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_judgement_project_id_project")),
        sa.ForeignKeyConstraint(["stage_run_id"], ["stage_run.id"], name=op.f("fk_judgement_stage_run_id_stage_run")),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_judgement_user_id_app_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_judgement")),
    )
    with op.batch_alter_table("judgement", schema=None) as batch_op:
        batch_op.create_index("ix_judgement_project_id_clause", ["project_id", "clause"], unique=False)

    op.create_table(
        "maturity_claim",
        sa.Column("id", Id(), nullable=False),
        sa.Column("project_id", Id(), nullable=False),
        sa.Column("scale", sa.Text(), nullable=False),
        sa.Column("item", sa.String(length=200), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("evidence_id", Id(), nullable=True),
        sa.Column("user_id", Id(), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.CheckConstraint(
            "(scale = 'trl' AND level BETWEEN 1 AND 9) OR (scale = 'mrl' AND level BETWEEN 1 AND 10)",
            name=op.f("ck_maturity_claim_level_on_scale"),
        ),
        sa.CheckConstraint("scale IN ('trl', 'mrl')", name=op.f("ck_maturity_claim_scale_known")),
        sa.ForeignKeyConstraint(["evidence_id"], ["evidence.id"], name=op.f("fk_maturity_claim_evidence_id_evidence")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_maturity_claim_project_id_project")),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_maturity_claim_user_id_app_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_maturity_claim")),
    )
    with op.batch_alter_table("maturity_claim", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_maturity_claim_project_id"), ["project_id"], unique=False)

    op.create_table(
        "measurement",
        sa.Column("id", Id(), nullable=False),
        sa.Column("batch_id", Id(), nullable=False),
        sa.Column("characteristic", sa.String(length=100), nullable=False),
        sa.Column("subgroup", sa.Integer(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("value", sa.Float(), nullable=False),
        sa.Column("corrects_id", Id(), nullable=True),
        sa.Column("reason", sa.String(length=10000), nullable=True),
        sa.Column("user_id", Id(), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.CheckConstraint("value BETWEEN -1e300 AND 1e300", name=op.f("ck_measurement_value_finite")),
        sa.ForeignKeyConstraint(["batch_id"], ["trial_batch.id"], name=op.f("fk_measurement_batch_id_trial_batch")),
        sa.ForeignKeyConstraint(
            ["corrects_id"], ["measurement.id"], name=op.f("fk_measurement_corrects_id_measurement")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_measurement_user_id_app_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_measurement")),
        sa.UniqueConstraint("corrects_id", name=op.f("uq_measurement_corrects_id")),
    )
    with op.batch_alter_table("measurement", schema=None) as batch_op:
        batch_op.create_index("ix_measurement_batch_id_characteristic", ["batch_id", "characteristic"], unique=False)

    op.create_table(
        "requirement",
        sa.Column("id", Id(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("audit_seq", sa.Integer(), nullable=False),
        sa.Column("audit_head", sa.String(), nullable=False),
        sa.Column("project_id", Id(), nullable=False),
        sa.Column("stage_run_id", Id(), nullable=False),
        sa.Column("clause", sa.String(length=10), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("verdict_code", sa.String(length=80), nullable=False),
        sa.Column("due_on", Day(), nullable=True),
        sa.Column("reopened_at", UTCDateTime(), nullable=True),
        sa.Column("reopened_reason", sa.String(length=10000), nullable=True),
        sa.CheckConstraint(
            "verdict IN ('met', 'waived', 'not_met', 'not_enough_evidence', 'missing', 'waiting', 'cannot_start')",
            name=op.f("ck_requirement_verdict_known"),
        ),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_requirement_project_id_project")),
        sa.ForeignKeyConstraint(["stage_run_id"], ["stage_run.id"], name=op.f("fk_requirement_stage_run_id_stage_run")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_requirement")),
        sa.UniqueConstraint("stage_run_id", "clause", name=op.f("uq_requirement_stage_run_id_clause")),
    )
    with op.batch_alter_table("requirement", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_requirement_project_id"), ["project_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_requirement_stage_run_id"), ["stage_run_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_requirement_verdict"), ["verdict"], unique=False)

    op.create_table(
        "review",
        sa.Column("id", Id(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("audit_seq", sa.Integer(), nullable=False),
        sa.Column("audit_head", sa.String(), nullable=False),
        sa.Column("project_id", Id(), nullable=False),
        sa.Column("stage_run_id", Id(), nullable=False),
        sa.Column("gate", sa.String(length=2), nullable=False),
        sa.Column("call_no", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("planned_on", Day(), nullable=False),
        sa.Column("frozen", JSONText(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("target", sa.Text(), nullable=True),
        sa.Column("until_on", Day(), nullable=True),
        sa.Column("reason", sa.String(length=10000), nullable=True),
        sa.Column("proposed_on", Day(), nullable=True),
        sa.Column("notice_starts_on", Day(), nullable=True),
        sa.Column("notice_ends_on", Day(), nullable=True),
        sa.Column("decided_on", Day(), nullable=True),
        sa.Column("record", JSONText(), nullable=True),
        sa.CheckConstraint(
            "outcome IN ('go', 'conditional_go', 'hold', 'recycle', 'stop', 'transfer')",
            name=op.f("ck_review_outcome_known"),
        ),
        sa.CheckConstraint(
            "state IN ('called', 'scoring', 'proposed', 'decided', 'cancelled')", name=op.f("ck_review_state_known")
        ),
        sa.CheckConstraint(
            "state NOT IN ('proposed', 'decided') OR outcome IS NOT NULL", name=op.f("ck_review_outcome_when_proposed")
        ),
        sa.CheckConstraint(
            "target IN ('intake', 'feasibility', 'small_batch_trial', 'market_validation', 'handoff', 'in_production', 'withdrawn', 'stopped')",
            name=op.f("ck_review_target_known"),
        ),
        sa.CheckConstraint("call_no >= 1", name=op.f("ck_review_call_no_from_one")),
        sa.CheckConstraint("notice_ends_on >= notice_starts_on", name=op.f("ck_review_notice_days_in_order")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_review_project_id_project")),
        sa.ForeignKeyConstraint(["stage_run_id"], ["stage_run.id"], name=op.f("fk_review_stage_run_id_stage_run")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review")),
        sa.UniqueConstraint("stage_run_id", "call_no", name=op.f("uq_review_stage_run_id_call_no")),
    )
    with op.batch_alter_table("review", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_review_project_id"), ["project_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_review_stage_run_id"), ["stage_run_id"], unique=False)

    op.create_table(
        "waiver",
        sa.Column("id", Id(), nullable=False),
        sa.Column("project_id", Id(), nullable=False),
        sa.Column("stage_run_id", Id(), nullable=False),
        sa.Column("gate", sa.String(length=2), nullable=False),
        sa.Column("clause", sa.String(length=10), nullable=False),
        sa.Column("reason", sa.String(length=10000), nullable=False),
        sa.Column("until_on", Day(), nullable=False),
        sa.Column("granted_by", Id(), nullable=False),
        sa.Column("granted_person_id", Id(), nullable=False),
        sa.Column("granted_at", UTCDateTime(), nullable=False),
        sa.Column("confirmed_by", Id(), nullable=True),
        sa.Column("confirmed_at", UTCDateTime(), nullable=True),
        sa.CheckConstraint("(confirmed_by IS NULL) = (confirmed_at IS NULL)", name=op.f("ck_waiver_confirmed_whole")),
        sa.CheckConstraint("confirmed_by <> granted_by", name=op.f("ck_waiver_two_people")),
        sa.ForeignKeyConstraint(["confirmed_by"], ["app_user.id"], name=op.f("fk_waiver_confirmed_by_app_user")),
        sa.ForeignKeyConstraint(["granted_by"], ["app_user.id"], name=op.f("fk_waiver_granted_by_app_user")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_waiver_project_id_project")),
        sa.ForeignKeyConstraint(["stage_run_id"], ["stage_run.id"], name=op.f("fk_waiver_stage_run_id_stage_run")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_waiver")),
    )
    with op.batch_alter_table("waiver", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_waiver_project_id"), ["project_id"], unique=False)

    op.create_table(
        "condition",
        sa.Column("id", Id(), nullable=False),
        sa.Column("project_id", Id(), nullable=False),
        sa.Column("review_id", Id(), nullable=False),
        sa.Column("gate", sa.String(length=2), nullable=False),
        sa.Column("clause", sa.String(length=10), nullable=False),
        sa.Column("owner_id", Id(), nullable=False),
        sa.Column("due_on", Day(), nullable=False),
        sa.Column("note", sa.String(length=10000), nullable=False),
        sa.Column("cleared_on", Day(), nullable=True),
        sa.ForeignKeyConstraint(["owner_id"], ["app_user.id"], name=op.f("fk_condition_owner_id_app_user")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_condition_project_id_project")),
        sa.ForeignKeyConstraint(["review_id"], ["review.id"], name=op.f("fk_condition_review_id_review")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_condition")),
        sa.UniqueConstraint("review_id", "clause", name=op.f("uq_condition_review_id_clause")),
    )
    with op.batch_alter_table("condition", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_condition_project_id"), ["project_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_condition_review_id"), ["review_id"], unique=False)

    op.create_table(
        "objection",
        sa.Column("id", Id(), nullable=False),
        sa.Column("review_id", Id(), nullable=False),
        sa.Column("raised_by", sa.String(length=200), nullable=False),
        sa.Column("text", sa.String(length=10000), nullable=False),
        sa.Column("raised_on", Day(), nullable=False),
        sa.Column("is_upheld", sa.Boolean(), nullable=True),
        sa.Column("answer", sa.String(length=10000), nullable=True),
        sa.Column("answered_on", Day(), nullable=True),
        sa.ForeignKeyConstraint(["review_id"], ["review.id"], name=op.f("fk_objection_review_id_review")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_objection")),
    )
    with op.batch_alter_table("objection", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_objection_review_id"), ["review_id"], unique=False)

    op.create_table(
        "panel_member",
        sa.Column("id", Id(), nullable=False),
        sa.Column("review_id", Id(), nullable=False),
        sa.Column("user_id", Id(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("is_chair", sa.Boolean(), nullable=False),
        sa.Column("has_vote", sa.Boolean(), nullable=False),
        sa.Column("competences", JSONText(), nullable=False),
        sa.Column("recused_on", Day(), nullable=True),
        sa.Column("recused_reason", sa.String(length=10000), nullable=True),
        sa.Column("vote", sa.Text(), nullable=True),
        sa.Column("voted_at", UTCDateTime(), nullable=True),
        sa.CheckConstraint(
            "role IN ('project_lead', 'finance_officer', 'process_engineer', 'coordinator', 'technical_manager', 'lab_lead', 'quality_engineer', 'ehs_officer', 'expert', 'panel_chair', 'customer_rep', 'receiver_lead', 'certifier', 'fund_manager', 'fund_director', 'payer', 'accountant', 'auditor', 'sponsor', 'standard_editor', 'operator', 'admin')",
            name=op.f("ck_panel_member_role_known"),
        ),
        sa.CheckConstraint(
            "vote IN ('go', 'conditional_go', 'hold', 'recycle', 'stop', 'transfer')",
            name=op.f("ck_panel_member_vote_known"),
        ),
        sa.ForeignKeyConstraint(["review_id"], ["review.id"], name=op.f("fk_panel_member_review_id_review")),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_panel_member_user_id_app_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_panel_member")),
        sa.UniqueConstraint("review_id", "user_id", name=op.f("uq_panel_member_review_id_user_id")),
    )
    with op.batch_alter_table("panel_member", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_panel_member_review_id"), ["review_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_panel_member_user_id"), ["user_id"], unique=False)

    op.create_table(
        "score",
        sa.Column("id", Id(), nullable=False),
        sa.Column("review_id", Id(), nullable=False),
        sa.Column("member_id", Id(), nullable=False),
        sa.Column("factor", sa.String(length=60), nullable=False),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.CheckConstraint("points BETWEEN 0 AND 10", name=op.f("ck_score_points_in_range")),
        sa.ForeignKeyConstraint(["member_id"], ["panel_member.id"], name=op.f("fk_score_member_id_panel_member")),
        sa.ForeignKeyConstraint(["review_id"], ["review.id"], name=op.f("fk_score_review_id_review")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_score")),
        sa.UniqueConstraint("member_id", "factor", name=op.f("uq_score_member_id_factor")),
    )
    with op.batch_alter_table("score", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_score_member_id"), ["member_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_score_review_id"), ["review_id"], unique=False)


def downgrade() -> None:
    """Lead back to nothing."""
    with op.batch_alter_table("score", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_score_review_id"))
        batch_op.drop_index(batch_op.f("ix_score_member_id"))

    op.drop_table("score")
    with op.batch_alter_table("panel_member", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_panel_member_user_id"))
        batch_op.drop_index(batch_op.f("ix_panel_member_review_id"))

    op.drop_table("panel_member")
    with op.batch_alter_table("objection", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_objection_review_id"))

    op.drop_table("objection")
    with op.batch_alter_table("condition", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_condition_review_id"))
        batch_op.drop_index(batch_op.f("ix_condition_project_id"))

    op.drop_table("condition")
    with op.batch_alter_table("waiver", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_waiver_project_id"))

    op.drop_table("waiver")
    with op.batch_alter_table("review", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_review_stage_run_id"))
        batch_op.drop_index(batch_op.f("ix_review_project_id"))

    op.drop_table("review")
    with op.batch_alter_table("requirement", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_requirement_verdict"))
        batch_op.drop_index(batch_op.f("ix_requirement_stage_run_id"))
        batch_op.drop_index(batch_op.f("ix_requirement_project_id"))

    op.drop_table("requirement")
    with op.batch_alter_table("measurement", schema=None) as batch_op:
        batch_op.drop_index("ix_measurement_batch_id_characteristic")

    op.drop_table("measurement")
    with op.batch_alter_table("maturity_claim", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_maturity_claim_project_id"))

    op.drop_table("maturity_claim")
    with op.batch_alter_table("judgement", schema=None) as batch_op:
        batch_op.drop_index("ix_judgement_project_id_clause")

    op.drop_table("judgement")
    with op.batch_alter_table("issue", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_issue_project_id"))

    op.drop_table("issue")
    with op.batch_alter_table("completion_notice", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_completion_notice_project_id"))

    op.drop_table("completion_notice")
    with op.batch_alter_table("batch_figure", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_batch_figure_batch_id"))

    op.drop_table("batch_figure")
    with op.batch_alter_table("verification_track", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_verification_track_project_id"))

    op.drop_table("verification_track")
    with op.batch_alter_table("trial_batch", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_trial_batch_project_id"))

    op.drop_table("trial_batch")
    with op.batch_alter_table("stage_run", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_stage_run_project_id"))

    op.drop_table("stage_run")
    with op.batch_alter_table("scenario_trial", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_scenario_trial_project_id"))

    op.drop_table("scenario_trial")
    with op.batch_alter_table("project_member", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_project_member_user_id"))
        batch_op.drop_index(batch_op.f("ix_project_member_project_id"))

    op.drop_table("project_member")
    with op.batch_alter_table("evidence", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_evidence_sha256"))
        batch_op.drop_index("ix_evidence_project_id_type")

    op.drop_table("evidence")
    with op.batch_alter_table("design_revision", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_design_revision_project_id"))

    op.drop_table("design_revision")
    with op.batch_alter_table("customer_order", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_customer_order_project_id"))

    op.drop_table("customer_order")
    with op.batch_alter_table("characteristic", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_characteristic_project_id"))

    op.drop_table("characteristic")
    with op.batch_alter_table("project", schema=None) as batch_op:
        batch_op.drop_index("ix_project_title_key")
        batch_op.drop_index("ix_project_stage_received_on")
        batch_op.drop_index(batch_op.f("ix_project_programme_id"))
        batch_op.drop_index(batch_op.f("ix_project_platform_id"))
        batch_op.drop_index(batch_op.f("ix_project_organisation_id"))
        batch_op.drop_index(batch_op.f("ix_project_next_due_at"))

    op.drop_table("project")
    with op.batch_alter_table("role_grant", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_role_grant_user_id"))
        batch_op.drop_index("ix_role_grant_organisation_id_role")

    op.drop_table("role_grant")
    op.drop_table("programme")
    with op.batch_alter_table("organisation_tie", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_organisation_tie_other_id"))
        batch_op.drop_index(batch_op.f("ix_organisation_tie_organisation_id"))

    op.drop_table("organisation_tie")
    with op.batch_alter_table("api_token", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_api_token_user_id"))

    op.drop_table("api_token")
    with op.batch_alter_table("transition", schema=None) as batch_op:
        batch_op.drop_index("ix_transition_object_type_object_id")

    op.drop_table("transition")
    op.drop_table("standard_pack")
    with op.batch_alter_table("outbox_message", schema=None) as batch_op:
        batch_op.drop_index("ix_outbox_message_status_created_at")

    op.drop_table("outbox_message")
    with op.batch_alter_table("organisation", schema=None) as batch_op:
        batch_op.drop_index(
            "ux_organisation_credit_code",
            sqlite_where=sa.text("credit_code IS NOT NULL"),
            postgresql_where=sa.text("credit_code IS NOT NULL"),
        )
        batch_op.drop_index("ix_organisation_name")

    op.drop_table("organisation")
    op.drop_table("number_series")
    op.drop_table("installation")
    with op.batch_alter_table("hold", schema=None) as batch_op:
        batch_op.drop_index("ix_hold_object_id_lifted_at")

    op.drop_table("hold")
    op.drop_table("edge")
    op.drop_table("command_record")
    op.drop_table("checkpoint")
    op.drop_table("audit_record")
    with op.batch_alter_table("app_user", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_app_user_person_id"))

    op.drop_table("app_user")
