-- Which of some commands this user may not run, and which the server does not know.
--
-- ARGV: for each command the number of its words, its name as an ACL has it, and its words.
-- Answers the names of those that are refused, those that are unknown with "!" in front; { "?" } where the server cannot say.

if not redis.acl_check_cmd then return { '?' } end
local found, at = {}, 1
while ARGV[at] do
  local count, name, words = tonumber(ARGV[at]), ARGV[at + 1], {}
  for i = 1, count do words[i] = ARGV[at + 1 + i] end
  local is_known, is_allowed = pcall(redis.acl_check_cmd, unpack(words))
  if not is_known then
    found[#found + 1] = '!' .. name
  elseif not is_allowed then
    found[#found + 1] = name
  end
  at = at + count + 2
end
return found
