local at = 0
local function take()
  at = at + 1
  return ARGV[at]
end
-- The next list, in pieces that fit on the stack.
local function each(command)
  local count = tonumber(take())
  for first = at + 1, at + count, 4000 do
    redis.call(command, KEYS[1], unpack(ARGV, first, math.min(first + 3999, at + count)))
  end
  at = at + count
end

local key, all = KEYS[1], KEYS[2]
local action, deadline, horizon = take(), take(), take()

local function finish()
  redis.call('UNLINK', key)
  if all then redis.call('ZREM', all, key) end
end

local kind = redis.call('TYPE', key).ok
if kind ~= 'none' and kind ~= 'hash' then
  if action == 'create' then return 0 end
  if action ~= 'remove' then return redis.error_reply('WRONGTYPE the key holds no hash') end
end
local live = kind ~= 'none'
if live and all then
  local score = redis.call('ZSCORE', all, key)
  if score and tonumber(score) <= tonumber(horizon) then
    finish()
    live = false
  end
end

if live == (action == 'create') then return 0 end
if action == 'remove' then
  finish()
  return 1
end

local now, created, own = take(), take(), take()
if action ~= 'create' then
  local head = redis.call('HGET', key, '$rrss')
  local function told(name)
    return head and string.match(head, '"' .. name .. '":(%d+)') or ''
  end
  local loaded, count = take(), take()
  if loaded ~= 'any' and told('until') ~= loaded then return -1 end
  if count ~= 'any' and redis.call('HLEN', key) - (head and 1 or 0) ~= tonumber(count) then return -1 end
  for _ = 1, tonumber(take()) / 2 do
    local name, value = take(), take()
    if redis.call('HGET', key, name) ~= value then return -1 end
  end
  for _ = 1, tonumber(take()) do
    if redis.call('HEXISTS', key, take()) == 1 then return -1 end
  end
  if told('created') ~= '' then created = told('created') end
end
if action == 'delete' or deadline == 'past' then
  if live then finish() end
  return 1
end

-- A script stops at a command that the user may not run, with the others done: so what comes behind the first is asked for here.
if action ~= 'touch' and redis.acl_check_cmd then
  local allowed = redis.acl_check_cmd('HDEL', key, '') and redis.acl_check_cmd('PEXPIREAT', key, 0)
    and redis.acl_check_cmd('PERSIST', key)
  if all then
    allowed = allowed and redis.acl_check_cmd('ZADD', all, 0, key) and redis.acl_check_cmd('ZREM', all, key)
  end
  if not allowed then return redis.error_reply('NOPERM a command of a change is not allowed') end
end

if action ~= 'touch' then
  each('HSET')
  if all then
    redis.call('HDEL', key, '$rrss')
  else
    local head = '"written":' .. now
    if created ~= '' then head = '"created":' .. created .. ',' .. head end
    if own ~= '' then head = head .. ',"until":' .. own end
    redis.call('HSET', key, '$rrss', '{' .. head .. '}')
  end
  -- Last, since a hash that is empty for a moment is gone, and its deadline with it.
  each('HDEL')
end

if not all then
  if deadline == 'never' then redis.call('PERSIST', key)
  elseif deadline ~= 'keep' then redis.call('PEXPIREAT', key, deadline) end
elseif deadline ~= 'keep' or redis.call('EXISTS', key) == 0 then
  redis.call('PERSIST', key)
  if deadline == 'never' or redis.call('EXISTS', key) == 0 then redis.call('ZREM', all, key)
  else redis.call('ZADD', all, deadline, key) end
end
return 1
