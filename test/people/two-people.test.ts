import t from 'tap'
import type { OrganisationKind, Role } from '../../src/platform/access/permissions.ts'
import { approving, asking } from '../support/erasing.ts'
import { assessed } from '../support/procedure.ts'
import { idempotencyKey, ifMatch, type Service, type Someone, startService } from '../support/service.ts'
import { another, post } from './signing-in.ts'

type Invited = {
  email: string
  roles: Role[]
  organisation: { id: string; kind: OrganisationKind }
  enrolmentCode: string
}

const invite = (who: Someone, email: string, roles: Role[], more: object = {}) =>
  who.post('/v1/accounts', { email, name: 'New', roles, ...more })

const enrol = async (service: Service, code: string) =>
  (await post(service.app, '/v1/enrolments', { code, password: another })).statusCode

const find = async (who: Someone, id: string) => (await who.get(`/v1/accounts/${id}`)).json()

const confirm = async (who: Someone, id: string, version?: number) =>
  who.post(
    `/v1/accounts/${id}/confirmation`,
    undefined,
    ifMatch(version ?? ((await find(who, id)).version as number) ?? 1),
  )

/** Sets the password of an invited account with its code, and signs it in. */
async function enrolled(service: Service, { email, roles, organisation, enrolmentCode }: Invited) {
  const status = await enrol(service, enrolmentCode)
  if (status !== 204) throw new Error(`the code was refused: ${status}`)
  return service.signedIn({ email, role: roles[0] ?? 'caseworker', organisation: { name: '', ...organisation } })
}

/** Makes an account of a role that one person gives, and signs it in. */
const made = async (service: Service, who: Someone, email: string, roles: Role[]) =>
  enrolled(service, (await invite(who, email, roles)).json())

const closing = (who: Someone, one: Awaited<ReturnType<typeof assessed>>) =>
  one.propose(who, { action: 'close', reason: 'lost_contact' })

t.test('an account whose code or roles the caller gave is not a second person for 30 days', async t => {
  const service = await startService(t)
  const [dina, pavel] = [await service.as('supervisor', 'sunrise'), await service.as('supervisor', 'sunrise', 1)]
  const child = await made(service, dina, 'child@sunrise.example', ['caseworker'])
  const one = await assessed(child)
  const proposed = await closing(child, one)
  t.equal(proposed.statusCode, 201, proposed.body)
  const { id } = proposed.json()
  t.match((await one.confirm(dina, id)).json(), { status: 403, type: '/problems/same-person' }, 'parent and child')
  t.same((await dina.get(`/v1/proposals/${id}`)).json().allowedDecisions, ['reject'])
  t.same((await pavel.get(`/v1/proposals/${id}`)).json().allowedDecisions, ['confirm', 'reject'])
  t.equal((await one.confirm(pavel, id)).statusCode, 200, 'another supervisor is')

  const two = await assessed(child)
  const again = (await closing(child, two)).json()
  await service.travel(29)
  await service.owner`update proposals set expires_on = expires_on + 60 where id = ${again.id}`
  t.equal((await two.confirm(dina, again.id)).statusCode, 403)
  await service.travel(31)
  t.equal((await two.confirm(dina, again.id)).statusCode, 200, 'after the term')

  const asked = (await asking(child, one.id)).json()
  t.match((await approving(dina, asked.id)).json(), { status: 403, type: '/problems/same-person' }, 'an erasure: never')
})

t.test('new roles count as much as a code, and a code that replaces another one', async t => {
  const service = await startService(t)
  const [dina, asel] = [await service.as('supervisor', 'sunrise'), await service.as('caseworker', 'sunrise')]
  const one = await assessed(asel)
  const code = (await dina.post(`/v1/accounts/${asel.account}/enrolment`)).json().enrolmentCode
  t.equal((await asel.get('/v1/me')).statusCode, 200, 'a code that is not used changes nothing')
  const proposed = (await closing(asel, one)).json()
  t.same((await dina.get(`/v1/proposals/${proposed.id}`)).json().allowedDecisions, ['confirm', 'reject'])
  t.equal(await enrol(service, code), 204)
  t.same((await dina.get(`/v1/proposals/${proposed.id}`)).json().allowedDecisions, ['reject'], 're-enrolled')
  t.equal((await one.confirm(dina, proposed.id)).statusCode, 403)

  const ruslan = await service.as('caseworker', 'sunrise', 1)
  const two = await assessed(ruslan)
  const other = (await closing(ruslan, two)).json()
  await service.owner`update accounts set roles = '{caseworker,supervisor}' where id = ${ruslan.account}`
  const fewer = await dina.patch(`/v1/accounts/${ruslan.account}`, { roles: ['caseworker'] }, ifMatch(1))
  t.match(fewer.json(), { roles: ['caseworker'], waiting: null }, 'fewer roles need no second person')
  t.equal((await two.confirm(dina, other.id)).statusCode, 403, 'roles')
})

