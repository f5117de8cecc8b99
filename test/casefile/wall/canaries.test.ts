// A canary in every text field of consent and referrals: names, reasons and messages.
import t from 'tap'
import { consent, offered, register } from '../../support/procedure.ts'
import { ifMatch, registration, type Someone, startService } from '../../support/service.ts'
import { readByThief } from '../../support/stolen.ts'

t.test('texts of consent and referrals are shown only to the organisations that may read them', async t => {
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
  const readers = new Map<string, readonly Someone[]>()
  let next = 0
  const canaryFor = (...audience: readonly Someone[]) => {
    const canary = `Құлқан${7_300_000 + next++}`
    readers.set(canary, audience)
    return canary
  }
  const own = [aina, boss]
  const agreement = () => ({
    ...consent,
    method: 'oral_with_witness',
    witness: canaryFor(...own),
    interpreter: canaryFor(...own),
    representative: { kind: 'parent', name: canaryFor(...own) },
  })
  const birth = { precision: 'year', year: 2019 }
  const person = { identity: { ...registration().person.identity, birth } }
  const shares = (to: Someone, { basis = agreement() as object, onward = false } = {}) => ({
    ...{ to: to.organisation.id, purpose: 'legal_aid', zones: ['identity'], validUntil: '2031-11-23', basis, onward },
  })
  // The names of a registration are texts of its event.
  const one = await register(aina, { basis: agreement(), person, grants: [shares(marta, { onward: true })] })
  const vital = {
    kind: 'vital_interest',
    reason: canaryFor(...own),
    representative: { kind: 'guardian', name: canaryFor(...own) },
  }
  const given = [
    await boss.post(`/v1/cases/${one.id}/grants`, shares(dina, { basis: vital })),
    await aina.post(`/v1/cases/${one.id}/grants`, shares(dina)),
  ].map(reply => reply.json().id)
  const revoked = await aina.post(`/v1/grants/${given[1]}/revocation`, { reason: canaryFor(...own) }, ifMatch(1))
  t.equal(revoked.statusCode, 200)
  await one.step(aina, { action: 'start_assessment' })
  const grant = { purpose: 'status_determination', zones: ['identity'], validUntil: '2031-11-23', basis: agreement() }
  const parties = [...own, bolat]
  const first = await offered(one, aina, bolat.organisation, { grant, message: canaryFor(...parties) })
  t.equal((await first.decide(bolat, 'decline', { reason: 'incomplete', note: canaryFor(...parties) })).statusCode, 200)
  const second = await offered(one, aina, bolat.organisation, {
    grant: { ...grant, basis: agreement() },
    message: canaryFor(...parties),
  })
  t.equal((await second.decide(bolat, 'accept', { note: canaryFor(...parties) })).statusCode, 200)
  const transfer = { kind: 'transfer', grant: undefined, basis: agreement(), message: canaryFor(...own, marta) }
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
  const shown = new Set<string>()
  for (const who of [...own, marta, dina, bolat, ...others])
    for (const path of paths) {
      const { body } = await who.get(path)
      for (const [canary, audience] of readers)
        if (body.includes(canary)) {
          shown.add(canary)
          if (!audience.includes(who)) t.fail(`${who.email} is shown ${canary} at ${path}`)
        }
    }
  const [{ everything = '' } = {}] = await database`
    select string_agg(convert_from(content, 'UTF8'), '') as everything from entries`
  t.same(
    [...readers.keys()].filter(canary => (lines.join('') + everything).includes(canary)),
    [],
    'neither the log nor the audit log contains one',
  )
  t.same(
    await readByThief(service.superuser, [...readers.keys()]),
    [],
    'the whole database without the keys shows none',
  )
  // The names in the basis of a transfer are shown only to the new owner.
  const unread = [...readers.keys()].filter(canary => !shown.has(canary))
  t.equal(unread.length, 3)
  t.equal((await third.decide(marta, 'accept')).statusCode, 200)
  const { body } = await marta.get(`/v1/cases/${one.id}/events`)
  t.same(
    unread.filter(canary => !body.includes(canary)),
    [],
    'the new owner reads them',
  )
})
