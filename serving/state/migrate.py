"""Migrations of the working state, forward and back, through Alembic."""

from pathlib import Path

from alembic import command
from alembic.config import Config

from serving.state.engine import State

MIGRATIONS = Path(__file__).parent / "migrations"


def upgrade(state: State, revision: str = "head") -> None:
    """Bring the tables to `revision`, in one transaction; a second process waits for the first."""
    with state.writing() as session:
        command.upgrade(_config(session.connection()), revision)


def downgrade(state: State, revision: str) -> None:
    """Take the tables back to `revision` (`base` removes them all)."""
    with state.writing() as session:
        command.downgrade(_config(session.connection()), revision)


def open_state(url: str) -> State:
    """The working state at `url`, its tables brought to the newest revision."""
    state = State(url)
    upgrade(state)
    return state


def _config(connection: object) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    return config
