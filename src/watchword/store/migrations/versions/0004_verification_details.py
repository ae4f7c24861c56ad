"""Keep what a start said of itself: payment, tags, language; sealed."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("verifications", sa.Column("sealed_details", sa.Text))
