-- Lets all requests pass uncounted, where the database cannot store anything; part of gate_uncounted.
    SELECT k.tenant_id, k.bucket, min(k.moment) AS window_start, sum(k.waiting)::integer AS used,
           sum(k.waiting)::integer AS granted
      FROM asking k
     GROUP BY k.tenant_id, k.bucket
