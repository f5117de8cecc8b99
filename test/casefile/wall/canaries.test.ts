// A canary in every field that somebody types about consent and referrals: who was there, why, what was said to whom.
import t from 'tap'
import { consent, offered, register } from '../../support/procedure.ts'
import { ifMatch, registration, type Someone, startService } from '../../support/service.ts'
import { readByThief } from '../../support/stolen.ts'

t.test('what was typed is heard by those that it was typed for, and by nobody else', async t => {
  const service = await startService(t)
  const { as, owner: database, lines } = service
  const aina = await as('caseworker', 'sunrise')
  const boss = await as('supervisor', 'sunrise')
  const marta = await as('caseworker', 'iom')
  const dina = await as('caseworker', 'common-home')
  const bolat = await as('officer', 'almaty-city')
  const others = [
    await as('officer', 'turkistan'),
    await as('supervisor', 'committee'),
    await as('coordinator', 'iom'),
    await as('auditor', 'oversight'),
    await as('administrator', 'operator'),
  ]
  const heardBy = new Map<string, readonly Someone[]>()
  let next = 0
  const sing = (...audience: readonly Someone[]) => {
    const canary = `Құлқан${7_300_000 + next++}`
    heardBy.set(canary, audience)
    return canary
  }
  const own = [aina, boss]
  const said = () => ({
    ...consent,
    method: 'oral_with_witness',
    witness: sing(...own),
    interpreter: sing(...own),
    representative: { kind: 'parent', name: sing(...own) },
  })
  const birth = { precision: 'year', year: 2019 }
  const person = { identity: { ...registration().person.identity, birth } }
  const shares = (to: Someone, { basis = said() as object, onward = false } = {}) => ({
    ...{ to: to.organisation.id, purpose: 'legal_aid', zones: ['identity'], validUntil: '2031-11-23', basis, onward },
  })
  // The names of a registration stand with its event.
  const one = await register(aina, { basis: said(), person, grants: [shares(marta, { onward: true })] })
  const vital = {
    kind: 'vital_interest',
    reason: sing(...own),
    representative: { kind: 'guardian', name: sing(...own) },
  }
  const given = [
    await boss.post(`/v1/cases/${one.id}/grants`, shares(dina, { basis: vital })),
    await aina.post(`/v1/cases/${one.id}/grants`, shares(dina)),
  ].map(reply => reply.json().id)
  const revoked = await aina.post(`/v1/grants/${given[1]}/revocation`, { reason: sing(...own) }, ifMatch(1))
  t.equal(revoked.statusCode, 200)
  await one.step(aina, { action: 'start_assessment' })
  const grant = { purpose: 'status_determination', zones: ['identity'], validUntil: '2031-11-23', basis: said() }
  const parties = [...own, bolat]
  const first = await offered(one, aina, bolat.organisation, { grant, message: sing(...parties) })
  t.equal((await first.decide(bolat, 'decline', { reason: 'incomplete', note: sing(...parties) })).statusCode, 200)
  const second = await offered(one, aina, bolat.organisation, {
    grant: { ...grant, basis: said() },
    message: sing(...parties),
  })
  t.equal((await second.decide(bolat, 'accept', { note: sing(...parties) })).statusCode, 200)
  const transfer = { kind: 'transfer', grant: undefined, basis: said(), message: sing(...own, marta) }
  const third = await offered(one, aina, marta.organisation, transfer)

  const grants = (await aina.get(`/v1/cases/${one.id}/grants?limit=200`))
    .json()
    .items.map(({ id }: { id: string }) => id)
  const paths = [
    ...['', '/events', '/grants', '/referrals', '/notes', '/tasks', '/access-log'].map(
      path => `/v1/cases/${one.id}${path}`,
    ),
    ...grants.flatMap((id: string) => [`/v1/grants/${id}`, `/v1/grants/${id}/receipt`]),
    ...[first, second, third].map(({ id }) => `/v1/referrals/${id}`),
    ...['cases', 'grants', 'referrals?box=incoming', 'referrals?box=outgoing', 'tasks', 'audit/entries'].map(
      path => `/v1/${path}`,
    ),
  ]
  const heard = new Set<string>()
  for (const who of [...own, marta, dina, bolat, ...others])
    for (const path of paths) {
      const { body } = await who.get(path)
      for (const [canary, audience] of heardBy)
        if (body.includes(canary)) {
          heard.add(canary)
          if (!audience.includes(who)) t.fail(`${who.email} hears ${canary} at ${path}`)
        }
    }
  const [{ everything = '' } = {}] = await database`
    select string_agg(convert_from(content, 'UTF8'), '') as everything from entries`
  t.same(
    [...heardBy.keys()].filter(canary => (lines.join('') + everything).includes(canary)),
    [],
    'log and entries know none',
  )
  t.same(await readByThief(service.superuser, [...heardBy.keys()]), [], 'nor does whoever has the whole database')
  // Who was there when the person agreed to the transfer is told to the new owner.
  const unheard = [...heardBy.keys()].filter(canary => !heard.has(canary))
  t.equal(unheard.length, 3)
  t.equal((await third.decide(marta, 'accept')).statusCode, 200)
  const { body } = await marta.get(`/v1/cases/${one.id}/events`)
  t.same(
    unheard.filter(canary => !body.includes(canary)),
    [],
    'it hears them',
  )
})
