"""What Django's cache, its sessions and a worker's locks ask of redis-py. Usage: django.py PORT; one line for each question."""
import pickle
import sys
import threading
import redis

port = int(sys.argv[1])
pool = redis.ConnectionPool.from_url(f'redis://127.0.0.1:{port}/1')
client = redis.Redis(connection_pool=pool)


def say(name, ask):
    try:
        answer = ask()
    except Exception as error:  # what it says is compared, too
        answer = f'{type(error).__name__}: {error}'
    print(name, repr(answer))


def key(name):
    return f':1:{name}'


def dumps(value):
    return value if isinstance(value, int) else pickle.dumps(value, 4)


def add(name, value, timeout):
    if timeout == 0:
        done = bool(client.set(key(name), dumps(value), nx=True))
        client.delete(key(name))
        return done
    return bool(client.set(key(name), dumps(value), nx=True, ex=timeout))


def incr(name, delta):
    if not client.exists(key(name)):
        raise ValueError('Key not found')
    return client.incr(key(name), delta)


def set_many(data, timeout):
    pipeline = client.pipeline()
    pipeline.mset({key(name): dumps(value) for name, value in data.items()})
    for name in data:
        pipeline.expire(key(name), timeout)
    return pipeline.execute()


say('add', lambda: add('a', {'x': [1, None]}, 60))
say('add again', lambda: add('a', 2, 60))
say('add for nothing', lambda: add('n', 2, 0))
say('get', lambda: pickle.loads(client.get(key('a'))))
say('set', lambda: client.set(key('n'), dumps(7), ex=60))
say('incr', lambda: incr('n', 5))
say('decr', lambda: incr('n', -20))
say('incr of none', lambda: incr('none', 1))
say('incr of a pickle', lambda: incr('a', 1))
say('touch', lambda: client.expire(key('n'), 100))
say('touch without end', lambda: client.persist(key('n')))
say('ttl', lambda: [client.ttl(key('a')), client.ttl(key('n')), client.ttl(key('none'))])
say('set many', lambda: set_many({'p': 1, 'q': 'two', 'r': b'\x00\xff'}, 60))
say('get many', lambda: [client.mget(key('p'), key('none'), key('q'))])
say('has', lambda: [client.exists(key('p')), client.exists(key('none'))])
say('delete many', lambda: client.delete(key('p'), key('q'), key('none')))
say('session', lambda: client.setex('session:abc', 60, pickle.dumps({'user': 1})))
say('session again', lambda: pickle.loads(client.get('session:abc')))
say('getex', lambda: client.getex('session:abc', px=50000) is not None)


def locks():
    first = client.lock('lock', timeout=30)
    second = client.lock('lock', timeout=30)
    told = [first.acquire(blocking=False), second.acquire(blocking=False), first.owned(), second.owned(), second.locked()]
    told.append(first.extend(10, replace_ttl=True))
    told.append(first.reacquire())
    told.append(client.ttl('lock') in (29, 30))
    first.release()
    told.append(second.acquire(blocking=True, blocking_timeout=1))
    try:
        first.token = None
        client.lock('lock', timeout=5).release()
    except redis.exceptions.LockError as error:
        told.append(str(error))
    client.delete('lock')
    try:
        second.release()
    except redis.exceptions.LockNotOwnedError as error:
        told.append(str(error))
    return told


say('locks', locks)

script = client.register_script("""
local count = redis.call('INCRBY', KEYS[1], ARGV[1])
if tonumber(count) == tonumber(ARGV[1]) then redis.call('EXPIRE', KEYS[1], ARGV[2]) end
return {count, redis.call('TTL', KEYS[1])}
""")
say('script', lambda: [script(keys=['limit'], args=[2, 60]), script(keys=['limit'], args=[3, 60])])


def transfer(pipe):
    balance = int(pipe.get('from') or 10)
    pipe.multi()
    pipe.set('from', balance - 3)
    pipe.incrby('to', 3)


say('transaction', lambda: client.transaction(transfer, 'from', 'to'))


def heard():
    listener = client.pubsub()
    listener.subscribe('news')
    listener.psubscribe('n*')
    told = [listener.get_message(timeout=5)['type'], listener.get_message(timeout=5)['type']]
    threading.Timer(0.05, lambda: client.publish('news', 'text')).start()
    messages = [listener.get_message(timeout=5) for _ in range(2)]
    listener.close()
    return told + messages


say('heard', heard)
say('queue', lambda: [client.rpush('q', 'a', 'b'), client.blpop('q', timeout=1), client.brpop('q', timeout=1), client.blpop('q', timeout=1)])
say('scan', lambda: sorted(client.scan_iter(match=':1:*', count=3)))
say('flush', lambda: [client.flushdb(), client.dbsize()])
