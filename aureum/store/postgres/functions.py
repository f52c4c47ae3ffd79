"""The functions of the database as this version has them, with the read models' statements filled in.

They are code: their current text is installed after the migrations whenever it has changed. In the database each has a
name of its own for that text, ``gate_1f4a60c2e9``: so the functions of two versions stand beside each other, and
processes of the older one go on while those of the newer one start (docs/decisions/rolling-upgrades.md). The code calls
them by their plain names; ``named`` makes of such a statement what the database is sent.
"""

import hashlib
import re
from collections.abc import Iterable
from functools import cache, lru_cache

from aureum.projections import people
from aureum.projections.document_list import DocumentList
from aureum.projections.list_sql import functions as page_functions
from aureum.projections.read_model import ReadModel, Summed
from aureum.registry import LISTS, READ_MODELS, VERSIONED
from aureum.sql_functions import OF_THE_OWNER, OF_THE_SERVICE, Declared, text
from aureum.store.postgres.citus.functions import APPEND, on_citus

PLACE_OF_KNOWN = "-- {known}\n"
PLACE_OF_PRIOR = "-- {prior}\n"
PLACE_OF_READ_MODELS = "    -- {read models}\n"
LATE_ROWS = """\
    IF '{model}' = ANY (late_models) THEN
        IF rows IS NULL AND late_models = array_fill('{model}'::text, ARRAY[cardinality(late_models)]) THEN
            rows := ('[' || array_to_string(late_rows, ',') || ']')::json;
        ELSE
            late := ARRAY(
                SELECT n.row FROM unnest(late_models, late_rows) AS n (model, row) WHERE n.model = '{model}'
            );
            IF rows IS NOT NULL THEN
                late := substr(rows::text, 2, length(rows::text) - 2) || late;
            END IF;
            rows := ('[' || array_to_string(late, ',') || ']')::json;
        END IF;
    END IF;
"""
"""The rows in which it was not known before whom the append chooses. Mostly they are of one read model."""

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

NAMED_BY = 10
"""Characters of the digest that a name ends in."""

STATEMENTS = 4_096
"""So many statements are remembered as they are sent. They are constants of the code; there are some hundreds."""


def functions(*, citus: bool = False) -> str:
    """What installs them. They run with their owner's rights: only the service may call its own, and only the owner
    role the others."""
    service, owner = (own_names(text) for text in (of_citus() if citus else plain()))
    called, own = names(service), names(owner)
    return f"""
{service}
{owner}
REVOKE EXECUTE ON FUNCTION {", ".join([*called, *own])} FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {", ".join(called)} TO aureum_service;
"""


@cache
def plain() -> tuple[str, str]:
    """The functions by their plain names: those that requests call, and those of the owner alone."""
    return "\n".join([OTHER_STEP, *map(page_functions, LISTS), filled(OF_THE_SERVICE)]), filled(OF_THE_OWNER)


@cache
def of_citus() -> tuple[str, str]:
    """The same as Citus has them."""
    service, owner = plain()
    return on_citus(service, LISTS), on_citus(owner, LISTS)


@cache
def digest() -> str:
    """How their text is known again, on either engine."""
    return hashlib.sha256("\n".join((*plain(), *of_citus())).encode()).hexdigest()


def ending(digest: str) -> str:
    """What the names of the functions with that digest end in."""
    return f"_{digest[:NAMED_BY]}"


@cache
def plain_names() -> tuple[str, ...]:
    """The names by which the code calls them."""
    return tuple(dict.fromkeys(name for text in (*plain(), *of_citus()) for name in names(text)))


def own_name(plain: str) -> str:
    """The name that the function *plain* has in the database."""
    return f"{plain}{ending(digest())}"


def own_names(text: str) -> str:
    """*text*, which makes functions, with the names of this version: where they are made and called, and where a
    function's name stands before a column of its own."""
    return re.sub(rf"\b({'|'.join(plain_names())})(?=[(.])", rf"\1{ending(digest())}", text)


@cache
def calls() -> re.Pattern[str]:
    """Where a statement calls one of them."""
    return re.compile(rf"\b({'|'.join(plain_names())})(?=\()")


@lru_cache(STATEMENTS)
def named(statement: str) -> str:
    """*statement* as it is sent: what it calls by plain names has the names of this version."""
    return calls().sub(rf"\1{ending(digest())}", statement)


def filled(declared: Iterable[Declared]) -> str:
    """Their texts, with what the declarations replace and with what follows from the read models."""
    places = {
        PLACE_OF_KNOWN: people.KNOWN_IN_APPEND + "\n",
        PLACE_OF_PRIOR: people.IN_APPEND + "\n",
        PLACE_OF_READ_MODELS: updates(),
        PLACE_OF_VERSION: read_version(),
    }
    texts = []
    for one in declared:
        filled = text(one.path)
        for place, what in one.replaced.items():
            assert place in filled, f"{one.path} must have {place.strip()}"
            filled = filled.replace(place, what)
        for place, what in places.items():
            filled = filled.replace(place, what)
        texts.append(filled)
    return "\n".join(texts)


def updates() -> str:
    """The statements by which an append updates the read models, in their order until all are done: each expression of
    the function that is reached is made ready anew in every transaction, so that a form asks for no read model behind
    its own."""
    texts = ["    changed_models := p_models || late_models;\n"]
    for place, model in enumerate(READ_MODELS, 1):
        behind = ", ".join(f"'{later.NAME}'" for later in READ_MODELS[place:])
        texts.append(
            f"    IF '{model.NAME}' = ANY (changed_models) THEN\n"
            f"    rows := p_rows[array_position(p_models, '{model.NAME}')];\n"
            f"{LATE_ROWS.format(model=model.NAME)}"
            f"{update(model)};\n"
            f"    IF NOT changed_models && ARRAY[{behind}]::text[] THEN\n        RETURN;\n    END IF;\n"
            f"    END IF;\n"
        )
    return "".join(texts)


def update(model: ReadModel) -> str:
    """The statement of one."""
    if isinstance(model, Summed):
        return f"IF cardinality(p_items) = 1 THEN\n{model.ALONE.strip()};\nELSE\n{model.APPEND.strip()};\nEND IF"
    if not isinstance(model, DocumentList):
        return model.APPEND.strip()
    return f"IF all_begin THEN\n{model.BEGIN.strip()};\nELSE\n{model.APPEND.strip()};\nEND IF"


def read_version() -> str:
    """The version of what people read: how often anything was rebuilt. Each version only grows, and so does the sum."""
    return " + ".join(f"h.{model.NAME}_version - 1" for model in VERSIONED)


def names(statements: str) -> list[str]:
    """Of the functions that *statements* create."""
    return [name for name, _ in HEADER.findall(statements)]


def carried() -> str:
    """The function that Citus carries to its tenant's node, as PostgreSQL names it."""
    return next(one for one in signatures(citus=True) if one.startswith(f"{own_name(APPEND)}("))


@cache
def signatures(*, citus: bool = False) -> list[str]:
    """The functions that this version calls, as PostgreSQL names them: ``gate(bytea[],text[],…)``."""
    return [
        f"{name}({','.join(parameter.split()[1] for parameter in parameters.split(',') if parameter.strip())})"
        for name, parameters in HEADER.findall(functions(citus=citus))
    ]
