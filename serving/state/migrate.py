"""Migrations of the working state, forward and back, through Alembic."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from serving.state.engine import State

MIGRATIONS = Path(__file__).parent / "migrations"


class NewerDatabase(ValueError):
    """The tables were made by a newer version of this software than the one that opens them."""


def upgrade(state: State, revision: str = "head") -> None:
    """Bring the tables to `revision`, in one transaction; a second process waits for the first.

    NewerDatabase where the tables are at a revision that this version has never heard of; nothing is touched then.
    """
    with state.writing() as session:
        stands = _revision(session.connection())
        if stands is not None and stands not in {one.revision for one in _scripts().walk_revisions()}:
            raise NewerDatabase(
                f"the database is at revision {stands}, this version knows up to {head()}: "
                "install the version that made it, or restore the backup made before the upgrade"
            )
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


def head() -> str:
    """The newest revision that this version knows."""
    newest = _scripts().get_current_head()
    assert newest is not None, "there are migrations"
    return newest


def revision_of(state: State) -> str | None:
    """The revision at which the tables stand; None where there are none yet."""
    with state.reading() as session:
        return _revision(session.connection())


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _scripts() -> ScriptDirectory:
    return ScriptDirectory(str(MIGRATIONS))


def _config(connection: object) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    return config
