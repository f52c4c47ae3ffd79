-- What wrk sends: the requests of a file, one after the other, in a circle. What it says at the end: one line of JSON.
local requests, turn = {}, 0

function init(args)
   local file = assert(io.open(args[1], "rb"))
   while true do
      local size = file:read("*n")
      if not size then break end
      file:read(1)
      requests[#requests + 1] = file:read(size)
   end
   file:close()
end

function request()
   turn = turn % #requests + 1
   return requests[turn]
end

function done(summary, latency, _)
   local e = summary.errors
   io.write(string.format(
      '{"rate": %.3f, "p50": %.3f, "p99": %.3f, "answered": %d, "errors": %d}\n',
      summary.requests * 1e6 / summary.duration, latency:percentile(50) / 1000, latency:percentile(99) / 1000,
      summary.requests, e.status + e.connect + e.read + e.write + e.timeout))
end
