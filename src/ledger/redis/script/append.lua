-- Conditional append: all entries or none. Knows nothing of what records mean.
--
-- KEYS  1 meta  2 log  3 outcomes of requests  4 their names by time  5.. records, a hash for each kind concerned
-- ARGV  1 clock in ms, '' for this server's own   2 not before  3 not after, '' for none
--       4 name of the request, '' for none        5 its fingerprint (16 bytes)  6 what a retry is told
--       7 how long outcomes are kept, ms          8 changes that the log keeps
--       then for each entry: number of its key among KEYS, key, expected version ('0' when absent),
--       version after it ('' when nothing is written), image ('' when the record is removed)
-- Versions are texts: they travel and compare as such, since numbers of Lua are exact to 2^53 only.
-- Answers {code, epoch, sequence, clock, …}: A appended, C conflict (entry, record), T out of time,
--       R replayed (epoch, sequence, result), I request id reused, F fenced.
local meta = redis.call('HMGET', KEYS[1], 'run', 'epoch', 'seq', 'clock', 'digest')
if meta[1] ~= incarnation() then
  return {'F', meta[2] or '0', meta[3] or '0', meta[4] or '0'}
end
local epoch, seq, digest = meta[2], tonumber(meta[3]), meta[5]
local now = clock(ARGV[1], meta[4])
local now_text = whole(now)

local name = ARGV[4]
if name ~= '' then
  local kept = redis.call('HGET', KEYS[3], name)
  if kept then
    local at, kept_epoch, kept_seq, from = string.match(kept, '^(%-?%d+) (%d+) (%d+) ()')
    if now - tonumber(at) < tonumber(ARGV[7]) then
      if string.sub(kept, from, from + 15) ~= ARGV[5] then
        return {'I', epoch, whole(seq), now_text}
      end
      -- Written, so that a WAIT on this connection covers what the first call wrote.
      redis.call('HSET', KEYS[1], 'clock', now_text)
      return {'R', epoch, whole(seq), now_text, kept_epoch, kept_seq, string.sub(kept, from + 16)}
    end
  end
end

if (ARGV[2] ~= '' and now < tonumber(ARGV[2])) or (ARGV[3] ~= '' and now >= tonumber(ARGV[3])) then
  redis.call('HSET', KEYS[1], 'clock', now_text)
  return {'T', epoch, whole(seq), now_text}
end

local left = 0
for at = 9, #ARGV, 5 do
  if ARGV[at + 3] ~= '' then left = left + 1 end
  local record = redis.call('HGET', KEYS[tonumber(ARGV[at])], ARGV[at + 1])
  local version = record and string.match(record, '^%d+') or '0'
  if version ~= ARGV[at + 2] then
    return {'C', epoch, whole(seq), now_text, whole((at - 9) / 5), record}
  end
end

for at = 9, #ARGV, 5 do
  local records, key, version, image = KEYS[tonumber(ARGV[at])], ARGV[at + 1], ARGV[at + 3], ARGV[at + 4]
  if version ~= '' then
    -- Each entry says how many follow, so that who follows the log takes the append as a whole; the last one carries the
    -- outcome, so that they can give it back.
    left, seq = left - 1, seq + 1
    local ends, told = left == 0 and name or '', ARGV[5] .. ARGV[6]
    digest = after(digest, key, version, image, ends, told)
    local id = epoch .. '-' .. whole(seq)
    -- First of all writes: it alone can fail, when the log is ahead of the meta.
    redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[8], id, unpack(entry(key, version, image, digest, now_text, left, ends, told)))
    put(records, key, version, image)
  end
end
redis.call('HSET', KEYS[1], 'seq', whole(seq), 'clock', now_text, 'digest', digest)

if name ~= '' then
  keep(KEYS[3], KEYS[4], name, now_text, epoch, whole(seq), ARGV[5] .. ARGV[6])
  -- More than one for each that is kept, so that they run out.
  forget_lapsed(KEYS[3], KEYS[4], now - tonumber(ARGV[7]), 4)
end
return {'A', epoch, whole(seq), now_text}
