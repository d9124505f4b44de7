-- The old session of a rotation on a Cluster goes, if it is what was loaded, and leaves a mark that names the new one.
-- KEYS: the session, its mark. ARGV: guard, bytes that were loaded, the name of the new session, for how many milliseconds
-- the mark stays. Answers what happened (1 done, 0 gone, -1 changed), and the deadline that the session had.
local stored = redis.call('GET', KEYS[1])
if not stored then
  -- It is done already where the mark names the new session: the first answer was lost.
  local name, deadline = string.match(redis.call('GET', KEYS[2]) or '', '^(%S+) (-?%d+)$')
  if name == ARGV[3] then return { 1, tonumber(deadline) } end
  return { 0, -2 }
end
if ARGV[1] == 'unchanged' and stored ~= ARGV[2] then return { -1, -2 } end
-- Before the first change, since a script stops at a command that the user may not run, with the others done.
if redis.acl_check_cmd and not redis.acl_check_cmd('UNLINK', KEYS[1]) then
  return redis.error_reply('NOPERM a command of a rotation is not allowed')
end
local deadline = redis.call('PEXPIRETIME', KEYS[1])
redis.call('SET', KEYS[2], ARGV[3] .. ' ' .. string.format('%.0f', deadline), 'PX', ARGV[4])
redis.call('UNLINK', KEYS[1])
return { 1, deadline }
