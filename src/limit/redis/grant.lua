-- Hands out parts of one limit. `actors/src/memory/grants.rs` says the same in Rust, and a test holds both together.
-- KEYS: members, level. Times are microseconds by this server's clock.
local call = {
  node = ARGV[1], holder = ARGV[2], from = tonumber(ARGV[3]), till = tonumber(ARGV[4]),
  promise = tonumber(ARGV[5]), settle = tonumber(ARGV[6]), members = math.max(tonumber(ARGV[7]), 1),
  generation = tonumber(ARGV[8]),
}
local kind, at = ARGV[9], 10
local SLACK, FORGET, AHEAD, LEAST, MOST = 20000, 3600000000, 600000000, 50000, 1000000
local function take()
  at = at + 1
  return tonumber(ARGV[at - 1])
end
local function text(number) return string.format('%.0f', number) end

-- The test's clock, else the server's.
local now, run = take(), ARGV[11]
at = 12
if now == 0 then
  local time = redis.call('TIME')
  now = tonumber(time[1]) * 1000000 + tonumber(time[2])
  run = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
end

-- A generation ends with the process that knew it, and with what it knew: emptied, restarted, failed over.
local stored = redis.call('GET', KEYS[1])
local all = stored and cmsgpack.unpack(stored)
local changed = false
local marked, reset = 0, 0
if kind == 'beat' then marked, reset = take(), take() end
if not all or all.run ~= run or reset == 1 then
  all, changed = { run = run, generation = now, members = {} }, true
end
local function keep_members()
  if changed then redis.call('SET', KEYS[1], cmsgpack.pack(all), 'PX', 172800000) end
end
local function reply(...)
  keep_members()
  local values = { text(now), text(all.generation), ... }
  return values
end
if call.till > 0 and (now < call.from or now > call.till) then return reply('late') end
if call.generation > 0 and call.generation ~= all.generation then return reply('late') end
local window = 0
local ask = {}
if kind == 'rate' then
  ask = { window = take(), limit = take(), want = take(), need = take(), keep = take(), slice_max = take(),
    sequence = take(), live_from = take() }
  window = ask.window
elseif kind == 'day' then
  ask = { begins = take(), ends = take(), limit = take(), open = take(), want = take(), need = take(),
    open_only = take(), had = take() }
end
if call.promise > 0 and now >= all.generation + call.settle + SLACK then
  local member = all.members[call.node] or { since = 0, till = 0, marked = 0 }
  if member.till < now then member.since = now end
  member.till = math.max(member.till, now + call.promise)
  if kind == 'beat' then member.marked = marked end
  all.members[call.node], changed = member, true
end
local settled = all.generation + call.settle + window + SLACK
if now < settled then return reply('unsettled', text(settled - now)) end
if kind == 'beat' then return reply('here') end
if call.promise == 0 then return reply('late') end

