"""Where a dossier stands at a moment: received, held, its clock, its promises, ended, reopened, late. Said once.

`relation.case_states` says it of every dossier as a table (`courses`: the rules over columns), `replay.replay` of one
from its rows; `kinds` names the events that stop, run and end the clock.
"""
