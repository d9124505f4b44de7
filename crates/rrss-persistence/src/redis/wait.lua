-- The new session of a rotation on a Cluster waits until the old one is gone.
-- KEYS: where it waits, its place. ARGV: the session, for how many milliseconds it waits at most.
-- Answers 1 done, 0 where its place is taken.
if redis.call('EXISTS', KEYS[2]) == 1 then return 0 end
-- What is needed once the old session is gone.
if redis.acl_check_cmd then
  local allowed = redis.acl_check_cmd('RENAME', KEYS[1], KEYS[2])
    and redis.acl_check_cmd('PEXPIREAT', KEYS[2], 0)
    and redis.acl_check_cmd('PERSIST', KEYS[2])
  if not allowed then return redis.error_reply('NOPERM a command of a rotation is not allowed') end
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
