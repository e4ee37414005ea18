"""Migrations are one line, never edited once landed, and mend the one that was."""

import hashlib
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import text

from serving.state import Base, NewerDatabase, State, head, open_state, revision_of, upgrade
from serving.state.migrate import MIGRATIONS

VERSIONS = MIGRATIONS / "versions"
NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
LANDED = {
    "0001_accounts_receipts_answers.py": "10ddde850925ab6a11421f8e43c82c40ce596f8696ff86db529caf2b059d711b",
    "0002_findings.py": "b3feeb35f1ad1ebb8840cdf6f03ab8e22e51110298f37084d05ab9c28b9a46d6",
    "0003_early_warnings.py": "b776a69e2ff649abdac7bee5f0cf2e4bb30bdeb8b928234a57b80ab11381f68c",
    "0004_answers_reports.py": "1384db831d15cd28a272373e7d9a759cf06f8868627d7b9e4b4597ba90fdd61b",
    "0005_early_form_of_explanations.py": "b3f0d6a5ba47f878867dce1b746af01b6ba333c5f7b9763b0986f7bed8285c6a",
    "0006_job_runs.py": "186883eef2551544e872c3267bb41b721d7a83bb853f091a7fd22c91c294fa38",
    "0007_decision_tracks.py": "58c180d34e1ea3ec271dea37b4ab795207ad9355643a8c2fb0b8a0a83fba83b5",
    "0008_report_text.py": "6b0e090107b9d113339e433ea1794c5fc14c2de249c2ca65134563fdb090e728",
    "0009_cases_views_rules_photos.py": "16d353bf2c7090a024f5b483d3cc8753e9c0ee65ae7772993708790a580a34a3",
    "0010_temporary_passwords.py": "72318409308f6b40ccf51901ee71147bf16e5150033fd9158db0d6e61af85767",
    "0011_decision_on_ended_dossiers.py": "63a3a31fc830109fba66121a800d19f7e091260928bf357b5f60a86b8039742e",
    "0012_language_of_an_account.py": "bc481fb40c35275308c626cee122a5a8426321442f561ae965db148c286ac65b",
}
"""Migration → sha256 of its file. A landed one is never edited: homes have run it. Write a new one, add its line."""


def test_a_landed_migration_is_never_edited() -> None:
    present = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in VERSIONS.glob("0*.py")}
    assert {name: present.get(name) for name in LANDED} == LANDED
    assert set(present) == set(LANDED), "give the new migration its line in LANDED"


def test_migrations_stand_in_one_line_in_the_order_of_their_names() -> None:
    scripts = list(ScriptDirectory(str(MIGRATIONS)).walk_revisions())[::-1]
    assert [Path(one.path).name[:4] for one in scripts] == [one.revision for one in scripts]
    assert [one.revision for one in scripts] == [f"{number:04d}" for number in range(1, len(scripts) + 1)]
    assert head() == scripts[-1].revision


EARLY = (
    "ALTER TABLE explanation_slip RENAME TO explanation_ticket",
    "ALTER TABLE explanation_act RENAME COLUMN slip_id TO ticket_id",
    "DROP INDEX ix_explanation_act_slip_id",
    "CREATE INDEX ix_explanation_act_ticket_id ON explanation_act (ticket_id)",
    "DROP INDEX ix_explanation_slip_official_id",
    "DROP INDEX ix_explanation_slip_unit_code",
    "CREATE INDEX ix_explanation_ticket_official_id ON explanation_ticket (official_id)",
    "CREATE INDEX ix_explanation_ticket_unit_code ON explanation_ticket (unit_code)",
)
ON_POSTGRES = (
    "ALTER TABLE explanation_ticket RENAME CONSTRAINT pk_explanation_slip TO pk_explanation_ticket",
    (
        "ALTER TABLE explanation_ticket RENAME CONSTRAINT uq_explanation_slip_dossier_id "
        "TO uq_explanation_ticket_dossier_id"
    ),
    "ALTER TABLE explanation_act RENAME CONSTRAINT fk_explanation_act_slip_id TO fk_explanation_act_ticket_id",
)


def test_a_database_that_ran_0004_in_its_early_form_keeps_what_was_entered(database_url: str) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    state = State(database_url)
    upgrade(state, "0004")
    with state.writing() as session:
        for line in (*EARLY, *(() if state.sqlite else ON_POSTGRES)):
            session.execute(text(line))
        session.execute(
            text(
                "INSERT INTO explanation_ticket (id, dossier_id, unit_code, missed_due_at, over_hours, outage_hours, "
                "opened_at, answer_due_at) VALUES (7, 'd1', 'u1', :at, 3.5, 0, :at, :at)"
            ),
            {"at": NOW},
        )
        session.execute(
            text(
                "INSERT INTO explanation_act (id, ticket_id, act, text, acted_at) "
                "VALUES (3, 7, 'explain', 'lý do', :at)"
            ),
            {"at": NOW},
        )
    upgrade(state)
    with state.writing() as session:
        context = MigrationContext.configure(session.connection())
        assert compare_metadata(context, Base.metadata) == []
        found = session.execute(text("SELECT s.dossier_id, a.text FROM explanation_act a JOIN explanation_slip s "
                                     "ON s.id = a.slip_id"))  # fmt: skip
        assert found.all() == [("d1", "lý do")]
        session.execute(text("INSERT INTO explanation_act (slip_id, act, text, acted_at) "
                             "VALUES (7, 'review', '', :at)"),
                        {"at": NOW})  # fmt: skip
    state.close()


def test_tables_of_a_newer_version_are_refused_untouched(database_url: str) -> None:
    state = open_state(database_url)
    assert revision_of(state) == head()
    with state.writing() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(NewerDatabase, match=f"9999, this version knows up to {head()}"):
        upgrade(state)
    assert revision_of(state) == "9999"
    state.close()
