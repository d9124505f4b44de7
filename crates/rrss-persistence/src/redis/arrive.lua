-- The new session of a rotation on a Cluster takes its place, once the old one is gone.
-- KEYS: where it waits, its place. ARGV: its deadline in milliseconds, or -1.
-- Answers 1 done, 0 ended meanwhile.
if redis.call('EXISTS', KEYS[1]) == 0 then return redis.call('EXISTS', KEYS[2]) end
redis.call('RENAME', KEYS[1], KEYS[2])
if ARGV[1] == '-1' then redis.call('PERSIST', KEYS[2]) else redis.call('PEXPIREAT', KEYS[2], ARGV[1]) end
return 1
