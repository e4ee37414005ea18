"""Alembic's entry: runs on the connection that `serving.state.migrate` hands over, inside its transaction."""

from alembic import context
from sqlalchemy import text

from serving.state import Base

connection = context.config.attributes["connection"]
if connection.dialect.name == "postgresql":  # SQLite's writer already holds the one lock there is
    connection.execute(text("SELECT pg_advisory_xact_lock(766)"))
context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=True)
context.run_migrations()
