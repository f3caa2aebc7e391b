/**
 * Shapes of what the native cache API takes and answers: one schema each, for parsing and for the OpenAPI document.
 *
 * Floor 5, room server.
 */
import { z } from 'zod'

const text = (description: string): z.ZodString => z.string().meta({ description })
const DURATION = 'with its unit: `250ms`, `30s`, `2m`, `1h`, `7d`'

const REF_OBJECT = z.strictObject({
  key: z.string(),
  namespace: z.string().optional(),
  ifNoneMatch: text('An ETag that is known already: then only `status` 304 comes.').optional(),
})

const SET = z.strictObject({
  key: z.string(),
  namespace: z.string().optional(),
  json: z.unknown().optional().meta({ description: 'The value as JSON; `null` is a value.' }),
  text: text('The value as text, stored in UTF-8.').optional(),
  base64: text('The value as bytes: padded base64 of the standard alphabet.').optional(),
  type: text('Media type; default `application/json`, `text/plain; charset=utf-8` or `application/octet-stream`.').optional(),
  ttl: text(`Fresh window, ${DURATION}.`).optional(),
  stale: text(`Stale window from the write, ${DURATION}; default: as ttl.`).optional(),
  onError: text(`Window of \`max-stale\` readers, ${DURATION}; default: as stale.`).optional(),
  tags: z.array(z.string()).optional(),
  ifMatch: text('Written only where this ETag stands; `*`: only where something stands.').optional(),
  ifNoneMatch: text('Written only where this ETag does not stand; `*`: only where nothing stands.').optional(),
})

/** The body of `POST /cache`. */
export const BATCH_BODY = z.strictObject({
  namespace: text('For items that name none.').optional(),
  delete: z.array(z.union([z.string(), z.strictObject({ key: z.string(), namespace: z.string().optional() })])).optional(),
  set: z.array(SET).optional(),
  get: z.array(z.union([z.string(), REF_OBJECT])).optional(),
})

export type BatchBody = z.output<typeof BATCH_BODY>
export type BatchSet = z.output<typeof SET>
export type BatchRef = string | z.output<typeof REF_OBJECT>

const TOKEN = text('Version token of the log.')
const ETAG = text('Strong ETag of the value as it was given.')
const ERROR = z.strictObject({ code: z.string().regex(/^FC_/), message: z.string() })
const BUDGET = z.strictObject({ freshMs: z.number(), staleMs: z.number(), onErrorMs: z.number() })
const NODES = z.strictObject({ expected: z.int(), acknowledged: z.int() })

/** Answer of PUT and POST. */
export const WRITTEN = z.strictObject({
  token: TOKEN,
  etag: ETAG,
  bytes: z.int(),
  created: z.boolean(),
  budget: BUDGET,
  tags: z.array(z.string()),
})

/** Answer of DELETE. */
export const DELETED = z.strictObject({
  token: TOKEN,
  deleted: z.boolean().meta({ description: 'Whether something stood.' }),
  nodes: NODES,
})

const NAMED = { key: z.string(), namespace: z.string().optional() }
const REFUSED = z.strictObject({ ...NAMED, status: z.int().min(400), error: ERROR })

/** Answer of `POST /cache`. */
export const BATCH_ANSWER = z.strictObject({
  token: TOKEN,
  delete: z.array(z.union([z.strictObject({ ...NAMED, status: z.literal(200), deleted: z.boolean() }), REFUSED])).optional(),
  set: z.array(z.union([z.strictObject({ ...NAMED, status: z.literal([200, 201]), etag: ETAG }), REFUSED])).optional(),
  get: z
    .array(
      z.union([
        z.strictObject({
          ...NAMED,
          status: z.literal(200),
          etag: ETAG,
          ageMs: z.int(),
          stale: z.boolean(),
          type: z.string(),
          json: z.unknown().optional(),
          text: z.string().optional(),
          base64: z.string().optional(),
        }),
        z.strictObject({ ...NAMED, status: z.literal(304), etag: ETAG, ageMs: z.int(), stale: z.boolean() }),
        REFUSED,
      ]),
    )
    .optional(),
})
