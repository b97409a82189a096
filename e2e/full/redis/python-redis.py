"""What programs do with Debian's python3-redis; the ports of the doors are the arguments."""
import sys

import redis
from redis.cluster import ClusterNode, RedisCluster

ports = [int(port) for port in sys.argv[1:]]
one = redis.Redis(port=ports[0])
other = redis.Redis(port=ports[1], decode_responses=True)

assert one.ping()
assert one.set("py:a", b"\x00\xff", ex=100)
assert one.get("py:a") == b"\x00\xff"
assert 90 < one.ttl("py:a") <= 100
assert other.set("py:text", "grün") and other.get("py:text") == "grün"
assert one.set("py:text", "no", nx=True) is None
assert one.mset({"py:m1": 1, "py:m2": 2}) and one.mget("py:m1", "py:none", "py:m2") == [b"1", None, b"2"]
assert one.incr("py:n", 5) == 5 and one.decr("py:n") == 4
assert one.append("py:m1", "x") == 2 and one.strlen("py:m1") == 2
assert one.getrange("py:m1", 0, 0) == b"1"
assert one.exists("py:m1", "py:none") == 1
assert one.type("py:m1") == b"string" and one.type("py:none") == b"none"
assert one.persist("py:a") and one.ttl("py:a") == -1

# Its pipelines are transactions unless told otherwise.
assert one.pipeline().set("py:p", 1).incr("py:p").get("py:p").execute() == [True, 2, b"2"]
plain = one.pipeline(transaction=False)
for at in range(500):
    plain.set(f"py:many:{at}", at)
assert plain.execute() == [True] * 500
assert sorted(one.scan_iter("py:many:*", count=50)) == sorted(b"py:many:%d" % at for at in range(500))
assert one.delete(*(f"py:many:{at}" for at in range(500))) == 500

with one.pipeline() as watching:
    watching.watch("py:p")
    now = int(watching.get("py:p"))
    watching.multi()
    watching.set("py:p", now + 1)
    assert watching.execute() == [True]
with one.pipeline() as watching:
    watching.watch("py:p")
    one.set("py:p", "changed")
    watching.multi()
    watching.set("py:p", "lost")
    try:
        watching.execute()
        raise SystemExit("a write of another did not end the transaction")
    except redis.WatchError:
        pass
assert one.get("py:p") == b"changed"

try:
    one.lpush("py:l", 1)
    raise SystemExit("there are no lists")
except redis.ResponseError as error:
    assert "lpush" in str(error).lower()

info = one.info()
assert info["redis_mode"] and info["loading"] == 0

for port in ports:
    cluster = RedisCluster(startup_nodes=[ClusterNode("127.0.0.1", port)])
    for at in range(50):
        assert cluster.set(f"py:c:{at}", at)
        assert cluster.get(f"py:c:{at}") == b"%d" % at
    assert cluster.delete(*(f"py:c:{at}" for at in range(50))) == 50
    cluster.close()

print("all done")
