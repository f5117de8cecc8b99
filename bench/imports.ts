import { createReadStream, createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as wait } from 'node:timers/promises'
import { stringify } from 'csv-stringify'
import postgres from 'postgres'
import { columns } from '../src/exchange/imports/row.ts'
import { campaign, registrations } from '../src/programs/demo/campaign.ts'
import { Client, type Job } from '../src/programs/demo/client.ts'
import { readDemonstration } from '../src/programs/demonstration-accounts.ts'
import type { Person } from './organisations.ts'
import type { Service } from './service.ts'

/** The tables with the rows of an imported registration. */
const tables = [
  'cases',
  'case_events',
  'grants',
  'case_access',
  'zone_versions',
  'identifiers',
  'decisions',
  'documents',
  'case_figures',
]
const few = 10_000

/** Measures an import of few rows and of many, compared with COPY of the file and of the resulting rows into bare tables. */
export async function measureImports(service: Service, dataDir: string, many: number): Promise<void> {
  const sql = postgres({ ...service.cluster.endpoint('postgres'), max: 1, onnotice() {} })
  const copy = async (table: string, source: Readable) => {
    const begun = performance.now()
    await pipeline(source, await sql.unsafe(`copy ${table} from stdin (format csv)`).writable())
    return performance.now() - begun
  }
  const small = await makeFile(join(dataDir, 'few.csv'), few, 'F')
  const large = await makeFile(join(dataDir, 'many.csv'), many, 'M')
  await sql.unsafe(`create schema bare; create table bare.file (${columns.map(name => `"${name}" text`).join(', ')})`)
  const ofFile = (many / (await copy('bare.file', createReadStream(large)))) * 1000

  const people = readDemonstration(dataDir) ?? []
  const of = (role: string) => {
    const found = people.find(person => person.role === role && person.organisation.kind === 'committee')
    if (!found) throw new Error(`no ${role}`)
    return found
  }
  const supervisor = await Client.signIn(service.address, of('supervisor'))
  const { id } = await supervisor.post<{ id: string }>('/v1/campaigns', campaign)
  const importRows = (path: string) => importFile(service, of('officer'), `/v1/imports?campaignId=${id}`, path)

  const first = await importRows(small)
  let milliseconds = 0
  for (const table of tables) {
    const written = await Readable.from(await sql.unsafe(`copy ${table} to stdout (format csv)`).readable()).toArray()
    await sql.unsafe(`create table bare.${table} (like ${table})`)
    milliseconds += await copy(`bare.${table}`, Readable.from(written))
  }
  const ofRows = (few / milliseconds) * 1000
  await sql.end()
  const rest = await importRows(large)
  const row = (rows: number, perSecond: number, megabytes?: number) => ({
    rows,
    'rows/s': Math.round(perSecond),
    'of the file': Number((perSecond / ofFile).toFixed(3)),
    'of the resulting rows': Number((perSecond / ofRows).toFixed(3)),
    'MB of the service': megabytes && Math.round(megabytes),
  })
  console.table({
    'COPY of the file': row(many, ofFile),
    'COPY of the resulting rows': row(few, ofRows),
    'import, few': row(few, first.perSecond, first.memory),
    'import, many (budget 0.1)': row(many, rest.perSecond, rest.memory),
  })
}

async function makeFile(path: string, size: number, prefix: string): Promise<string> {
  const rows = function* () {
    for (const row of registrations({ seed: size, size })) yield { ...row, externalId: prefix + row.externalId }
  }
  await pipeline(rows, stringify({ header: true, columns: [...columns] }), createWriteStream(path))
  return path
}

/** Imports a file as this officer. Returns rows a second, from the first byte sent to the last row, and the peak memory in MB. */
async function importFile(service: Service, officer: Person, url: string, path: string) {
  let client = await Client.signIn(service.address, officer)
  let memory = 0
  const begun = performance.now()
  let job = await client.upload(url, createReadStream(path))
  while (job.state === 'queued' || job.state === 'running') {
    await wait(500)
    memory = Math.max(memory, service.memory())
    job = await client.get<Job>(`/v1/jobs/${job.id}`).catch(async () => {
      client = await Client.signIn(service.address, officer) // a token lives ten minutes
      return client.get<Job>(`/v1/jobs/${job.id}`)
    })
  }
  if (job.state !== 'done') throw new Error(`the import ended in the state ${job.state}`)
  console.log(`${job.registered} registered, ${job.rejectedRows} rejected`)
  return { perSecond: (job.done / (performance.now() - begun)) * 1000, memory }
}
