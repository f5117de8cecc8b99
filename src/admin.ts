// What the operator does by hand: npm run admin -- <command>.
import { randomUUID } from 'node:crypto'
import { parseArgs } from 'node:util'
import { createKeyFile } from './access/keys.ts'
import { type Config, readConfig, StartError } from './config.ts'
import { prepareDatabase } from './database.ts'
import { Connection } from './db/connection.ts'
import { endpointOf } from './db/url.ts'
import { newSecret } from './sessions/queries.ts'

type Options = { email: string | undefined }

const commands: Record<string, [what: string, run: (config: Config, options: Options) => Promise<string>]> = {
  migrate: ['brings the database of DATABASE_OWNER_URL to this release', migrate],
  'create-administrator': ['--email …: an administrator, and the code to enrol with', createAdministrator],
  'create-key-file': ['makes the file of KEY_FILE', makeKeyFile],
}

async function makeKeyFile({ keyFile }: Config): Promise<string> {
  createKeyFile(keyFile)
  return `Made ${keyFile}; keep a copy apart from the data`
}

function ownerOf({ databaseOwnerUrl }: Config) {
  if (!databaseOwnerUrl)
    throw new StartError(
      'DATABASE_OWNER_URL is not set, for example DATABASE_OWNER_URL=postgres://owner:secret@db/qujat',
    )
  return endpointOf(databaseOwnerUrl)
}

async function migrate(config: Config): Promise<string> {
  const applied = await prepareDatabase(ownerOf(config), config)
  return applied.length ? `Applied ${applied.join(', ')}` : 'Nothing to apply'
}

async function createAdministrator(config: Config, { email }: Options): Promise<string> {
  if (!email?.includes('@')) throw new StartError('--email is missing, for example --email admin@operator.example')
  const { secret, hash } = newSecret(12)
  await Connection.with(ownerOf(config), connection =>
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
    }),
  )
  return `Enrolment code for ${email}, shown once: ${secret}\nSet the password with POST /v1/enrolments { "code": …, "password": … }`
}

const { positionals, values } = parseArgs({ allowPositionals: true, options: { email: { type: 'string' } } })
const command = commands[positionals[0] ?? '']
if (!command) {
  const lines = Object.entries(commands).map(([name, [what]]) => `  ${name.padEnd(22)}${what}`)
  process.stderr.write(`npm run admin -- <command>\n\n${lines.join('\n')}\n`)
  process.exitCode = 1
} else {
  try {
    process.stdout.write(`${await command[1](readConfig(), { email: values.email })}\n`)
  } catch (error) {
    const { code, message } = error as Error & { code?: string }
    process.stderr.write(`${code === '23505' ? 'There is an account with this e-mail already' : message}\n`)
    process.exitCode = 1
  }
}
