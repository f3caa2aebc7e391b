/**
 * Whether two replies to the same command agree: byte for byte, but where Redis promises no order, or time passes.
 */
import { type Frame, textOfFrame } from './resp-frames.ts'

/** Elements in any order. */
const UNORDERED = new Set([
  'smembers',
  'sunion',
  'sinter',
  'sdiff',
  'keys',
  'hkeys',
  'hvals',
  'spop',
  'srandmember',
  'sort',
  'pubsub',
])
/** Fields with values, in any order of the pairs. */
const PAIRED = new Set(['hgetall'])
/** Replies of different content: only their shape counts. */
const RANDOM = new Set([
  'randomkey',
  'hrandfield',
  'zrandmember',
  'srandmember',
  'spop',
  'time',
  'scan',
  'sscan',
  'hscan',
  'zscan',
  'memory',
])
const SECONDS = new Set(['ttl', 'expiretime'])
/** Redis 7.0 looks at errno without having cleared it: a number that did not fit, in any earlier command, is enough. */
const STICKY = "scores can't be converted"
/** Numbers that what has just expired may change. */
const LOOSE = new Set(['dbsize'])
const MILLISECONDS = new Set(['pttl', 'pexpiretime'])

/** @param args of the command @returns what differs, undefined: nothing */
export function compareReplies(args: readonly string[], real: Frame, ours: Frame): string | undefined {
  const [a, b] = [textOfFrame(real), textOfFrame(ours)]
  if (a === b) return undefined
  const name = (args[0] ?? '').toLowerCase()
  if (SECONDS.has(name) || MILLISECONDS.has(name)) {
    const most = SECONDS.has(name) ? 1 : 1500
    if (
      real.type === ':' &&
      ours.type === ':' &&
      Number(real.text) > 0 &&
      Math.abs(Number(real.text) - Number(ours.text)) <= most
    ) {
      return undefined
    }
  }
  if (name.startsWith('sort') && real.text.includes(STICKY)) return undefined
  if (name.startsWith('sort') && args.includes('nosort') && real.members?.length === ours.members?.length) return undefined
  if (LOOSE.has(name) && real.type === ours.type && Math.abs(Number(real.text) - Number(ours.text)) <= 4) return undefined
  if (RANDOM.has(name) && real.type === ours.type && real.type !== '-' && isSameShape(name, real, ours)) return undefined
  const isSpop = name === 'spop' || name === 'srandmember'
  if (!isSpop && UNORDERED.has(name) && sortedText(real, 1) === sortedText(ours, 1)) return undefined
  if (PAIRED.has(name) && sortedText(real, 2) === sortedText(ours, 2)) return undefined
  return `expected ${shorten(a)}\n     got ${shorten(b)}`
}

/** Replies of EXEC, each by its command. */
export function compareExec(queued: readonly (readonly string[])[], real: Frame, ours: Frame): string | undefined {
  const [mine, theirs] = [ours.members, real.members]
  if (mine === undefined || theirs === undefined || mine.length !== theirs.length) return compareReplies(['exec'], real, ours)
  if (real.type !== ours.type) return `type ${real.type} and ${ours.type}`
  for (const [i, args] of queued.entries()) {
    const found = compareReplies(args, theirs[i] as Frame, mine[i] as Frame)
    if (found !== undefined) return `in EXEC, ${JSON.stringify(args)}: ${found}`
  }
  return undefined
}

function isSameShape(name: string, real: Frame, ours: Frame): boolean {
  if (real.isNull !== ours.isNull) return false
  if (name.endsWith('scan')) return ours.members?.length === 2 && ours.members[1]?.type === '*'
  return real.members?.length === ours.members?.length
}

function sortedText(frame: Frame, group: number): string {
  if (frame.members === undefined) return textOfFrame(frame)
  const texts = frame.members.map(textOfFrame)
  const groups: string[] = []
  for (let i = 0; i < texts.length; i += group) groups.push(texts.slice(i, i + group).join(' '))
  return `${frame.type}${groups.sort().join(',')}`
}

function shorten(text: string): string {
  return text.length > 600 ? `${text.slice(0, 600)} … (${text.length})` : text
}
