/**
 * Makes a conversation smaller as long as it goes on to show what it shows.
 */
import type { Step } from './lane-case.ts'

const REQUEST = /(?=(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|QUERY|PROPFIND|CONNECT|TRACE) (?:\/|http|\*|a\.t))/
const MAX_TRIES = 150

/** @param shows whether a conversation still shows it; asked at most 150 times */
export async function shrink(
  steps: readonly Step[],
  shows: (steps: readonly Step[]) => Promise<boolean>,
): Promise<readonly Step[]> {
  let left = MAX_TRIES
  const holds = async (tried: readonly Step[]): Promise<boolean> => (left -= 1) > 0 && tried.length > 0 && (await shows(tried))
  const asides = steps.filter(isAside).length
  // What stood in the cache before stays: without it, requests of one group would race for the origin.
  let found = await thin(steps, async (rest) => rest.filter(isAside).length === asides && (await holds(rest)))
  for (let at = 0; at < found.length; at += 1) {
    const step = found[at] as Step
    if (step.kind !== 'send') continue
    const before = found
    const instead = (pieces: readonly string[]): Step[] =>
      before.map((one, place) => (place === at ? { kind: 'send', pieces } : one))
    const whole = [step.pieces.join('')]
    if (step.pieces.length > 1 && !(await holds(instead(whole)))) continue
    let requests: readonly string[] = (whole[0] as string).split(REQUEST)
    requests = await thin(requests, (rest) => holds(instead([rest.join('')])))
    for (let place = 0; place < requests.length; place += 1) {
      const others = requests
      const line = (lines: readonly string[]): string => others.map((one, i) => (i === place ? lines.join('') : one)).join('')
      const lines = await thin((others[place] as string).split(/(?<=\r\n)/), (rest) => holds(instead([line(rest)])))
      requests = others.map((one, i) => (i === place ? lines.join('') : one))
    }
    found = instead([requests.join('')])
  }
  return found
}

function isAside({ kind }: Step): boolean {
  return kind === 'aside'
}

/** Leaves out one part after another, where it can be. */
async function thin<T>(parts: readonly T[], holds: (rest: readonly T[]) => Promise<boolean>): Promise<readonly T[]> {
  let kept = parts
  for (let at = parts.length - 1; at >= 0; at -= 1) {
    const rest = kept.filter((_, place) => place !== at)
    if (await holds(rest)) kept = rest
  }
  return kept
}
