import { setTimeout as wait } from 'node:timers/promises'
import { Connection } from '../src/platform/db/connection.ts'
import { Client } from '../src/programs/demo/client.ts'
import { readDemonstration } from '../src/programs/demonstration-accounts.ts'
import type { Service } from './service.ts'

type Run = { id: string; version: number; parts: { cases: number; done: number }[] }

/** Measures finding what is due among all cases and erasing one run of it, compared with the bare deletion of as many keys. */
export async function measureErasures(service: Service, dataDir: string): Promise<void> {
  await Connection.with(service.cluster.endpoint('postgres'), async connection => {
    const { send } = connection
    await connection.script(`create or replace function app.now() returns timestamptz language sql stable
      return statement_timestamp() + interval '20 years'`)
    const took = async <T>(work: () => Promise<T>): Promise<[T, number]> => {
      const begun = performance.now()
      return [await work(), performance.now() - begun]
    }
    const [due, finding] = await took(async () => {
      const [row] = await send('select count(*)::int as parts from due_parts where due_on <= app.today()')
      return row?.parts as number
    })
    const administrators = (readDemonstration(dataDir) ?? []).filter(({ role }) => role === 'administrator')
    const [admin, deputy] = await Promise.all(administrators.map(one => Client.signIn(service.address, one)))
    if (!admin || !deputy) throw new Error('no two administrators')
    const [run, requesting] = await took(() => admin.post<Run>('/v1/retention-runs', {}))
    const size = run.parts.reduce((sum, { cases }) => sum + cases, 0)
    const [, approving] = await took(() => deputy.post<Run>(`/v1/retention-runs/${run.id}/approval`, {}, run.version))
    const done = async () =>
      (await deputy.get<Run>(`/v1/retention-runs/${run.id}`)).parts.reduce((sum, part) => sum + part.done, 0)
    const [, erasing] = await took(async () => {
      while ((await done()) < size) await wait(50)
    })
    await connection.script(
      'create table bare_keys (like data_keys including indexes); insert into bare_keys select * from data_keys',
    )
    const keys = await send('select id from bare_keys limit $1', [size])
    const [, bare] = await took(async () => {
      for (const { id } of keys) await send('delete from bare_keys where id = $1', [id])
    })
    console.table({
      'due parts found': { ms: Math.round(finding), parts: due },
      'run requested': { ms: Math.round(requesting), parts: size },
      'run approved': { ms: Math.round(approving), parts: size },
      'run erased': { ms: Math.round(erasing), parts: size, 'a second': Math.round((size / erasing) * 1000) },
      'bare deletion of a key': {
        ms: Math.round(bare),
        parts: keys.length,
        'a second': Math.round((keys.length / bare) * 1000),
      },
    })
  })
}
