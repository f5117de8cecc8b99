// What the operator does by hand with the embedded database: keys, backup, restore.
import { copyFileSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import { createKeyFile, readKeys } from '../../../src/platform/access/keys.ts'
import { Client } from '../../../src/programs/demo/client.ts'
import { superuserOf } from '../../long/programs/kill.ts'
import { filesIn, readInFiles } from '../../support/stolen.ts'
import { accountsOf, folder, oneLine, pidOf, postmaster, run, start } from './program.ts'

const canary = 'Қарлығаш48151623'

t.test(
  'a backup taken beside the service holds every case of before but what was erased since, sealed, and opens with its key file only',
  async t => {
    const dataDir = join(folder(), 'data')
    const admin = (DATA_DIR: string, ...args: string[]) => run('src/programs/admin.ts', { DATA_DIR }, args).ended
    const service = await start(dataDir)
    const accounts = accountsOf(dataDir)
    const [asel, dina] = ['asel', 'dina'].map(name => accounts.find(({ email }) => email === `${name}@sunrise.example`))
    if (!asel || !dina) throw new Error('nobody to work')
    const client = await Client.signIn(service.address, asel)
    const supervisor = await Client.signIn(service.address, dina)
    const register = async () => {
      const { person, ...given } = client.registration()
      const identity = { ...person.identity, names: [{ kind: 'official', family: canary }] }
      const { id } = await client.post<{ id: string }>('/v1/cases', { ...given, person: { identity } })
      return id
    }
    const before = []
    for (let n = 0; n < 20; n++) before.push(await register())
    t.match(await admin(dataDir, 'keys', 'list'), { code: 0, out: 'epoch 1: 20 data keys  wraps now\n' })
    let copying = true
    const meanwhile = (async () => {
      while (copying) await register()
    })()
    const place = join(folder(), 'backup')
    const made = await admin(dataDir, 'backup', place)
    copying = false
    await meanwhile
    t.match(made, { code: 0, out: /holds the database, sealed as it is/, err: '' })
    oneLine(t, await admin(dataDir, 'backup', place), /is there already/)
    const erase = async (id: string) => {
      await client.post(`/v1/cases/${id}/transitions`, { action: 'start_assessment' }, 1)
      await client.post(`/v1/cases/${id}/transitions`, { action: 'withdraw' }, 2)
      const because = { legalBasis: 'consent_withdrawn', reason: canary }
      const asked = await client.post<{ id: string }>(`/v1/cases/${id}/erasures`, because)
      await supervisor.post(`/v1/erasures/${asked.id}/approval`, {}, 1)
      while ((await client.get<{ state: string }>(`/v1/erasures/${asked.id}`)).state !== 'done') await wait(20)
    }
    const [gone = '', ...still] = before
    await erase(gone)
    service.child.kill('SIGTERM')
    await service.ended
    t.match(
      await admin(dataDir, 'keys', 'list'),
      { code: 0, out: /^epoch 1: \d+ data keys {2}wraps now {2}opens 1 erased in backups from before\n$/ },
      'also when nothing runs',
    )

    t.same(readInFiles(place, [canary]), [], 'no name stands in the backup')
    t.same(readInFiles(dataDir, [canary]), [], 'nor in the folder that it is of')
    t.same(
      [...filesIn(place)].filter(file => file.endsWith('keys.json')),
      [],
      'nor are the keys there',
    )
    t.ok(readInFiles(place, ['asel@sunrise.example']).length, 'what stands in clear would be found')

    const restored = join(folder(), 'data')
    t.match(await admin(restored, 'restore', place), { code: 0, err: '' })
    oneLine(t, await admin(restored, 'restore', place), /holds a database already/)
    oneLine(t, await admin(join(folder(), 'data'), 'restore', folder()), /is no backup/)
    const keyFile = join(restored, 'keys.json')
    createKeyFile(keyFile)
    oneLine(
      t,
      await run('src/programs/server.ts', { DATA_DIR: restored }).ended,
      /^KEY_FILE .+ does not open what this database keeps/,
    )
    copyFileSync(join(dataDir, 'keys.json'), keyFile)
    const serving = (DATA_DIR: string) => run('src/programs/server.ts', { DATA_DIR }).ended
    oneLine(t, await serving(restored), /^ERASURE_LEDGER .+ is not there/)
    copyFileSync(join(dataDir, 'erasures.jsonl'), join(restored, 'erasures.jsonl'))
    oneLine(t, await serving(restored), /^This database is from before 1 of the erasures/)
    t.match(await admin(restored, 'restore-check'), { code: 0, out: /1 were done again/ })
    const again = await start(restored)
    const reader = await Client.signIn(again.address, asel)
    type Found = { person: { identity?: { names: { family: string }[] } } }
    for (const id of still)
      t.equal((await reader.get<Found>(`/v1/cases/${id}`)).person.identity?.names[0]?.family, canary)
    t.same((await reader.get<Found>(`/v1/cases/${gone}`)).person, {}, 'and none of the erased')
    again.child.kill('SIGTERM')
    t.equal((await again.ended).code, 0)

    // Once its epoch is destroyed, no backup from before gives it back, whatever is done with it.
    t.match(await admin(dataDir, 'keys', 'rotate'), { code: 0 })
    const destroyed = run('src/programs/admin.ts', { DATA_DIR: dataDir }, ['keys', 'destroy', '1'], {
      input: '1\ndestroy\n',
    })
    t.match(await destroyed.ended, { code: 0 })
    t.match(await admin(dataDir, 'keys', 'list'), { code: 0, out: /^epoch 2: \d+ data keys {2}wraps now\n$/ })
    const never = join(folder(), 'data')
    t.match(await admin(never, 'restore', place), { code: 0 })
    for (const file of ['keys.json', 'erasures.jsonl']) copyFileSync(join(dataDir, file), join(never, file))
    oneLine(t, await serving(never), /^KEY_FILE .+ does not open what this database keeps/)
    const sql = await superuserOf(never)
    const kept = await sql`select id, epoch, wrapped from data_keys where case_id = ${gone}`
    await sql.end()
    process.kill(pidOf(never), 'SIGQUIT')
    while (existsSync(postmaster(never))) await wait(20)
    const open = (path: string) => readKeys(path).dataKey(kept[0] as never)
    t.ok(open(keyFile), 'the key file of before would open it')
    t.throws(() => open(join(never, 'keys.json')), /an epoch that the key file does not hold/)
  },
)
