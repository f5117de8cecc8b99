import t from 'tap'
import { inSql } from '../support/in-sql.ts'
import { closeTo, openTo } from '../support/opening.ts'
import { register } from '../support/procedure.ts'
import { idempotencyKey, ifMatch, type Service, type Someone, startService } from '../support/service.ts'

const missing = () => crypto.randomUUID()
const byMistake = { reason: 'It is about another person' }

/** Registers a case of one organisation and opens it to another one. */
async function shared({ as, superuser }: Service) {
  const [asel, dina, zarina] = await Promise.all([
    as('caseworker', 'sunrise'),
    as('supervisor', 'sunrise'),
    as('caseworker', 'common-home'),
  ])
  const { id } = await register(asel)
  await openTo(superuser, id, asel, zarina)
  const url = `/v1/cases/${id}/notes`
  const write = async (who: Someone, body: object) => {
    const response = await who.post(url, body)
    t.equal(response.statusCode, 201, response.body)
    return `/v1/notes/${response.json().id}`
  }
  return { id, url, asel, dina, zarina, write }
}

t.test('any account of its organisation rewrites a note', async t => {
  const service = await startService(t)
  const { id, url, asel, dina } = await shared(service)
  const made = await asel.post(url, { text: '  Comes back on Monday ' })
  const note = made.json()
  t.equal(made.statusCode, 201)
  t.equal(made.headers.location, `/v1/notes/${note.id}`)
  t.match(made.headers.etag, /^"1-[\da-f]{16}"$/)
  t.match(note, {
    caseId: id,
    organisation: { id: asel.organisation.id },
    audience: 'organisation',
    text: 'Comes back on Monday',
    struck: false,
    reason: null,
    createdBy: asel.account,
    version: 1,
    allowedActions: ['edit', 'strike'],
  })
  const at = `/v1/notes/${note.id}`
  const text = { text: 'Comes back on Tuesday' }
  t.equal((await dina.put(at, text)).statusCode, 428)
  t.match((await dina.put(at, text, ifMatch(1))).json(), { ...text, createdBy: asel.account, version: 2 })
  t.equal((await asel.put(at, text, ifMatch(1))).statusCode, 412, 'a version that was not read cannot be overwritten')
  t.match((await asel.get(at)).json(), { ...text, version: 2 })
  t.match((await asel.get(`${at}/versions`)).json().items, [
    { version: 2, ...text, writtenBy: dina.account },
    { version: 1, text: 'Comes back on Monday', writtenBy: asel.account },
  ])
  t.match((await asel.post(url, { text: ' ' })).json(), { status: 400, errors: [{ pointer: '#/text' }] })
  t.match((await asel.post(url, { text: 'x', audience: 'all' })).json().errors, [{ pointer: '#/audience' }])
})

t.test('a struck note cannot be changed, and its strike is the last version', async t => {
  const service = await startService(t)
  const { asel, dina, write } = await shared(service)
  const at = await write(asel, { text: 'Of somebody else' })
  t.equal((await dina.post(`${at}/strike`, byMistake)).statusCode, 428)
  t.equal((await dina.post(`${at}/strike`, {}, ifMatch(1))).statusCode, 400)
  t.match((await dina.post(`${at}/strike`, byMistake, ifMatch(1))).json(), {
    struck: true,
    text: null,
    ...byMistake,
    version: 2,
    allowedActions: [],
  })
  const over = { status: 409, type: '/problems/note-struck' }
  t.match((await asel.put(at, { text: 'x' }, ifMatch(2))).json(), over)
  t.match((await asel.post(`${at}/strike`, byMistake, ifMatch(2))).json(), over)
  t.match((await asel.post(`${at}/strike`, byMistake, ifMatch(1))).json(), { status: 412 })
  t.match((await asel.get(`${at}/versions`)).json().items, [
    { version: 2, text: null, ...byMistake, writtenBy: dina.account },
    { version: 1, text: 'Of somebody else', reason: null },
  ])
})

