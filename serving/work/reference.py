"""What an installation knows that reading one-stop systems needs: its secret, its units, its officials' names."""

from dataclasses import replace

from features.key_file import key_file
from features.record.record import Record
from features.sources import FeedOptions
from features.sources.unit_directory import UnitDirectory
from serving.settings import Settings
from serving.state import State
from serving.state.official_names import officials_by_name

KEY = "pseudonyms.key"


def with_reference(options: FeedOptions, settings: Settings, record: Record, state: State) -> FeedOptions:
    """The options with the secret for pseudonyms, units by name, OpenCPS dossiers by number, officials' names."""
    with record.connect() as con:
        units = con.sql("SELECT unit_code, unit_name, valid_from, valid_to, succeeds FROM unit")
        book = UnitDirectory.from_rows(units.to_arrow_table().to_pylist())
        numbered = con.execute(
            "SELECT a.other_id, min(d.unit_code) FROM alias a JOIN dossier d ON d.dossier_id = a.dossier_id "
            "WHERE a.other_id LIKE 'opencps:%' GROUP BY a.other_id"
        ).fetchall()
        posts = con.execute("SELECT DISTINCT official_id, unit_code FROM official").fetchall()
    return replace(
        options,
        key=key_file(settings.keys / KEY),
        units=book,
        officials=officials_by_name(state, posts),
        unit_of=dict(numbered),
    )
