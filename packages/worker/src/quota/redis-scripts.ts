import { hash } from "node:crypto";

/** A script that the server runs as one step: nothing else happens in between. */
export interface RedisScript {
  readonly lua: string;
  readonly sha1: string;
}

/**
 * Charges all buckets or none, by the rule of `bucket.ts`: `settle` and `remaining` are said here once
 * more, with the same operations in the same order. Lua's numbers are those of JavaScript, so both come
 * to the same result, exact in the same bounds; only their text needs a format, for Lua's own ends after
 * 14 digits.
 *
 * - KEYS: a bucket each; its value is `<sinceUs> <spent>`.
 * - ARGV: the time in microseconds, "" for the server's, which is then also when keys expire; then for
 *   each bucket `limit`, `windowUs` (0: it never refills), `cost` and `gain`.
 * - Answers `<1: charged, 0: not> <nowUs>` and then `<sinceUs> <spent>` for each bucket, as it is now.
 *
 * A key goes when its bucket is full again, for that is as good as none. A clock that went back (a server
 * that took over from another) costs a subject what its bucket regained since it was last full, no more.
 */
export const TAKE = scriptOf(`
local now
if ARGV[1] == '' then
  local time = redis.call('TIME')
  now = time[1] * 1000000 + time[2]
else
  now = tonumber(ARGV[1])
end

local fits = 1
local buckets = {}
for i, key in ipairs(KEYS) do
  local limit, window = tonumber(ARGV[4 * i - 2]), tonumber(ARGV[4 * i - 1])
  local cost, gain = tonumber(ARGV[4 * i]), tonumber(ARGV[4 * i + 1])
  local since, spent, wentBack = now, 0, false
  local kept = redis.call('GET', key)
  if kept then
    local keptSince, keptSpent = string.match(kept, '^(%d+) (%d+)$')
    since, spent = tonumber(keptSince), tonumber(keptSpent)
    if since > now then since, wentBack = now, true end
  end
  if window > 0 then
    local elapsed = now - since
    if elapsed * gain >= spent * cost then
      since, spent = now, 0
    elseif elapsed >= window then
      since, spent = since + window, spent - limit
    end
  end
  if limit - spent + math.floor((now - since) * gain / cost) < 1 then fits = 0 end
  buckets[i] = { since = since, spent = spent, cost = cost, gain = gain, wentBack = wentBack }
end

local answer = { string.format('%d %.0f', fits, now) }
for i, bucket in ipairs(buckets) do
  bucket.spent = bucket.spent + fits
  local value = string.format('%.0f %.0f', bucket.since, bucket.spent)
  answer[i + 1] = value
  if fits == 1 or bucket.wentBack then
    if bucket.gain == 0 or ARGV[1] ~= '' then
      redis.call('SET', KEYS[i], value)
    else
      local full = bucket.since + math.ceil(bucket.spent * bucket.cost / bucket.gain)
      redis.call('SET', KEYS[i], value, 'PXAT', string.format('%.0f', math.ceil(full / 1000)))
    end
  end
end
return table.concat(answer, ' ')
`);

/**
 * Says that a replica is there, and counts those that said so of late.
 *
 * - KEYS: the set of replicas, by when each was last seen.
 * - ARGV: this replica's name; the milliseconds after which one that is silent is gone.
 */
export const CHECK_IN = scriptOf(`
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return redis.call('ZCARD', KEYS[1])
`);

function scriptOf(lua: string): RedisScript {
  return { lua, sha1: hash("sha1", lua, "hex") };
}
