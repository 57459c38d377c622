-- Gives id and state of the job that has a unique key. ARGV: the key.
local id, is = holder(ARGV[1])
return id and {id, is} or {}
