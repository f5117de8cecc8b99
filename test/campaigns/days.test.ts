import t from 'tap'
import { file, imported, row } from '../support/imports.ts'
import { meanwhile } from '../support/meanwhile.ts'
import { idempotencyKey, ifMatch, intake, startService } from '../support/service.ts'

t.test('a campaign counts registrations within its days only, at both doors', async t => {
  const service = await startService(t)
  const [head, officer] = [await service.as('supervisor', 'committee'), await service.as('officer', 'turkistan')]
  const campaign = { name: 'One year', startsOn: '2020-10-01', endsOn: '2021-09-30' }
  const { id } = (await head.post('/v1/campaigns', campaign)).json()
  const register = async (registeredOn: string) =>
    (await officer.post('/v1/cases', { ...intake(), campaignId: id, registeredOn }, idempotencyKey())).json()
  const detail = 'Expected a day within the campaign'
  for (const day of ['2019-01-01', '2020-09-30', '2021-10-01'])
    t.match(await register(day), { status: 400, errors: [{ pointer: '#/registeredOn', detail }] }, day)
  t.match(await register('2020-10-01'), { campaignId: id })
  const rows = ['2020-09-30', '2021-09-30', '2021-10-01'].map(registeredOn =>
    row({ externalId: registeredOn, registeredOn }),
  )
  t.match(await imported(service, officer, file(rows), `?campaignId=${id}`), {
    registered: 1,
    rejected: [
      { line: 2, field: 'registeredOn', reason: 'Is not within the campaign' },
      { line: 4, field: 'registeredOn', reason: 'Is not within the campaign' },
    ],
  })
  t.match(await imported(service, officer, file(rows)), { registered: 2, existing: 1 }, 'without a campaign any day')

  const change = async (more: object, version: number) =>
    (await head.patch(`/v1/campaigns/${id}`, more, ifMatch(version))).json()
  t.match(await change({ startsOn: '2020-10-02' }, 1), { status: 400, errors: [{ pointer: '#/startsOn' }] })
  t.match(await change({ endsOn: '2021-09-29' }, 1), { status: 400, errors: [{ pointer: '#/endsOn' }] })
  t.match(await change({ name: 'Two years', endsOn: '2022-09-30' }, 1), { version: 2 })
  t.match(await register('2022-01-01'), { campaignId: id })
})

t.test('days that change while a person is registered are compared with that registration', async t => {
  const service = await startService(t)
  const [head, officer] = [await service.as('supervisor', 'committee'), await service.as('officer', 'turkistan')]
  const { id } = (await head.post('/v1/campaigns', { name: 'Two years', startsOn: '2020-01-01' })).json()
  const facts = {
    campaign: id,
    region: 'KZ-75',
    category: 'no_document',
    causes: [],
    basis: { kind: 'statute', legalReference: 'order_607' },
  }
  const registering = `insert into case_events (case_id, action, occurred_on, facts)
    values (uuidv7(), 'register', '2020-02-01', '${JSON.stringify(facts)}')`
  const later = () => head.patch(`/v1/campaigns/${id}`, { startsOn: '2020-03-01' }, ifMatch(1))
  t.match((await meanwhile(service, officer, registering, later)).json(), {
    status: 400,
    errors: [{ pointer: '#/startsOn' }],
  })

  const ending = `update campaigns set ends_on = '2020-06-30', version = 2 where id = '${id}'`
  const register = (registeredOn: string) =>
    officer.post('/v1/cases', { ...intake(), campaignId: id, registeredOn }, idempotencyKey())
  t.match((await meanwhile(service, head, ending, () => register('2020-07-01'))).json(), {
    status: 400,
    errors: [{ pointer: '#/registeredOn' }],
  })
  const ended = `update campaigns set ends_on = '2020-05-31', version = 3 where id = '${id}'`
  const rows = file(['2020-05-31', '2020-06-01'].map(registeredOn => row({ externalId: registeredOn, registeredOn })))
  t.match(await meanwhile(service, head, ended, () => imported(service, officer, rows, `?campaignId=${id}`)), {
    registered: 1,
    rejected: [{ line: 3, field: 'registeredOn' }],
  })
})
