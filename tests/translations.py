"""The catalogue of English texts: what the code says to people, brought up to date and compiled.

    uv run python -m tests.translations          takes new texts in, drops those that are gone, compiles
    uv run python -m tests.translations --check  says what lacks, exits 1 where anything does

A text is extracted by Babel from the templates (Jinja's own extractor) and from the Python of `serving/`: what stands
in `_("…")`, `gettext("…")` or `lazy("…")`. Its Vietnamese is the key.
"""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from serving.language import LOCALE

SERVING = Path(__file__).resolve().parents[1] / "serving"
PO = LOCALE / "en" / "LC_MESSAGES" / "pages.po"
METHODS = [("**/templates/**.html", "jinja2"), ("**/templates/**.svg", "jinja2"), ("**.py", "python")]
_HEADER = "# What the pages say, in English. The key is the Vietnamese text in the code; see CONTRIBUTING.md."
_BEGUN = datetime(2026, 11, 30, tzinfo=UTC)
KEYWORDS = {"_": None, "lazy": None, "gettext": None}


def texts() -> Iterator[tuple[str, str]]:
    """Each text with the file that says it first."""
    seen = set()
    options = {"**/templates/**.html": {"trimmed": "false"}}
    for name, _, text, _, _ in extract_from_dir(SERVING, METHODS, options, KEYWORDS):
        if isinstance(text, str) and text not in seen:
            seen.add(text)
            yield text, Path(name).as_posix()


def english() -> Catalog:
    """The catalogue as it is stored."""
    if not PO.exists():
        return Catalog("en")
    with PO.open("rb") as file:
        return read_po(file, "en")


def compiled(catalog: Catalog) -> bytes:
    """What the service reads of a catalogue."""
    found = BytesIO()
    write_mo(found, catalog)
    return found.getvalue()


def lacking(catalog: Catalog) -> list[str]:
    """What keeps the catalogue from being complete: texts without English or not looked over, and texts of none."""
    wanted = dict(texts())
    have = {message.id: message for message in catalog if message.id}
    return [
        *(
            f"no English: {where}: {text}"
            for text, where in wanted.items()
            if text not in have or not have[text].string
        ),
        *(f"not looked over: {one.id}" for one in have.values() if one.fuzzy),
        *(f"no page says it: {text}" for text in sorted(have.keys() - wanted.keys())),
    ]


def updated(catalog: Catalog) -> Catalog:
    """The catalogue of what the code says now, with the English that is there; sorted by file, then as it stands."""
    fresh = Catalog("en", header_comment=_HEADER, project="dossier-risk", fuzzy=False, creation_date=_BEGUN)
    fresh.revision_date = _BEGUN  # a date of today would change the file at every run
    for text, where in texts():
        known = catalog.get(text)
        flags = {"python-brace-format"} if where.endswith(".py") and "{" in text else set()
        fresh.add(text, known.string if known else "", locations=[(where, 0)], flags=flags)
    return fresh


def main() -> None:
    """Bring the catalogue up to date, or check it."""
    catalog = english() if "--check" in sys.argv else updated(english())
    if "--check" not in sys.argv:
        PO.parent.mkdir(parents=True, exist_ok=True)
        with PO.open("wb") as file:
            write_po(file, catalog, width=120, include_lineno=False, omit_header=False)
        PO.with_suffix(".mo").write_bytes(compiled(catalog))
    lacks = lacking(catalog)
    print("\n".join(lacks) or f"{len(catalog)} texts, all in English")
    if lacks and "--check" in sys.argv:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
