// Only an authority imports, and only one function writes what it imports: checked as role app in SQL.
import t from 'tap'
import { inSql } from '../support/in-sql.ts'
import { startService } from '../support/service.ts'

t.test('the role app cannot forge an import in SQL', async t => {
  const service = await startService(t)
  const { as, organisation } = service
  const attempt = inSql(service)
  const [owner, asel] = [await as('officer', 'turkistan'), await as('caseworker', 'sunrise')]
  const event = (action: string, { facts, ...more }: Record<string, unknown>) => {
    const values = {
      case_id: crypto.randomUUID(),
      action,
      occurred_on: '2026-01-01',
      facts: JSON.stringify(facts),
      ...more,
    }
    return `insert into case_events (${Object.keys(values).join(', ')}) values (${Object.values(values)
      .map(value => `'${value}'`)
      .join(', ')})`
  }
  const job = crypto.randomUUID()
  const begin = `insert into jobs (id, kind) values ('${job}', 'import'); insert into imports (job_id, dry_run) values ('${job}', false);
    update jobs set state = 'running' where id = '${job}'`
  t.equal(await attempt(asel, begin), '42501', 'an NGO cannot import')
  const facts = {
    region: 'KZ-75',
    category: 'no_document',
    causes: [],
    basis: { kind: 'statute', legalReference: 'order_607' },
  }
  const registered = event('import_registered', { facts })
  t.equal(await attempt(owner, registered), '23514', 'an event of an import cannot be written directly')
  const ofJob = event('import_decided', { facts: { outcome: 'refused' }, job_id: job, line: 1 })
  t.equal(await attempt(owner, `${begin}; ${ofJob}`), '42501')
  const row = {
    line: 1,
    case_id: crypto.randomUUID(),
    registered_on: '2021-03-04',
    region: 'KZ-75',
    category: 'no_document',
    causes: [],
  }
  const rows = (of: string, more = {}) =>
    `select app.import_rows('${job}', '${JSON.stringify([{ ...row, owner: of, external_hmac: 'aa', ...more }])}')`
  t.equal(await attempt(owner, rows(owner.organisation.id)), 'QJ001 job-over', 'rows need a running job of the account')
  t.equal(await attempt(asel, rows(asel.organisation.id)), 'QJ001 job-over')
  for (const other of [asel.organisation.id, organisation('almaty-city').id])
    t.equal(
      await attempt(owner, `${begin}; ${rows(other)}`),
      'QJ001 invalid-request',
      'the owner must be the importing organisation',
    )
  t.equal(
    await attempt(owner, `${begin}; ${rows(owner.organisation.id, { region: 'KZ-10' })}`),
    'QJ001 invalid-request',
  )
})
