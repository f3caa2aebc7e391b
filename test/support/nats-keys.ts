/**
 * Keys and JWTs for a real nats-server that knows its users by them: what `nsc` would write, made here.
 */
import { nkeys } from '@nats-io/transport-node'

type KeyPair = ReturnType<typeof nkeys.createUser>

/** An nkey: what the server is told, and what its owner keeps. */
export interface NkeyUser {
  readonly publicKey: string
  readonly seed: string
}

/** A server's configuration for one account, and what lets its users in. */
export interface Operator {
  readonly lines: readonly string[]
  /** @param lifeSeconds of the JWT; absent: it never ends @returns the text of a `.creds` file */
  user(lifeSeconds?: number): string
}

export function createNkeyUser(): NkeyUser {
  const key = nkeys.createUser()
  return { publicKey: key.getPublicKey(), seed: seedOf(key) }
}

/** An operator with one account that may use JetStream, and one for the system, held in the server's memory. */
export function createOperator(): Operator {
  const operator = nkeys.createOperator()
  const [account, system] = [nkeys.createAccount(), nkeys.createAccount()]
  const [id, systemId] = [account.getPublicKey(), system.getPublicKey()]
  const jwts = [
    `${id}: ${sign(operator, { sub: id, name: 'app', nats: accountOf({ mem_storage: -1, disk_storage: -1, streams: -1, consumer: -1 }) })}`,
    `${systemId}: ${sign(operator, { sub: systemId, name: 'SYS', nats: accountOf({}) })}`,
  ]
  const own = { sub: operator.getPublicKey(), name: 'op', nats: { type: 'operator', version: 2, system_account: systemId } }
  return {
    lines: [
      `operator: ${sign(operator, own)}`,
      `system_account: ${systemId}`,
      'resolver: MEMORY',
      `resolver_preload: {\n${jwts.join('\n')}\n}`,
    ],
    user(lifeSeconds) {
      const user = nkeys.createUser()
      const end = lifeSeconds === undefined ? {} : { exp: Math.floor(Date.now() / 1000) + lifeSeconds }
      const nats = { type: 'user', version: 2, pub: {}, sub: {}, subs: -1, data: -1, payload: -1 }
      const jwt = sign(account, { sub: user.getPublicKey(), name: 'app', nats, ...end })
      return [
        ...['-----BEGIN NATS USER JWT-----', jwt, '------END NATS USER JWT------', ''],
        ...['-----BEGIN USER NKEY SEED-----', seedOf(user), '------END USER NKEY SEED------', ''],
      ].join('\n')
    },
  }
}

function accountOf(jetStream: object): object {
  const endless = { subs: -1, conn: -1, leaf: -1, imports: -1, exports: -1, data: -1, payload: -1, wildcards: true }
  return { type: 'account', version: 2, limits: { ...endless, ...jetStream }, default_permissions: { pub: {}, sub: {} } }
}

/** A JWT as NATS writes them. */
function sign(issuer: KeyPair, claims: object): string {
  const iat = Math.floor(Date.now() / 1000)
  const body = [
    { typ: 'JWT', alg: 'ed25519-nkey' },
    { jti: `${iat}`, iat, iss: issuer.getPublicKey(), ...claims },
  ]
  const text = body.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
  return `${text}.${Buffer.from(issuer.sign(new TextEncoder().encode(text))).toString('base64url')}`
}

function seedOf(key: KeyPair): string {
  return new TextDecoder().decode(key.getSeed())
}
