-- Brings a ledger back on a server that has begun anew: prepare, let the instance that saw most give back what was lost,
-- activate a new epoch. May be called by any instance, any number of times; nothing is appended meanwhile.
--
-- KEYS  1 meta  2 log  3 recovery under way  4 heartbeats of instances  5 outcomes of requests  6 their names by time
--       7.. records, all kinds in their order, then as many keys as from 5 on, in which a whole state is put together
--       before it takes their place
-- ARGV  1 what to do  2 instance  3 its epoch  4 its sequence  5 its digest  6 its deployment ('' when it has none), then
--       PREPARE   7 window, ms   8 how fresh a heartbeat must be to be waited for, ms   9 how fresh a report must be, ms
--                 10 the greatest epoch that it knows, also when it has nothing to give
--       CONTINUE  for each change after the server's head, whole appends: sequence, key, version, image, digest, number of
--                 its key, when it was written, how many of its append follow, name of the request that it ends ('' for
--                 none), its fingerprint and result
--       BEGIN     nothing        PAGE  for each record: number of its key, key, version and image
--       OUTCOMES  for each outcome of a request: name, when it was written, epoch, sequence, fingerprint and result
--       FINISH    nothing        ACTIVATE  7 epoch to begin  8 format  9 deployment to be when there is none
--                 10 clock in ms, '' for this server's own
-- Answers {OWNED, epoch, seq} · {OTHER, deployment} · {WAIT, epoch, ms} · {GIVE, epoch, head epoch, head seq, head digest}
--       · {READY, epoch} · {DONE, epoch, seq} · {STALE} when the recovery is another by now · {BROKEN} when changes do not follow.
local what, instance, kept = ARGV[1], ARGV[2], #KEYS / 2 - 2
local me = incarnation()
local meta = redis.call('HMGET', KEYS[1], 'run', 'epoch', 'seq', 'digest', 'deployment', 'clock')
if meta[1] == me then return {'OWNED', meta[2], meta[3]} end
if meta[5] and ARGV[6] ~= '' and meta[5] ~= ARGV[6] then return {'OTHER', meta[5]} end
local now = clock('', '0')
local head_epoch, head_seq, head_digest = tonumber(meta[2] or '0'), tonumber(meta[3] or '0'), meta[4] or ''
local under_way = redis.call('HMGET', KEYS[3], 'incarnation', 'until', 'epoch', 'giver', 'given_at', 'fresh')

local function put_head(epoch, seq, digest, deployment)
  redis.call('HSET', KEYS[1], 'epoch', whole(epoch), 'seq', whole(seq), 'digest', digest)
  if deployment ~= '' then redis.call('HSET', KEYS[1], 'deployment', deployment) end
end

-- The clock has shown what was written by it.
local function show_clock(at)
  meta[6] = whole(math.max(tonumber(meta[6] or '0'), tonumber(at)))
  redis.call('HSET', KEYS[1], 'clock', meta[6])
end

-- The fresh report that is ahead of what the server has: of a later epoch, or further in the same. Reports of epochs
-- that the server has left behind are of a history that ended.
local function best_report(fresh_ms)
  local best
  local fields = redis.call('HGETALL', KEYS[3])
  for at = 1, #fields, 2 do
    local who = string.match(fields[at], '^i:(.+)$')
    if who then
      local reported_at, epoch, seq = string.match(fields[at + 1], '^(%d+) (%d+) (%d+)')
      reported_at, epoch, seq = tonumber(reported_at), tonumber(epoch), tonumber(seq)
      local is_ahead = epoch > head_epoch or (epoch == head_epoch and seq > head_seq)
      if is_ahead and now - reported_at <= fresh_ms then
        local is_better = not best or epoch > best.epoch or (epoch == best.epoch and seq > best.seq)
        local is_tie = best and epoch == best.epoch and seq == best.seq
        if is_better or (is_tie and who < best.who) then best = {who = who, epoch = epoch, seq = seq} end
      end
    end
  end
  return best
end

-- Whether every instance that lived a moment ago has reported.
local function all_have_reported(fresh_ms)
  local beats = redis.call('HGETALL', KEYS[4])
  local any = false
  for at = 1, #beats, 2 do
    local beat_at = tonumber(string.match(beats[at + 1], '^(%d+)') or '0')
    if now - beat_at <= fresh_ms then
      any = true
      if redis.call('HEXISTS', KEYS[3], 'i:' .. beats[at]) == 0 then return false end
    end
  end
  return any
end

if what == 'PREPARE' then
  if under_way[1] ~= me then
    local epoch = math.max(head_epoch, tonumber(under_way[3] or '0')) + 1
    redis.call('UNLINK', KEYS[3])
    under_way = {me, whole(now + tonumber(ARGV[7])), whole(epoch), false, false}
    redis.call('HSET', KEYS[3], 'incarnation', me, 'until', under_way[2], 'epoch', under_way[3])
  end
  -- No epoch that anybody knows begins twice.
  local epoch = math.max(tonumber(under_way[3]), tonumber(ARGV[10]) + 1)
  local report = whole(now) .. ' ' .. ARGV[3] .. ' ' .. ARGV[4] .. ' ' .. ARGV[5]
  redis.call('HSET', KEYS[3], 'epoch', whole(epoch), 'fresh', ARGV[9], 'i:' .. instance, report)
  if now < tonumber(under_way[2]) and not all_have_reported(tonumber(ARGV[8])) then
    return {'WAIT', whole(epoch), whole(tonumber(under_way[2]) - now)}
  end
  local fresh_ms = tonumber(ARGV[9])
  if under_way[4] and under_way[4] ~= instance and now - tonumber(under_way[5]) <= fresh_ms then
    return {'WAIT', whole(epoch), '100'}
  end
  local best = best_report(fresh_ms)
  if not best then return {'READY', whole(epoch)} end
  if best.who ~= instance then return {'WAIT', whole(epoch), '100'} end
  return {'GIVE', whole(epoch), whole(head_epoch), whole(head_seq), head_digest}
