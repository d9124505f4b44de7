local removed = 0
for i = 2, #KEYS do
  local score = redis.call('ZSCORE', KEYS[1], KEYS[i])
  if score and tonumber(score) <= tonumber(ARGV[1]) then
    if redis.call('TYPE', KEYS[i]).ok == 'hash' then redis.call('UNLINK', KEYS[i]) end
    redis.call('ZREM', KEYS[1], KEYS[i])
    removed = removed + 1
  end
end
return removed
