/**
 * Whether other codings may be made of a response, and what it stands for until they are.
 *
 * Floor 4, room http. Pure. RFC 9110 section 7.7: what says `no-transform` is left alone, and so is everything whose coding
 * is not understood, that carries a signature, or whose tag could be mistaken for one of ours. A response that its
 * origin selects by Accept-Encoding may stand for clients of every coding once each of them can be given one, where that
 * field is known to have selected a coding and nothing else: it came coded, or it was asked for without any.
 */
import { chooseCoding, codingName } from '../key/encoding.ts'
import type { Fields } from '../model/fields.ts'
import { isVariantTag } from '../rules/variant-tag.ts'
import { isKnownCoding, type KnownCoding } from '../wire/coding.ts'
import { isCompressible } from '../wire/pays.ts'
import type { Compression } from './compression.ts'

/** What may be made of a response. */
export interface Recoding {
  /** The coding it came in. */
  readonly coding: KnownCoding
  /** Its origin selects by Accept-Encoding. */
  readonly varied: boolean
  /** All that its origin can have selected by it is the coding. */
  readonly certain: boolean
  /** It stands for clients of every coding, although its origin selects by it. */
  readonly wide: boolean
  /** The most it may unfold to, bytes. */
  readonly maxBytes: number
  readonly settings: Compression
}

/** A response, and how its route deals with codings. */
export interface Candidate {
  readonly status: number
  readonly fields: Fields
  /** Its Vary. */
  readonly vary: readonly string[]
  readonly settings: Compression
  readonly maxBytes: number
  /** Accept-Encoding of the request that it answers. */
  readonly accept: string | undefined
}

const CONTROLS: readonly string[] = ['cache-control', 'cdn-cache-control', 'forecache-cache-control', 'surrogate-control']
const SIGNED: readonly string[] = ['signature', 'signature-input', 'content-range', 'trailer']

/** @returns undefined when it is to be answered as it came, and only so */
export function recodingOf(candidate: Candidate): Recoding | undefined {
  const { status, fields, settings, maxBytes } = candidate
  if (status !== 200 || SIGNED.some((name) => fields.has(name)) || isVariantTag(fields.first('etag') ?? '')) return undefined
  if (CONTROLS.some((name) => /no-transform/i.test(fields.get(name) ?? ''))) return undefined
  const coding = codingOf(fields)
  if (coding === undefined) return undefined
  const varied = candidate.vary.includes('accept-encoding')
  const compressible = isCompressible(fields.first('content-type'), settings.types)
  const length = fields.first('content-length')
  const pays = compressible && (coding !== 'identity' || length === undefined || !(Number(length) < settings.minBytes))
  if (!pays) return undefined
  const certain = coding !== 'identity' || chooseCoding(candidate.accept, ANY) === undefined
  return { coding, varied, certain, wide: false, maxBytes, settings }
}

/** What a client may name to get a body coded. */
const ANY = ['br', 'gzip', 'zstd', 'deflate', 'compress', 'exi', 'pack200-gzip', 'dcb', 'dcz'] as const

/** The one coding a response came in; undefined when it is not known here. */
function codingOf(fields: Fields): KnownCoding | undefined {
  const name = codingName((fields.get('content-encoding') ?? '').trim() || 'identity')
  return isKnownCoding(name) ? name : undefined
}
