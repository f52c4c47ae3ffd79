-- Counts requests against their limits; part of the gate and of rate_limits.py, which name what is asked "asking".
-- The window of a limit lasts 60 s and begins with its first request; what is refused does not count. Rows are touched
-- in one order, so that two calls never wait for each other in a circle.
    INSERT INTO rate_limits AS r (tenant_id, bucket, window_start, allowed, used, granted)
    SELECT k.tenant_id, k.bucket, min(k.moment), min(k.rate_limit),
           least(sum(k.waiting), min(k.rate_limit)), least(sum(k.waiting), min(k.rate_limit))
      FROM asking k
     GROUP BY k.tenant_id, k.bucket
     ORDER BY k.tenant_id, k.bucket
    ON CONFLICT (tenant_id, bucket) DO UPDATE SET
           allowed = excluded.allowed,
           window_start = CASE WHEN excluded.window_start - r.window_start >= interval '60 seconds'
                               THEN excluded.window_start ELSE r.window_start END,
           used = CASE WHEN excluded.window_start - r.window_start >= interval '60 seconds' THEN excluded.used
                       ELSE greatest(r.used, least(r.used + excluded.granted, excluded.allowed)) END,
           granted = CASE WHEN excluded.window_start - r.window_start >= interval '60 seconds' THEN excluded.granted
                          ELSE greatest(0, least(excluded.granted, excluded.allowed - r.used)) END
    RETURNING r.tenant_id, r.bucket, r.window_start, r.used, r.granted
