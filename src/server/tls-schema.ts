/**
 * The options of TLS: on a port of ours, and towards the origin.
 *
 * Floor 5, room server. Files are named, not read, here; server/tls-credentials reads them. Text that is PEM itself is taken
 * as it is, so that a program can hand certificates over without a file.
 */
import { z } from 'zod'

const pem = (description: string): z.ZodString => z.string().min(1).meta({ unit: 'file', description })

const PAIR = {
  cert: pem('Certificate and its chain, PEM: a file, or the text itself.'),
  key: pem('Private key of the certificate, PEM.'),
  passphrase: z.string().optional().meta({ description: 'Opens the private key where it is encrypted.' }),
}

/** TLS on a port. */
export const TLS = z.strictObject({
  ...PAIR,
  certificates: z
    .array(z.strictObject(PAIR))
    .max(100)
    .default([])
    .meta({ description: 'Further certificates, each chosen where the name a client asks for (SNI) is one of its own.' }),
  ca: pem('Clients must present a certificate signed by one of these authorities.').optional(),
  minVersion: z.enum(['TLSv1.2', 'TLSv1.3']).default('TLSv1.2').meta({ description: 'Oldest version spoken.' }),
  ciphers: z.string().min(1).optional().meta({ description: "Cipher suites in OpenSSL's notation; default: those of Node." }),
  http2: z
    .boolean()
    .default(true)
    .meta({ description: 'Offers HTTP/2 (ALPN h2) beside HTTP/1.1. Both answer from the same entries.' }),
})

/** TLS towards the origin. */
export const ORIGIN_TLS = z.strictObject({
  ca: pem("Authorities that may have signed the origin's certificate, instead of the system's.").optional(),
  cert: pem('Certificate shown to the origin.').optional(),
  key: pem('Private key of that certificate.').optional(),
  passphrase: z.string().optional().meta({ description: 'Opens the private key where it is encrypted.' }),
  servername: z
    .string()
    .min(1)
    .optional()
    .meta({ description: "Name asked for and looked for in the origin's certificate; default: the host of `origin.url`." }),
  rejectUnauthorized: z.boolean().default(true).meta({
    description: 'Refuses an origin whose certificate is not proven. `false` lets anyone between here and there read and write.',
  }),
})

/** TLS on a port, defaults filled in. */
export type TlsSettings = z.output<typeof TLS>
/** TLS towards the origin, defaults filled in. */
export type OriginTlsSettings = z.output<typeof ORIGIN_TLS>
