/**
 * Options of TLS towards the servers behind the cache: the second level's, and the log's.
 *
 * Floor 3, room flow. Files are named, not read, here; tier/tls-material reads them.
 */
import { z } from 'zod'

const pem = (description: string): z.ZodString => z.string().min(1).meta({ unit: 'file', description })

/** Schema of `l2.tls` and `l2.bus.tls`. */
export const CLIENT_TLS = z.strictObject({
  ca: pem(
    "Authorities that may have signed the server's certificate, PEM: a file, or the text itself; instead of the system's.",
  ).optional(),
  cert: pem('Certificate shown to the server, PEM.').optional(),
  key: pem('Private key of that certificate, PEM.').optional(),
  passphrase: z.string().optional().meta({ description: 'Opens the private key where it is encrypted.' }),
  servername: z
    .string()
    .min(1)
    .optional()
    .meta({ shown: "the URL's host", description: "Name asked for (SNI) and looked for in the server's certificate." }),
  rejectUnauthorized: z.boolean().default(true).meta({
    description: 'Refuses a server whose certificate is not proven. `false` lets anyone between here and there read and write.',
  }),
})
