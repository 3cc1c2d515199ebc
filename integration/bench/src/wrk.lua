-- Arguments: a file with a token on each line, the path, and the index of the first one to send.
-- An empty line is a request without a token. At the end one line is written that wrk.rs reads.
local requests, next_index = {}, 0

local headers = {
  ["accept"] = "application/json",
  ["accept-encoding"] = "gzip, deflate, br",
  ["accept-language"] = "en-GB,en;q=0.9",
  ["user-agent"] = "orders-client/2.7 (linux; x86_64)",
  ["x-request-id"] = "7f1c6c52-0d0b-4f0e-9a55-4f7a3f6a2c11",
  ["traceparent"] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
}

function init(args)
  for name, value in pairs(headers) do wrk.headers[name] = value end
  for token in io.lines(args[1]) do
    wrk.headers["authorization"] = token ~= "" and "Bearer " .. token or nil
    requests[#requests + 1] = wrk.format("GET", args[2])
  end
  next_index = tonumber(args[3]) % #requests
end

function request()
  next_index = next_index % #requests + 1
  return requests[next_index]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format("measured requests=%d refused=%d failed=%d p50_us=%d p99_us=%d\n",
    summary.requests, errors.status, errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50), latency:percentile(99)))
end