t.test('others read the current text of notes with the audience `case`, and nothing of struck notes', async t => {
  const service = await startService(t)
  const { url, asel, zarina, write } = await shared(service)
  const ours = await write(asel, { text: 'Among us' })
  const open = await write(asel, { text: 'Speaks Uzbek', audience: 'case' })
  await asel.put(open, { text: 'Speaks Karakalpak' }, ifMatch(1))
  const theirs = await write(zarina, { text: 'Of the other ones', audience: 'case' })
  const texts = async (who: Someone, of = url) =>
    (await who.get(of)).json().items.map((note: { text: string | null }) => note.text)
  t.same(await texts(asel), ['Of the other ones', 'Speaks Karakalpak', 'Among us'])
  t.same(await texts(zarina), ['Of the other ones', 'Speaks Karakalpak'])
  t.same(await texts(asel, '/v1/notes'), ['Speaks Karakalpak', 'Among us'])
  t.same(await texts(zarina, '/v1/notes'), ['Of the other ones'])
  t.match((await zarina.get(open)).json(), { createdBy: null, version: 2, allowedActions: [] })
  t.match((await zarina.get(`${open}/versions`)).json().items, [{ version: 2, writtenBy: null }])
  for (const [path, of] of [
    [ours, 404],
    [open, 403],
  ] as const) {
    t.equal(
      (await zarina.put(path, { text: 'x' }, ifMatch(2))).statusCode,
      of,
      'only the organisation of a note changes it',
    )
    t.equal((await zarina.post(`${path}/strike`, byMistake, ifMatch(2))).statusCode, of)
  }
  for (const path of [ours, `${ours}/versions`]) t.equal((await zarina.get(path)).statusCode, 404)
  t.match(
    (await zarina.put(ours, { text: 'x' }, ifMatch(7))).json(),
    { status: 404 },
    'the reply does not depend on the version',
  )

  await asel.post(`${open}/strike`, byMistake, ifMatch(2))
  const { body } = await zarina.get(open)
  t.match(JSON.parse(body), { struck: true, text: null, reason: null, writtenAt: null, version: 3 })
  t.same((await zarina.get(`${open}/versions`)).json().items, [])
  t.same(await texts(zarina), ['Of the other ones', null])
  t.same(await texts(asel), ['Of the other ones', null, 'Among us'])
  t.match((await asel.get(theirs)).json(), { text: 'Of the other ones', createdBy: null })
})

t.test('when the case is no longer open, an organisation still reads its own notes, and none of others', async t => {
  const service = await startService(t)
  const { id, url, asel, zarina, write } = await shared(service)
  const ours = await write(asel, { text: 'Of its owner', audience: 'case' })
  const theirs = await write(zarina, { text: 'Of its guest', audience: 'case' })
  const among = await write(zarina, { text: 'Among its guests' })
  await closeTo(service.superuser, id, zarina)
  t.equal((await zarina.get(url)).statusCode, 404)
  t.equal((await zarina.post(url, { text: 'x' })).statusCode, 404)
  for (const path of [ours, `${ours}/versions`]) t.equal((await zarina.get(path)).statusCode, 404)
  t.equal((await zarina.put(ours, { text: 'x' }, ifMatch(1))).statusCode, 404)
  t.match((await zarina.get(theirs)).json(), { text: 'Of its guest', caseId: id })
  t.match((await zarina.get('/v1/notes')).json().items, [{ text: 'Among its guests' }, { text: 'Of its guest' }])
  t.match((await zarina.get(`${theirs}/versions`)).json().items, [{ version: 1 }])
  t.match((await asel.get(theirs)).json(), { text: 'Of its guest' })

  t.same((await zarina.get(theirs)).json().allowedActions, ['strike'])
  t.match(
    (await zarina.put(theirs, { text: 'x' }, ifMatch(1))).json(),
    { status: 403 },
    'a note for others can no longer be changed',
  )
  t.match((await zarina.post(`${theirs}/strike`, byMistake, ifMatch(1))).json(), { struck: true, ...byMistake })
  t.match((await asel.get(theirs)).json(), { text: null })
  t.same((await zarina.get(among)).json().allowedActions, ['edit', 'strike'])
  t.match((await zarina.put(among, { text: 'Still ours' }, ifMatch(1))).json(), { text: 'Still ours', version: 2 })
})

