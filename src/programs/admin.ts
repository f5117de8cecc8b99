// The operator's commands: npm run admin -- <command>.
import { randomUUID } from 'node:crypto'
import { parseArgs } from 'node:util'
import { z } from 'zod'
import { type Config, readConfig, StartError } from '../config.ts'
import { findings } from '../oversight/audit/holds.ts'
import { Ledger } from '../oversight/erasures/ledger.ts'
import { newSecret } from '../people/sessions/queries.ts'
import { createKeyFile } from '../platform/access/keys.ts'
import { kmsOf } from '../platform/access/kms.ts'
import { Connection } from '../platform/db/connection.ts'
import { checkInstallation } from '../platform/db/setup.ts'
import { backUp, restore } from './admin/backup.ts'
import { destroyEpoch, listEpochs, rotateEpoch } from './admin/keys.ts'
import { createLedger, restoreCheck } from './admin/ledger.ts'
import { asOwner } from './admin/owner.ts'
import { dueForErasure } from './admin/retention.ts'
import { reseal, unreadable } from './admin/seals.ts'
import { prepareDatabase } from './prepare-database.ts'

type Options = { email: string | undefined; dryRun: boolean; open: boolean; words: readonly string[] }

const commands: Record<string, [what: string, run: (config: Config, options: Options) => Promise<string>]> = {
  migrate: ['migrates the database of DATABASE_OWNER_URL to this release', migrate],
  'create-administrator': ['--email …: creates an administrator and prints the enrolment code', createAdministrator],
  'create-key-file': ['creates the files KEY_FILE and ERASURE_LEDGER', makeKeyFile],
  'create-ledger': ['creates the file ERASURE_LEDGER, if there has never been one', createLedger],
  keys: ['list | rotate | destroy <epoch>: manages the epoch keys in KEY_FILE, which wrap every data key', keys],
  backup: [
    '<folder>: copies the embedded database to a new folder; the service may be running',
    (config, { words: [folder] }) => backUp(config, folder),
  ],
  restore: [
    '<folder>: restores the embedded database from a backup',
    (config, { words: [folder] }) => restore(config, folder),
  ],
  'restore-check': [
    'repeats in a restored database the erasures listed in ERASURE_LEDGER; needed before the service starts',
    restoreCheck,
  ],
  retention: [
    '--dry-run: counts the cases due for erasure, by organisation and rule; to erase, two administrators use the API',
    (config, { dryRun }) => dueForErasure(config, dryRun),
  ],
  check: [
    '[--open]: lists what the service cannot have done, and sealed values that do not open: of all, or of a sample',
    check,
  ],
  reseal: ['seals again what an older release sealed for an id in capitals, so that it opens', reseal],
}

async function makeKeyFile(config: Config): Promise<string> {
  createKeyFile(config.keyFile, kmsOf(config))
  Ledger.create(config.erasureLedger)
  return `Created ${config.keyFile} and ${config.erasureLedger}. Keep copies of both, apart from the data`
}

function migrate(config: Config): Promise<string> {
  return asOwner(config, async owner => {
    const applied = await prepareDatabase(owner, config)
    await checkInstallation(owner, config)
    return applied.length ? `Applied ${applied.join(', ')}` : 'Nothing to apply'
  })
}

async function createAdministrator(config: Config, { email }: Options): Promise<string> {
  const wrong = email ? 'is not an e-mail address' : 'is missing'
  if (!z.email().max(200).safeParse(email).success)
    throw new StartError(`--email ${wrong}, for example --email admin@operator.example`)
  const { secret, hash } = newSecret(12)
  await asOwner(config, owner =>
    Connection.with(owner, connection =>
      connection.atOnce(async () => {
        const { send } = connection
        await send(`insert into organisations (kind, name, short_name) select 'operator', 'Operator', 'operator'
        where not exists (select from organisations where kind = 'operator')`)
        const id = randomUUID()
        await send(
          `insert into accounts (id, organisation_id, organisation_kind, email, name, roles)
         select $1, id, kind, lower($2), lower($2), '{administrator}' from organisations where kind = 'operator' order by id limit 1`,
          [id, email],
        )
        await send(
          `insert into enrolments (account_id, code_hash, expires_at) values ($1, $2, app.now() + app.term('enrolment_code'))`,
          [id, hash],
        )
        await send(`select app.write_own_entry('admin.createAdministrator', $1)`, [{ subject: id }])
      }),
    ),
  )
  return `Enrolment code for ${email}, shown once: ${secret}\nSet the password with POST /v1/enrolments { "code": …, "password": … }`
}

function keys(config: Config, { words: [what, epoch] }: Options): Promise<string> {
  if (what === 'list') return listEpochs(config)
  if (what === 'rotate') return rotateEpoch(config)
  if (what === 'destroy') return destroyEpoch(config, epoch)
  throw new StartError('Use keys list, keys rotate or keys destroy <epoch>')
}

/** Prints one line for each finding; any finding makes the command exit with 1. */
async function check(config: Config, { open }: Options): Promise<string> {
  const found = await asOwner(config, async owner => [
    ...(await findings(owner)),
    ...(await unreadable(owner, config, { all: open })),
  ])
  if (!found.length) return 'No findings'
  process.exitCode = 1
  return found.map(({ finding, ids }) => `${finding} ${JSON.stringify(ids)}`).join('\n')
}

const usage = () => {
  const lines = Object.entries(commands).map(([name, [what]]) => `  ${name.padEnd(22)}${what}`)
  return `npm run admin -- <command>\n\n${lines.join('\n')}`
}

/** Messages for the operator, by error code. */
const failures: Record<string, (message: string) => string> = {
  '23505': () => 'An account with this e-mail address exists already',
  '42P01': () => 'The database of DATABASE_OWNER_URL has no schema yet: npm run admin -- migrate',
  ERR_PARSE_ARGS_UNKNOWN_OPTION: message => `${message.split('. ')[0]}, for example --email admin@operator.example`,
  ERR_PARSE_ARGS_INVALID_OPTION_VALUE: () => '--email has no value, for example --email admin@operator.example',
}

try {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: {
      email: { type: 'string' },
      'dry-run': { type: 'boolean', default: false },
      open: { type: 'boolean', default: false },
    },
  })
  const command = commands[positionals[0] ?? '']
  if (!command) throw new StartError(usage())
  const config = readConfig()
  process.stdout.write(
    `${await command[1](config, { email: values.email, dryRun: values['dry-run'], open: values.open, words: positionals.slice(1) })}\n`,
  )
} catch (error) {
  const { code = '', message } = error as Error & { code?: string }
  process.stderr.write(`${failures[code]?.(message) ?? message}\n`)
  process.exitCode = 1
}
