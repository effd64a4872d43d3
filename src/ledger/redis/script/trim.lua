-- Forgets what is past its time, the oldest first, and records what a steady clock shows.
--
-- KEYS  1 meta  2 log  3 outcomes of requests  4 their names by time
-- ARGV  1 clock in ms, '' for this server's own   2 what a steady clock shows  3 how far that must be from what was
--       recorded to be news, ms   4 most that is forgotten   5 how long outcomes are kept, ms   6 how long changes are, ms
-- Answers {A, epoch, sequence, clock, forgotten, steady} or {F, epoch, sequence, clock}.
local meta = redis.call('HMGET', KEYS[1], 'run', 'epoch', 'seq', 'clock', 'steady')
if meta[1] ~= incarnation() then
  return {'F', meta[2] or '0', meta[3] or '0', meta[4] or '0'}
end
local now = clock(ARGV[1], meta[4])
local most, before = tonumber(ARGV[4]), now - tonumber(ARGV[6])

local function written_at(entry)
  local fields = entry[2]
  for at = 1, #fields, 2 do
    if fields[at] == 't' then return tonumber(fields[at + 1]) end
  end
  return 0
end

local count, first_kept = 0, nil
local first = redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', '1')
if first[1] and written_at(first[1]) <= before then
  for _, entry in ipairs(redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', whole(most + 1))) do
    first_kept = entry[1]
    if count == most or written_at(entry) > before then break end
    count, first_kept = count + 1, nil
  end
  if first_kept then
    redis.call('XTRIM', KEYS[2], 'MINID', first_kept)
  else
    redis.call('XTRIM', KEYS[2], 'MAXLEN', '0')
  end
end
if count < most then
  count = count + forget_lapsed(KEYS[3], KEYS[4], now - tonumber(ARGV[5]), most - count)
end

local steady = meta[5]
if not steady or math.abs(tonumber(ARGV[2]) - tonumber(steady)) >= tonumber(ARGV[3]) then
  steady = ARGV[2]
  redis.call('HSET', KEYS[1], 'steady', steady)
end
redis.call('HSET', KEYS[1], 'clock', whole(now))
return {'A', meta[2], meta[3], whole(now), whole(count), steady}
