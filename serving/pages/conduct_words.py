"""How a line of the conduct lists is said on a page: its sentences, and the directive behind each as a link."""

import re

from markupsafe import Markup, escape

from features.signals.directives import CITED, basis_vi
from features.signals.sentences import CAUSES
from models.conduct import NOT_A_FINDING, ConductLine
from serving.language import SOURCE, chosen, language

_CITED = re.compile("|".join(re.escape(str(escape(one))) for one in sorted(CITED, key=len, reverse=True)))
_ANCHORS = {str(escape(words)): anchor for words, anchor in CITED.items()}
_CODES = re.compile(r"Source: (.*?)(?=\. [A-Z]|\.?$)")


def with_basis(text: str) -> Markup:
    """A reason with a link from each rule it cites to the directive's text, whose words are Vietnamese always."""
    link = r'<a href="/basis#{}">{}</a>'
    if language() == SOURCE:
        return Markup(_CITED.sub(lambda found: link.format(_ANCHORS[found[0]], found[0]), str(escape(text))))
    said = Markup()
    end = 0
    for found in _CODES.finditer(text):
        basis = _CITED.sub(lambda one: link.format(_ANCHORS[one[0]], one[0]), str(escape(basis_vi(found[1]))))
        said += escape(text[end : found.start()]) + Markup('Source: <span lang="vi">{}</span>').format(Markup(basis))
        end = found.end()
    return said + escape(text[end:])


def reasons_of(line: ConductLine) -> str:
    """The sentences of a line."""
    return chosen(line.reasons_vi, line.reasons_en)


def first_and_more(line: ConductLine) -> tuple[str, str]:
    """The first sentence up to the remark that it is no finding, and what else was seen; "" where nothing was."""
    remark = f"{chosen(*NOT_A_FINDING)}. "
    first, found, more = reasons_of(line).partition(remark)
    return first + found.rstrip(), more


def brief_sign(line: ConductLine) -> str:
    """What was seen in a dossier, for a narrow cell: without whose it is and without figures."""
    return reasons_of(line).split(" (")[0].removeprefix(f"{chosen(*CAUSES['dossier'])}: ")
