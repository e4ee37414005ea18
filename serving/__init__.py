"""How we use it: scoring, lists, plans, findings, warnings, answers, reports, accounts, API, pages, command line.

Start at `scoring` and `risk_list`, then `app.py` (the server) or `cli/` (the command `risk`). `state/` is the
working state in SQL, `rights` says who may do what. Imports `models` and `features`; `cli` alone imports `training`.
"""
