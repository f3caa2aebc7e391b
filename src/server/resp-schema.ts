/**
 * The section `resp` of the configuration: the Redis door.
 *
 * Floor 5, room server. With `upstream` it stands before a Redis or Valkey, without one it keeps the data itself.
 */
import { z } from 'zod'
import { address, bytes, count, deadline, span } from './option-shapes.ts'
import { TLS } from './tls-schema.ts'

const KIB = 1024
const MIB = 1024 * KIB
const GIB = 1024 * MIB
const HOUR = 3_600_000

const UPSTREAM = 'expected redis://host:port, rediss://host:port or unix:///path/to/socket, without a database'

/** Whether it names one server, and nothing that belongs to a client's own connection. */
function isUpstream(given: string): boolean {
  const url = URL.parse(given)
  if (url === null || url.search !== '' || url.hash !== '') return false
  if (url.protocol === 'unix:') return url.pathname.length > 1
  const isRedis = url.protocol === 'redis:' || url.protocol === 'rediss:'
  return isRedis && url.hostname !== '' && !url.hostname.includes(',') && (url.pathname === '' || url.pathname === '/')
}

const pem = (description: string): z.ZodOptional<z.ZodString> => z.string().min(1).optional().meta({ unit: 'file', description })

/** TLS towards the upstream. */
const UPSTREAM_TLS = z.strictObject({
  ca: pem("Authorities that may have signed the upstream's certificate, instead of the system's."),
  cert: pem('Certificate shown to the upstream.'),
  key: pem('Private key of that certificate.'),
  passphrase: z.string().optional().meta({ description: 'Opens the private key where it is encrypted.' }),
  servername: z
    .string()
    .min(1)
    .optional()
    .meta({ description: "Name asked for and looked for in the upstream's certificate; default: the host of `resp.upstream`." }),
  rejectUnauthorized: z.boolean().default(true).meta({
    description:
      'Refuses an upstream whose certificate is not proven. `false` lets anyone between here and there read and write.',
  }),
})

/** Output that waits for one client: more than `hard`, or more than `soft` for `softTime`, and he is cut off, as by Redis. */
const output = (hard: number, soft: number, shown: readonly [string, string]) =>
  z
    .strictObject({
      hard: bytes(64 * KIB, 16 * GIB, 'a size from 64KiB to 16GiB')
        .default(hard)
        .meta({ unit: 'bytes', shown: shown[0], description: 'Whoever lets more wait is cut off at once.' }),
      soft: bytes(64 * KIB, 16 * GIB, 'a size from 64KiB to 16GiB')
        .default(soft)
        .meta({ unit: 'bytes', shown: shown[1], description: 'Whoever lets more wait for `softTime` is cut off.' }),
      softTime: deadline().default(60_000).meta({ unit: 'ms', shown: '1m', description: 'See `soft`.' }),
    })
    .prefault({})

const LIMITS = z
  .strictObject({
    clients: count(1_000_000)
      .default(10_000)
      .meta({ unit: 'connections', description: "Clients at once; one more is told so in Redis's own words and closed." }),
    bulk: bytes(1024, 512 * MIB, 'a size from 1KiB to 512MiB')
      .default(512 * MIB)
      .meta({
        unit: 'bytes',
        shown: '512MiB',
        description: 'Largest argument of a command. Large ones are streamed, not gathered.',
      }),
    arguments: count(1024 * 1024)
      .default(1024 * 1024)
      .meta({ unit: 'arguments', description: 'Arguments of one command.' }),
    query: bytes(64 * KIB, GIB, 'a size from 64KiB to 1GiB')
      .default(64 * MIB)
      .meta({
        unit: 'bytes',
        shown: '64MiB',
        description: 'Largest command that is gathered before it runs: without an upstream all of it, before one its head only.',
      }),
    output: output(256 * MIB, 64 * MIB, ['256MiB', '64MiB']).meta({
      description: 'Replies that a client does not take; only without an upstream: before one it waits in Redis.',
    }),
    pubsub: output(32 * MIB, 8 * MIB, ['32MiB', '8MiB']).meta({ description: 'The same for subscribers.' }),
    idleTimeout: span(0, 366 * 24 * HOUR, 'a duration up to 366d')
      .default(0)
      .meta({ unit: 'ms', shown: '0', description: 'A client that says nothing for so long is closed; 0: never.' }),
    connectTimeout: deadline()
      .default(5000)
      .meta({ unit: 'ms', shown: '5s', description: 'For a connection to the upstream; then the client is told, and closed.' }),
  })
  .prefault({})

