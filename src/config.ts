import { isIP } from 'node:net'
import { dirname, join, resolve } from 'node:path'
import { z } from 'zod'

/** Digits only: JavaScript converts a space to 0, and accepts 0x10 as a number. */
const number = z
  .string()
  .regex(/^\d+(\.\d+)?$/)
  .transform(Number)
const port = number.pipe(z.number().int().max(65535))
const databaseUrl = z.url({ protocol: /^postgres(ql)?$/ }).refine(url => !/%(?![\da-f]{2})/i.test(url))
const seconds = number.pipe(z.number().min(0.1).max(600))

/**
 * A name, because PostgreSQL reads offsets such as +05:00 with the opposite sign. Tested by use, because JavaScript's list of
 * time zones lacks UTC.
 */
const timeZone = z
  .string()
  .regex(/^[A-Z]/)
  .refine(zone => {
    try {
      return Boolean(new Intl.DateTimeFormat('en', { timeZone: zone }))
    } catch {
      return false
    }
  })

/** Accepts an address, or a network with a prefix of at least one bit: /0 would trust every address as a proxy. */
function isNetwork(text: string): boolean {
  const [address = '', bits, ...rest] = text.split('/')
  const most = { 0: 0, 4: 32, 6: 128 }[isIP(address)] ?? 0
  const within = bits === undefined || (/^\d+$/.test(bits) && Number(bits) >= 1 && Number(bits) <= most)
  return most > 0 && within && !rest.length && !address.includes('%')
}
const networks = z
  .string()
  .transform(text =>
    text
      .split(',')
      .map(part => part.trim())
      .filter(Boolean),
  )
  .refine(parts => parts.every(isNetwork))

/** Each variable: its rule with its default, a description, and an example for the error message. */
const variables = {
  HOST: [z.string().min(1).default('127.0.0.1'), 'an address to listen on', '127.0.0.1'],
  PORT: [port.default(3000), 'a port from 0 (any free one) to 65535', '3000'],
  METRICS_HOST: [z.string().min(1).default('127.0.0.1'), 'an address to listen on', '127.0.0.1'],
  METRICS_PORT: [port.default(9464), 'a port from 0 (any free one) to 65535', '9464'],
  DATABASE_URL: [databaseUrl.optional(), 'the URL of a database for the role app', 'postgres://app:secret@db/qujat'],
  DATABASE_OWNER_URL: [
    databaseUrl.optional(),
    'the URL of the database for the role owner',
    'postgres://owner:secret@db/qujat',
  ],
  DATA_DIR: [z.string().min(1).default('./data'), 'a folder', './data'],
  KEY_FILE: [z.string().min(1).optional(), 'a file that only the service may read', '/etc/qujat/keys.json'],
  KEY_WRAP: [z.string().min(1).optional(), 'a command', 'vault …'],
  KEY_UNWRAP: [z.string().min(1).optional(), 'a command', 'vault …'],
  ERASURE_LEDGER: [z.string().min(1).optional(), 'a file', '/etc/qujat/erasures.jsonl'],
  LOG_LEVEL: [
    z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
    'debug, info, warn, error or silent',
    'info',
  ],
  TRUSTED_PROXIES: [networks.default([]), 'addresses or networks, separated by commas', '10.0.0.1,10.1.0.0/16'],
  COUNTRY: [
    z
      .string()
      .regex(/^[A-Z]{2}$/)
      .default('KZ'),
    'a country of ISO 3166-1, two letters',
    'KZ',
  ],
  TIME_ZONE: [timeZone.default('Asia/Almaty'), 'a time zone of the IANA database', 'Asia/Almaty'],
  POOL_SIZE: [
    number.pipe(z.number().int().min(1).max(200)).default(10),
    'a number of database connections, 1 to 200',
    '10',
  ],
  REQUEST_DEADLINE: [seconds.default(10), 'seconds that a request may take in the database, 0.1 to 600', '10'],
  RATE_LIMIT: [
    number.pipe(z.number().int().min(1)).default(600),
    'requests a minute for one account or address',
    '600',
  ],
  IMPORT_LIMIT: [
    number.pipe(z.number().int().min(1).max(100_000)).default(512),
    'megabytes that an import file may have, 1 to 100000',
    '512',
  ],
} as const satisfies Record<string, readonly [rule: z.ZodType, what: string, example: string]>

