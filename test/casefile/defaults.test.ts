// What the service fills in, so that a caseworker need not.
import t from 'tap'
import { following, offering, register } from '../support/procedure.ts'
import { idempotencyKey, ifMatch, registration, startService } from '../support/service.ts'

const { formVersion: _form, ...consent } = registration().basis
/** A day so many days or years after today, in the time zone of the installation. */
const after = (days: number, years = 0) => {
  const at = new Date(Date.now() + days * 86_400_000)
  at.setUTCFullYear(at.getUTCFullYear() + years)
  return new Intl.DateTimeFormat('sv', { timeZone: 'Asia/Almaty' }).format(at)
}

t.test('a registration needs no day, no form and no kind of name', async t => {
  const { as } = await startService(t)
  const asel = await as('caseworker', 'sunrise')
  const { registeredOn: _day, ...given } = registration()
  const [{ kind: _kind, ...name } = { kind: '' }] = given.person.identity.names
  const body = (more: object) => ({
    ...given,
    basis: consent,
    person: { identity: { ...given.person.identity, names: [name], ...more } },
  })
  const made = await asel.post('/v1/cases', body({}), idempotencyKey())
  t.match(made.json(), {
    registeredOn: after(0),
    basis: { formVersion: '2026-1' },
    person: { identity: { names: [{ kind: 'official', ...name }] } },
  })
  const born = { birth: { precision: 'day', date: after(1) } }
  t.match((await asel.post('/v1/cases', body(born), idempotencyKey())).json(), {
    status: 400,
    errors: [{ pointer: '#/basis/representative' }, { pointer: '#/person/identity/birth/date' }],
  })
})

t.test('a grant needs no last day and no form; one given onward ends with the grant that it comes from', async t => {
  const { as } = await startService(t)
  const [asel, marta, zarina] = [
    await as('caseworker', 'sunrise'),
    await as('caseworker', 'iom'),
    await as('caseworker', 'common-home'),
  ]
  const { id } = await register(asel)
  const give = (who: typeof asel, to: typeof asel, more: object) =>
    who.post(
      `/v1/cases/${id}/grants`,
      { to: to.organisation.id, purpose: 'legal_aid', zones: ['identity'], ...more },
      idempotencyKey(),
    )
  const year = (await give(asel, zarina, { basis: consent })).json()
  t.match(year, { state: 'open', formVersion: '2026-1' })
  t.equal(
    after(0, 1),
    new Intl.DateTimeFormat('sv', { timeZone: 'Asia/Almaty' }).format(Date.parse(year.validUntil) - 1),
  )

  const short = (await give(asel, marta, { basis: consent, validUntil: after(9), onward: true })).json()
  await asel.post(`/v1/grants/${year.id}/revocation`, {}, ifMatch(1))
  t.match((await give(marta, zarina, {})).json(), { state: 'open', validUntil: short.validUntil, parentId: short.id })
})

t.test('a registered case is submitted at once, by default to determine the status', async t => {
  const { as } = await startService(t)
  const [asel, bolat] = [await as('caseworker', 'sunrise'), await as('officer', 'almaty-city')]
  const grant = { zones: ['identity'], basis: consent }
  for (const [more, purpose] of [
    [{}, 'status_determination'],
    [{ purpose: 'birth_registration' }, 'birth_registration'],
  ] as const) {
    const one = await register(asel)
    const offer = await offering(one, asel, {
      kind: 'submission',
      to: bolat.organisation.id,
      grant: { ...grant, ...more },
    })
    t.match(offer.json(), { state: 'offered', preview: { purpose } })
    t.match(await one.read(asel), { state: 'submitted' })
    const decision = `/v1/referrals/${offer.json().id}/decision`
    t.equal((await bolat.post(decision, { decision: 'accept' }, ifMatch(1))).statusCode, 200)
    t.match(await following(one.id).read(bolat), { state: 'verification', person: { identity: {} } })
  }
  const one = await register(asel)
  t.match((await offering(one, asel, { kind: 'service', to: bolat.organisation.id, grant })).json(), {
    status: 400,
    errors: [{ pointer: '#/grant/purpose' }],
  })
})
