"""The version of the record's schema: which form of tables and columns lies there, stored as a property of `delivery`.

A record without the property is of version 1, the form that all had up to it. Whoever changes the form raises
`SCHEMA_VERSION`, writes how an older one is brought there, and `risk upgrade` marks what it brought.
"""

from deltalake import DeltaTable

SCHEMA_VERSION = 1
_PROPERTY = "dossier_risk.schema"


class NewerRecord(ValueError):
    """The record was written by a newer version of this software than the one that opens it."""


def schema_version(delivery: DeltaTable) -> int:
    """The version that the table `delivery` of a record states."""
    return int(delivery.metadata().configuration.get(_PROPERTY) or 1)


def insist_on_known(delivery: DeltaTable) -> None:
    """NewerRecord where the record's form is newer than what this version reads; to read on might drop columns."""
    stands = schema_version(delivery)
    if stands > SCHEMA_VERSION:
        raise NewerRecord(
            f"the record has schema {stands}, this version knows up to {SCHEMA_VERSION}: install the version that "
            "wrote it, or restore the backup made before the upgrade"
        )


def mark(delivery: DeltaTable, version: int = SCHEMA_VERSION) -> bool:
    """Notes the version with the record; False where it stands there already."""
    if schema_version(delivery) == version:
        return False
    delivery.alter.set_table_properties({_PROPERTY: str(version)}, raise_if_not_exists=False)
    return True
