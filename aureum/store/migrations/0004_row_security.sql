-- The second wall: the service reads as a role that may only SELECT, and sees only the tenant that its transaction
-- names. Enabled, not forced: the owner migrates, rebuilds and sweeps.

DO $$
BEGIN
    -- Roles belong to the whole server: another database of it, or an administrator, may have made this one already.
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'aureum_service') THEN
        CREATE ROLE aureum_service NOLOGIN;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL;
END
$$;

DO $$
BEGIN
    EXECUTE format('GRANT aureum_service TO %I', current_user);
EXCEPTION WHEN insufficient_privilege THEN
    -- Whoever made the role has granted it already, or this cannot go on.
    IF NOT pg_has_role(current_user, 'aureum_service', 'MEMBER') THEN
        RAISE;
    END IF;
END
$$;

DO $$
DECLARE
    tenant_table text;
BEGIN
    FOREACH tenant_table IN ARRAY ARRAY[
        'heads', 'events', 'tenant_keys', 'subject_keys', 'idempotency_keys', 'checkpoints',
        'lead_list', 'lead_counts', 'brokerages', 'domains', 'users', 'api_keys', 'webhook_endpoints', 'rate_limits',
        'webhook_messages', 'webhook_deliveries', 'webhook_attempts'
    ] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', tenant_table);
        EXECUTE format(
            'CREATE POLICY own_tenant ON %I TO aureum_service '
            'USING (tenant_id = nullif(current_setting(''aureum.tenant_id'', true), '''')::uuid)',
            tenant_table
        );
        EXECUTE format('GRANT SELECT ON %I TO aureum_service', tenant_table);
    END LOOP;
END
$$;

-- A webhook's attempts are read through their parent table only.
ALTER TABLE webhook_attempts_default ENABLE ROW LEVEL SECURITY;

-- Session settings belong to the role, not to the session, so that a transaction pooler may stand between.
DO $$
BEGIN
    EXECUTE format('ALTER ROLE %I IN DATABASE %I SET timezone = ''UTC''', current_user, current_database());
    EXECUTE format(
        'ALTER ROLE %I IN DATABASE %I SET idle_in_transaction_session_timeout = ''60s''',
        current_user, current_database()
    );
END
$$;
