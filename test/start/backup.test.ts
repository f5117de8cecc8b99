// What the operator does by hand with the embedded database: keys, backup, restore.
import { copyFileSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { createKeyFile } from '../../src/access/keys.ts'
import { Client } from '../../src/demo/client.ts'
import { accountsOf, folder, oneLine, run, start } from './program.ts'

const canary = 'Қарлығаш48151623'

function* filesIn(path: string): Generator<string> {
  for (const entry of readdirSync(path, { withFileTypes: true }))
    if (entry.isDirectory()) yield* filesIn(join(path, entry.name))
    else yield join(path, entry.name)
}
const holding = (path: string, word: string) => [...filesIn(path)].filter(file => readFileSync(file).includes(word))

t.test(
  'a backup taken beside the service holds every case of before, sealed, and opens with its key file only',
  async t => {
    const dataDir = join(folder(), 'data')
    const admin = (DATA_DIR: string, ...args: string[]) => run('src/admin.ts', { DATA_DIR }, args).ended
    const service = await start(dataDir)
    const accounts = accountsOf(dataDir)
    const asel = accounts.find(({ email }) => email === 'asel@sunrise.example')
    if (!asel) throw new Error('no caseworker')
    const client = await Client.signIn(service.address, asel)
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
    service.child.kill('SIGTERM')
    await service.ended
    t.match(await admin(dataDir, 'keys', 'list'), { code: 0, out: /^epoch 1: \d+ data keys/ }, 'also when nothing runs')

    t.same(holding(place, canary), [], 'no name stands in the backup')
    t.same(holding(dataDir, canary), [], 'nor in the folder that it is of')
    t.same(
      [...filesIn(place)].filter(file => file.endsWith('keys.json')),
      [],
      'nor are the keys there',
    )
    t.ok(holding(place, 'asel@sunrise.example').length, 'what stands in clear would be found')

    const restored = join(folder(), 'data')
    t.match(await admin(restored, 'restore', place), { code: 0, err: '' })
    oneLine(t, await admin(restored, 'restore', place), /holds a database already/)
    oneLine(t, await admin(join(folder(), 'data'), 'restore', folder()), /is no backup/)
    const keyFile = join(restored, 'keys.json')
    createKeyFile(keyFile)
    oneLine(
      t,
      await run('src/server.ts', { DATA_DIR: restored }).ended,
      /^KEY_FILE .+ does not open what this database keeps/,
    )
    copyFileSync(join(dataDir, 'keys.json'), keyFile)
    const again = await start(restored)
    const reader = await Client.signIn(again.address, asel)
    for (const id of before) {
      const found = await reader.get<{ person: { identity: { names: { family: string }[] } } }>(`/v1/cases/${id}`)
      t.equal(found.person.identity.names[0]?.family, canary)
    }
    again.child.kill('SIGTERM')
    t.equal((await again.ended).code, 0)
  },
)
