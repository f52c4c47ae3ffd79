"""The mistakes: what stands in a file, what a mistake makes of it, and what catches that."""

from typing import NamedTuple

TYPES = ("mypy", "--strict", "aureum")
"""What ``make check`` runs."""


class Mutation(NamedTuple):
    """In *file*, *old* becomes *new*; then *caught_by* must fail: a test's path, or a command of ``make check``."""

    name: str
    file: str
    old: str
    new: str
    caught_by: tuple[str, ...]


STEPS = ("pytest", "tests/projections/test_steps.py")
FILTERS = ("pytest", "tests/store/test_rare_filters.py")
DECLARED = ("pytest", "tests/store/postgres/test_declared.py")
RIGHTS = ("pytest", "tests/store/test_row_security.py")
OLDER = ("pytest", "tests/store/rebuild/test_older_steps.py")
REMOVING = ("pytest", "tests/commands/importing/test_removing.py")
ARRIVES = ("pytest", "tests/http/every/test_fields_arrive.py", "-k", "leads")

LEAD_EVENTS = "aureum/domain/lead_events.py"
LEAD_LIST = "aureum/projections/lead_list.py"
LEAD_FIELDS = "aureum/http/api/leads/lead_fields.py"

MUTATIONS = (
    # A copy of a field is dropped, one place after the other on its way from the request to the answer.
    Mutation("request to fields", LEAD_FIELDS, "            subject=self.subject,\n", "", TYPES),
    Mutation("request to fields, as nothing", LEAD_FIELDS, "subject=self.subject", "subject=None", ARRIVES),
    Mutation("form to fields", "aureum/http/api/leads/contact_form.py", "subject=form.subject,", "", TYPES),
    Mutation("staff to fields", "aureum/http/api/staff/leads.py", "subject=new.subject,", "", TYPES),
    Mutation("status to command", "aureum/http/api/leads/leads.py", "        status=new.status,\n", "", ARRIVES),
    Mutation("command to aggregate", "aureum/commands/leads.py", "        command.fields,\n", "", TYPES),
    Mutation(
        "fields to event",
        LEAD_EVENTS,
        "        subject: str | None\n        message",
        "        message",
        ("pytest", "tests/projections/test_steps.py"),
    ),
    Mutation("event to aggregate", LEAD_EVENTS, "            aggregate.subject = self.subject\n", "", STEPS),
    Mutation("event to document", LEAD_LIST, '        "subject": lead.subject,\n', "", STEPS),
    Mutation("change to document", LEAD_LIST, '    "subject": "subject",\n', "", STEPS),
    Mutation("change to aggregate", LEAD_EVENTS, '"subject", "message", "notes")', '"message", "notes")', ARRIVES),
    Mutation("column", LEAD_LIST, '        "source": event.source,\n', "", STEPS),
    Mutation(
        "sample of the webhook",
        LEAD_LIST,
        '"subject": None,',
        "",
        ("pytest", "tests/webhooks/telling/test_requests.py"),
    ),
    # What a resource needs besides.
    Mutation(
        "a version in the gate",
        "aureum/store/postgres/functions.py",
        "for model in VERSIONED",
        "for model in VERSIONED[1:]",
        OLDER,
    ),
    Mutation("the step of an append", "aureum/registry.py", '{"step": model.STEP_VERSION}', '{"step": 0}', OLDER),
    Mutation("the step of a rebuild", "aureum/store/rebuild/list.py", ", {table}_step = {step}", "", OLDER),
    Mutation(
        "what is pending", "aureum/store/postgres/migrate.py", "        if not left:\n", "        if left:\n", OLDER
    ),
    Mutation("the version of a changed step", LEAD_LIST, "    step_version=", "    step_version=1", STEPS),
    Mutation(
        "the index of a filter", "aureum/projections/list_filters.py", '(Index(f"{column}, {{id}}"),)', "()", FILTERS
    ),
    Mutation(
        "all indexes",
        "aureum/projections/list_sql.py",
        "for view in model.views for one in view.filters",
        "for view in () for one in view.filters",
        FILTERS,
    ),
    Mutation("a plan of its own", "aureum/projections/list_sql.py", "force_custom_plan", "force_generic_plan", FILTERS),
    Mutation(
        "a filter's condition",
        "aureum/projections/list_sql.py",
        "(p_{name} IS NULL OR {holds})",
        "(p_{name} IS NULL OR true)",
        FILTERS,
    ),
    Mutation(
        "the right to read",
        "aureum/store/postgres/declared.py",
        "GRANT SELECT ON {table} TO aureum_service\n",
        "SELECT 1\n",
        DECLARED,
    ),
    Mutation(
        "row security",
        "aureum/store/postgres/declared.py",
        "ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;\n",
        "",
        DECLARED,
    ),
    Mutation(
        "the right to call",
        "aureum/store/postgres/functions.py",
        'REVOKE EXECUTE ON FUNCTION {", ".join([*called, *own])} FROM PUBLIC;\n',
        "",
        RIGHTS,
    ),
    Mutation(
        "the tenant of a page",
        "aureum/projections/list_sql.py",
        "WHERE x.tenant_id = p_tenant AND",
        "WHERE true AND",
        RIGHTS,
    ),
    Mutation(
        "the endpoints of a resource",
        "aureum/resources.py",
        '(f"{API}tasks.task_agenda", f"{API}tasks.tasks")',
        "()",
        ("pytest", "tests/test_docs.py"),
    ),
    Mutation(
        "a resource",
        "aureum/resources.py",
        "    Resource(Task, ",
        "    Resource(Lead, ",
        ("pytest", "tests/store/test_mapper.py"),
    ),
    Mutation(
        "a name of a webhook",
        LEAD_LIST,
        '        "lead.converted": "lead.updated",\n',
        "",
        ("pytest", "tests/webhooks/telling/test_messages.py"),
    ),
    # No list has what was taken back.
    Mutation(
        "the row of what was taken back",
        "aureum/projections/document_list.py",
        ' or row["doc"].get("removed"))',
        ")",
        ("pytest", "tests/projections/test_steps.py"),
    ),
    Mutation(
        "the rows of every version",
        "aureum/commands/importing/removing.py",
        "(*of_list(property_list.LIST), FREE_SLUGS)",
        "(FREE_SLUGS,)",
        REMOVING,
    ),
    Mutation(
        "what was appended between the looks",
        "aureum/commands/importing/removing.py",
        "        await references.look(read)\n",
        "",
        REMOVING,
    ),
)
