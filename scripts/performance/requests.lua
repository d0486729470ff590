-- Sends the lines of a file: method, path, cookie and body, with tabs between them.
-- After "--": the file, the number of threads, and "once" if no line may be sent twice.
-- Prints one line of JSON at the end.
local threads_made = 0

function setup(thread)
  thread:set("number", threads_made)
  threads_made = threads_made + 1
end

function init(arguments)
  local threads = tonumber(arguments[2])
  is_once = arguments[3] == "once"
  lines, next_line = {}, 1
  local count = 0
  for line in io.lines(arguments[1]) do
    -- What is sent once is dealt out; what is sent again and again is everybody's.
    if not is_once or count % threads == number then
      local method, path, cookie, body = line:match("^([^\t]*)\t([^\t]*)\t([^\t]*)\t(.*)$")
      local headers = { Host = "127.0.0.1" }
      if cookie ~= "" then headers["Cookie"] = cookie end
      if body ~= "" then headers["Content-Type"] = "application/json" else body = nil end
      lines[#lines + 1] = wrk.format(method, path, headers, body)
    end
    count = count + 1
  end
  if not is_once then next_line = 1 + math.floor(#lines * number / threads) end
end

function request()
  if next_line > #lines then
    if is_once then
      -- The last one is sent again while the thread ends; nobody counts its answer.
      wrk.thread:stop()
      return lines[#lines]
    end
    next_line = 1
  end
  next_line = next_line + 1
  return lines[next_line - 1]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"requests": %d, "seconds": %f, "bytes": %d, "refused": %d, "broken": %d, "p50": %f, "p99": %f}\n',
    summary.requests, summary.duration / 1e6, summary.bytes, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
