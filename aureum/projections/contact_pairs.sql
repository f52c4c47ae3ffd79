-- Pairs of contacts that share a key, after a place in their order, without those that share a stronger key.
-- aureum/projections/duplicates.py has the keys, and declares this function once for each.
-- A contact is paired with at most 3 of the 20 oldest that share its key.
--
-- The groups come from the index one after the other, so that a page reads no more of it than it shows. A plan of its own
-- for each call would cost more than the page.
CREATE OR REPLACE FUNCTION contact_pairs_{key}(
    p_tenant uuid, p_key uuid, p_newer uuid, p_older uuid, p_limit integer
) RETURNS TABLE (shared uuid, newer uuid, older uuid, newer_doc text, older_doc text)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan SET jit = off
SET enable_seqscan = off SET enable_hashagg = off SET enable_hashjoin = off SET enable_mergejoin = off AS $function$
#variable_conflict use_column
DECLARE
    live integer;
BEGIN
    SELECT h.contact_list_version INTO live FROM heads h WHERE h.tenant_id = p_tenant;
    RETURN QUERY
    SELECT g.shared, x.contact_id, y.contact_id, one.doc, other.doc
      FROM (
          SELECT c.{key} AS shared FROM contact_list c
           WHERE c.tenant_id = p_tenant AND c.read_version = live AND c.{key} IS NOT NULL AND c.{key} >= p_key
           GROUP BY c.{key} HAVING count(*) > 1
           ORDER BY c.{key}
      ) g
     CROSS JOIN LATERAL (
          SELECT * FROM contact_list x
           WHERE x.tenant_id = p_tenant AND x.read_version = live AND x.{key} = g.shared
           ORDER BY x.{key}, x.contact_id
      ) x
     CROSS JOIN LATERAL (
          SELECT y.* FROM (
              SELECT * FROM contact_list o
               WHERE o.tenant_id = p_tenant AND o.read_version = live AND o.{key} = g.shared
               ORDER BY o.{key}, o.contact_id LIMIT 20
          ) y
           WHERE y.contact_id < x.contact_id
             AND coalesce(y.merged_into, y.contact_id) <> coalesce(x.merged_into, x.contact_id){stronger}
           ORDER BY y.contact_id LIMIT 3
      ) y
      JOIN contact_list one
        ON one.tenant_id = p_tenant AND one.read_version = live
       AND one.contact_id = coalesce(x.merged_into, x.contact_id)
      JOIN contact_list other
        ON other.tenant_id = p_tenant AND other.read_version = live
       AND other.contact_id = coalesce(y.merged_into, y.contact_id)
     WHERE (g.shared, x.contact_id, y.contact_id) > (p_key, p_newer, p_older)
       AND NOT ARRAY[y.contact_id, other.contact_id] && (x.distinct_from || one.distinct_from)
       AND NOT ARRAY[x.contact_id, one.contact_id] && (y.distinct_from || other.distinct_from)
       AND EXISTS (SELECT FROM subject_keys k WHERE k.tenant_id = p_tenant AND k.subject_id = one.contact_id)
       AND EXISTS (SELECT FROM subject_keys k WHERE k.tenant_id = p_tenant AND k.subject_id = other.contact_id)
     ORDER BY g.shared, x.contact_id, y.contact_id
     LIMIT p_limit;
END
$function$;
