// The epochs of the key file: started, resumed after a kill, and destroyed, while a service runs.
import { copyFileSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import { createKeyFile, readKeys } from '../../../src/platform/access/keys.ts'
import { kmsOf } from '../../../src/platform/access/kms.ts'
import { asText } from '../../../src/platform/db/sealed.ts'
import { folder, oneLine, run } from '../../programs/start/program.ts'
import { register } from '../../support/procedure.ts'
import { ifMatch, startDatabase, startService } from '../../support/service.ts'
import { socket } from '../../support/socket.ts'

t.test('an epoch is rotated while the service runs, resumed, and destroyed when it wraps nothing', async t => {
  const KEY_FILE = join(folder(), 'keys.json')
  createKeyFile(KEY_FILE)
  const keys = readKeys(KEY_FILE)
  const { as, superuser, endpoint } = await startService(t, { keys })
  const url = (user: string) =>
    `postgres://${user}@localhost/${endpoint(user).database}?host=${encodeURIComponent(socket)}`
  const admin = (input: string, ...args: string[]) =>
    run('src/programs/admin.ts', { DATABASE_OWNER_URL: url('owner'), KEY_FILE }, ['keys', ...args], { input })
  const asel = await as('caseworker', 'sunrise')
  const cases: Awaited<ReturnType<typeof register>>[] = []
  for (let n = 0; n < 10; n++) cases.push(await register(asel))
  // Enough keys for a rotation to take a while.
  const more = Array.from({ length: 20_000 }, () => {
    const { dataKey, epoch, wrapped } = keys.newDataKey()
    return { id: dataKey.id, epoch, wrapped: asText(wrapped) }
  })
  await superuser`insert into data_keys select id, ${cases[0]?.id ?? ''}, ${asel.organisation.id}, epoch, wrapped
    from jsonb_to_recordset(${JSON.stringify(more)}::text::jsonb) as r(id uuid, epoch int, wrapped bytea)`
  t.match(await admin('', 'list').ended, { code: 0, out: 'epoch 1: 20010 data keys  wraps new keys\n' })
  const old = join(folder(), 'old.json')
  copyFileSync(KEY_FILE, old)

  let rotating = true
  const failed: number[] = []
  let [read, written] = [0, 0]
  const reader = async (which: number) => {
    for (let n = which; rotating; n++) {
      const { statusCode } = await asel.get(`/v1/cases/${cases[n % cases.length]?.id}`)
      read++
      if (statusCode !== 200) failed.push(statusCode)
    }
  }
  const writer = async () => {
    while (rotating) {
      const one = await register(asel)
      const { statusCode } = await asel.put(
        `/v1/cases/${one.id}/person/contact`,
        { phones: ['+77010000000'] },
        ifMatch(0),
      )
      written++
      if (statusCode !== 200) failed.push(statusCode)
    }
  }
  const working = Promise.all([reader(0), reader(3), writer()])
  const rewrapped = async () =>
    (await superuser`select count(*)::int as n from data_keys where epoch = 2`)[0]?.n as number
  const killed = admin('', 'rotate')
  while ((await rewrapped()) < 1_000) await wait(5)
  killed.child.kill('SIGKILL')
  await killed.ended
  t.ok((await rewrapped()) < 20_000, 'killed half-way')
  t.match((await admin('', 'list').ended).out, /^epoch 1: \d+ data keys\nepoch 2: \d+ data keys {2}wraps new keys\n$/)
  oneLine(t, await admin('1\ndestroy\n', 'destroy', '1').ended, /^Epoch 1 wraps \d+ data keys/)
  t.match(await admin('', 'rotate').ended, { code: 0, out: /^Epoch 2 now wraps every data key \(\d+ rewrapped\)/ })
  await wait(200)
  rotating = false
  await working
  t.same(failed, [], 'no request failed')
  t.ok(read > 50 && written > 5, `${read} read, ${written} written`)
  t.match((await admin('', 'list').ended).out, /^epoch 1: 0 data keys\nepoch 2: \d+ data keys {2}wraps new keys\n$/)

  t.match((await admin('1\nno\n', 'destroy', '1').ended).err, /Nothing was destroyed/)
  t.match((await admin('2\n', 'destroy', '1').ended).err, /Nothing was destroyed/)
  oneLine(t, await admin('', 'destroy', '2').ended, /^Epoch 2 is the newest/)
  oneLine(t, await admin('', 'destroy', '7').ended, /KEY_FILE holds the epochs 1, 2/)
  t.match(await admin('1\ndestroy\n', 'destroy', '1').ended, { code: 0, out: /^Removed epoch 1/ })
  t.match(await admin('', 'list').ended, { code: 0, out: /^epoch 2: \d+ data keys {2}wraps new keys\n$/ })
  t.equal(statSync(KEY_FILE).mode & 0o777, 0o600)
  t.equal((await asel.get(`/v1/cases/${cases[0]?.id}`)).statusCode, 200)
  const [one] = more
  const backedUp = { id: one?.id ?? '', epoch: 1, wrapped: Buffer.from((one?.wrapped ?? '').slice(2), 'hex') }
  t.ok(readKeys(old).dataKey(backedUp), 'a copy of the key file opens the backup')
  t.throws(() => readKeys(KEY_FILE).dataKey(backedUp), 'a key file without the epoch does not')
  t.notMatch(readFileSync(KEY_FILE, 'utf8'), JSON.parse(readFileSync(old, 'utf8')).epochs[0].key)

  const other = join(folder(), 'other.json')
  createKeyFile(other)
  const start = (KEY_FILE: string) => run('src/programs/server.ts', { DATABASE_URL: url('app'), KEY_FILE }).ended
  for (const wrong of [old, other])
    oneLine(t, await start(wrong), /^KEY_FILE .+ does not open the data of this database/)
  const entries = await superuser`select operation from entries where operation like 'admin.%' order by at`
  t.same(
    entries.map(({ operation }) => operation),
    ['admin.migrate', 'admin.rotateKeys', 'admin.destroyEpoch'],
  )
})

t.test('a service without the newest epoch in its key file does not wrap keys with an older one', async t => {
  const { as, superuser } = await startService(t)
  const asel = await as('caseworker', 'sunrise')
  const one = await register(asel)
  await superuser`update data_keys set epoch = 2`
  await t.rejects(register(asel), /unavailable/)
  await superuser`update data_keys set epoch = 1`
  t.equal((await asel.get(`/v1/cases/${one.id}`)).statusCode, 200)
})

t.test('with a KMS the key file contains no epoch key in clear, and nothing opens without the KMS', async t => {
  const { endpoint } = await startDatabase(t)
  const place = folder()
  const KEY_FILE = join(place, 'keys.json')
  writeFileSync(join(place, 'kms'), 'tr a-zA-Z n-za-mN-ZA-M') // any reversible command will do
  const kms = { KEY_WRAP: `sh ${place}/kms`, KEY_UNWRAP: `sh ${place}/kms` }
  const admin = (environment: object, ...args: string[]) =>
    run('src/programs/admin.ts', { KEY_FILE, ...environment }, args).ended
  t.equal((await admin(kms, 'create-key-file')).code, 0)
  const [first] = JSON.parse(readFileSync(KEY_FILE, 'utf8')).epochs
  t.match(Object.keys(first), ['epoch', 'wrapped'])
  const commands = kmsOf({ keyWrap: kms.KEY_WRAP, keyUnwrap: kms.KEY_UNWRAP })
  const { dataKey, epoch, wrapped } = readKeys(KEY_FILE, commands).newDataKey()
  t.ok(readKeys(KEY_FILE, commands).dataKey({ id: dataKey.id, epoch, wrapped }))
  const DATABASE_OWNER_URL = `postgres://owner@localhost/${endpoint('owner').database}?host=${encodeURIComponent(socket)}`
  t.match(await admin({ ...kms, DATABASE_OWNER_URL }, 'keys', 'rotate'), { code: 0, out: /^Epoch 2 now wraps/ })
  t.match(JSON.parse(readFileSync(KEY_FILE, 'utf8')).epochs, [{ wrapped: String }, { wrapped: String }])
  oneLine(t, await admin({ DATABASE_OWNER_URL }, 'keys', 'list'), /^An epoch key in KEY_FILE is wrapped by a KMS/)
  const wrong = { ...kms, KEY_UNWRAP: 'echo no', DATABASE_OWNER_URL }
  oneLine(t, await admin(wrong, 'keys', 'list'), /^The output of KEY_UNWRAP is not an epoch key/)
  oneLine(t, await admin({ ...wrong, KEY_UNWRAP: 'exit 3' }, 'keys', 'list'), /^KEY_UNWRAP failed with exit code 3/)
  oneLine(
    t,
    await admin({ KEY_WRAP: 'cat', DATABASE_OWNER_URL }, 'keys', 'list'),
    /^KEY_WRAP and KEY_UNWRAP must be set together/,
  )
})
