/**
 * What is seen of the gateway from outside, once a second: resident size, open files, event loop, what it says of itself.
 */
import { readdirSync, readFileSync } from 'node:fs'

/** One look. */
export interface Sample {
  /** Since the load began, s. */
  readonly at: number
  readonly rssBytes: number
  readonly files: number
  /** Of the last second, ms. */
  readonly loopP99Ms: number
  readonly loopMaxMs: number
  readonly entryBytes: number
  readonly effectiveBytes: number
  readonly ledgerBytes: number
}

/** The gateway that is watched. */
export interface Watched {
  readonly pid: number
  readonly apiPort: number
}

/** @throws when the process is gone */
export async function look({ pid, apiPort }: Watched, at: number): Promise<Sample> {
  const text = await (await fetch(`http://127.0.0.1:${apiPort}/metrics`)).text()
  const value = (name: string): number => sum(text, name)
  return {
    at,
    rssBytes: rssOf(pid),
    files: readdirSync(`/proc/${pid}/fd`).length,
    loopP99Ms: value('nodejs_eventloop_lag_p99_seconds') * 1000,
    loopMaxMs: value('nodejs_eventloop_lag_max_seconds') * 1000,
    entryBytes: value('forecache_cache_bytes'),
    effectiveBytes: value('forecache_memory_effective_bytes'),
    ledgerBytes: value('forecache_memory_ledger_bytes'),
  }
}

/** Resident size of a process, bytes. */
export function rssOf(pid: number): number {
  const match = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
  return Number(match?.[1] ?? 0) * 1024
}

/** All samples of a family added up. */
function sum(text: string, name: string): number {
  let total = 0
  for (const line of text.split('\n')) {
    if (!line.startsWith(name) || !/^[ {]/.test(line.slice(name.length))) continue
    total += Number(line.slice(line.lastIndexOf(' ') + 1))
  }
  return total
}
