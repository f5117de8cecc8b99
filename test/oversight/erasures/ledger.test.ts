// An erased file stays erased after a restore of any backup.
import { appendFileSync, copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { findings } from '../../../src/oversight/audit/holds.ts'
import { eraseApproved } from '../../../src/oversight/erasures/erase.ts'
import { type ErasureRecord, Ledger } from '../../../src/oversight/erasures/ledger.ts'
import { createKeyFile, passingKeys, readKeys } from '../../../src/platform/access/keys.ts'
import { folder, oneLine, run } from '../../programs/start/program.ts'
import { erased } from '../../support/erasing.ts'
import { register } from '../../support/procedure.ts'
import { ledgerOf, startService } from '../../support/service.ts'
import { socket } from '../../support/socket.ts'

const erasure = (case_id: string, holder_id: string, more: Partial<ErasureRecord> = {}): ErasureRecord => ({
  id: crypto.randomUUID(),
  case_id,
  holder_id,
  file: true,
  legal_basis: 'consent_withdrawn',
  requested_by: crypto.randomUUID(), // not an account of this database
  requested_at: '2026-01-01T00:00:00+00:00',
  settled_by: crypto.randomUUID(),
  settled_at: '2026-01-02T00:00:00+00:00',
  ...more,
})

t.test('the service does not start on a database older than an erasure, until the file is erased again', async t => {
  const place = folder()
  const KEY_FILE = join(place, 'keys.json')
  createKeyFile(KEY_FILE)
  const keys = readKeys(KEY_FILE)
  const service = await startService(t, { keys })
  const { as, db, superuser, endpoint } = service
  const url = (user: string) =>
    `postgres://${user}@localhost/${endpoint(user).database}?host=${encodeURIComponent(socket)}`
  const server = () => run('src/programs/server.ts', { DATABASE_URL: url('app'), KEY_FILE }).ended
  const admin = (...args: string[]) =>
    run('src/programs/admin.ts', { DATABASE_OWNER_URL: url('owner'), KEY_FILE }, args).ended
  const [asel, dina, zarina] = [
    await as('caseworker', 'sunrise'),
    await as('supervisor', 'sunrise'),
    await as('caseworker', 'common-home'),
  ]
  const [one, other, third] = [await register(asel), await register(asel), await register(zarina)]
  await asel.post(`/v1/cases/${other.id}/notes`, { text: 'Comes back on Monday' })

  oneLine(t, await server(), /^ERASURE_LEDGER \S+erasures.jsonl does not exist.+create-ledger\n$/)
  oneLine(t, await admin('restore-check'), /^ERASURE_LEDGER .+ does not exist/)
  t.match(await admin('create-ledger'), { code: 0 })
  oneLine(t, await admin('create-ledger'), /exists already/)
  const ledger = new Ledger(join(place, 'erasures.jsonl'), keys)
  await t.resolves(eraseApproved(db, ledger))

  const later = erasure(one.id, asel.organisation.id)
  ledger.append([later, erasure(crypto.randomUUID(), asel.organisation.id)])
  oneLine(t, await server(), /^This database is from before 1 of the erasures in ERASURE_LEDGER .+ restore-check/)
  t.match((await one.read(asel)).person.identity.sex, 'male')
  t.match(await admin('restore-check'), {
    code: 0,
    out: /^Repeated 1 of the 2 erasures in ERASURE_LEDGER and added 0/,
  })
  t.same((await one.read(asel)).person, {})
  t.match((await other.read(asel)).person.identity.sex, 'male', 'other files are unchanged')
  t.match((await third.read(zarina)).person.identity.sex, 'male')
  await t.resolves(eraseApproved(db, ledger))
  t.match(await admin('restore-check'), { code: 0, out: /^Repeated [01] of .+ added 0/ })
  t.same(await findings(endpoint('owner')), [])
  const [again] =
    await superuser`select convert_from(content, 'UTF8')::jsonb as e from entries where operation = 'admin.eraseAgain'`
  t.match(again?.e, { cases: [one.id], target: later.id })
  t.match((await asel.get(`/v1/erasures/${later.id}`)).json(), { state: 'done', requestedBy: null, settledBy: null })

  await third.step(zarina, { action: 'start_assessment', occurredOn: '2021-03-08' })
  await third.step(zarina, { action: 'withdraw' })
  copyFileSync(ledger.path, service.ledger.path) // else the service refuses to erase
  const kamila = await as('supervisor', 'common-home')
  const done = await erased(zarina, kamila, third.id)
  oneLine(t, await server(), /^ERASURE_LEDGER .+ lacks 1 erasures of this database/)
  t.match(await admin('restore-check'), { code: 0, out: /^Repeated 0 of the 2 .+ added 1/ })
  t.equal(ledger.read().at(-1)?.id, done.id)
  await t.resolves(eraseApproved(db, ledger))

  // The restored database has a request for an erasure that the ledger has as done: the request is rejected.
  await other.step(asel, { action: 'start_assessment', occurredOn: '2021-03-08' })
  await other.step(asel, { action: 'withdraw' })
  const asked = await asel.post(`/v1/cases/${other.id}/erasures`, { legalBasis: 'unlawful', reason: 'x' })
  ledger.append([erasure(other.id, asel.organisation.id)])
  t.match(await admin('restore-check'), { code: 0, out: /^Repeated 1 of/ })
  t.match((await dina.get(`/v1/erasures/${asked.json().id}`)).json(), { state: 'rejected' })
  t.same((await other.read(asel)).person, {})
})

t.test('the ledger refuses lines written with other keys, and ignores a line that a crash cut', async t => {
  const keys = passingKeys()
  const ledger = ledgerOf(t, keys)
  const lines = [1, 2, 3].map(() => erasure(crypto.randomUUID(), crypto.randomUUID()))
  ledger.append(lines.slice(0, 2))
  appendFileSync(ledger.path, '{"erasure":{"id":"01')
  t.same(ledger.read(), lines.slice(0, 2))
  ledger.append(lines.slice(2))
  ledger.append(lines.slice(2))
  t.same(ledger.read(), lines, 'each erasure once, in order')
  const text = readFileSync(ledger.path, 'utf8')
  t.notMatch(text, 'Құлқан')
  const refused = (changed: string, number: number) => {
    writeFileSync(ledger.path, changed)
    t.throws(() => ledger.read(), { message: new RegExp(`line ${number} was not written with this KEY_FILE$`) })
  }
  const [first = '', second = ''] = text.split('\n')
  refused(text.replace(lines[1]?.case_id ?? '', crypto.randomUUID()), 2)
  refused(`${second.slice(0, -9)}\n${first}\n`, 1)
  refused(`${first}\n{}\n`, 2)
  writeFileSync(ledger.path, text)
  t.throws(() => new Ledger(ledger.path, passingKeys()).read(), /line 1 was not written/)
  const elsewhere = new Ledger(`${ledger.path}.elsewhere`, keys)
  t.throws(() => elsewhere.read(), /does not exist/)
  t.throws(() => elsewhere.append(lines), { code: 'ENOENT' }, 'an erasure fails without the file')
  Ledger.create(elsewhere.path)
  t.same(elsewhere.read(), [])
  rmSync(elsewhere.path)
})