t.test('two people give a role that confirms, and enrol its account again', async t => {
  const service = await startService(t)
  const [dina, pavel, kamila, admin] = [
    await service.as('supervisor', 'sunrise'),
    await service.as('supervisor', 'sunrise', 1),
    await service.as('supervisor', 'common-home'),
    await service.as('administrator', 'operator'),
  ]
  const child = await made(service, dina, 'child@sunrise.example', ['caseworker'])
  const ghost = (await invite(dina, 'ghost@sunrise.example', ['supervisor'])).json()
  t.match(ghost, { status: 'invited', waiting: { roles: null, askedBy: dina.account, mayConfirm: false } })
  t.match((await post(service.app, '/v1/enrolments', { code: ghost.enrolmentCode, password: another })).json(), {
    status: 401,
    type: '/problems/code-not-valid',
    detail: 'A second person has to confirm this code first',
  })
  t.equal((await confirm(dina, ghost.id)).statusCode, 403, 'not the one who asked')
  t.equal((await confirm(child, ghost.id, 1)).statusCode, 403, 'nor a child of theirs')
  t.equal((await confirm(kamila, ghost.id, 1)).statusCode, 404, 'nor another organisation')
  t.match(await find(pavel, ghost.id), { waiting: { mayConfirm: true } })
  t.match(await find(admin, ghost.id), { waiting: { mayConfirm: true } }, 'an administrator sees what waits')
  t.equal((await confirm(pavel, ghost.id, 7)).statusCode, 412)
  t.equal((await confirm(pavel, ghost.id)).statusCode, 204)
  t.match(await find(pavel, ghost.id), { roles: ['supervisor'], waiting: null })
  t.match((await confirm(pavel, ghost.id)).json(), { status: 409, type: '/problems/nothing-to-confirm' })
  const second = await enrolled(service, ghost)
  t.equal((await second.get('/v1/me')).statusCode, 200)

  const raised = await dina.patch(`/v1/accounts/${child.account}`, { roles: ['supervisor'] }, ifMatch(2))
  t.match(raised.json(), { roles: ['caseworker'], waiting: { roles: ['supervisor'], mayConfirm: false } })
  t.equal((await confirm(second, child.account)).statusCode, 403, 'an account of the one who asked confirms nothing')
  t.equal((await confirm(dina, child.account)).statusCode, 403)
  const named = await dina.patch(`/v1/accounts/${child.account}`, { name: 'Child' }, ifMatch(3))
  t.match(named.json(), { waiting: { roles: ['supervisor'] } }, 'another change leaves the request')
  t.equal((await confirm(pavel, child.account)).statusCode, 204)
  t.match(await find(pavel, child.account), { roles: ['supervisor'], waiting: null })

  const re = await dina.post(`/v1/accounts/${pavel.account}/enrolment`)
  t.equal(re.statusCode, 201)
  t.equal(await enrol(service, re.json().enrolmentCode), 401, 'a code for a colleague who confirms is not valid alone')
  t.equal((await confirm(second, pavel.account)).statusCode, 403)
  t.equal((await pavel.get('/v1/me')).statusCode, 200)
  const taken = await dina.patch(`/v1/accounts/${child.account}`, { roles: ['caseworker'] }, ifMatch(5))
  t.match(taken.json(), { roles: ['caseworker'] })
  await dina.patch(`/v1/accounts/${child.account}`, { roles: ['supervisor'] }, ifMatch(6))
  t.match((await dina.patch(`/v1/accounts/${child.account}`, { roles: ['caseworker'] }, ifMatch(7))).json(), {
    waiting: null,
  })
  const wrong = await dina.patch(`/v1/accounts/${child.account}`, { roles: ['auditor'] }, ifMatch(8))
  t.match(wrong.json(), { status: 400, errors: [{ pointer: '#/roles' }] })
})

t.test('a code that one person made before the account confirms is not valid afterwards', async t => {
  const service = await startService(t)
  const [dina, pavel, asel] = [
    await service.as('supervisor', 'sunrise'),
    await service.as('supervisor', 'sunrise', 1),
    await service.as('caseworker', 'sunrise'),
  ]
  const { enrolmentCode } = (await dina.post(`/v1/accounts/${asel.account}/enrolment`)).json()
  await dina.patch(`/v1/accounts/${asel.account}`, { roles: ['supervisor'] }, ifMatch(1))
  t.equal((await confirm(pavel, asel.account)).statusCode, 204)
  t.equal(await enrol(service, enrolmentCode), 401)
})

