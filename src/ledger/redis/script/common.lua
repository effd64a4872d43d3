-- What the scripts share; it stands before each of them.

-- This very history of this very process: a restart, a failover and a promotion each give another.
local function incarnation()
  local info = redis.call('INFO', 'server', 'replication')
  return string.match(info, 'run_id:(%x+)') .. '.' .. string.match(info, 'master_replid:(%x+)')
end

local function whole(number) return string.format('%.0f', number) end

-- In ms; it never goes back.
local function clock(given, shown)
  local now
  if given ~= '' then
    now = tonumber(given)
  else
    local time = redis.call('TIME')
    now = time[1] * 1000 + math.floor(time[2] / 1000)
  end
  return math.max(now, tonumber(shown))
end

-- The digest of the history with one more change, and with the outcome of the request that it ends ('' when it ends none).
local function after(digest, key, version, image, name, told)
  local changed = redis.sha1hex(digest .. #key .. ':' .. key .. version .. ':' .. image)
  if name == '' then return changed end
  return redis.sha1hex(changed .. #name .. ':' .. name .. told)
end

-- The fields of an entry of the log. `left` is how many entries of the same append follow; name and told are of the request
-- that it ends ('' for none).
local function entry(key, version, image, digest, at, left, name, told)
  local fields = {'k', key, 'v', version, 'b', image, 'd', digest, 't', at}
  local function add(field, value) fields[#fields + 1], fields[#fields + 2] = field, value end
  if left > 0 then add('m', whole(left)) end
  if name ~= '' then add('q', name) add('o', told) end
  return fields
end

-- Keeps the outcome of a request: its fingerprint and what a retry is told.
local function keep(outcomes, by_time, name, at, epoch, seq, told)
  redis.call('HSET', outcomes, name, at .. ' ' .. epoch .. ' ' .. seq .. ' ' .. told)
  redis.call('ZADD', by_time, at, name)
end

local function put(records, key, version, image)
  if image == '' then
    redis.call('HDEL', records, key)
  else
    redis.call('HSET', records, key, version .. ' ' .. image)
  end
end

-- Forgets at most so many outcomes that are kept since this instant or longer; says how many.
local function forget_lapsed(outcomes, by_time, since, most)
  local lapsed = redis.call('ZRANGEBYSCORE', by_time, '-inf', whole(since), 'LIMIT', '0', whole(most))
  if #lapsed > 0 then
    redis.call('HDEL', outcomes, unpack(lapsed))
    redis.call('ZREM', by_time, unpack(lapsed))
  end
  return #lapsed
end

