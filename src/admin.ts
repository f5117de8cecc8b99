// What the operator does by hand: npm run admin -- <command>.
import { randomUUID } from 'node:crypto'
import { parseArgs } from 'node:util'
import { z } from 'zod'
import { createKeyFile } from './access/keys.ts'
import { findings } from './audit/holds.ts'
import { type Config, readConfig, StartError } from './config.ts'
import { prepareDatabase } from './database.ts'
import { Connection, type Endpoint } from './db/connection.ts'
import { checkInstallation } from './db/setup.ts'
import { endpointOf, unanswered } from './db/url.ts'
import { newSecret } from './sessions/queries.ts'

type Options = { email: string | undefined }

const commands: Record<string, [what: string, run: (config: Config, options: Options) => Promise<string>]> = {
  migrate: ['brings the database of DATABASE_OWNER_URL to this release', migrate],
  'create-administrator': ['--email …: an administrator, and the code to enrol with', createAdministrator],
  'create-key-file': ['makes the file of KEY_FILE', makeKeyFile],
  check: ['tells what in the database nobody can have done through the service', check],
}

async function makeKeyFile({ keyFile }: Config): Promise<string> {
  createKeyFile(keyFile)
  return `Made ${keyFile}; keep a copy apart from the data`
}

/** The database as its owner, who was let in. */
async function ownerOf({ databaseOwnerUrl }: Config): Promise<Endpoint> {
  const variable = 'DATABASE_OWNER_URL'
  if (!databaseOwnerUrl)
    throw new StartError(`${variable} is not set, for example ${variable}=postgres://owner:secret@db/qujat`)
  const owner = endpointOf(databaseOwnerUrl, variable)
  await Connection.with(owner, async () => {}).catch(unanswered(variable, owner))
  return owner
}

async function migrate(config: Config): Promise<string> {
  const owner = await ownerOf(config)
  const applied = await prepareDatabase(owner, config)
  await checkInstallation(owner, config)
  return applied.length ? `Applied ${applied.join(', ')}` : 'Nothing to apply'
}

async function createAdministrator(config: Config, { email }: Options): Promise<string> {
  const wrong = email ? 'is not an e-mail address' : 'is missing'
  if (!z.email().max(200).safeParse(email).success)
    throw new StartError(`--email ${wrong}, for example --email admin@operator.example`)
  const { secret, hash } = newSecret(12)
  await Connection.with(await ownerOf(config), connection =>
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
  )
  return `Enrolment code for ${email}, shown once: ${secret}\nSet the password with POST /v1/enrolments { "code": …, "password": … }`
}

/** A line for each finding, by which the command fails. */
async function check(config: Config): Promise<string> {
  const found = await findings(await ownerOf(config))
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
  const { positionals, values } = parseArgs({ allowPositionals: true, options: { email: { type: 'string' } } })
  const command = commands[positionals[0] ?? '']
  if (!command) throw new StartError(usage())
  const config = readConfig()
  process.stdout.write(`${await command[1](config, { email: values.email })}\n`)
} catch (error) {
  const { code = '', message } = error as Error & { code?: string }
  process.stderr.write(`${failures[code]?.(message) ?? message}\n`)
  process.exitCode = 1
}
