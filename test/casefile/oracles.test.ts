// No function that the service may call tells a case of others from one that never was.
import t from 'tap'
import { inSql } from '../support/in-sql.ts'
import { assessed, consent, offered, takenUp } from '../support/procedure.ts'
import { idempotencyKey, startService } from '../support/service.ts'

t.test('a function with an id as its only argument returns the same for foreign ids and for none', async t => {
  const { as, superuser } = await startService(t)
  const [asel, zarina, bolat] = [
    await as('caseworker', 'sunrise'),
    await as('caseworker', 'common-home'),
    await as('officer', 'almaty-city'),
  ]
  const one = await assessed(asel)
  const offer = await offered(one, asel, bolat.organisation)
  const given = { to: bolat.organisation.id, purpose: 'case_conference', zones: ['identity'], validUntil: '2031-11-23' }
  const grant = await asel.post(`/v1/cases/${one.id}/grants`, { ...given, basis: consent }, idempotencyKey())
  const moved = await takenUp(bolat)
  const proposed = await moved.propose(bolat, {
    action: 'discontinue',
    reason: 'died',
    reasons: 'x',
  })
  t.equal(proposed.statusCode, 201)
  const foreign = [one.id, moved.id, offer.id, grant.json().id, proposed.json().id]
  const names = await superuser`select oid::regproc::text as name from pg_proc
    where pronamespace = 'app'::regnamespace and oidvectortypes(proargtypes) = 'uuid' and has_function_privilege('app', oid, 'execute')
      -- of organisations and campaigns, which are public; and what the service does for itself
      and proname not in ('own_or_division', 'manages', 'counts_all', 'erase', 'start_retention')`
  t.ok(names.length > 8)
  const ask = inSql({ superuser })
  const rows = (name: string, id: string) => `select from (select r from ${name}('${id}') r) x where x.r is not null`
  for (const { name } of names)
    for (const id of foreign)
      for (const who of [zarina, await as('supervisor', 'common-home')])
        t.equal(await ask(who, rows(name, id)), await ask(who, rows(name, crypto.randomUUID())), name)
  for (const { name } of names.filter(({ name }) => /holds_protection/.test(name)))
    for (const id of foreign)
      t.equal(await ask(zarina, `select from (select ${name}('${id}') r) x where x.r`), 'changed 0')
})
