// `admin check` finds what bypassed the service and the triggers. A superuser plants each fault. A finding has a name and
// ids only.
import t from 'tap'
import { findings, holds } from '../../../src/oversight/audit/holds.ts'
import { run } from '../../programs/start/program.ts'
import { register } from '../../support/procedure.ts'
import { startService } from '../../support/service.ts'
import { socket } from '../../support/socket.ts'
import { plants } from './plants.ts'
import { story } from './story.ts'

t.test('the service causes no finding, and each planted fault causes exactly its own', async t => {
  const service = await startService(t)
  const { superuser, endpoint } = service
  const cases = await story(service)
  t.same(await findings(endpoint('owner')), [])
  const states = await superuser`select distinct state from referrals order by 1`
  t.same(
    states.map(({ state }) => state),
    ['accepted', 'declined', 'ended', 'expired', 'offered', 'recalled'],
  )
  const actions = (await superuser`select distinct action from case_events`).map(({ action }) => action)
  for (const action of ['decide', 'record_document', 'transfer', 'hand_over', 'return', 'withdraw', 'expire'])
    t.ok(actions.includes(action), `the story has ${action}`)

  for (const [finding, how, ...statements] of plants(cases)) {
    const found: string[] = []
    const undone = new Error('undone')
    await superuser
      .begin(async sql => {
        for (const statement of statements) t.notSame((await sql.unsafe(statement)).count, 0, how)
        await sql.unsafe('set local session_replication_role = origin; set local role owner')
        found.push(...(await sql.unsafe(holds)).map(row => row.finding))
        throw undone
      })
      .catch(error => error === undone || Promise.reject(new Error(`${finding}, ${how}`, { cause: error })))
    t.same(found, [finding], how)
  }
  t.same(await findings(endpoint('owner')), [])
})

t.test('`admin check` prints names of findings and ids', async t => {
  const { as, superuser, endpoint } = await startService(t)
  const { id } = await register(await as('caseworker', 'sunrise'))
  const url = `postgres://owner@localhost/${endpoint('owner').database}?host=${encodeURIComponent(socket)}`
  const check = () => run('src/programs/admin.ts', { DATABASE_OWNER_URL: url }, ['check']).ended
  t.match(await check(), { code: 0, out: 'No findings\n', err: '' })
  await superuser`update cases set region_code = 'KZ-61'`
  t.match(await check(), { code: 1, out: `case-differs-from-events {"case":"${id}"}\n`, err: '' })
})