t.test('an administrator founds an organisation, confirms nothing there, and enrols nobody of others', async t => {
  const service = await startService(t)
  const [admin, deputy, samal, dina] = [
    await service.as('administrator', 'operator'),
    await service.as('administrator', 'operator', 1),
    await service.as('auditor', 'oversight'),
    await service.as('supervisor', 'sunrise'),
  ]
  const found = (kind: OrganisationKind, shortName: string) =>
    admin.post('/v1/organisations', {
      kind,
      name: shortName,
      shortName,
      first: { email: `head@${shortName}.example`, name: 'Head' },
    })
  const door = (await found('ngo', 'open-door')).json()
  const head = await enrolled(service, {
    email: 'head@open-door.example',
    roles: ['supervisor'],
    organisation: door,
    enrolmentCode: door.enrolmentCode,
  })
  const second = (await invite(head, 'second@open-door.example', ['supervisor'])).json()
  t.equal((await confirm(admin, second.id, 1)).statusCode, 404, 'the administrator who founded it')
  t.equal((await confirm(deputy, second.id)).statusCode, 204)

  for (const other of [samal, dina])
    t.equal((await admin.post(`/v1/accounts/${other.account}/enrolment`)).statusCode, 404, other.email)
  t.equal(
    (await invite(admin, 'a@oversight.example', ['auditor'], { organisationId: samal.organisation.id })).statusCode,
    404,
  )
  const watcher = (await invite(samal, 'b@oversight.example', ['auditor'])).json()
  t.equal((await confirm(admin, watcher.id)).statusCode, 204, 'an oversight body enrols its own')

  const body = (await found('oversight', 'watch')).json()
  t.equal(await enrol(service, body.enrolmentCode), 401, 'a watcher is not made by one administrator')
  const [ghost] = (await deputy.get('/v1/accounts?limit=200'))
    .json()
    .items.filter(({ email }: { email: string }) => email === 'head@watch.example')
  t.equal((await confirm(deputy, ghost.id)).statusCode, 204)
  t.equal(await enrol(service, body.enrolmentCode), 204)

  const third = (await invite(admin, 'third@operator.example', ['administrator'])).json()
  t.match((await confirm(admin, third.id)).json(), { type: '/problems/same-person' })
  t.equal((await confirm(deputy, third.id)).statusCode, 204)
  const run = (await admin.post('/v1/retention-runs', undefined, idempotencyKey())).json()
  const approval = (who: Someone) => who.post(`/v1/retention-runs/${run.id}/approval`, undefined, ifMatch(1))
  const invented = await enrolled(service, third)
  await service.travel(400)
  t.equal((await approval(invented)).statusCode, 403, 'nor by the account that the first one made')
  t.equal((await approval(deputy)).statusCode, 200)
})

t.test('two administrators bring back a supervisor who is the only one', async t => {
  const service = await startService(t)
  const [admin, deputy, dina, pavel] = [
    await service.as('administrator', 'operator'),
    await service.as('administrator', 'operator', 1),
    await service.as('supervisor', 'sunrise'),
    await service.as('supervisor', 'sunrise', 1),
  ]
  await dina.patch(`/v1/accounts/${pavel.account}`, { status: 'disabled' }, ifMatch(1))
  t.match(await find(admin, dina.account), { email: dina.email }, 'administrators see the only one')
  const code = (await admin.post(`/v1/accounts/${dina.account}/enrolment`)).json().enrolmentCode
  t.equal(await enrol(service, code), 401)
  t.equal((await confirm(admin, dina.account)).statusCode, 403)
  t.equal((await confirm(deputy, dina.account)).statusCode, 204)
  t.equal(await enrol(service, code), 204)
  t.equal((await dina.get('/v1/me')).statusCode, 401, 'older sessions have ended')
})

t.test('nobody asks for what nobody could confirm', async t => {
  const service = await startService(t)
  const [admin, dina] = [await service.as('administrator', 'operator'), await service.as('supervisor', 'sunrise')]
  await service.owner`update accounts set status = 'disabled' where email in ('pavel@sunrise.example', 'deputy@operator.example')`
  await service.owner`insert into account_controls values (${dina.account}, ${admin.account}, 'enrolment')`
  t.match((await invite(dina, 'x@sunrise.example', ['supervisor'])).json(), {
    status: 409,
    type: '/problems/no-second-person',
    detail: /create-administrator/,
  })
  t.match((await admin.post(`/v1/accounts/${dina.account}/enrolment`)).json(), { type: '/problems/no-second-person' })
  const roles = await dina.patch(`/v1/accounts/${dina.account}`, { roles: ['caseworker', 'supervisor'] }, ifMatch(1))
  t.match(roles.json(), { roles: ['caseworker', 'supervisor'] }, 'a role that confirms nothing needs nobody')
})
