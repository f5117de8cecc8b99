// npm run demo: runs a campaign from its registrations to its figures, through the API like any other client.
import { parseArgs } from 'node:util'
import { type Config, readConfig, StartError } from '../config.ts'
import { campaign } from './demo/campaign.ts'
import { Client } from './demo/client.ts'
import { campaignFile } from './demo/file.ts'
import { bars, progressBar } from './demo/screen.ts'
import { walkThereAndBack, walkToDocument } from './demo/walk.ts'
import { readDemonstration } from './demonstration-accounts.ts'
import type { Service } from './start.ts'
import { untilStopped } from './stop.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    size: { type: 'string', default: '7299' },
    once: { type: 'boolean', default: false },
  },
})
const print = (text: string) => process.stdout.write(`${text}\n`)

/** Returns the service that answers at the address of the configuration, or starts one. */
async function service(start: (config: Config) => Promise<Service>) {
  const config = readConfig()
  const address = `http://${config.host}:${config.port}`
  const runs = await fetch(`${address}/health/ready`).then(
    ({ ok }) => ok,
    () => false,
  )
  const started = runs ? undefined : await start({ ...config, logLevel: 'error' })
  const demonstration = started?.demonstration ?? readDemonstration(config.dataDir)
  if (!demonstration) throw new StartError('There are no demonstration accounts: the demo needs the embedded database')
  return { address: started?.address ?? address, demonstration, stop: started?.stop }
}

type Named = { id: string; name: string }

await untilStopped(async start => {
  const { address, demonstration, stop } = await service(start)
  const as = async (role: string, kind: string) => {
    const account = demonstration.find(one => one.role === role && one.organisation.kind === kind)
    if (!account) throw new StartError(`The demonstration has no account of a ${role} (${kind})`)
    return Client.signIn(address, account)
  }
  const idOf = (kind: string) =>
    demonstration.find(({ organisation }) => organisation.kind === kind)?.organisation.id ?? ''
  const [supervisor, officer, caseworker] = [
    await as('supervisor', 'committee'),
    await as('officer', 'committee'),
    await as('caseworker', 'ngo'),
  ]

  const { items } = await supervisor.get<{ items: Named[] }>('/v1/campaigns?limit=200')
  const { id } =
    items.find(({ name }) => name === campaign.name) ?? (await supervisor.post<Named>('/v1/campaigns', campaign))

  print(`\n  A campaign of ${values.size} registrations, imported by ${officer.email}\n`)
  const file = campaignFile({ seed: Number(values.seed), size: Number(values.size) })
  let job = await officer.upload(`/v1/imports?campaignId=${id}`, file)
  while (job.state === 'queued' || job.state === 'running') {
    await new Promise(resolve => setTimeout(resolve, 200))
    job = await officer.get(`/v1/jobs/${job.id}`)
    progressBar(job.done, Number(values.size))
  }
  print(`\n\n  ${job.registered} cases created, ${job.existing} existed already, ${job.rejectedRows} rows rejected`)

  const officerThere = await as('officer', 'division')
  print('')
  await walkThereAndBack(caseworker, officerThere, idOf('division'), print)
  await walkToDocument(officerThere, await as('supervisor', 'division'), print)
  print('')

  for (const asOf of ['2021-07-01', '2022-02-15'])
    print(
      bars(
        await officer.get(`/v1/reports/campaign-progress?campaignId=${id}&asOf=${asOf}&groupBy=region&map=recorded`),
      ),
    )
  if (!stop || values.once) await stop?.()
  else print(`  The service keeps running at ${address}: ${address}/docs. Ctrl-C stops it.\n`)
})
