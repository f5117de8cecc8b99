import { join, resolve } from 'node:path'
import { z } from 'zod'

const port = z.coerce.number().int().min(0).max(65535)
const databaseUrl = z.url({ protocol: /^postgres(ql)?$/ })
const timeZone = z.string().refine(zone => Intl.supportedValuesOf('timeZone').includes(zone))
const seconds = z.coerce.number().min(0.1).max(600)

/** Each variable: its rule, its default, and an example for whoever got it wrong. */
const variables = {
  HOST: [z.string().min(1).default('127.0.0.1'), 'an address to listen on', '127.0.0.1'],
  PORT: [port.default(3000), 'a port from 0 (any free one) to 65535', '3000'],
  METRICS_PORT: [port.default(9464), 'a port from 0 (any free one) to 65535', '9464'],
  DATABASE_URL: [databaseUrl.optional(), 'the URL of a database for the role app', 'postgres://app:secret@db/qujat'],
  DATABASE_OWNER_URL: [databaseUrl.optional(), 'the URL of it for the role owner', 'postgres://owner:secret@db/qujat'],
  DATA_DIR: [z.string().min(1).default('./data'), 'a folder', './data'],
  KEY_FILE: [z.string().min(1).optional(), 'a file that only the service may read', '/etc/qujat/keys.json'],
  LOG_LEVEL: [
    z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
    'debug, info, warn, error or silent',
    'info',
  ],
  TRUSTED_PROXIES: [
    z
      .string()
      .regex(/^[\da-fA-F.:/, ]*$/)
      .default(''),
    'addresses or networks, separated by commas',
    '10.0.0.1,10.1.0.0/16',
  ],
  COUNTRY: [
    z
      .string()
      .regex(/^[A-Z]{2}$/)
      .default('KZ'),
    'a country of ISO 3166-1, two letters',
    'KZ',
  ],
  TIME_ZONE: [timeZone.default('Asia/Almaty'), 'a time zone of the IANA database', 'Asia/Almaty'],
  POOL_SIZE: [z.coerce.number().int().min(1).max(200).default(10), 'a number of database connections, 1 to 200', '10'],
  REQUEST_DEADLINE: [seconds.default(10), 'seconds that a request may take in the database, 0.1 to 600', '10'],
  RATE_LIMIT: [z.coerce.number().int().min(1).default(600), 'requests a minute for one account or address', '600'],
} as const satisfies Record<string, readonly [rule: z.ZodType, what: string, example: string]>

export type Config = Readonly<{
  host: string
  port: number
  metricsPort: number
  databaseUrl: string | undefined
  databaseOwnerUrl: string | undefined
  dataDir: string
  keyFile: string
  logLevel: 'debug' | 'info' | 'warn' | 'error' | 'silent'
  trustedProxies: string[]
  country: string
  timeZone: string
  poolSize: number
  /** Milliseconds. */
  requestDeadline: number
  /** Requests a minute. */
  rateLimit: number
}>

/** Something that whoever starts the service has to mend: told in one line, without a stack. */
export class StartError extends Error {
  override readonly name = 'StartError'
}

/** Reads the environment, the only place that does. Throws a {@link StartError} for the first variable that is wrong. */
export function readConfig(environment: NodeJS.ProcessEnv = process.env): Config {
  const read = <K extends keyof typeof variables>(name: K): z.output<(typeof variables)[K][0]> => {
    const [rule, what, example] = variables[name]
    const result = rule.safeParse(environment[name] || undefined)
    if (!result.success) throw new StartError(`${name} is not ${what}, for example ${name}=${example}`)
    return result.data as z.output<(typeof variables)[K][0]>
  }
  const dataDir = resolve(read('DATA_DIR'))
  return {
    host: read('HOST'),
    port: read('PORT'),
    metricsPort: read('METRICS_PORT'),
    databaseUrl: read('DATABASE_URL'),
    databaseOwnerUrl: read('DATABASE_OWNER_URL'),
    dataDir,
    keyFile: resolve(read('KEY_FILE') ?? join(dataDir, 'keys.json')),
    logLevel: read('LOG_LEVEL'),
    trustedProxies: read('TRUSTED_PROXIES')
      .split(',')
      .map(address => address.trim())
      .filter(Boolean),
    country: read('COUNTRY'),
    timeZone: read('TIME_ZONE'),
    poolSize: read('POOL_SIZE'),
    requestDeadline: read('REQUEST_DEADLINE') * 1000,
    rateLimit: read('RATE_LIMIT'),
  }
}
