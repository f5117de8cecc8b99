// What a thief of the whole database would read, and that the test would see it.
import t from 'tap'
import { register } from '../support/procedure.ts'
import { registration, startService } from '../support/service.ts'
import { readByThief } from '../support/stolen.ts'

t.test('a name that stands anywhere in clear, in hexadecimal or in base64 is found', async t => {
  const { as, superuser, owner } = await startService(t)
  const asel = await as('caseworker', 'sunrise')
  const name = 'Қарлығаш48151623'
  await register(asel, { person: registration(name).person })
  t.same(await readByThief(superuser, [name, '48151623']), [], 'sealed, it is not')
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
