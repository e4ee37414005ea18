"""The language in which pages speak: Vietnamese as written in the code, English from the catalogue beside it.

The Vietnamese sentence is the key, so Vietnamese lacks no text and needs no catalogue. The language belongs to the
reading of one page (`serving.use_cases.guard`): what is stored, sent, downloaded or answered by the API is made outside
of it and stays Vietnamese. The catalogue is GNU gettext (`locale/<language>/LC_MESSAGES/pages.po`, compiled beside it).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from gettext import GNUTranslations
from pathlib import Path
from typing import Any

from markupsafe import escape

SOURCE = "vi"
LANGUAGES = {"vi": "Tiếng Việt", "en": "English"}
"""Languages that an account can choose, each by its own name."""
LOCALE = Path(__file__).parent / "locale"

_spoken: ContextVar[str] = ContextVar("language", default=SOURCE)


@cache
def _catalogue(language: str) -> GNUTranslations:
    with (LOCALE / language / "LC_MESSAGES" / "pages.mo").open("rb") as file:
        return GNUTranslations(file)


def language() -> str:
    """The language that is spoken here and now, by its ISO 639-1 code."""
    return _spoken.get()


def speak(chosen: str) -> None:
    """Go on in `chosen` until this request is answered; what is no language of ours is Vietnamese."""
    _spoken.set(chosen if chosen in LANGUAGES else SOURCE)


@contextmanager
def speaking(chosen: str) -> Iterator[None]:
    """Speak `chosen` within."""
    before = _spoken.set(chosen if chosen in LANGUAGES else SOURCE)
    try:
        yield
    finally:
        _spoken.reset(before)


def preferred(accepted: str) -> str:
    """The language for a stranger by the `Accept-Language` header (RFC 9110).

    Vietnamese wherever the header names it at all: many browsers in Vietnam are English ones that put English first.
    """
    tags = {one.strip().split(";")[0].split("-")[0].lower() for one in accepted[:400].split(",")}
    return next((one for one in LANGUAGES if one in tags), SOURCE)


def gettext(text: str) -> str:
    """A Vietnamese text of the catalogue in the language spoken; as it is where the catalogue has none."""
    spoken = _spoken.get()
    return str.__str__(text) if spoken == SOURCE else _catalogue(spoken).gettext(str.__str__(text))


def chosen(vi: str, en: str) -> str:
    """Of words that are declared in both languages those of the language spoken."""
    return en if _spoken.get() == "en" else vi


class LazyText(str):
    """A text that stands in the code once and is said in the language of whoever reads: for tables of words.

    As a string it is the Vietnamese text; formatted, printed on a page or lowered it is gettext's.
    """

    __slots__ = ()

    def __str__(self) -> str:
        return gettext(self)

    def __format__(self, spec: str) -> str:
        return format(gettext(self), spec)

    def __html__(self) -> str:
        return str(escape(gettext(self)))

    def lower(self) -> str:
        """As `str.lower`, in the language spoken."""
        return gettext(self).lower()

    def capitalize(self) -> str:
        """As `str.capitalize`, in the language spoken."""
        return gettext(self).capitalize()

    def format(self, *args: Any, **kwargs: Any) -> str:
        """As `str.format`, in the language spoken."""
        return gettext(self).format(*args, **kwargs)