local function names(map)
  local found = {}
  for name in pairs(map) do found[#found + 1] = name end
  table.sort(found)
  return found
end

if kind == 'day' then
  if now + AHEAD < ask.begins or now >= ask.ends then return reply('late') end
  local known = redis.call('GET', KEYS[2])
  local had = known and cmsgpack.unpack(known) or {}
  had[call.node] = math.max(had[call.node] or 0, ask.had)
  local told, used = 0, 0
  for _, member in pairs(all.members) do
    if member.marked == all.generation then told = told + 1 end
  end
  for _, segments in pairs(had) do used = used + segments end
  local whole = all.generation + AHEAD < ask.begins or told >= call.members
  local left = math.max(ask.limit - used, 0)
  local open_left = math.min(math.max(ask.open - used, 0), left)
  local part = math.max(math.min(ask.want, math.floor(left / (4 * call.members))), ask.need)
  local of = ask.open_only == 1 and open_left or left
  local granted = 0
  if whole and ask.want > 0 then
    if ask.need > ask.limit and used == 0 and ask.limit > 0 then granted = ask.need
    elseif part <= of then granted = part end
  end
  had[call.node] = had[call.node] + granted
  -- Beyond the day's end nobody asks for it.
  redis.call('SET', KEYS[2], cmsgpack.pack(had), 'PX', text(math.ceil((ask.ends - now) / 1000) + 3600000))
  return reply('part', text(granted), text(math.min(granted, open_left)), text(had[call.node]),
    text(used + granted), whole and '1' or '0')
end

-- A slice of a rate.
for name, member in pairs(all.members) do
  if member.till + FORGET <= now then all.members[name], changed = nil, true end
end
local known = redis.call('GET', KEYS[2])
local level = known and cmsgpack.unpack(known)
-- What a generation before granted is over.
local holders = level and level.generation == all.generation and level.holders or {}
local function occupied(holder)
  local most, used = 0, 0
  for _, slice in ipairs(holder.slices) do most = math.max(most, slice[2]) end
  for _, part in ipairs(holder.used) do used = used + part[1] end
  return math.max(most, used)
end
local mine = holders[call.holder] or { node = call.node, want = 0, need = 0, since = 0, asked = 0, sequence = 0,
  keep = 0, slices = {}, used = {} }
if ask.sequence <= mine.sequence then return reply('late') end
holders[call.holder] = mine
local live = {}
for _, slice in ipairs(mine.slices) do
  if slice[1] >= ask.live_from then live[#live + 1] = slice end
end
mine.slices, mine.used = live, {}
while ARGV[at] do
  local segments = take()
  mine.used[#mine.used + 1] = { segments, now + take() }
end
if mine.need == 0 then mine.since = now end
mine.node, mine.asked, mine.sequence, mine.want, mine.need = call.node, now, ask.sequence, ask.want, ask.need
for name, holder in pairs(holders) do
  local slices, used = {}, {}
  for _, slice in ipairs(holder.slices) do
    if slice[3] + window + SLACK > now then slices[#slices + 1] = slice end
  end
  for _, part in ipairs(holder.used) do
    if part[2] + SLACK > now then used[#used + 1] = part end
  end
  holder.slices, holder.used = slices, used
  -- A process before this one may have sent by what it kept until just now.
  if holder.node == call.node and name ~= call.holder and holder.keep > 0 then
    local kept = math.max(holder.keep, occupied(holder))
    holder.used[#holder.used + 1], holder.keep = { kept, now + window }, 0
  end
end
for name, holder in pairs(holders) do
  local stale = holder.asked + math.max(call.promise, window) + SLACK < now
  if stale and occupied(holder) == 0 then holders[name] = nil end
end

-- What others leave.
local floor = math.floor(ask.limit / call.members)
local nodes, more_at = {}, math.huge
local function sooner(moment) if moment > now and moment < more_at then more_at = moment end end
for name, holder in pairs(holders) do
  if name ~= call.holder then
    local node = nodes[holder.node] or { 0, 0, false }
    node[1], node[2] = node[1] + occupied(holder), node[2] + holder.keep
    node[3] = node[3] or (holder.want > 0 and holder.asked + call.promise >= now)
    nodes[holder.node] = node
    for _, slice in ipairs(holder.slices) do sooner(slice[3] + window + SLACK) end
    for _, part in ipairs(holder.used) do sooner(part[2] + SLACK) end
  end
end
local taken, kept, lent_until, others = 0, 0, math.huge, 0
for name, member in pairs(all.members) do
  if name ~= call.node then
    others = others + 1
    local node = nodes[name] or { 0, 0, false }
    nodes[name] = nil
    local held = math.max(node[1], node[2])
    if member.till > now and member.since + window + SLACK <= now then
      taken, lent_until = taken + held, math.min(lent_until, member.till)
    else
      taken = taken + math.max(held, floor)
      if member.till > now then more_at = math.min(more_at, member.since + window + SLACK) end
      if not node[3] then kept = kept + floor end
    end
  end
end
local own = nodes[call.node] and nodes[call.node][1] or 0
nodes[call.node] = nil
local unheard = 0
for _, node in pairs(nodes) do unheard = unheard + math.max(node[1], node[2]) end
local unknown = math.max(call.members - 1 - others, 0) * floor
local free = math.max(ask.limit - taken - own - math.max(unheard, unknown), 0)
local capacity = math.max(ask.limit - kept - unknown, 0)

-- Equal parts, and what some do not want for the others; who has waited longest with a large text goes first.
local function parts(wants, left)
  local found, count = {}, #wants
  for place, wanted in ipairs(wants) do
    local part = math.min(wanted[1], math.floor(left / (count - place + 1)))
    found[wanted[2]], left = part, left - part
  end
  return found
end
local wants = {}
for _, name in ipairs(names(holders)) do
  local holder = holders[name]
  if holder.asked + call.promise >= now then
    wants[#wants + 1] = { math.min(math.max(holder.want, holder.need), ask.limit), name }
  end
end
table.sort(wants, function(a, b) return a[1] < b[1] or (a[1] == b[1] and a[2] < b[2]) end)
local even, needy = parts(wants, capacity), nil
for _, name in ipairs(names(even)) do
  local holder = holders[name]
  if math.min(holder.need, capacity) > even[name] and (not needy or holder.since < holders[needy].since) then
    needy = name
  end
end
local target = even[call.holder] or 0
if needy == call.holder then
  target = math.min(mine.need, capacity)
elseif needy then
  local rest = {}
  for _, wanted in ipairs(wants) do
    if wanted[2] ~= needy then rest[#rest + 1] = wanted end
  end
  target = parts(rest, capacity - math.min(holders[needy].need, capacity))[call.holder] or 0
end
local share, length, again = math.min(target, free), 0, 0
if share > 0 and share <= floor then
  length = ask.slice_max
elseif share > 0 then
  local long = math.max(math.min(math.floor(window * 100 / share), ask.slice_max), math.floor(ask.slice_max / 5))
  length = math.min(long, math.max(lent_until - now, 0))
end
if share < target then again = math.min(math.max(more_at - now, LEAST), MOST) end
local keep = math.min(ask.keep, floor)
mine.keep = math.max(math.min(mine.keep, keep), math.min(keep, share))
if share > 0 then mine.slices[#mine.slices + 1] = { ask.sequence, share, now + length } end
redis.call('SET', KEYS[2], cmsgpack.pack({ generation = all.generation, holders = holders }),
  'PX', text(math.ceil((2 * window + 2 * call.promise) / 1000) + 3600000))
return reply('slice', text(share), text(length), text(mine.keep), text(again))
