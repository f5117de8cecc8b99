import t from 'tap'
import { file, imported, row } from '../support/imports.ts'
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
