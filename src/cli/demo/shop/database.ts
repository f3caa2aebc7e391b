/**
 * The shop's Postgres: PGlite, the real server compiled to WebAssembly, in this process and in memory.
 *
 * Floor 6, room cli. An optional peer: without it the demo says what to install. Queries run one after another, as on
 * one connection, so a slow one is felt by everybody, which is what the demo shows.
 */
import { ForecacheError } from '../../../model/errors.ts'

/** A named statement and the shape of its rows; rows are plain JSON (times in epoch ms). */
export interface Query<R> {
  readonly name: string
  readonly sql: string
  /** Never set: carries the row's type. */
  readonly row?: R
}

/** Where rows come from: the database, or a cache of rows before it. */
export interface RowSource {
  rows<R>(query: Query<R>, params: readonly unknown[]): Promise<R[]>
}

/** The database. */
export interface Database extends RowSource {
  /** Runs statements in one transaction: all or none. */
  transaction<T>(work: (source: RowSource) => Promise<T>): Promise<T>
  /** Runs a script of several statements without parameters. */
  script(sql: string): Promise<void>
  close(): Promise<void>
}

const PGLITE = '@electric-sql/pglite'

interface Queries {
  query<R>(sql: string, params: unknown[]): Promise<{ rows: R[] }>
}

/** @throws FC_CLI_PEER when @electric-sql/pglite is not installed */
export async function openDatabase(): Promise<Database> {
  checkDatabase()
  const { PGlite } = await import('@electric-sql/pglite')
  const lite = new PGlite()
  await lite.waitReady
  return {
    ...source(lite),
    transaction: (work) => lite.transaction((tx) => work(source(tx))),
    script: async (sql) => {
      await lite.exec(sql)
    },
    close: () => lite.close(),
  }
}

function source(queries: Queries): RowSource {
  return {
    rows: async <R>(query: Query<R>, params: readonly unknown[]) => (await queries.query<R>(query.sql, [...params])).rows,
  }
}

/** @throws FC_CLI_PEER when @electric-sql/pglite is not installed */
export function checkDatabase(): void {
  try {
    import.meta.resolve(PGLITE)
  } catch (cause) {
    throw new ForecacheError('FC_CLI_PEER', { name: PGLITE, purpose: 'the demo shop' }, { cause })
  }
}
