// Each mutant of the wall must fail a test. A mutant that survives means a missing test or a superfluous condition.
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import postgres from 'postgres'
import { golden, privilegesOf } from '../platform/access/privileges.ts'
import '../support/start-cluster.ts'
import { faults } from '../casefile/wall/faults.ts'
import { buildWorld, type World } from '../casefile/wall/world.ts'
import { startService } from '../support/service.ts'
import { socket } from '../support/socket.ts'
import { type Mutant, mutants } from './catalogue.ts'

const { values } = parseArgs({ options: { only: { type: 'string', default: '' }, jobs: { type: 'string' } } })
const only = new RegExp(values.only)
const jobs = Number(values.jobs ?? availableParallelism())

/**
 * Run one after the other until one fails. Without random and time-dependent tests, which would kill mutants at random.
 */
const files =
  `platform/db/catalogue casefile/wall/policies casefile/forge casefile/zones procedure/corrections work/notes
  work/tasks work/flags casefile/grants procedure/referrals oversight/audit/entries people/administration exchange/imports`.split(
    /\s+/,
  )

const connect = (database: string) => postgres({ host: socket, database, user: 'postgres', max: 1, onnotice() {} })
const admin = connect('postgres')

const isGreen = (file: string, template: string) =>
  new Promise<boolean>(resolve => {
    const env = {
      ...process.env,
      TEMPLATE: template,
      TAP_BAIL: '1',
      TAP_TIMEOUT: '900',
      NODE_COMPILE_CACHE: 'node_modules/.cache/node',
    }
    spawn(process.execPath, [`test/${file}.test.ts`], { env, stdio: 'ignore' }).on('close', code => resolve(code === 0))
  })
/** Runs a failed file again, because the first run may have timed out. */
const isRed = async (file: string, template: string) =>
  !(await isGreen(file, template)) && !(await isGreen(file, template))
/** Whether a file fails without a mutant; such a file cannot kill one. */
const unsound = new Map<string, Promise<boolean>>()
async function isSound(file: string): Promise<void> {
  const red = unsound.get(file) ?? isRed(file, 'template_app')
  unsound.set(file, red)
  if (await red) throw new Error(`${file} is red without a mutant`)
}

/**
 * Makes the world of the policy test a template, so that the checks in plain SQL run here in a fraction of the time.
 */
async function keepWorld(template: string): Promise<World> {
  const teardowns: (() => unknown)[] = []
  const service = await startService({ teardown: (...of) => void teardowns.unshift(...of) })
  const world = await buildWorld(service)
  const [{ database = '' } = {}] = await service.superuser`select current_database() as database`
  await service.app.close()
  await admin`select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = ${database}`
  await admin.unsafe(`create database ${template} owner owner template ${database} strategy file_copy`)
  for (const teardown of teardowns) await teardown()
  return world
}

/** Makes a mutant of a template, and drops it after `work`. */
async function withMutant<T>({ sql }: Mutant, name: string, template: string, work: (sql: postgres.Sql) => Promise<T>) {
  await admin.unsafe(`create database ${name} owner owner template ${template} strategy file_copy`)
  const mutant = connect(name)
  try {
    await mutant.unsafe(sql)
    return await work(mutant)
  } finally {
    await mutant.end()
    await admin.unsafe(`drop database ${name} with (force)`)
  }
}

async function killer(mutant: Mutant, name: string): Promise<string | undefined> {
  if (await withMutant(mutant, name, 'template_world', firstFault)) return 'the wall itself'
  return withMutant(mutant, name, 'template_app', async sql => {
    await sql.end()
    for (const file of files) {
      await isSound(file)
      if (await isRed(file, name)) return file
    }
    return undefined
  })
}

const world = await keepWorld('template_world')
const listed = readFileSync(golden, 'utf8')
const firstFault = async (sql: postgres.Sql): Promise<string | undefined> =>
  (await privilegesOf(sql)) === listed
    ? (await faults(sql, world).next()).value
    : 'the privileges differ from privileges.txt'
const nothing: Mutant = { name: 'nothing', sql: '' }
const fault = await withMutant(nothing, 'mutant', 'template_world', firstFault)
if (fault) throw new Error(`Without a mutant: ${fault}`)
const catalogue = connect('template_app')
const all = (await mutants(catalogue)).filter(({ name }) => only.test(name))
await catalogue.end()
const survivors: string[] = []
const queue = all.values()
await Promise.all(
  Array.from({ length: jobs }, async (_, worker) => {
    for (const mutant of queue) {
      const start = performance.now()
      const killed = await killer(mutant, `mutant_${worker}`)
      if (!killed) survivors.push(mutant.name)
      console.log(`${killed ?? 'SURVIVED'}\t${((performance.now() - start) / 1000).toFixed(1)} s\t${mutant.name}`)
    }
  }),
)
await admin.end()
await import('../support/stop-cluster.ts')
console.log(`${all.length} mutants, ${all.length - survivors.length} killed, ${survivors.length} survived`)
for (const name of survivors) console.log(`  ${name}`)
process.exitCode = survivors.length ? 1 : 0
