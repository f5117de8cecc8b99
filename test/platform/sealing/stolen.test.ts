// The searches of test/support/stolen.ts find what a thief of the whole database could read.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { folder } from '../../programs/start/program.ts'
import { register } from '../../support/procedure.ts'
import { registration, startService } from '../../support/service.ts'
import { readByThief, readInFiles } from '../../support/stolen.ts'

t.test('a name is found in every table, in clear, in hexadecimal and in base64', async t => {
  const { as, superuser, owner } = await startService(t)
  const asel = await as('caseworker', 'sunrise')
  const name = 'Бақылау62315184' // none of the words that stop-cluster.ts searches for
  await register(asel, { person: registration(name).person })
  t.same(await readByThief(superuser, [name, '62315184']), [], 'a sealed name is not found')
  await owner.unsafe('create table leak (t text, j jsonb, b bytea)')
  for (const leak of [
    { t: `x ${name}` },
    { j: JSON.stringify({ a: [name] }) },
    { b: Buffer.from(`..${name}..`) },
    { t: Buffer.from(name).toString('hex') },
    { t: Buffer.from(name).toString('base64') },
    { t: Buffer.from(`.${name}`).toString('base64') },
    { t: Buffer.from(`..${name} `).toString('base64') },
  ]) {
    await owner`insert into leak ${owner(leak)}`
    t.same(await readByThief(superuser, [name]), [`${name} in leak`], JSON.stringify(leak))
    await owner`truncate leak`
  }
})

t.test('a name is found in every file of a folder, at every position', async t => {
  const place = folder()
  mkdirSync(join(place, 'deep'))
  const path = join(place, 'deep', 'file')
  const name = 'Бақылау62315184'
  const before = Buffer.alloc(16_000_000 - 5, 1) // across the end of a piece
  for (const leak of [name, Buffer.from(name).toString('hex'), Buffer.from(`..${name} `).toString('base64')]) {
    writeFileSync(path, Buffer.concat([before, Buffer.from(leak)]))
    t.same(readInFiles(place, [name, 'Құлқан']), [`${name} in ${path}`])
  }
  writeFileSync(path, before)
  t.same(readInFiles(place, [name]), [])
})
