# SPDX-License-Identifier: Apache-2.0
"""offray.read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from offray._choices import Decimal, LossUnit
from offray._input.rows import Table
from offray._read import rows
from offray._read.plan import planned
from offray._read.quantity import decimal_sign
from offray._read.source import opened
from offray._read.values import Values


def read(
    source: Any,
    *,
    params: str | None = None,
    tokens: str | None = None,
    loss: str | None = None,
    unique_tokens: str | None = None,
    weight: str | None = None,
    flops: str | None = None,
    steps: str | float | None = None,
    batch: str | float | None = None,
    length: str | float | None = None,
    loss_unit: LossUnit | None = None,
    bytes_per_token: str | float | None = None,
    decimal: Decimal | None = None,
    where: str | Iterable[str] = (),
    drop_missing: bool = False,
    last: str | None = None,
    best: Literal["min"] | None = None,
    required: tuple[str, ...] = ("params", "tokens", "loss"),
    inputs: Mapping[str, str] | None = None,
    by: str | None = None,
    also: tuple[str, ...] = (),
) -> Table:
    """Read training runs, one per row, ready for `offray.fit`.

    Parameters
    ----------
    source : path, "-", open binary file, data frame, list of mappings, or mapping
        A file of text (comma, semicolon, tab or pipe between the columns; JSON; JSON lines; each also compressed by gzip), a
        Parquet file or a spreadsheet, known by its contents; "-" is standard input. Or a table in memory.
    params, tokens, loss, unique_tokens, weight : str, optional
        Names of columns, where they are not usual ones; folders such as "config." may be left out.
    flops : str, optional
        Column of compute C; where N or D has no column, it is taken from C = 6 N D.
    steps, batch, length : str or float, optional
        Tokens as their product: columns, or numbers. Without `length` the batch is in tokens.
    loss_unit : {"nats", "bits", "perplexity"}, optional
        Of the losses, which become nats.
    bytes_per_token : str or float, optional
        A column or a number, for bits per byte.
    decimal : {".", ","}, optional
        The decimal sign. Default: what the cells say.
    where : str or iterable of str
        Conditions that rows must meet: a column, one of = != < <= > >=, a value.
    drop_missing : bool
        Leave out rows in which a column that is read holds no number.
    last : str, optional
        Column that names the run: of each, the row with the highest step counts, or else with the most tokens.
    best : {"min"}, optional
        Of the rows that agree in everything but loss and weight, the one with the lowest loss.
    required : tuple of str
        The roles that must be there.
    inputs : mapping of str to str, optional
        Further columns of numbers by the name they get, such as a law's own inputs.
    by : str, optional
        A column of labels.
    also : tuple of str
        Further columns of labels or numbers, read where they exist.

    Returns
    -------
    Table
        A mapping from role to array, ``notes`` on what was decided; errors of fits name its rows as the source does.

    Raises
    ------
    ValueError
        In one sentence with file, line, column and value, for what cannot be read, and the option that would help.
    ModuleNotFoundError
        For a format that needs a package that is not installed; the message says which.

    Examples
    --------
    >>> import offray
    >>> runs = offray.read([{"size": "70M", "D": "1.4B", "ppl": 20.1}], params="size", loss="ppl", loss_unit="perplexity")
    >>> {role: float(round(values[0], 3)) for role, values in runs.items()}
    {'params': 70000000.0, 'tokens': 1400000000.0, 'loss': 3.001}
    """
    if best not in (None, "min"):
        raise ValueError(f'best must be "min"; got {best!r}')
    if decimal not in (None, ".", ","):
        raise ValueError(f'decimal must be "." or ","; got {decimal!r}')
    named = {"params": params, "tokens": tokens, "loss": loss, "unique_tokens": unique_tokens, "weight": weight}
    raw = opened(source)
    try:
        plan, notes = planned(
            raw,
            {role: name for role, name in named.items() if name is not None},
            flops=flops,
            steps=steps,
            batch=batch,
            length=length,
            loss_unit=loss_unit,
            bytes_per_token=bytes_per_token,
            required=(*required, *(("loss",) if best and "loss" not in required else ())),
            inputs=inputs or {},
            labels=(by, *also) if by else also,
            by=by,
        )
        sign = decimal or decimal_sign(raw.column(at) for at in plan.numeric)
        conditions = (where,) if isinstance(where, str) else tuple(where)
        values = _chosen(Values.of_all(raw.noted(*notes), plan, sign), conditions, last, drop_missing=drop_missing)
        values.check()
        return values.table() if best is None else _best(values)
    except ValueError as error:
        if not raw.source or str(error).startswith(raw.source):
            raise
        raise ValueError(f"{raw.source}: {error}") from None


def _chosen(values: Values, conditions: tuple[str, ...], last: str | None, *, drop_missing: bool) -> Values:
    """The rows that meet the conditions, are complete, and come last."""
    for condition in conditions:
        values = values.of(rows.where(values.raw, condition, values.sign))
    if drop_missing and (gaps := values.missing()).any():
        names = [str(values.raw.names[at]) for at in sorted(values.plan.strict)]
        values = values.of(rows.without(values.raw, gaps, names))
    if last is not None:
        steps = values.plan.factors[0] if values.plan.factors else None
        by = steps if isinstance(steps, int) else None
        values = values.of(rows.last(values.raw, last, by, values.counts()[0].get("tokens"), values.sign))
    return values


def _best(values: Values) -> Table:
    """The row with the lowest loss of those that agree in everything else."""
    table = values.table()
    kept = rows.lowest(table["loss"], [table[name] for name in table if name not in ("loss", "weight", "flops")])
    left = len(table["loss"]) - len(kept)
    if not left:
        return table
    note = f"the lowest loss of each of {len(kept)} cells, {rows.count(left)} left out"
    return values.of(values.raw.keep(kept, note)).table()