export type Config = Readonly<{
  host: string
  port: number
  metricsHost: string
  metricsPort: number
  databaseUrl: string | undefined
  databaseOwnerUrl: string | undefined
  dataDir: string
  keyFile: string
  /** Commands by which a KMS wraps and unwraps the keys of the epochs. */
  keyWrap: string | undefined
  keyUnwrap: string | undefined
  /** The file that lists all erasures, apart from the database: a restored database is checked against it. */
  erasureLedger: string
  logLevel: 'debug' | 'info' | 'warn' | 'error' | 'silent'
  trustedProxies: string[]
  country: string
  timeZone: string
  poolSize: number
  /** Milliseconds. */
  requestDeadline: number
  /** Requests a minute. */
  rateLimit: number
  /** Bytes. */
  importLimit: number
}>

/** An error that the operator has to fix; printed in one line, without a stack. */
export class StartError extends Error {
  override readonly name = 'StartError'
}

/** What is wrong with a path, by system error code. */
const troubles: Record<string, string> = {
  EACCES: 'cannot be used by this user',
  EPERM: 'cannot be used by this user',
  EEXIST: 'exists already',
  EISDIR: 'is a folder, not a file',
  ELOOP: 'is a link, not a file',
  ENAMETOOLONG: 'is too long',
  ENOENT: 'is in a folder that does not exist',
  ENOSPC: 'is on a disk that is full',
  ENOTDIR: 'is not a folder, or not inside one',
  EROFS: 'is on a read-only disk',
}

/** Returns a {@link StartError} that names the variable if the path cannot be used; returns any other error unchanged. */
export function unusable(variable: string, path: string, example: string, error: unknown): unknown {
  const trouble = troubles[(error as NodeJS.ErrnoException).code ?? '']
  if (!trouble) return error
  return new StartError(`${variable} ${path} ${trouble}, for example ${variable}=${example}`, { cause: error })
}

/** Reads the environment; nothing else does. Throws a {@link StartError} for the first variable that is wrong. */
export function readConfig(environment: NodeJS.ProcessEnv = process.env): Config {
  const read = <K extends keyof typeof variables>(name: K): z.output<(typeof variables)[K][0]> => {
    const [rule, what, example] = variables[name]
    const result = rule.safeParse(environment[name] || undefined)
    if (!result.success) throw new StartError(`${name} is not ${what}, for example ${name}=${example}`)
    return result.data as z.output<(typeof variables)[K][0]>
  }
  const dataDir = resolve(read('DATA_DIR'))
  const [port, metricsPort] = [read('PORT'), read('METRICS_PORT')]
  if (port && port === metricsPort)
    throw new StartError(`METRICS_PORT is the same as PORT, for example METRICS_PORT=${port === 9464 ? 9465 : 9464}`)
  const keyFile = resolve(read('KEY_FILE') ?? join(dataDir, 'keys.json'))
  return {
    host: read('HOST'),
    port,
    metricsHost: read('METRICS_HOST'),
    metricsPort,
    databaseUrl: read('DATABASE_URL'),
    databaseOwnerUrl: read('DATABASE_OWNER_URL'),
    dataDir,
    keyFile,
    keyWrap: read('KEY_WRAP'),
    keyUnwrap: read('KEY_UNWRAP'),
    erasureLedger: resolve(read('ERASURE_LEDGER') ?? join(dirname(keyFile), 'erasures.jsonl')),
    logLevel: read('LOG_LEVEL'),
    trustedProxies: read('TRUSTED_PROXIES'),
    country: read('COUNTRY'),
    timeZone: read('TIME_ZONE'),
    poolSize: read('POOL_SIZE'),
    requestDeadline: read('REQUEST_DEADLINE') * 1000,
    rateLimit: read('RATE_LIMIT'),
    importLimit: read('IMPORT_LIMIT') * 1_000_000,
  }
}
