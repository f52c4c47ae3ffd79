"""The functions of the database as this version has them, with the read models' statements filled in.

They are code: their current text is installed after the migrations whenever it has changed.
"""

import re
from functools import cache
from importlib.resources import files

from aureum.projections.list_sql import functions as page_functions
from aureum.registry import LISTS, READ_MODELS, VERSIONED

PLACE_OF_READ_MODELS = "    -- {read models}\n"
LATE_ROWS = """\
    IF '{model}' = ANY (late_models) THEN
        rows := ('[' || concat_ws(',', substr(rows::text, 2, length(rows::text) - 2), (
            SELECT string_agg(n.row, ',') FROM unnest(late_models, late_rows) AS n (model, row)
             WHERE n.model = '{model}'
        )) || ']')::json;
    END IF;
"""
"""The rows in which it was not known before whom the append chooses."""

PLACE_OF_COUNTING = "    -- {count requests}\n"
PLACE_OF_VERSION = "0 /* {read version} */"

OTHER_STEP = """
CREATE OR REPLACE FUNCTION other_step() RETURNS integer LANGUAGE plpgsql AS $function$
BEGIN
    RAISE EXCEPTION 'another version of the program has made what people read here' USING ERRCODE = '42703';
END
$function$;
"""
"""What an append does instead of mixing rows of two steps. To the program that sent it, it is as if the column were not
there: it answers that it is not of the database's version, and that the client may try again."""

HEADER = re.compile(r"^CREATE OR REPLACE FUNCTION (\w+)\(([^)]*)\)", re.MULTILINE)


def functions() -> str:
    """What installs them. They run with their owner's rights: only the service may call them, and those of
    ``claim.sql`` and ``search.sql`` only the owner role, as which the worker runs and they do."""
    lists = map(page_functions, LISTS)
    service = "\n".join([OTHER_STEP, append(), *gates(), text("hot_reads.sql"), text("staff_leads.sql"), *lists])
    owner = f"{text('claim.sql')}\n{text('search.sql')}"
    called, own = names(service), names(owner)
    everyone = ", ".join([*called, *own])
    return f"""
-- Not CREATE OR REPLACE alone: another version may take or return something else.
DROP FUNCTION IF EXISTS {everyone};
{service}
{owner}
REVOKE EXECUTE ON FUNCTION {everyone} FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {", ".join(called)} TO aureum_service;
""".replace(PLACE_OF_COUNTING, text("count_requests.sql"))


def append() -> str:
    """``append_events``, which updates the read models."""
    statements = "".join(
        f"    rows := p_rows[array_position(p_models, '{model.NAME}')];\n"
        f"{LATE_ROWS.format(model=model.NAME)}"
        f"    IF rows IS NOT NULL THEN\n{model.APPEND.strip()};\n    END IF;\n"
        for model in READ_MODELS
    )
    return filled(text("append.sql"), PLACE_OF_READ_MODELS, statements)


def gates() -> tuple[str, str, str]:
    """The gate, the one for a lone request, and the one that counts nothing. What it reports as the version of what
    people read is how often anything was made anew: each version only grows, and so does the sum."""
    versions = " + ".join(f"h.{model.NAME}_version - 1" for model in VERSIONED)
    gate, one = (filled(text(name), PLACE_OF_VERSION, versions) for name in ("gate.sql", "gate_one.sql"))
    uncounted = filled(gate, PLACE_OF_COUNTING, text("count_nothing.sql"))
    return gate, one, uncounted.replace("FUNCTION gate(", "FUNCTION gate_uncounted(")


def filled(template: str, place: str, what: str) -> str:
    """*template* with *what* in its one place."""
    assert template.count(place) == 1, f"there must be one {place.strip()}"
    return template.replace(place, what)


def text(name: str) -> str:
    """The file of that name in ``aureum/store``."""
    return (files("aureum.store") / name).read_text(encoding="utf-8")


def names(statements: str) -> list[str]:
    """Of the functions that *statements* create."""
    return [name for name, _ in HEADER.findall(statements)]


@cache
def signatures() -> list[str]:
    """The functions that this version calls, as PostgreSQL names them: ``gate(bytea[],text[],…)``."""
    return [
        f"{name}({','.join(parameter.split()[1] for parameter in parameters.split(',') if parameter.strip())})"
        for name, parameters in HEADER.findall(functions())
    ]
