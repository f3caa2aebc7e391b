"""What an application asks of redis-py in a day. Usage: everyday.py PORT; one line for each question."""
import sys
import redis

port = int(sys.argv[1])
client = redis.Redis(host='127.0.0.1', port=port)
texts = redis.Redis(host='127.0.0.1', port=port, decode_responses=True)


def say(name, ask):
    for _ in range(2):
        try:
            answer = ask()
        except Exception as error:  # what it says is compared, too
            answer = f'{type(error).__name__}: {error}'
        print(name, repr(sorted(answer) if isinstance(answer, set) else answer))


say('set', lambda: client.set('k', 'value'))
say('get', lambda: client.get('k'))
say('get text', lambda: texts.get('k'))
say('set nx', lambda: client.set('k', 'no', nx=True))
say('setex', lambda: client.setex('session', 60, b'\x00\xff'))
say('get session', lambda: client.get('session'))
say('mset', lambda: client.mset({'a': 1, 'b': 2}))
say('mget', lambda: client.mget('a', 'b', 'none'))
say('incr', lambda: client.incr('counter'))
say('hset', lambda: client.hset('h', mapping={'f': 'v', 'g': 1}))
say('hgetall', lambda: client.hgetall('h'))
say('hmget', lambda: texts.hmget('h', ['f', 'none']))
say('rpush', lambda: client.rpush('l', 'a', 'b'))
say('lrange', lambda: client.lrange('l', 0, -1))
say('sadd', lambda: client.sadd('s', 'x', 'y'))
say('smembers', lambda: client.smembers('s'))
say('zadd', lambda: client.zadd('z', {'one': 1, 'two': 2.5}))
say('zrange', lambda: client.zrange('z', 0, -1, withscores=True))
say('wrong type', lambda: client.hget('k', 'f'))
say('exists', lambda: client.exists('k', 'none'))
say('eval', lambda: client.eval('return redis.call("GET", KEYS[1])', 1, 'k'))
say('keys', lambda: sorted(client.scan_iter(match='[kls]')))


def pipeline():
    pipe = client.pipeline(transaction=True)
    pipe.set('q', 'x').get('q').get('k').hget('h', 'f')
    return pipe.execute()


say('pipeline', pipeline)


def watched():
    with client.pipeline() as pipe:
        pipe.watch('q')
        before = pipe.get('q')
        client.set('q', 'changed')
        pipe.multi()
        pipe.set('q', 'mine')
        try:
            pipe.execute()
        except redis.WatchError as error:
            return [before, type(error).__name__, client.get('q')]


say('watch', watched)


def messages():
    pubsub = client.pubsub()
    pubsub.subscribe('news')
    first = pubsub.get_message(timeout=5)
    heard = client.publish('news', 'hello')
    second = pubsub.get_message(timeout=5)
    pubsub.unsubscribe()
    third = pubsub.get_message(timeout=5)
    pubsub.close()
    return [first, heard, second, third]


say('messages', messages)
say('lock', lambda: [client.lock('lock', timeout=5).acquire(blocking=False), client.delete('lock')])
say('blpop', lambda: client.blpop(['l', 'm'], timeout=1))
say('select', lambda: redis.Redis(host='127.0.0.1', port=port, db=3).get('k'))
say('delete', lambda: client.delete('k'))
say('get', lambda: client.get('k'))
