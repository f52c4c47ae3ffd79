"""How the functions of the database differ on Citus. Their rules stand once, in the texts that plain PostgreSQL has.

- A call of ``append_events`` has one tenant's appends, and the tenant is its first argument: so Citus carries the whole
  call to the node of that tenant.
- Every statement names its tenant by a value, not by another row, and is planned for that value: so it goes to one
  node. What plain PostgreSQL reads for several callers in one statement is read for one after the other.
- What is computed with a clock is computed before a row is written: Citus refuses it within.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files

from aureum.projections.document_list import DocumentList, View

FUNCTION = re.compile(r"^CREATE OR REPLACE FUNCTION (\w+)\(.*?^\$function\$;\n", re.MULTILINE | re.DOTALL)

APPEND = "append_events"
"""The one that Citus carries to its tenant's node."""

OF_ANOTHER_ROW = re.compile(r"\b(\w+)\.tenant_id = (?:[ihlx]\.tenant_id|tenants\[r\.item\])")
"""Within an append, where one row's tenant is that of another one: both are the call's."""

PAGES = """\
CREATE OR REPLACE FUNCTION {view}_pages(p_tenant uuid[], p_before uuid[], p_limit integer[])
RETURNS TABLE (ord bigint, docs text, last_id uuid, found bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = public, pg_temp AS $function$
BEGIN
    FOR n IN 1 .. cardinality(p_tenant) LOOP
        RETURN QUERY SELECT n::bigint, p.* FROM {view}_page(p_tenant[n], {unfiltered}p_before[n], p_limit[n]) AS p;
    END LOOP;
END
$function$;
"""

DIFFERENT: Mapping[str, Sequence[tuple[str, str]]] = {
    APPEND: (
        ("p_tenants uuid[]", "p_tenant uuid"),
        ("WHERE h.tenant_id = ANY (p_tenants)", "WHERE h.tenant_id = p_tenant"),
        (
            "     WHERE h.tenant_id = n.tenant_id AND h.position < n.position;",
            "     WHERE h.tenant_id = p_tenant AND n.tenant_id = p_tenant AND h.position < n.position;",
        ),
        # Of a user.
        ("FROM r WHERE h.tenant_id = r.tenant_id", "FROM r WHERE h.tenant_id = p_tenant"),
        ("t.kept_until <= clock_timestamp()", "t.kept_until <= moment"),
    ),
    "hold_heads": (
        ("    PERFORM FROM", "    FOR n IN 1 .. cardinality(p_tenants) LOOP\n        PERFORM FROM"),
        (
            "h.tenant_id = ANY (p_tenants) ORDER BY h.tenant_id FOR SHARE;",
            "h.tenant_id = p_tenants[n] FOR SHARE;\n    END LOOP;",
        ),
    ),
}
"""By the function's name: what stands in its text, and what stands there on Citus."""


LINE = "gate_line"

UNCOUNTED = "gate_uncounted"
"""The gate where nothing can be stored."""

COUNTED = re.compile(r"^        WITH asking AS \(.*?FROM counted c;\n", re.MULTILINE | re.DOTALL)
"""How a lone caller is counted on plain PostgreSQL."""

COUNT = """\
        IF p_counted THEN
            INSERT INTO rate_limits AS r (tenant_id, bucket, window_start, allowed, used, granted)
            VALUES (gate_line.tenant_id, counted_by, told_at, gate_line.rate_limit,
                    least(p_waiting, gate_line.rate_limit), least(p_waiting, gate_line.rate_limit))
            {conflict}
            RETURNING r.granted, r.used - r.granted, r.window_start INTO granted, used_before, resets_at;
        ELSE
            granted := p_waiting;
            used_before := 0;
            resets_at := told_at;
        END IF;
        resets_at := resets_at + interval '60 seconds';
"""

CONFLICT = re.compile(r"ON CONFLICT.*(?=^    RETURNING)", re.MULTILINE | re.DOTALL)


def on_citus(text: str, lists: Sequence[DocumentList]) -> str:
    """The functions of *text* as Citus has them."""
    own = dict(replacements(lists))

    def one(found: re.Match[str]) -> str:
        name, function = found[1], found[0]
        if name in own:
            return (gate_line(function) if name == "gate_one" else "") + own[name]
        for what, instead in DIFFERENT.get(name, ()):
            assert what in function, f"{name} must have {what.strip()}"
            function = function.replace(what, instead)
        if name == APPEND:
            function = OF_ANOTHER_ROW.sub(r"\1.tenant_id = p_tenant", function)
        # A plan for every tenant would be one for all nodes.
        return function.replace("plan_cache_mode = force_generic_plan", "plan_cache_mode = force_custom_plan")

    return FUNCTION.sub(one, text)


def gate_line(gate_one: str) -> str:
    """What the gate does for one caller, however many wait for the same."""
    conflict = CONFLICT.search(gate_one)
    assert conflict is not None
    counted = COUNT.replace("{conflict}", conflict[0].strip())
    line, found = COUNTED.subn(lambda _: counted, gate_one.replace("gate_one", LINE))
    assert found == 1
    line = line.replace("p_form_limit integer)", "p_form_limit integer, p_waiting integer, p_counted boolean)", 1)
    return line.replace("plan_cache_mode = force_generic_plan", "plan_cache_mode = force_custom_plan")


def replacements(lists: Sequence[DocumentList]) -> Iterator[tuple[str, str]]:
    """(name, text) of those that are written for Citus."""
    for name in ("gate", "reads"):
        for found in FUNCTION.finditer((files(__package__) / f"{name}.sql").read_text(encoding="utf-8")):
            yield found[1], found[0]
            if found[1] == "gate":
                assert found[0].count(", true)") == 1
                yield UNCOUNTED, found[0].replace(" gate(", f" {UNCOUNTED}(").replace(", true)", ", false)")
    for view in (view for model in lists for view in model.views):
        yield f"{view.name}_pages", pages(view)


def pages(view: View) -> str:
    """What reads the first pages of a view."""
    unfiltered = "".join(f"NULL::{one.kind}, " for one in view.filters)
    return PAGES.replace("{view}", view.name).replace("{unfiltered}", unfiltered)
