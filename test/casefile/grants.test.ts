// Grants: given, passed on, revoked, expired.
import t from 'tap'
import { expireReferrals } from '../../src/procedure/referrals/expire.ts'
import { assessed, consent, offered, register } from '../support/procedure.ts'
import { idempotencyKey, ifMatch, registration, type Someone, startService } from '../support/service.ts'

const legalAid = (to: { id: string }, more: object = {}) => ({
  to: to.id,
  purpose: 'legal_aid',
  zones: ['identity', 'contact'],
  validUntil: '2031-11-23',
  basis: consent,
  ...more,
})
const contact = { contact: { phones: ['+77010000000'] } }
const give = (who: Someone, id: string, body: object) => who.post(`/v1/cases/${id}/grants`, body)
const act = (who: Someone, id: string, action: string, of = 1, body?: object) =>
  who.post(`/v1/grants/${id}/${action}`, body, ifMatch(of))

t.test('a grant opens the zones that it names, and nothing else, until it ends', async t => {
  const service = await startService(t)
  const aina = await service.as('caseworker', 'sunrise')
  const marta = await service.as('caseworker', 'iom')
  const dina = await service.as('caseworker', 'common-home')
  const one = await register(aina, { person: { ...registration().person, ...contact } })
  const given = await give(aina, one.id, legalAid(marta.organisation, { validUntil: '2031-01-31' }))
  t.match(given.json(), {
    from: { id: aina.organisation.id },
    to: { id: marta.organisation.id },
    state: 'open',
    validUntil: '2031-01-31T19:00:00.000Z',
    allowedActions: ['revoke'],
  })
  t.match(await one.read(marta), { person: { contact: {} }, withheld: ['whereabouts', 'protection'], basis: null })
  t.equal((await dina.get(`/v1/cases/${one.id}`)).statusCode, 404)
  t.equal((await dina.get(`/v1/grants/${given.json().id}`)).statusCode, 404)
  await service.travel(3000)
  t.equal((await marta.get(`/v1/cases/${one.id}`)).statusCode, 404, 'the grant has expired')
  t.match((await marta.get('/v1/grants?state=expired')).json(), { items: [{ id: given.json().id }] })
})

t.test('a fault of a grant is reported with its pointer', async t => {
  const service = await startService(t)
  const aina = await service.as('caseworker', 'sunrise')
  const marta = await service.as('caseworker', 'iom')
  const bolat = await service.as('officer', 'almaty-city')
  const one = await register(aina)
  const child = await register(aina, {
    basis: { ...consent, representative: { kind: 'none_yet' } },
    person: { identity: { ...registration().person.identity, birth: { precision: 'year', year: 2020 } } },
  })
  const represented = { representative: { kind: 'parent', name: 'Canary Parent' } }
  const faulty: [string, string, object][] = [
    [one.id, '#/to', legalAid(bolat.organisation)],
    [one.id, '#/to', legalAid(aina.organisation)],
    [one.id, '#/to', legalAid({ id: crypto.randomUUID() })],
    [one.id, '#/validUntil', legalAid(marta.organisation, { validUntil: '2020-01-01' })],
    [one.id, '#/basis', legalAid(marta.organisation, { basis: undefined })],
    [one.id, '#/basis/formVersion', legalAid(marta.organisation, { basis: { ...consent, formVersion: '1999' } })],
    [one.id, '#/basis/witness', legalAid(marta.organisation, { basis: { ...consent, method: 'oral_with_witness' } })],
    [one.id, '#/states', legalAid(bolat.organisation, { purpose: 'consular_inquiry' })],
    [child.id, '#/basis/representative', legalAid(marta.organisation)],
    [
      child.id,
      '#/basis/representative',
      legalAid(marta.organisation, {
        purpose: 'service_referral',
        basis: { ...consent, representative: { kind: 'none_yet' } },
      }),
    ],
  ]
  for (const [id, pointer, body] of faulty) {
    const response = await give(aina, id, body)
    t.match([response.statusCode, response.json().errors?.[0]?.pointer], [400, pointer], JSON.stringify(body))
  }
  const given = await give(
    aina,
    child.id,
    legalAid(marta.organisation, { validUntil: '2045-01-01', basis: { ...consent, ...represented } }),
  )
  t.match(given.json(), {
    validUntil: /^2039-03-31/,
    representative: 'parent',
    particulars: { representative: 'Canary Parent' },
  })
  t.match((await marta.get(`/v1/grants/${given.json().id}`)).json(), { particulars: null })
  const registered = await aina.post(
    '/v1/cases',
    { ...registration(), grants: [legalAid(marta.organisation), legalAid(bolat.organisation)] },
    idempotencyKey(),
  )
  t.match(registered.json(), { errors: [{ pointer: '#/grants/1/to' }] })
  const both = await aina.post(
    '/v1/cases',
    { ...registration(), grants: [legalAid(marta.organisation)] },
    idempotencyKey(),
  )
  t.equal((await marta.get(`/v1/cases/${both.json().id}`)).statusCode, 200)
})