/** Where the data of a door without an upstream is kept. */
const SNAPSHOT = z.strictObject({
  file: z.string().min(1).meta({ unit: 'file', description: 'Where it stands; written beside, then put in place.' }),
  interval: span(0, 24 * HOUR, 'a duration up to 24h')
    .default(60_000)
    .meta({
      unit: 'ms',
      shown: '1m',
      description: 'Between two snapshots while something changes; 0: only at the end, and when a client says SAVE or BGSAVE.',
    }),
  deadline: span(1, 10 * 60_000, 'a duration from 1ms to 10m')
    .default(20_000)
    .meta({ unit: 'ms', shown: '20s', description: 'For the last one, when the process drains; then the former one stands.' }),
})

/** The section. */
export const RESP = z
  .strictObject({
    listen: address()
      .default({ host: '127.0.0.1', port: 6380 })
      .meta({ unit: 'HOST:PORT', shown: '127.0.0.1:6380', description: 'Where clients connect; port 0 takes any free one.' }),
    upstream: z.string().refine(isUpstream, { error: UPSTREAM }).optional().meta({
      description:
        'The Redis or Valkey behind the door. Its user and password are for our own connection: clients log in themselves. Without it the data is kept here.',
    }),
    upstreamTls: UPSTREAM_TLS.prefault({}).meta({ description: 'TLS towards a `rediss:` upstream.' }),
    namespace: z
      .string()
      .regex(/^[A-Za-z0-9_.-]{1,64}$/, { error: 'expected 1 to 64 letters, digits, _ . or -' })
      .default('redis')
      .meta({ description: 'Namespace of its keys: invalidations and the native cache API reach them there.' }),
    maxBytes: bytes(MIB, 1024 * GIB, 'a size from 1MiB to 1TiB')
      .optional()
      .meta({
        unit: 'bytes',
        shown: 'a quarter of `memory.maxBytes`, without `origin` nine tenths',
        description: 'Memory for replies, or for the data where there is no upstream; part of `memory.maxBytes`.',
      }),
    maxReplyBytes: bytes(64, 64 * MIB, 'a size from 64 to 64MiB')
      .default(MIB)
      .meta({ unit: 'bytes', shown: '1MiB', description: 'Largest reply that is kept; larger ones stream through.' }),
    maxStaleMs: span(10, 60_000, 'a duration from 10ms to 1m').default(250).meta({
      unit: 'ms',
      shown: '250ms',
      description:
        "How long another writer's change may stay unseen when the upstream falls silent; usually it is its push's way.",
    }),
    maxAge: span(100, 366 * 24 * HOUR, 'a duration from 100ms to 366d')
      .default(HOUR)
      .meta({
        unit: 'ms',
        shown: '1h',
        description: 'No reply is kept longer: bounds what no push tells of, such as a SWAPDB by others.',
      }),
    causality: z.enum(['session', 'eventual', 'strict']).default('session').meta({
      description:
        '`session`: whoever was answered by the upstream reads nothing older from memory, so locks and flags order what is read. `eventual`: only own writes are ordered. `strict`: every reply that teaches is held until memory has followed, for all readers together.',
    }),
    tls: TLS.optional().meta({ description: 'TLS where clients connect; without it the port speaks plain text.' }),
    password: z
      .string()
      .min(1)
      .optional()
      .meta({ description: 'What clients must send with AUTH where there is no upstream, as `requirepass`.' }),
    insecure: z
      .boolean()
      .default(false)
      .meta({ description: 'Allows an address that is not loopback though nobody has to log in.' }),
    snapshot: SNAPSHOT.optional().meta({ description: 'Keeps the data over a restart; only without an upstream.' }),
    limits: LIMITS.meta({ description: 'What clients may cost.' }),
  })
  .refine(({ upstream, snapshot }) => upstream === undefined || snapshot === undefined, {
    path: ['snapshot'],
    error: 'expected none beside resp.upstream: the data is kept there',
  })

/** The section, defaults filled in. */
export type RespSettings = z.output<typeof RESP>