t.test('a hidden case and a missing case get the same reply', async t => {
  const service = await startService(t)
  const { id, url } = await shared(service)
  const nurlan = await service.as('officer', 'turkistan')
  const plain = ({ instance: _, requestId: __, ...rest }: Record<string, unknown>) => rest
  for (const ask of [
    (of: string) => nurlan.get(of),
    (of: string) => nurlan.post(of, { text: 'x' }),
    (of: string) => nurlan.post(of, { text: 'x', audience: 'case' }, idempotencyKey()),
  ]) {
    const [hidden, never] = [await ask(url), await ask(url.replace(id, missing()))]
    t.equal(hidden.statusCode, 404)
    t.same(plain(hidden.json()), plain(never.json()))
  }
  t.equal((await nurlan.get(`/v1/notes/${missing()}`)).statusCode, 404)
})

t.test('a request that is sent twice writes one note', async t => {
  const service = await startService(t)
  const { url, asel } = await shared(service)
  const key = idempotencyKey()
  const [first, second] = [await asel.post(url, { text: 'Once' }, key), await asel.post(url, { text: 'Once' }, key)]
  t.same([second.statusCode, second.headers.location], [201, first.headers.location])
  t.equal((await asel.post(url, { text: 'Twice' }, key)).statusCode, 422)
  t.equal((await asel.get(url)).json().items.length, 1)
  await asel.post(url, { text: 'Another' })
  const page = await asel.get(`${url}?limit=1`)
  t.match(page.json().items, [{ text: 'Another' }])
  t.match((await asel.get(`${url}?limit=1&cursor=${page.json().nextCursor}`)).json(), {
    items: [{ text: 'Once' }],
    nextCursor: null,
  })
})

t.test('the database enforces the same rules', async t => {
  const service = await startService(t)
  const { id, asel, zarina, write } = await shared(service)
  const nurlan = await service.as('officer', 'turkistan')
  const sql = inSql(service)
  const [ours, open] = [
    await write(asel, { text: 'Among us' }),
    await write(asel, { text: 'For all', audience: 'case' }),
  ].map(path => path.slice('/v1/notes/'.length))
  await asel.put(`/v1/notes/${open}`, { text: 'For all, rewritten' }, ifMatch(1))
  const rewritten = (note = '', version = 1) => `select app.rewrite_note('${note}', ${version}, '{"text": "x"}', false)`
  t.equal(await sql(asel, 'select from notes'), 'changed 2')
  t.equal(await sql(asel, 'select from note_versions'), 'changed 3')
  t.equal(await sql(zarina, 'select from notes'), 'changed 1')
  t.equal(await sql(zarina, 'select from note_versions'), 'changed 1', 'only the current version')
  t.equal(await sql(nurlan, 'select from notes'), 'changed 0')
  t.equal(await sql(nurlan, 'select from note_versions'), 'changed 0')
  t.equal(await sql(zarina, rewritten(ours)), 'QJ001 not-found')
  t.equal(await sql(zarina, rewritten(open, 2)), 'QJ001 forbidden')
  t.equal(await sql(asel, rewritten(ours, 2)), 'QJ001 precondition-failed')
  t.equal(await sql(asel, rewritten(ours)), 'changed 1')
  for (const [who, text] of [
    [nurlan, `insert into notes (id, case_id, audience) values (uuidv7(), '${id}', 'case')`],
    [
      zarina,
      `insert into notes (id, case_id, audience, organisation_id) values (uuidv7(), '${id}', 'case', '${asel.organisation.id}')`,
    ],
    [zarina, `insert into note_versions (note_id, content) values ('${open}', '{"text": "x"}')`],
    [asel, `insert into note_versions (note_id, version, content) values ('${open}', 3, '{"text": "x"}')`],
    [asel, `update notes set audience = 'case'`],
    [asel, `update note_versions set content = '{}'`],
    [asel, `delete from notes`],
    [asel, `delete from note_versions`],
  ] as const)
    t.equal(await sql(who, text), '42501', text)
  await t.rejects(
    service.superuser`update note_versions set content = '{}'`,
    { code: 'QJ001' },
    'versions cannot be changed',
  )
})
