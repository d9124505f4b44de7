-- One operation on one session: the session, its entries in the index and its event change together, or nothing does.
--
-- ARGV: 1 guard, 2 bytes that were loaded, 3 action, 4 bytes to store, 5 deadline ("keep", "never" or milliseconds),
-- 6 "ends" where that deadline is past, 7 the score below which entries are too old, 8 and 9 how many values the session is
-- found by from now on and is not found by any more, 10 what becomes of the event ("", "keep" or "remove"), 11 the event,
-- 12 for how many milliseconds it outlives the session, 13 for how many a rotated key is remembered.
-- KEYS: the session; in a rotation the new session and, where it is remembered, the mark of the old one; for each value two
-- sets, of sessions that end and of those that do not; where the event changes, its deadlines and its texts, and in a
-- rotation those of the old session in front of them.
-- Answers 1 done, 0 gone, -1 changed, -2 taken.

local farthest = 253402300799999 -- the end of the year 9999, which a score holds exactly

local taken_keys = 0
local function key()
  taken_keys = taken_keys + 1
  return KEYS[taken_keys]
end
local function number(n) return string.format('%.0f', n) end

local action, deadline, event = ARGV[3], ARGV[5], ARGV[10]
local session = key()
local target = session
local rotates = action == 'rotate'
if rotates then target = key() end
local mark = ARGV[13] ~= '' and key()

if ARGV[1] == 'unchanged' then
  local stored = redis.call('GET', session)
  if stored and stored ~= ARGV[2] then return -1 end
  if not stored and action ~= 'delete' then return 0 end
else
  local is_there = redis.call('EXISTS', session) == 1
  if ARGV[1] == 'absent' and is_there then return -2 end
  if ARGV[1] == 'exists' and not is_there and action ~= 'delete' then return 0 end
end
if rotates and redis.call('EXISTS', target) == 1 then return -2 end

local put, removed = tonumber(ARGV[8]), tonumber(ARGV[9])
local sets = {}
for i = 1, put + removed do sets[i] = { key(), key() } end
local old_due, old_events, due, events
if event ~= '' then
  if rotates then old_due, old_events = key(), key() end
  due, events = key(), key()
end

-- A script stops at a command that the user may not run, with the others done. So what comes behind the first change is asked
-- for beforehand.
if redis.acl_check_cmd then
  local allowed = true
  local function need(...) allowed = allowed and redis.acl_check_cmd(...) end
  if rotates then need('UNLINK', session) end
  for _, pair in ipairs(sets) do need('ZREM', pair[1], session) end
  if put > 0 then
    local set = sets[1][1]
    need('ZREMRANGEBYSCORE', set, 0, 0)
    need('PEXPIRETIME', set)
    need('PEXPIREAT', set, 0)
    if action ~= 'touch' then
      need('SET', target, '')
    elseif deadline == 'never' then
      need('PERSIST', session)
    end
  end
  if event ~= '' then
    need('ZADD', due, 0, target)
    need('ZREM', due, target)
    need('HSET', events, target, '')
    need('HDEL', events, target)
    need('PEXPIRETIME', due)
    need('PEXPIREAT', due, 0)
  end
  if not allowed then return redis.error_reply('NOPERM a command of a transaction is not allowed') end
end

local function lasts(set, until_)
  if redis.call('PEXPIRETIME', set) < until_ then redis.call('PEXPIREAT', set, number(until_)) end
end
local function keep_event(at)
  local until_ = at + tonumber(ARGV[12])
  redis.call('ZADD', due, number(at), target)
  redis.call('HSET', events, target, ARGV[11])
  lasts(due, until_)
  lasts(events, until_)
end
local function remove_event(from_due, from_events, of)
  redis.call('ZREM', from_due, of)
  redis.call('HDEL', from_events, of, '\255' .. of)
end

if action == 'delete' or ARGV[6] == 'ends' then
  local found = redis.call('UNLINK', session)
  for _, pair in ipairs(sets) do
    redis.call('ZREM', pair[1], session)
    redis.call('ZREM', pair[2], session)
  end
  -- The event of a session that is not there is that of one that has expired: it stays.
  if event ~= '' and found == 1 then
    if action ~= 'delete' and event == 'keep' then
      keep_event(math.min(tonumber(deadline), farthest))
    else
      remove_event(rotates and old_due or due, rotates and old_events or events, session)
    end
  end
  if mark and found == 1 then redis.call('SET', mark, '', 'PX', ARGV[13]) end
  return found == 1 and 1 or 0
end

-- The deadline as text, and as a number that scores hold; without one, `at` is nil.
local text, at = deadline, nil
if deadline == 'keep' then
  local kept = redis.call('PEXPIRETIME', session)
  if kept >= 0 then text, at = number(math.min(kept, 2 ^ 53)), kept end
elseif deadline ~= 'never' then
  at = tonumber(deadline)
end
if at then at = math.min(at, farthest) end

for i = 1, put do
  local ending, endless = sets[i][1], sets[i][2]
  if at then
    -- A score only grows, so that nobody who reads page by page misses the entry.
    redis.call('ZADD', ending, 'GT', number(at), target)
    redis.call('ZREM', endless, target)
    redis.call('ZREMRANGEBYSCORE', ending, '-inf', ARGV[7])
    lasts(ending, at)
  else
    redis.call('ZADD', endless, 1, target)
    redis.call('ZREM', ending, target)
  end
end
if action == 'touch' then
  if deadline == 'never' then
    redis.call('PERSIST', session)
  elseif deadline ~= 'keep' then
    redis.call('PEXPIREAT', session, text)
  end
elseif at then
  redis.call('SET', target, ARGV[4], 'PXAT', text)
else
  redis.call('SET', target, ARGV[4])
end
if rotates then
  redis.call('UNLINK', session)
  if mark then redis.call('SET', mark, '', 'PX', ARGV[13]) end
end
for i = put + 1, put + removed do
  redis.call('ZREM', sets[i][1], session)
  redis.call('ZREM', sets[i][2], session)
end
if event == 'keep' and at then
  keep_event(at)
elseif event ~= '' then
  remove_event(due, events, target)
end
if event ~= '' and rotates then remove_event(old_due, old_events, session) end
return 1
