"""The distinct identifiers of an export become what is stored: hashed, and blocked by rule or not.

Raw values come in, once each, as ``normalise_expression`` left them; out comes what
``KeyedHash.identifier`` and ``blocking.is_blocked`` say of each. Called by ``staging``.
"""

import ibis.expr.types as ir
import pyarrow as pa
from ibis.backends.duckdb import Backend

from recsys.config import IdentitySettings
from recsys.identity.blocking import reason_expression
from recsys.identity.hashing import PHONE, KeyedHash, normalise
from recsys.query_engine import fetch, keep


def store_identifiers(
    con: Backend,
    values: ir.Table,
    kind: str,
    *,
    keyed: KeyedHash,
    settings: IdentitySettings,
    country: str | None,
) -> ir.Table:
    """Normalise, judge and hash distinct identifiers of one type.

    Parameters
    ----------
    con : ibis backend
        The engine; keeps the result.
    values : ibis table
        ``value``: what ``normalise_expression`` returned, each once.
    kind : str
        Identifier type.
    keyed : KeyedHash
        Hashes them.
    settings : IdentitySettings
        ``blocked`` holds the workspace's own patterns.
    country : str or None
        Where phone numbers were typed, ISO 3166: ``country_of(config, source)``.

    Returns
    -------
    ibis table
        ``value, hashed, blocked``. Two values may have one hash; values of which nothing is left
        are left out.

    Notes
    -----
    A million phone numbers take 8 seconds of one core; other types stay in the engine.
    """
    normal = _phones(con, values, country) if kind == PHONE else values.mutate(normal=values.value)
    normal = normal.filter(normal.normal != "")
    found = normal.select(
        "value",
        hashed=keyed.expression(kind, normal.normal),
        blocked=reason_expression(kind, normal.normal, settings, country),
    )
    return keep(con, f"values_{kind}", found)


def _phones(con: Backend, values: ir.Table, country: str | None) -> ir.Table:
    """Bring phone numbers into form by Python, which has the library."""
    typed = fetch(con, values.filter(values.value.notnull()).select("value"))["value"]
    normal = [normalise(PHONE, value, country) for value in typed.to_pylist()]
    return keep(con, "phones", pa.table({"value": typed, "normal": pa.array(normal, pa.string())}))
