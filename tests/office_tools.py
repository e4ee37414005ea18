"""Programs of an office that files are opened with: LibreOffice and poppler."""

import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest


def tool(*names: str) -> str:
    """The first of these programs that is installed; skips, which CI takes for a failure, where none is."""
    found = next((path for name in names if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip(f"no {names[0]} here")
    return found


def converted(folder: Path, files: Iterable[Path], to: str = "pdf") -> None:
    """Opens the files in LibreOffice and saves each in `folder` in the form `to`; CalledProcessError where it fails."""
    office = tool("soffice", "libreoffice")
    subprocess.run(
        [office, f"-env:UserInstallation=file://{folder / 'profile'}", "--headless", "--convert-to", to,
         "--outdir", str(folder), *map(str, files)],
        check=True, capture_output=True, timeout=400,
    )  # fmt: skip
