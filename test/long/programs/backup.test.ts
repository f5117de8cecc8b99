// The operator's commands for the embedded database: keys, backup, restore.
import { copyFileSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import { createKeyFile, readKeys } from '../../../src/platform/access/keys.ts'
import { Client } from '../../../src/programs/demo/client.ts'
import { accountsOf, folder, oneLine, pidOf, postmaster, run, start } from '../../programs/start/program.ts'
import { filesIn, readInFiles } from '../../support/stolen.ts'
import { unhurried } from '../length.ts'
import { superuserOf } from './kill.ts'

const canary = 'Қарлығаш48101230'

t.setTimeout(0)

t.test(
  'a backup taken while the service runs restores every case but those erased since, sealed, and opens only with its key file',
  unhurried,
  async t => {
    const dataDir = join(folder(), 'data')
    const admin = (DATA_DIR: string, ...args: string[]) => run('src/programs/admin.ts', { DATA_DIR }, args).ended
    const service = await start(dataDir)
    const accounts = accountsOf(dataDir)
    const [asel, dina] = ['asel', 'dina'].map(name => accounts.find(({ email }) => email === `${name}@sunrise.example`))
    if (!asel || !dina) throw new Error('the demonstration has no asel or dina')
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
    t.match(await admin(dataDir, 'keys', 'list'), { code: 0, out: 'epoch 1: 20 data keys  wraps new keys\n' })
    let copying = true
    const meanwhile = (async () => {
      while (copying) await register()
    })()
    const place = join(folder(), 'backup')
    const made = await admin(dataDir, 'backup', place)
    copying = false
    await meanwhile
    t.match(made, { code: 0, out: /^Backed up the database to/, err: '' })
    oneLine(t, await admin(dataDir, 'backup', place), /exists already/)
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
      { code: 0, out: /^epoch 1: \d+ data keys {2}wraps new keys {2}opens the keys of 1 erasures in older backups\n$/ },
      'keys list works while no service runs',
    )

    t.same(readInFiles(place, [canary]), [], 'the backup contains no name in clear')
    t.same(readInFiles(dataDir, [canary]), [], 'the data folder contains no name in clear')
    t.same(
      [...filesIn(place)].filter(file => file.endsWith('keys.json')),
      [],
      'the backup contains no key file',
    )
    t.ok(readInFiles(place, ['asel@sunrise.example']).length, 'a text in clear would be found')

    const restored = join(folder(), 'data')
    t.match(await admin(restored, 'restore', place), { code: 0, err: '' })
    oneLine(t, await admin(restored, 'restore', place), /contains a database already/)
    oneLine(t, await admin(join(folder(), 'data'), 'restore', folder()), /is not a backup/)
    const keyFile = join(restored, 'keys.json')
    createKeyFile(keyFile)
    oneLine(
      t,
      await run('src/programs/server.ts', { DATA_DIR: restored }).ended,
      /^KEY_FILE .+ does not open the data of this database/,
    )
    copyFileSync(join(dataDir, 'keys.json'), keyFile)
    const serving = (DATA_DIR: string) => run('src/programs/server.ts', { DATA_DIR }).ended
    oneLine(t, await serving(restored), /^ERASURE_LEDGER .+ does not exist/)
    copyFileSync(join(dataDir, 'erasures.jsonl'), join(restored, 'erasures.jsonl'))
    oneLine(t, await serving(restored), /^This database is from before 1 of the erasures/)
    t.match(await admin(restored, 'restore-check'), { code: 0, out: /^Repeated 1 of the 1 erasures/ })
    const again = await start(restored)
    const reader = await Client.signIn(again.address, asel)
    type Found = { person: { identity?: { names: { family: string }[] } } }
    for (const id of still)
      t.equal((await reader.get<Found>(`/v1/cases/${id}`)).person.identity?.names[0]?.family, canary)
    t.same((await reader.get<Found>(`/v1/cases/${gone}`)).person, {}, 'the erased case stays empty')
    again.child.kill('SIGTERM')
    t.equal((await again.ended).code, 0)

    // After its epoch is destroyed, no older backup can restore the erased case.
    t.match(await admin(dataDir, 'keys', 'rotate'), { code: 0 })
    const destroyed = run('src/programs/admin.ts', { DATA_DIR: dataDir }, ['keys', 'destroy', '1'], {
      input: '1\ndestroy\n',
    })
    t.match(await destroyed.ended, { code: 0 })
    t.match(await admin(dataDir, 'keys', 'list'), { code: 0, out: /^epoch 2: \d+ data keys {2}wraps new keys\n$/ })
    const never = join(folder(), 'data')
    t.match(await admin(never, 'restore', place), { code: 0 })
    for (const file of ['keys.json', 'erasures.jsonl']) copyFileSync(join(dataDir, file), join(never, file))
    oneLine(t, await serving(never), /^KEY_FILE .+ does not open the data of this database/)
    const sql = await superuserOf(never)
    const rows = await sql`select id, epoch, wrapped from data_keys where case_id = ${gone}`
    await sql.end()
    process.kill(pidOf(never), 'SIGQUIT')
    while (existsSync(postmaster(never))) await wait(20)
    const open = (path: string) => readKeys(path).dataKey(rows[0] as never)
    t.ok(open(keyFile), 'the old key file would open it')
    t.throws(() => open(join(never, 'keys.json')), /the key file has no epoch 1/)
  },
)
