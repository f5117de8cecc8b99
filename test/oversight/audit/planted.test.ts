// `admin check` finds what bypassed the service and the triggers. A superuser plants each fault. A finding has a name and
// ids only.
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { findings, holds } from '../../../src/oversight/audit/holds.ts'
import { createKeyFile, readKeys } from '../../../src/platform/access/keys.ts'
import { folder, run } from '../../programs/start/program.ts'
import { register } from '../../support/procedure.ts'
import { ifMatch, startService } from '../../support/service.ts'
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

/** A service with a key file, and the operator's commands on its database. */
async function withCommands(t: Test) {
  const keyFile = join(folder(), 'keys.json')
  createKeyFile(keyFile)
  const service = await startService(t, { keys: readKeys(keyFile) })
  const { database } = service.endpoint('owner')
  const DATABASE_OWNER_URL = `postgres://owner@localhost/${database}?host=${encodeURIComponent(socket)}`
  const admin = (...words: string[]) =>
    run('src/programs/admin.ts', { DATABASE_OWNER_URL, KEY_FILE: keyFile }, words).ended
  return { ...service, admin }
}

t.test('`admin check` prints names of findings and ids', async t => {
  const { as, superuser, admin } = await withCommands(t)
  const { id } = await register(await as('caseworker', 'sunrise'))
  t.match(await admin('check'), { code: 0, out: 'No findings\n', err: '' })
  await superuser`update cases set region_code = 'KZ-61'`
  t.match(await admin('check'), { code: 1, out: `case-differs-from-events {"case":"${id}"}\n`, err: '' })
})

t.test(
  '`admin check` opens what is sealed, and `admin reseal` mends what was sealed for an id in capitals',
  async t => {
    const { as, superuser, admin, keys } = await withCommands(t)
    const asel = await as('caseworker', 'sunrise')
    const { id } = await register(asel)
    const contact = `/v1/cases/${id}/person/contact`
    await asel.put(contact, { phones: ['+77010000000'] }, ifMatch(0))
    const note = (await asel.post(`/v1/cases/${id}/notes`, { text: 'Met her' })).json().id

    /** Seals the value again for another place, as the service did before ids were lowered where they are parsed. */
    const sealedFor = async (place: string, typed: string, table: string, where: string) => {
      const [kept] = await superuser.unsafe(`select v.content, k.id, k.epoch, k.wrapped
      from ${table} v join data_keys k on k.id = encode(substr(v.content, 1, 16), 'hex')::uuid where ${where}`)
      const { content, wrapped, epoch } = kept as unknown as { content: Buffer; wrapped: Buffer; epoch: number }
      const value = keys.open(place, { content: content.toString('base64'), key: wrapped.toString('base64'), epoch })
      const other = keys.dataKey(kept as never).seal(typed, value)
      await superuser.begin(async sql => {
        await sql.unsafe('set local session_replication_role = replica')
        await sql.unsafe(`update ${table} v set content = $1 where ${where}`, [other])
      })
    }
    const ofContact = `v.case_id = '${id}' and zone = 'contact'`
    const ofZone = (id: string) => `zone_versions.content/${id}/contact/1`
    await sealedFor(ofZone(id), ofZone(id.toUpperCase()), 'zone_versions', ofContact)
    const mixed = note.slice(0, 20) + note.slice(20).toUpperCase()
    const ofNote = (id: string) => `note_versions.content/${id}/1`
    await sealedFor(ofNote(note), ofNote(mixed), 'note_versions', `note_id = '${note}'`)
    await superuser`insert into entries (id, at, operation, outcome, case_ids, content)
    values (uuidv7(), now(), 'rewriteNote', 'done', '{}', convert_to(${`{"target": "${mixed}"}`}, 'UTF8'))`
    t.match(await asel.get(contact), { statusCode: 500 })

    const found = `unreadable {"column":"zone_versions.content","row":"${id}/contact/1"}
unreadable {"column":"note_versions.content","row":"${note}/1"}\n`
    for (const words of [['check'], ['check', '--open']])
      t.match(await admin(...words), { code: 1, out: found, err: '' }, words.join(' '))
    t.match(await admin('reseal'), { code: 0, out: 'Sealed again: 2\n', err: '' })
    t.match(await admin('check', '--open'), { code: 0, out: 'No findings\n', err: '' })
    t.match((await asel.get(contact)).json(), { content: { phones: ['+77010000000'] } })
    t.match((await asel.get(`/v1/notes/${note}`)).json(), { text: 'Met her' })
    await t.rejects(superuser`update note_versions set content = content`, { code: 'QJ001' }, 'history is kept again')

    await sealedFor(ofZone(id), ofZone(crypto.randomUUID()), 'zone_versions', ofContact)
    t.match(await admin('reseal'), {
      out: `Sealed again: 0\nOpens with no spelling: zone_versions.content ${id}/contact/1\n`,
    })
  },
)
