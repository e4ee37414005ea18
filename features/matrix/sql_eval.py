"""A feature's SQL expression as a Python function: the same value without an engine, for one dossier at a
time.

The SQL is parsed by sqlglot and turned into nested closures, once. Missing is None and follows SQL:
arithmetic and comparison with None give None, AND/OR are three-valued, aggregates pass over None. What is not
known here raises `Unsupported` when the expression is read, never when it is used.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import sqlglot
from sqlglot import exp

Row = Mapping[str, Any]
Value = Callable[[Row], Any]
Aggregate = Callable[[Sequence[Row]], Any]


class Unsupported(ValueError):
    """The expression uses SQL that only an engine can work out."""


def scalar(sql: str) -> Value:
    """The value of `sql` (DuckDB's dialect) over the columns of one row; KeyError where a column is missing."""
    return _value(_parsed(sql))


def aggregate(sql: str) -> Aggregate:
    """The value of `sql`, made of aggregates, over rows; of no rows: COUNT 0, everything else None."""
    tree = _parsed(sql)
    parts: dict[str, Aggregate] = {}

    def taken_out(node: exp.Expression) -> exp.Expression:
        if isinstance(node, exp.AggFunc):
            name = f"aggregate_{len(parts)}"
            parts[name] = _aggregate(node)
            return exp.column(name)
        return node

    outer = _value(tree.transform(taken_out))
    return lambda rows: outer({name: part(rows) for name, part in parts.items()})


def _parsed(sql: str) -> exp.Expression:
    tree: Any = sqlglot.parse_one(sql, dialect="duckdb")
    found: exp.Expression = tree
    return found


def _aggregate(node: exp.AggFunc) -> Aggregate:
    if isinstance(node, exp.Count) and isinstance(node.this, exp.Star):
        return len
    inner = _value(node.this)

    def over(fold: Callable[[list[Any]], Any]) -> Aggregate:
        def result(rows: Sequence[Row]) -> Any:
            values = [value for row in rows if (value := inner(row)) is not None]
            return fold(values) if values else None

        return result

    for kind, fold in ((exp.Sum, sum), (exp.Max, max), (exp.Min, min)):
        if isinstance(node, kind):
            return over(fold)
    raise Unsupported(f"aggregate {node.key}")


def _value(node: exp.Expression) -> Value:
    for kind, make in _MAKERS.items():
        if isinstance(node, kind):
            return make(node)
    raise Unsupported(f"{node.key} in {node.sql()[:60]}")


def _column(node: Any) -> Value:
    name = node.name
    return lambda row: row[name]


def _literal(node: Any) -> Value:
    text = node.this
    constant: Any = text if node.is_string else float(text) if set(text) & set(".eE") else int(text)
    return lambda row: constant


def _boolean(node: Any) -> Value:
    constant = bool(node.this)
    return lambda row: constant


def _binary(operate: Callable[[Any, Any], Any]) -> Callable[[Any], Value]:
    def make(node: Any) -> Value:
        left, right = _value(node.this), _value(node.expression)

        def value(row: Row) -> Any:
            a, b = left(row), right(row)
            return None if a is None or b is None else operate(a, b)

        return value

    return make


def _divided(a: Any, b: Any) -> Any:
    return None if b == 0 else a / b


def _divided_whole(a: Any, b: Any) -> Any:
    """Whole division towards zero, as SQL divides."""
    if b == 0:
        return None
    whole = abs(a) // abs(b)
    return whole if (a < 0) == (b < 0) else -whole


def _remainder(a: Any, b: Any) -> Any:
    """What whole division leaves, with the sign of `a`."""
    if b == 0:
        return None
    rest = abs(a) % abs(b)
    return -rest if a < 0 else rest


def _negative(node: Any) -> Value:
    inner = _value(node.this)
    return lambda row: None if (value := inner(row)) is None else -value


def _case(node: Any) -> Value:
    subject = _value(node.this) if node.this is not None else None
    branches = [(_value(one.this), _value(one.args["true"])) for one in node.args["ifs"]]
    default = _value(node.args["default"]) if node.args.get("default") is not None else None

    def value(row: Row) -> Any:
        operand = subject(row) if subject else None
        for condition, result in branches:
            holds = condition(row)
            if (operand is not None and holds == operand) if subject else holds:
                return result(row)
        return default(row) if default else None

    return value


def _coalesce(node: Any) -> Value:
    parts = [_value(part) for part in (node.this, *node.expressions)]
    return lambda row: next((value for part in parts if (value := part(row)) is not None), None)


def _nullif(node: Any) -> Value:
    left, right = _value(node.this), _value(node.expression)
    return lambda row: None if (value := left(row)) == right(row) else value


def _extreme(choose: Callable[[list[Any]], Any]) -> Callable[[Any], Value]:
    def make(node: Any) -> Value:
        parts = [_value(part) for part in (node.this, *node.expressions)]

        def value(row: Row) -> Any:  # DuckDB's GREATEST and LEAST pass over NULL
            values = [found for part in parts if (found := part(row)) is not None]
            return choose(values) if values else None

        return value

    return make


def _cast(node: Any) -> Value:
    inner = _value(node.this)
    if node.to.is_type("double"):
        return lambda row: None if (value := inner(row)) is None else float(value)
    if node.to.is_type("bigint"):
        return lambda row: None if (value := inner(row)) is None else round(value)
    raise Unsupported(f"cast to {node.to.sql()}")


def _in(node: Any) -> Value:
    inner, choices = _value(node.this), frozenset(one.this for one in node.expressions)
    if not all(isinstance(one, exp.Literal) and one.is_string for one in node.expressions):
        raise Unsupported("IN of anything but texts")
    return lambda row: None if (value := inner(row)) is None else value in choices


def _is(node: Any) -> Value:
    if not isinstance(node.expression, exp.Null):
        raise Unsupported("IS of anything but NULL")
    inner = _value(node.this)
    return lambda row: inner(row) is None


def _not(node: Any) -> Value:
    inner = _value(node.this)
    return lambda row: None if (value := inner(row)) is None else not value


def _connected(decisive: bool) -> Callable[[Any], Value]:
    """AND (decided by False) and OR (decided by True), three-valued."""

    def make(node: Any) -> Value:
        left, right = _value(node.this), _value(node.expression)

        def value(row: Row) -> Any:
            a, b = left(row), right(row)
            if a is decisive or b is decisive:
                return decisive
            return None if a is None or b is None else not decisive

        return value

    return make


_MAKERS: dict[type[exp.Expression], Callable[[Any], Value]] = {
    exp.Column: _column,
    exp.Literal: _literal,
    exp.Paren: lambda node: _value(node.this),
    exp.Null: lambda node: lambda row: None,
    exp.Boolean: _boolean,
    exp.Neg: _negative,
    exp.Add: _binary(lambda a, b: a + b),
    exp.Sub: _binary(lambda a, b: a - b),
    exp.Mul: _binary(lambda a, b: a * b),
    exp.Div: _binary(_divided),
    exp.IntDiv: _binary(_divided_whole),
    exp.Mod: _binary(_remainder),
    exp.EQ: _binary(lambda a, b: a == b),
    exp.NEQ: _binary(lambda a, b: a != b),
    exp.LT: _binary(lambda a, b: a < b),
    exp.LTE: _binary(lambda a, b: a <= b),
    exp.GT: _binary(lambda a, b: a > b),
    exp.GTE: _binary(lambda a, b: a >= b),
    exp.Case: _case,
    exp.Coalesce: _coalesce,
    exp.Nullif: _nullif,
    exp.Greatest: _extreme(max),
    exp.Least: _extreme(min),
    exp.Cast: _cast,
    exp.In: _in,
    exp.Is: _is,
    exp.Not: _not,
    exp.And: _connected(decisive=False),
    exp.Or: _connected(decisive=True),
}
