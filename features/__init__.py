"""What we know: the record of deliveries, the legal calendar and clock, feature declarations, signals, the matrix.

Start at `record` (what was delivered, and when it could be known), then `declaration` (what a feature is) and
`matrix` (one row a case). `feeds/` has a module a source, `signals/` the declared rules, `simulate/` a province
that knows its truth. Nothing here imports the other rooms.
"""
