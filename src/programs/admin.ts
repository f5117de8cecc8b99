// What the operator does by hand: npm run admin -- <command>.
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
import { prepareDatabase } from './prepare-database.ts'

type Options = { email: string | undefined; dryRun: boolean; words: readonly string[] }

const commands: Record<string, [what: string, run: (config: Config, options: Options) => Promise<string>]> = {
  migrate: ['brings the database of DATABASE_OWNER_URL to this release', migrate],
  'create-administrator': ['--email …: an administrator, and the code to enrol with', createAdministrator],
  'create-key-file': ['makes the files of KEY_FILE and ERASURE_LEDGER', makeKeyFile],
  'create-ledger': ['makes the file of ERASURE_LEDGER, where there has never been one', createLedger],
  keys: ['list | rotate | destroy <epoch>: the epochs of KEY_FILE, by which every data key is wrapped', keys],
  backup: [
    '<folder>: copies the embedded database there, beside the service at work',
    (config, { words: [folder] }) => backUp(config, folder),
  ],
  restore: [
    '<folder>: makes the embedded database out of such a copy',
    (config, { words: [folder] }) => restore(config, folder),
  ],
  'restore-check': [
    'erases in a database that was restored what ERASURE_LEDGER says was erased since: before it may serve',
    restoreCheck,
  ],
  retention: [
    '--dry-run: how much of whose is due for erasure, by which rule; two administrators run it through the API',
    (config, { dryRun }) => dueForErasure(config, dryRun),
  ],
  check: ['tells what in the database nobody can have done through the service', check],
}

async function makeKeyFile(config: Config): Promise<string> {
  createKeyFile(config.keyFile, kmsOf(config))
  Ledger.create(config.erasureLedger)
  return `Made ${config.keyFile} and ${config.erasureLedger}; keep copies apart from the data`
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
        await send(`select app.tell('admin.createAdministrator', $1)`, [{ subject: id }])
      }),
    ),
  )
  return `Enrolment code for ${email}, shown once: ${secret}\nSet the password with POST /v1/enrolments { "code": …, "password": … }`
}

function keys(config: Config, { words: [what, epoch] }: Options): Promise<string> {
  if (what === 'list') return listEpochs(config)
  if (what === 'rotate') return rotateEpoch(config)
  if (what === 'destroy') return destroyEpoch(config, epoch)
  throw new StartError('keys list, keys rotate, or keys destroy <epoch>')
}

/** A line for each finding, by which the command fails. */
async function check(config: Config): Promise<string> {
  const found = await asOwner(config, findings)
  if (!found.length) return 'It holds together'
  process.exitCode = 1
  return found.map(({ finding, ids }) => `${finding} ${JSON.stringify(ids)}`).join('\n')
}

const usage = () => {
  const lines = Object.entries(commands).map(([name, [what]]) => `  ${name.padEnd(22)}${what}`)
  return `npm run admin -- <command>\n\n${lines.join('\n')}`
}

/** What went wrong in the operator's words, by the code of the error. */
const failures: Record<string, (message: string) => string> = {
  '23505': () => 'There is an account with this e-mail already',
  '42P01': () => 'The database of DATABASE_OWNER_URL has no schema yet: npm run admin -- migrate',
  ERR_PARSE_ARGS_UNKNOWN_OPTION: message => `${message.split('. ')[0]}, for example --email admin@operator.example`,
  ERR_PARSE_ARGS_INVALID_OPTION_VALUE: () => '--email has no value, for example --email admin@operator.example',
}

try {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { email: { type: 'string' }, 'dry-run': { type: 'boolean', default: false } },
  })
  const command = commands[positionals[0] ?? '']
  if (!command) throw new StartError(usage())
  const config = readConfig()
  process.stdout.write(
    `${await command[1](config, { email: values.email, dryRun: values['dry-run'], words: positionals.slice(1) })}\n`,
  )
} catch (error) {
  const { code = '', message } = error as Error & { code?: string }
  process.stderr.write(`${failures[code]?.(message) ?? message}\n`)
  process.exitCode = 1
}
