/**
 * The questions to JetStream that the log needs, and what comes back.
 *
 * Floor 2, room tier. JetStream's protocol is JSON over subjects of its own; what it answers is checked before it is believed.
 * Each call is one message and one answer, bounded by its deadline.
 *
 * @see NATS: JetStream wire API reference
 */
import { createHash } from 'node:crypto'
import { z } from 'zod'
import { ForecacheError } from '../model/errors.ts'
import { NO_RESPONDERS } from './nats-client.ts'
import type { NatsCall, NatsConnection, NatsMessage } from './nats-port.ts'

/** Streams and subjects of one log. */
export interface LogNames {
  readonly log: string
  readonly members: string
  /** Before the log's name, where records go. */
  readonly records: string
  readonly beats: string
  readonly inboxes: string
  readonly farewells: string
}

const ERROR = z.looseObject({ error: z.looseObject({ err_code: z.number().optional(), description: z.string().optional() }) })
const ACK = z.looseObject({ stream: z.string(), seq: z.int().min(1) })
const INFO = z.looseObject({
  created: z.string(),
  /** Absent: one server stands alone. */
  cluster: z.unknown().optional(),
  config: z.looseObject({ subjects: z.array(z.string()).min(1), max_age: z.number().optional() }),
  state: z.looseObject({
    first_ts: z.string(),
    last_seq: z.int().min(0),
    last_ts: z.string(),
    subjects: z.record(z.string(), z.number()).nullish(),
  }),
})
const CONSUMER = z.looseObject({ name: z.string() })

/** A stream as it is. */
export type StreamInfo = z.output<typeof INFO>

/** Numbers of JetStream's errors that are looked for. */
export const API_ERROR = { noStream: 10_059, nameInUse: 10_058, wrongLast: 10_071 } as const
/** Not stored, for want of room. */
const FULL = [10_002, 10_023, 10_028, 10_047, 10_077] as const

/** Streams take no dots and no colons: what a prefix loses by that, its digest keeps apart. */
export function namesOf(prefix: string): LogNames {
  const digest = createHash('sha256').update(prefix).digest('hex').slice(0, 8)
  const base = `fc-${prefix.replaceAll(/[^\w-]/g, '-')}-${digest}`
  return {
    log: `${base}-log`,
    members: `${base}-members`,
    records: `${base}.log`,
    beats: `${base}.members`,
    inboxes: `${base}.in`,
    farewells: `${base}.gone`,
  }
}

/** @returns the stream with as many messages as each subject has; undefined: there is none */
export async function readStream(
  connection: NatsConnection,
  stream: { readonly name: string; readonly subjects: string },
  deadlineMs: number,
): Promise<StreamInfo | undefined> {
  const body = JSON.stringify({ subjects_filter: stream.subjects })
  try {
    return await ask(connection, { subject: `STREAM.INFO.${stream.name}`, body, deadlineMs, shape: INFO })
  } catch (error) {
    if (isApiError(error, API_ERROR.noStream)) return undefined
    throw error
  }
}

/** Begins a stream, or changes one. @throws (rejects) FC_LINK_REPLY where another of that name stands */
export async function writeStream(
  connection: NatsConnection,
  { how, config }: { readonly how: 'CREATE' | 'UPDATE'; readonly config: { readonly name: string } & Record<string, unknown> },
  deadlineMs: number,
): Promise<void> {
  const subject = `STREAM.${how}.${config.name}`
  await ask(connection, { subject, body: JSON.stringify(config), deadlineMs, shape: z.looseObject({}) })
}

/** Throws a stream away; one that is not there is as good. */
export async function deleteStream(connection: NatsConnection, name: string, deadlineMs: number): Promise<void> {
  try {
    await ask(connection, { subject: `STREAM.DELETE.${name}`, body: '', deadlineMs, shape: z.looseObject({}) })
  } catch (error) {
    if (!isApiError(error, API_ERROR.noStream)) throw error
  }
}

/** @returns the name of a consumer that ends by itself when nobody uses it */
export async function openConsumer(
  connection: NatsConnection,
  { stream, config }: { readonly stream: string; readonly config: Readonly<Record<string, unknown>> },
  deadlineMs: number,
): Promise<string> {
  const body = JSON.stringify({ stream_name: stream, config })
  return (await ask(connection, { subject: `CONSUMER.CREATE.${stream}`, body, deadlineMs, shape: CONSUMER })).name
}

/** Stores a message. @returns its number in the stream; undefined: no stream takes this subject */
export async function store(
  connection: NatsConnection,
  { subject, body }: { readonly subject: string; readonly body: string },
  how: NatsCall,
): Promise<number | undefined> {
  try {
    return parse(await connection.request(subject, body, how), { subject, shape: ACK }).seq
  } catch (error) {
    if (isNobody(error)) return undefined
    throw error
  }
}

/** Whether it is this error of JetStream's. */
export function isApiError(error: unknown, code: number): boolean {
  return isReply(error) && String(error.detail['reason']).startsWith(`${code} `)
}

/** Whether nothing can be stored until room was made. */
export function isFull(error: unknown): boolean {
  return FULL.some((code) => isApiError(error, code))
}

function isNobody(error: unknown): boolean {
  return isReply(error) && error.detail['reason'] === NO_RESPONDERS
}

function isReply(error: unknown): error is ForecacheError {
  return error instanceof ForecacheError && error.code === 'FC_LINK_REPLY'
}

interface Question<T> {
  readonly subject: string
  readonly body: string
  readonly deadlineMs: number
  readonly shape: z.ZodType<T>
}

async function ask<T>(connection: NatsConnection, { subject, body, deadlineMs, shape }: Question<T>): Promise<T> {
  const message = await connection.request(`$JS.API.${subject}`, body, { deadlineMs })
  return parse(message, { subject, shape })
}

function parse<T>({ data }: NatsMessage, { subject, shape }: { readonly subject: string; readonly shape: z.ZodType<T> }): T {
  const given = readJson(data)
  const failed = ERROR.safeParse(given)
  if (failed.success) {
    const { err_code: code = 0, description = '' } = failed.data.error
    throw new ForecacheError('FC_LINK_REPLY', { subject, reason: `${code} ${description}` })
  }
  const parsed = shape.safeParse(given)
  if (parsed.success) return parsed.data
  throw new ForecacheError('FC_LINK_REPLY', { subject, reason: 'its answer has a form that is not known' })
}

function readJson(data: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('utf8'))
  } catch {
    return undefined
  }
}