t.test(
  'a revocation closes a grant and those passed on from it at once, and the recipients acknowledge it',
  async t => {
    const service = await startService(t)
    const aina = await service.as('caseworker', 'sunrise')
    const marta = await service.as('caseworker', 'iom')
    const dina = await service.as('caseworker', 'common-home')
    const one = await register(aina)
    const given = (await give(aina, one.id, legalAid(marta.organisation, { onward: true }))).json()
    const onward = (body: object) => give(marta, one.id, { ...legalAid(dina.organisation), basis: undefined, ...body })
    t.equal((await onward({ zones: ['identity', 'whereabouts'] })).statusCode, 403, 'no more zones than it has')
    t.equal((await onward({ validUntil: '2031-11-24' })).statusCode, 403, 'not longer')
    t.equal((await onward({ purpose: 'service_referral' })).statusCode, 403, 'not for another purpose')
    t.equal((await onward({ states: ['UZB'] })).statusCode, 403, 'not across the border')
    const further = (await onward({ zones: ['identity'] })).json()
    t.match(further, { parentId: given.id, method: 'written', onward: false, from: { id: marta.organisation.id } })
    t.equal((await give(dina, one.id, { ...legalAid(marta.organisation), basis: undefined })).statusCode, 403)
    t.match(await one.read(dina), { withheld: ['contact', 'whereabouts', 'protection'] })

    t.match((await act(marta, given.id, 'revocation', 1, {})).json(), { type: '/problems/forbidden' })
    t.match((await act(aina, given.id, 'revocation', 9, {})).json(), { type: '/problems/precondition-failed' })
    const revoked = (await act(aina, given.id, 'revocation', 1, { reason: 'Canary reason' })).json()
    t.match(revoked, {
      state: 'closed',
      closedReason: 'revoked',
      allowedActions: [],
      particulars: { revocation: 'Canary reason' },
    })
    for (const who of [marta, dina]) t.equal((await who.get(`/v1/cases/${one.id}`)).statusCode, 404)
    t.match((await act(aina, given.id, 'revocation', 2, {})).json(), { type: '/problems/grant-over' })
    const late = await act(marta, given.id, 'revocation', 2, { reason: 'The case is theirs no more' })
    t.match(late.json(), { type: '/problems/forbidden' })

    for (const [who, id] of [
      [marta, given.id],
      [dina, further.id],
    ] as const) {
      t.match((await who.get(`/v1/grants/${id}`)).json(), { allowedActions: ['acknowledge'], particulars: null })
      t.match((await act(who, id, 'acknowledgement', 2)).json(), { acknowledgedAt: String, allowedActions: [] })
      t.match((await act(who, id, 'acknowledgement', 3)).json(), { type: '/problems/grant-over' })
    }
    const tasks =
      await service.owner`select done_at is not null as done, organisation_id, case_id from tasks where kind = 'acknowledge_revocation'`
    t.same(
      tasks.map(({ done, case_id }) => [done, case_id]),
      [
        [true, null],
        [true, null],
      ],
    )
    const own = (await aina.get(`/v1/cases/${one.id}/grants`)).json().items.at(-1)
    t.match((await act(aina, own.id, 'revocation', 1, {})).json(), { type: '/problems/grant-not-revocable' })
  },
)

