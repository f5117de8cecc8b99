// What the database itself refuses to the role app in SQL, without the service.
import t from 'tap'
import { inSql } from '../support/in-sql.ts'
import { document, register, takenUp } from '../support/procedure.ts'
import { startService } from '../support/service.ts'

t.test('the role app cannot forge a case in SQL', async t => {
  const { as, superuser } = await startService(t)
  const [owner, supervisor, colleague, stranger] = [
    await as('officer', 'turkistan'),
    await as('supervisor', 'turkistan'),
    await as('supervisor', 'turkistan', 1),
    await as('supervisor', 'almaty-city'),
  ]
  const one = await takenUp(owner)
  const { id } = one
  const attempt = inSql({ superuser })
  const event = (action: string, more: Record<string, unknown> = {}) => {
    const values = { case_id: id, action, occurred_on: '2026-01-01', ...more }
    const columns = Object.keys(values)
    return `insert into case_events (${columns.join(', ')}) values (${Object.values(values)
      .map(value => `'${typeof value === 'object' ? JSON.stringify(value) : value}'`)
      .join(', ')})`
  }
  const proposal = (action: string, facts: object, key = crypto.randomUUID()) =>
    `insert into proposals (id, case_id, action, facts) values ('${key}', '${id}', '${action}', '${JSON.stringify(facts)}')`

  await t.test('only events write rows, and nothing changes the history', async t => {
    for (const who of [owner, supervisor, stranger]) {
      for (const column of ['state', 'owner_id', 'handler_id', 'outcome', 'region_code', 'version', 'final_on'])
        t.equal(await attempt(who, `update cases set ${column} = ${column}`), '42501', column)
      for (const table of [
        'cases',
        'case_access',
        'case_events',
        'event_texts',
        'grants',
        'zone_versions',
        'identifiers',
        'proposals',
        'decisions',
        'documents',
        'relations',
      ]) {
        t.equal(await attempt(who, `delete from ${table}`), '42501', `delete from ${table}`)
        t.equal(await attempt(who, `truncate ${table} cascade`), '42501', `truncate ${table}`)
      }
      for (const table of [
        'case_access',
        'case_events',
        'event_texts',
        'grants',
        'zone_versions',
        'identifiers',
        'proposals',
        'decisions',
        'documents',
      ])
        t.equal(await attempt(who, `update ${table} set case_id = case_id`), '42501', `update ${table}`)
      t.equal(await attempt(who, `insert into cases (id) values (uuidv7())`), '42501')
      for (const table of ['grants', 'case_access', 'decisions'])
        t.equal(await attempt(who, `insert into ${table} (case_id) values ('${id}')`), '42501', `insert into ${table}`)
    }
    t.equal(
      await attempt(supervisor, `update cases set assignee_id = '${owner.account}'`),
      'changed 1',
      'except for the assignee',
    )
    t.equal(
      await attempt(owner, `update cases set assignee_id = '${owner.account}'`),
      'changed 0',
      'only a supervisor assigns',
    )
    t.equal(await attempt(stranger, `update cases set assignee_id = '${stranger.account}'`), 'changed 0')
    t.equal(
      await attempt(supervisor, `update cases set assignee_id = '${stranger.account}'`),
      '23503',
      'the assignee must belong to the owner',
    )
  })

  await t.test('an event has only the facts and states that its action allows', async t => {
    t.equal(await attempt(owner, event('withdraw')), 'changed 1', 'an allowed event is written')
    t.equal(await attempt(owner, event('start_assessment')), 'QJ001 action-not-allowed')
    t.equal(
      await attempt(owner, event('withdraw', { facts: { owner: stranger.organisation.id } })),
      'QJ001 invalid-request',
    )
    for (const fact of ['outcome', 'handler', 'owner', 'finalOn', 'waitingFor', 'campaign', 'basis'])
      t.equal(await attempt(owner, event('amend', { facts: { [fact]: 'x' } })), 'QJ001 invalid-request', fact)
    t.equal(
      await attempt(owner, event('amend', { facts: { region: 'KZ-10' }, occurred_on: '2022-01-01' })),
      'QJ001 invalid-request',
      'Abai was not a region then',
    )
    t.equal(await attempt(owner, event('withdraw', { occurred_on: '2999-01-01' })), 'QJ001 invalid-request')
    t.equal(await attempt(owner, event('withdraw', { occurred_on: '2020-01-01' })), 'QJ001 invalid-request')
    t.equal(await attempt(owner, event('withdraw', { on_version: 1 })), 'QJ001 precondition-failed')
    t.match(await attempt(owner, event('import_documented')), /^QJ001/)
    for (const column of ['id', 'from_state', 'to_state', 'organisation_id', 'account_id'])
      t.equal(await attempt(owner, event('withdraw', { [column]: id })), '42501', column)
    const elsewhere = {
      case_id: crypto.randomUUID(),
      facts: { owner: stranger.organisation.id, region: 'KZ-75', category: 'x', causes: [] },
    }
    t.match(await attempt(owner, event('register', elsewhere)), /^QJ001/, 'an organisation cannot register for another')
  })

  await t.test('a statement writes one event of a case', async t => {
    const both = `insert into case_events (case_id, action, occurred_on) values ('${id}', 'withdraw', '2026-01-01'), ('${id}', 'amend', '2026-01-01')`
    t.equal(await attempt(owner, both), 'QJ001 action-not-allowed')
    const asel = await as('caseworker', 'sunrise')
    const basis = { kind: 'vital_interest', representative: null }
    const fresh = {
      case_id: crypto.randomUUID(),
      facts: { region: 'KZ-75', category: 'no_document', causes: [], basis },
    }
    t.equal(await attempt(asel, event('register', fresh)), 'QJ001 invalid-request', 'an NGO registers by consent')
  })

  await t.test('a step that needs two persons needs two accounts', async t => {
    const outcome = { outcome: 'kz_citizenship_confirmed' }
    t.equal(await attempt(owner, event('decide', { facts: outcome })), 'QJ001 two-persons-required')
    t.equal(
      await attempt(owner, proposal('decide', { outcome: 'refused' })),
      'QJ001 action-not-allowed',
      'only the committee refuses',
    )
    t.equal(
      await attempt(owner, proposal('withdraw', {})),
      'QJ001 action-not-allowed',
      'a step of one person is not proposed',
    )
    for (const action of ['decide', 'discontinue'])
      t.equal(await attempt(owner, proposal(action, {})), 'QJ001 action-not-allowed', `${action} needs an outcome`)
    t.equal(await attempt(stranger, proposal('decide', outcome)), 'QJ001 not-found')
    const made = crypto.randomUUID()
    t.equal(await attempt(supervisor, proposal('decide', outcome, made), true), 'changed 1')
    const confirmation = event('decide', { proposal_id: made })
    t.equal(await attempt(supervisor, confirmation), 'QJ001 same-person')
    t.equal(await attempt(owner, confirmation), 'QJ001 forbidden', 'an officer cannot confirm')
    t.equal(await attempt(stranger, confirmation), 'QJ001 not-found')
    t.equal(
      await attempt(colleague, event('discontinue', { proposal_id: made })),
      'QJ001 not-found',
      'the proposal is for another step',
    )
    const otherwise = event('decide', { proposal_id: made, facts: { outcome: 'stateless_recognised' } })
    t.equal(
      await attempt(
        colleague,
        `${otherwise}; select 1 / (outcome = 'kz_citizenship_confirmed')::int from cases where id = '${id}'`,
      ),
      'changed undefined',
      'the facts of the proposal are used, not those of the event',
    )
    t.equal(await attempt(supervisor, `update proposals set proposed_by = '${owner.account}'`), '42501')
    t.equal(await attempt(colleague, confirmation, true), 'changed 1')
    t.equal(await attempt(colleague, confirmation), 'QJ001 proposal-settled')
    const row = await superuser`update proposals set settled_by = proposed_by where id = ${made}`.catch(
      ({ code }) => code,
    )
    t.equal(row, '23514', 'a check constraint refuses it too')
  })

  await t.test('a hidden case and a missing case get the same reply', async t => {
    const missing = crypto.randomUUID()
    const same = async (text: string) =>
      t.equal(await attempt(stranger, text), await attempt(stranger, text.replaceAll(id, missing)), text)
    for (const action of ['withdraw', 'amend', 'decide', 'annul']) await same(event(action))
    await same(proposal('decide', { outcome: 'refused' }, crypto.randomUUID()))
    for (const version of [1, 2])
      await same(
        `insert into zone_versions (case_id, zone, version, content) values ('${id}', 'identity', ${version}, '{}')`,
      )
    await same(`insert into identifiers (case_id, version, kind, hmac) values ('${id}', 1, 'name', '\\x00')`)
    await same(
      `insert into event_texts (event_id, case_id, organisation_id, content) select id, case_id, organisation_id, '{}' from case_events where case_id = '${id}'`,
    )
    await same(
      `insert into relations (id, case_id, kind, other_id) values (uuidv7(), '${id}', 'child', '${(await register(stranger)).id}')`,
    )
    await same(
      `insert into relations (id, case_id, kind, other_id) values (uuidv7(), '${(await register(stranger)).id}', 'child', '${id}')`,
    )
    for (const table of [
      'cases',
      'case_access',
      'grants',
      'case_events',
      'event_texts',
      'zone_versions',
      'identifiers',
      'proposals',
      'decisions',
      'documents',
    ]) {
      const column = table === 'cases' ? 'id' : 'case_id'
      t.equal(await attempt(stranger, `select from ${table} where ${column} = '${id}'`), 'changed 0', table)
    }
    const aliya = await as('officer', 'committee')
    const above = await register(aliya)
    for (const [from, to] of [
      [above.id, id],
      [id, above.id],
    ]) {
      const made = await superuser`insert into relations (case_id, kind, other_id, organisation_id, made_by)
        values (${from as string}, 'sibling', ${to as string}, ${aliya.organisation.id}, ${aliya.account}) returning id`
      t.equal(
        await attempt(owner, `select from relations where id = '${made[0]?.id}'`),
        'changed 0',
        'a caller who sees only one of the cases sees no link',
      )
      t.equal(await attempt(aliya, `select from relations where id = '${made[0]?.id}'`), 'changed 1')
      await superuser`update relations set ended_at = now(), ended_by = made_by`
    }
    t.equal(await attempt(owner, `select from cases`), 'changed 1')
    const asked = `select app.number_holder(app.org(), '${document().documentType}', '\\x00')`
    t.match(await attempt(stranger, asked), '42501', 'the register answers to no question outside its steps')
  })
})
