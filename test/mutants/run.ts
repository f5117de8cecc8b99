// Each mutant of the wall has to turn a test red: a survivor is a missing test or a superfluous condition.
import { spawn } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import postgres from 'postgres'
import '../support/start-cluster.ts'
import { socket } from '../support/socket.ts'
import { type Mutant, mutants } from './catalogue.ts'

const { values } = parseArgs({ options: { only: { type: 'string', default: '' }, jobs: { type: 'string' } } })
const only = new RegExp(values.only)
const jobs = Number(values.jobs ?? availableParallelism())

/** The quick ones first: the others are asked only as long as nothing is red. */
const wall = [
  'wall/policies',
  'catalogue',
  'cases/forge',
  'cases/zones',
  'cases/corrections',
  'work/notes',
  'work/tasks',
]
const files = {
  privilege: ['catalogue', 'cases/forge'],
  policy: [
    ...wall,
    'work/flags',
    'wall/grants',
    'wall/referrals',
    'audit/entries',
    'administration',
    'imports',
    'wall/model',
  ],
}

const connect = (database: string) => postgres({ host: socket, database, user: 'postgres', max: 1, onnotice() {} })
const admin = connect('postgres')

const isGreen = (file: string, template: string) =>
  new Promise<boolean>(resolve => {
    const env = {
      ...process.env,
      TEMPLATE: template,
      TAP_BAIL: '1',
      STEPS: '60',
      NODE_COMPILE_CACHE: `${socket}/compiled`,
    }
    spawn(process.execPath, [`test/${file}.test.ts`], { env, stdio: 'ignore', timeout: 180_000 }).on('close', code =>
      resolve(code === 0),
    )
  })
/** What is red without a mutant kills none. */
const sound = new Map<string, Promise<boolean>>()
async function isSound(file: string): Promise<void> {
  const green = sound.get(file) ?? isGreen(file, 'template_app')
  sound.set(file, green)
  if (!(await green)) throw new Error(`${file} is red without a mutant`)
}

async function killer({ of, sql }: Mutant, template: string): Promise<string | undefined> {
  await admin.unsafe(`create database ${template} template template_app strategy file_copy`)
  const mutant = connect(template)
  await mutant.unsafe(sql)
  await mutant.end()
  try {
    for (const file of files[of]) {
      await isSound(file)
      if (!(await isGreen(file, template))) return file
    }
    return undefined
  } finally {
    await admin.unsafe(`drop database ${template} with (force)`)
  }
}

const catalogue = connect('template_app')
const all = (await mutants(catalogue)).filter(({ name }) => only.test(name))
await catalogue.end()
const survivors: string[] = []
const queue = all.values()
await Promise.all(
  Array.from({ length: jobs }, async (_, worker) => {
    for (const mutant of queue) {
      const start = performance.now()
      const killed = await killer(mutant, `template_mutant_${worker}`)
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
