-- What wrk prints when it is done: one line of JSON. Several requests, if there are several, in turn.
local requests = {}
local turn = 0

function init(args)
  for index, path in ipairs(args) do
    requests[index] = wrk.format(nil, path)
  end
end

function request()
  if #requests < 2 then return requests[1] or wrk.format() end
  turn = turn % #requests + 1
  return requests[turn]
end

function done(summary, latency, _)
  local points = {}
  for _, percentile in ipairs({ 1, 5, 10, 25, 50, 75, 90, 95, 99, 99.5, 99.9, 99.99 }) do
    points[#points + 1] = string.format("[%g,%g]", percentile, latency:percentile(percentile))
  end
  local errors = summary.errors
  io.write(string.format(
    '\n{"requests":%d,"durationUs":%d,"bytes":%d,"maxUs":%g,"latencyUs":[%s],"statusErrors":%d,"socketErrors":%d,"timeouts":%d}\n',
    summary.requests, summary.duration, summary.bytes, latency.max, table.concat(points, ","),
    errors.status, errors.connect + errors.read + errors.write, errors.timeout))
end
