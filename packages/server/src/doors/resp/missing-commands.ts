const lists = "there are no lists; keep one as a JSON value, or each item under a key of its own";
const blocking = "nothing blocks here; poll with GET, or with SCAN MATCH";
const streams = "there are no streams; keep each entry under a key of its own and SCAN MATCH";
const sortedSets = "there are no sorted sets; keep one as a JSON value";
const scripts =
  "there are no scripts; SET with NX, XX or GET, MULTI with WATCH, or COT.GET and COT.PUT " +
  "with a context take their place";
const pubSub = "there is no publishing; poll with GET";
const later = "this type is not built yet (not-yet); keep it as a JSON value";
const bits = "there are no bits; GETRANGE and SETRANGE work on bytes";
const twoKeys = "no command changes several keys at once; GET, SET and DEL each of them";
const replication = "every node is an equal: it is replicated and saved already";
const databases = "there is one database; use another prefix, or another bucket over HTTP or gRPC";

/** What to use instead of commands of Redis that are not there, by their names. */
export const missingCommands: ReadonlyMap<string, string> = new Map(
  (
    [
      [
        lists,
        "lpush rpush lpushx rpushx lpop rpop llen lrange lindex lset lrem ltrim linsert lpos",
      ],
      [lists, "lmove rpoplpush lmpop sort sort_ro"],
      [blocking, "blpop brpop brpoplpush blmove blmpop bzpopmin bzpopmax bzmpop wait waitaof"],
      [streams, "xadd xlen xrange xrevrange xread xreadgroup xack xclaim xautoclaim xdel xtrim"],
      [streams, "xgroup xinfo xpending xsetid"],
      [sortedSets, "zadd zrem zscore zmscore zrange zrangestore zrangebyscore zrangebylex zcard"],
      [sortedSets, "zrevrange zrevrangebyscore zrank zrevrank zincrby zcount zlexcount zpopmin"],
      [
        sortedSets,
        "zpopmax zunion zunionstore zinter zinterstore zdiff zdiffstore zscan zrandmember",
      ],
      [sortedSets, "zremrangebyrank zremrangebyscore zremrangebylex zmpop geoadd geopos geodist"],
      [sortedSets, "geosearch geosearchstore georadius georadiusbymember geohash"],
      [scripts, "eval evalsha eval_ro evalsha_ro script fcall fcall_ro function"],
      [pubSub, "publish subscribe psubscribe unsubscribe punsubscribe pubsub spublish ssubscribe"],
      [pubSub, "sunsubscribe monitor"],
      [later, "sadd srem smembers sismember smismember scard sscan spop srandmember sunion sinter"],
      [later, "sdiff sunionstore sinterstore sdiffstore smove sintercard"],
      [later, "hset hget hmset hmget hgetall hdel hexists hlen hkeys hvals hscan hincrby"],
      [later, "hincrbyfloat hsetnx hstrlen hrandfield pfadd pfcount pfmerge"],
      [bits, "getbit setbit bitcount bitop bitpos bitfield bitfield_ro lcs"],
      [twoKeys, "msetnx rename renamenx copy"],
      [databases, "move swapdb"],
      [replication, "replicaof slaveof psync sync bgsave save bgrewriteaof lastsave failover role"],
      ["coterie export and coterie import carry values over", "dump restore migrate"],
      ["see the node's log and its metrics", "slowlog latency debug module lolwut"],
      ["there are no users yet, and no TLS: the door is for this machine", "acl"],
    ] as const
  ).flatMap(([instead, names]) => names.split(" ").map((name) => [name, instead] as const)),
);
