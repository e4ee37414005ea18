"""Officials by name and unit, through the units that took over from one another.

A key is of a name in a unit (`features.sources.pseudonyms`), so a merger would part everybody from what they did.
A unit therefore also knows the people of the units that it alone took over. A unit that was split hands nobody on by
name: of whom in which of its heirs that name is, only a roster's own number can tell.
"""

from collections.abc import Iterable

from features.sources.unit_directory import UnitDirectory
from features.spelling.names import canonical, folded, has_no_diacritics


class Staff:
    """The keys of officials by name and unit. units: may grow while it is asked.

    known: (official_id, name, unit_code) of officials known before; one may stand in several units.
    """

    def __init__(self, units: UnitDirectory, officials: Iterable[tuple[str, str, str]] = ()) -> None:
        self._units = units
        self._whole: dict[tuple[str, str], set[str]] = {}
        self._bare: dict[tuple[str, str], set[str]] = {}
        for official_id, name, unit in officials:
            self.learn(official_id, name, unit)

    def learn(self, official_id: str, name: str, unit: str) -> None:
        """`official_id` is somebody of that name in that unit."""
        self._whole.setdefault((canonical(name), unit), set()).add(official_id)
        self._bare.setdefault((folded(name), unit), set()).add(official_id)

    def of(self, name: str, unit: str) -> frozenset[str]:
        """Who is called that in the unit, else everybody of that name there or in the units that it alone took over.

        Whoever stands there already by that name goes on, so a delivery told again tells the same. A name without
        diacritics may be anybody's whose name is the same without them.
        """
        keys, key = (self._bare, folded(name)) if has_no_diacritics(name) else (self._whole, canonical(name))
        here = keys.get((key, unit), set())
        if len(here) == 1:
            return frozenset(here)
        units = self._units.taken_over(unit)
        return frozenset(one for code in (unit, *units) for one in keys.get((key, code), ()))
