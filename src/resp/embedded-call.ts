/**
 * One running command: its arguments, and what it may touch.
 *
 * Floor 4, room resp. Arguments are bytes as latin1. Looking for a value of a type throws WRONGTYPE where another one stands.
 */
import type { Database } from '../keyspace/database.ts'
import { HashValue } from '../keyspace/hash-value.ts'
import { isInteger64 } from '../keyspace/integer.ts'
import type { Keyspace } from '../keyspace/keyspace.ts'
import { ListValue } from '../keyspace/list-value.ts'
import { SetValue } from '../keyspace/set-value.ts'
import type { Container, Value } from '../keyspace/value.ts'
import type { Waiting } from '../keyspace/waiting.ts'
import { ZsetValue } from '../keyspace/zset-value.ts'
import type { CommandRow } from './embedded-catalog.ts'
import { REFUSED } from './embedded-errors.ts'
import { parseBigInteger, parseDouble, parseInteger } from './embedded-numbers.ts'
import type { Reply } from './embedded-reply.ts'
import type { Server } from './embedded-server.ts'
import type { Parked, Session } from './embedded-session.ts'

/** Runs a command. */
export type Handler = (call: Call) => void
export type Command = CommandRow<Handler>

/** A command that is to wait. */
export interface Wait {
  readonly keys: readonly string[]
  readonly kind: Waiting['kind']
  /** 0: for ever. */
  readonly timeoutMs: number
  /** Takes from the key and writes the reply. @returns whether it is served */
  serve(key: string, out: Reply): boolean
  /** Writes what is answered where nothing may wait; where time is up it is no array. */
  deny(out: Reply): void
  /** Told that it waits now. */
  begun?(parked: Parked): void
}

/** See the module's header. */
export class Call {
  readonly server: Server
  readonly session: Session
  readonly command: Command
  /** The command's name and its arguments. */
  readonly args: readonly string[]
  readonly out: Reply
  /** Set by a command that waits. */
  wait: Wait | undefined

  constructor(
    session: Session,
    given: { readonly server: Server; readonly command: Command; readonly args: readonly string[]; readonly out: Reply },
  ) {
    this.session = session
    this.server = given.server
    this.command = given.command
    this.args = given.args
    this.out = given.out
  }

  get db(): Database {
    return this.session.db
  }

  get space(): Keyspace {
    return this.server.space
  }

  /** Epoch ms; stands still during the command. */
  get now(): number {
    return this.server.space.now
  }

  get count(): number {
    return this.args.length
  }

  arg(i: number): string {
    return this.args[i] as string
  }

  /** Whether argument `i` is this word, which is given in lower case. */
  is(i: number, word: string): boolean {
    const given = this.args[i]
    return given !== undefined && given.length === word.length && given.toLowerCase() === word
  }

  int(i: number): number {
    return parseInteger(this.arg(i))
  }

  /** At least 0. @throws value is out of range, must be positive */
  positive(i: number): number {
    const text = this.arg(i)
    if (!isInteger64(text) || text.startsWith('-')) throw REFUSED.notPositive
    return Number(text)
  }

  bigInt(i: number): bigint {
    return parseBigInteger(this.arg(i))
  }

  double(i: number): number {
    return parseDouble(this.arg(i))
  }

  /** What stands under a key; counted for commands that read. */
  value(key: string): Value | undefined {
    return this.command.isRead ? this.db.read(key) : this.db.look(key)
  }

  /** A string. */
  text(key: string): string | undefined {
    const value = this.value(key)
    if (value === undefined) return undefined
    if (value.kind !== 'string') throw REFUSED.wrongType
    return value.text
  }

  hash(key: string): HashValue | undefined {
    const value = this.value(key)
    if (value === undefined || value instanceof HashValue) return value
    throw REFUSED.wrongType
  }

  list(key: string): ListValue | undefined {
    const value = this.value(key)
    if (value === undefined || value instanceof ListValue) return value
    throw REFUSED.wrongType
  }

  set(key: string): SetValue | undefined {
    const value = this.value(key)
    if (value === undefined || value instanceof SetValue) return value
    throw REFUSED.wrongType
  }

  zset(key: string): ZsetValue | undefined {
    const value = this.value(key)
    if (value === undefined || value instanceof ZsetValue) return value
    throw REFUSED.wrongType
  }

  newHash(): HashValue {
    return new HashValue(this.space.limits)
  }

  newSet(first?: string): SetValue {
    return new SetValue(this.space.limits, first)
  }

  newZset(): ZsetValue {
    return new ZsetValue({ limits: this.space.limits, random: this.server.random })
  }

  /** One that begins in the large form: `packed()` gives what is to be stored. */
  newLooseZset(): ZsetValue {
    return new ZsetValue({ limits: this.space.limits, random: this.server.random }, false)
  }

  /** @throws where a string of so many bytes cannot be made here */
  checkSize(bytes: number): void {
    if (bytes > this.server.settings.number('proto-max-bulk-len')) throw REFUSED.tooLong
    if (this.space.maxBytes > 0 && bytes > this.space.maxBytes) throw REFUSED.noMemory
  }

  /** A key was changed: tells watchers and listeners. @param family as in notify-keyspace-events */
  changed(key: string, family: string, event: string): void {
    this.db.changed(key)
    this.space.tell(family, event, { database: this.db.number, key })
  }

  /** Tells listeners only. */
  tell(key: string, family: string, event: string): void {
    this.space.tell(family, event, { database: this.db.number, key })
  }

  /** Removes a key whose container holds nothing any more. */
  dropEmpty(key: string, value: Container): void {
    if (value.size > 0) return
    this.db.remove(key)
    this.tell(key, 'g', 'del')
  }

  /** Removes a key and tells. @returns whether it was there */
  remove(key: string): boolean {
    if (!this.db.remove(key)) return false
    this.changed(key, 'g', 'del')
    return true
  }
}