t.test('a grant that is revoked before acceptance leaves nothing', async t => {
  const service = await startService(t)
  const aina = await service.as('caseworker', 'sunrise')
  const bolat = await service.as('officer', 'almaty-city')
  const one = await assessed(aina)
  const referral = await offered(one, aina, bolat.organisation)
  const { grantId } = await referral.read(aina)
  t.match((await aina.get(`/v1/grants/${grantId}`)).json(), { state: 'offered', openedAt: null })
  t.equal((await bolat.get(`/v1/grants/${grantId}`)).statusCode, 404, 'the recipient cannot read it before it opens')
  t.match((await act(aina, grantId, 'revocation', 1, {})).json(), { state: 'closed' })
  t.match(await referral.read(bolat), { state: 'recalled', caseId: null })
  t.match(await one.read(aina), { state: 'assessment' })
  t.equal((await bolat.get(`/v1/grants/${grantId}`)).statusCode, 404)
  t.same(
    await service.owner`select from tasks where kind = 'acknowledge_revocation'`,
    [],
    'it was never open, so there is nothing to acknowledge',
  )
})

t.test('in danger to life a supervisor shares a case, and a second person confirms it', async t => {
  const service = await startService(t)
  const aina = await service.as('caseworker', 'sunrise')
  const boss = await service.as('supervisor', 'sunrise')
  const marta = await service.as('caseworker', 'iom')
  const one = await register(aina)
  const vital = legalAid(marta.organisation, {
    basis: { kind: 'vital_interest', reason: 'Canary danger' },
    validUntil: '2031-01-01',
  })
  t.equal((await give(aina, one.id, vital)).statusCode, 403)
  const given = (await give(boss, one.id, vital)).json()
  t.match(given, { state: 'open', basis: 'vital_interest', allowedActions: ['revoke'] })
  t.equal((await marta.get(`/v1/cases/${one.id}`)).statusCode, 200)
  t.match((await act(boss, given.id, 'confirmation')).json(), { type: '/problems/same-person' })
  const confirmed = (await act(aina, given.id, 'confirmation')).json()
  const hours = (Date.parse(confirmed.validUntil) - Date.parse(confirmed.givenAt)) / 3_600_000
  t.match([Math.round(hours), confirmed.confirmedAt], [72, String])
  const waits = () =>
    service.owner`select done_at is null as open from tasks where kind = 'confirm_vital_interest' order by id`
  t.same([...(await waits())], [{ open: false }], 'the task is done after the confirmation')
  const second = (await give(boss, one.id, vital)).json()
  t.equal(Math.round((Date.parse(second.validUntil) - Date.parse(second.givenAt)) / 3_600_000), 24)
  t.same([...(await waits())], [{ open: false }, { open: true }])
  await service.travel(2)
  t.equal(await expireReferrals(service.db), 0)
  t.same([...(await waits())], [{ open: false }, { open: false }], 'the task ends when the grant expires')
})

t.test('the receipt is in the language of the person, without their name', async t => {
  const service = await startService(t)
  const aina = await service.as('caseworker', 'sunrise')
  const marta = await service.as('caseworker', 'iom')
  const one = await register(aina)
  const { id } = (await give(aina, one.id, legalAid(marta.organisation))).json()
  const json = (await aina.get(`/v1/grants/${id}/receipt`)).json()
  const value = (part: string) => json.facts.find((fact: { part: string }) => fact.part === part)?.value
  t.match(json, { language: 'kk', formVersion: '2026-1', title: 'Сіз немен бөлісуге келістіңіз' })
  t.equal(value('to'), 'IOM Kazakhstan')
  t.match(value('until'), /23/)
  t.equal(value('case'), (await one.read(aina)).number)
  const html = await aina.send('GET')(`/v1/grants/${id}/receipt?language=ru`, undefined, { accept: 'text/html' })
  t.match(html.headers['content-type'], /text\/html/)
  t.match(html.body, /<html lang="ru">/)
  t.notMatch(html.body + JSON.stringify(json), /Әбдіғали|Қайрат/)
})