end

if under_way[1] ~= me then return {'STALE'} end

if what == 'CONTINUE' then
  if tonumber(ARGV[3]) ~= head_epoch then return {'BROKEN'} end
  -- All of it is looked at first: what is written in part would be half an append to whoever goes on from there.
  local seq, digest, left = head_seq, head_digest, 0
  for at = 7, #ARGV, 10 do
    if tonumber(ARGV[at]) > head_seq then
      digest = after(digest, ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], ARGV[at + 8], ARGV[at + 9])
      if tonumber(ARGV[at]) ~= seq + 1 or digest ~= ARGV[at + 4] then return {'BROKEN'} end
      seq, left = seq + 1, tonumber(ARGV[at + 7])
    end
  end
  if left > 0 then return {'BROKEN'} end
  for at = 7, #ARGV, 10 do
    local number, key, version, image = tonumber(ARGV[at]), ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
    local written_at, follow, name, told = ARGV[at + 6], tonumber(ARGV[at + 7]), ARGV[at + 8], ARGV[at + 9]
    if number > head_seq then
      local id = whole(head_epoch) .. '-' .. whole(number)
      redis.call('XADD', KEYS[2], id, unpack(entry(key, version, image, ARGV[at + 4], written_at, follow, name, told)))
      if name ~= '' then keep(KEYS[5], KEYS[6], name, written_at, whole(head_epoch), whole(number), told) end
      put(KEYS[tonumber(ARGV[at + 5])], key, version, image)
      show_clock(written_at)
    end
  end
  put_head(head_epoch, seq, digest, '')
  return {'DONE', whole(head_epoch), whole(seq)}
end

if what == 'BEGIN' then
  if under_way[4] and under_way[4] ~= instance and now - tonumber(under_way[5]) <= tonumber(under_way[6]) then
    return {'STALE'}
  end
  for at = 5 + kept, #KEYS do redis.call('UNLINK', KEYS[at]) end
  redis.call('HSET', KEYS[3], 'giver', instance, 'given_at', whole(now))
  return {'DONE', whole(head_epoch), whole(head_seq)}
end

if what == 'PAGE' or what == 'OUTCOMES' or what == 'FINISH' then
  if under_way[4] ~= instance then return {'STALE'} end
  -- Another one has given back as much meanwhile.
  local is_behind = tonumber(ARGV[3]) < head_epoch or (tonumber(ARGV[3]) == head_epoch and tonumber(ARGV[4]) <= head_seq)
  if is_behind then
    redis.call('HDEL', KEYS[3], 'giver', 'given_at')
    return {'STALE'}
  end
  redis.call('HSET', KEYS[3], 'given_at', whole(now))
  if what == 'PAGE' then
    for at = 7, #ARGV, 3 do redis.call('HSET', KEYS[tonumber(ARGV[at]) + kept], ARGV[at + 1], ARGV[at + 2]) end
  elseif what == 'OUTCOMES' then
    for at = 7, #ARGV, 5 do
      keep(KEYS[5 + kept], KEYS[6 + kept], ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], ARGV[at + 4])
      show_clock(ARGV[at + 1])
    end
  else
    redis.call('UNLINK', KEYS[2])
    for at = 5, 4 + kept do
      redis.call('UNLINK', KEYS[at])
      if redis.call('EXISTS', KEYS[at + kept]) == 1 then redis.call('RENAME', KEYS[at + kept], KEYS[at]) end
    end
    put_head(tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5], ARGV[6])
    redis.call('HDEL', KEYS[3], 'giver', 'given_at')
  end
  return {'DONE', ARGV[3], ARGV[4]}
end

-- ACTIVATE
if under_way[3] ~= ARGV[7] then return {'STALE'} end
if under_way[4] and now - tonumber(under_way[5]) <= tonumber(under_way[6]) then return {'STALE'} end
if best_report(tonumber(under_way[6])) then return {'STALE'} end
local digest = head_digest ~= '' and head_digest or redis.sha1hex('')
put_head(ARGV[7], head_seq, digest, meta[5] or ARGV[9])
-- Where the last epochs ended, so that a position of one of them can be judged: at most 64.
local ends = whole(head_epoch) .. ':' .. whole(head_seq) .. ' ' .. (redis.call('HGET', KEYS[1], 'ends') or '')
local last, count = 0, 0
for at in string.gmatch(ends, '()%d+:%d+') do
  count = count + 1
  if count <= 64 then last = string.find(ends, ' ', at, true) or #ends end
end
redis.call('HSET', KEYS[1], 'ends', string.sub(ends, 1, last))
redis.call('HSET', KEYS[1], 'run', me, 'format', ARGV[8], 'partitions', '1', 'clock', whole(clock(ARGV[10], meta[6] or '0')))
redis.call('XADD', KEYS[2], ARGV[7] .. '-' .. whole(head_seq),
  'e', whole(head_epoch) .. ' ' .. whole(head_seq), 'd', digest, 't', whole(now))
redis.call('UNLINK', KEYS[3])
for at = 5 + kept, #KEYS do redis.call('UNLINK', KEYS[at]) end
return {'DONE', ARGV[7], whole(head_seq)}
