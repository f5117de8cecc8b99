import t from 'tap'
import { file, imported, row } from '../support/imports.ts'
import { startService } from '../support/service.ts'

const csv = { 'content-type': 'text/csv' }

t.test('a dry run writes nothing, and a caseworker cannot import', async t => {
  const service = await startService(t)
  const [officer, caseworker] = [await service.as('officer', 'committee'), await service.as('caseworker', 'sunrise')]
  t.match(await imported(service, officer, file([row({}), row({ externalId: '' })]), '?dryRun=true'), {
    registered: 1,
    rejectedRows: 1,
    dryRun: true,
  })
  t.same((await officer.get('/v1/cases')).json().items, [])
  t.equal((await caseworker.post('/v1/imports', file([]), csv)).statusCode, 403)
  const unknown = `/v1/imports?campaignId=${crypto.randomUUID()}`
  t.equal((await officer.post(unknown, file([]), csv)).statusCode, 400)
})

t.test(
  'a dry run tells nothing about cases that the caller cannot read; a run that writes leaves its entry',
  async t => {
    const service = await startService(t)
    const { as, owner } = service
    const [theirs, own] = [await as('officer', 'turkistan'), await as('officer', 'almaty-city')]
    const documented = {
      outcome: 'kz_citizenship_confirmed',
      decidedOn: '2021-05-01',
      documentType: 'citizen_identity_card',
      documentIssuedOn: '2021-06-01',
    }
    const numbered = (externalId: string, documentNumber: string) => row({ externalId, ...documented, documentNumber })
    await imported(service, theirs, file([numbered('T1', '900000002')]))
    await imported(service, own, file([numbered('O1', '900000003')]))
    const probe = file(['900000001', '900000002', '900000003'].map((number, i) => numbered(`P${i}`, number)))
    t.same((await imported(service, own, probe, '?dryRun=true')).rejected, [
      { line: 4, field: 'documentNumber', reason: 'Is in the register already' },
    ])
    const [holder] = (await theirs.get('/v1/cases')).json().items
    const about = () =>
      owner`select from entries where case_ids @> ${[holder.id]}::uuid[] and account_id = ${own.account}`
    t.equal((await about()).length, 0)
    t.match((await imported(service, own, probe)).rejected, [{ line: 3 }, { line: 4 }])
    t.equal((await about()).length, 1, 'the owner of the case and the auditor see who learned of it')
  },
)
