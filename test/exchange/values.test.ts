// What is refused, and what is accepted with a notice: the same at both doors, and as docs/values.md says.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { rowsOf } from '../../src/exchange/imports/file.ts'
import { columnAt } from '../../src/exchange/imports/row.ts'
import { file, imported, row } from '../support/imports.ts'
import { decision, following } from '../support/procedure.ts'
import { idempotencyKey, ifMatch, intake, type Someone, startService } from '../support/service.ts'
import { type Value, values } from './values.ts'

type Problem = { status?: number; errors?: { pointer: string }[]; notices?: { code: string }[] }

const columnOf = (pointer: string) =>
  columnAt(pointer.replace(/^#\/person/, '#').replace(/^#\/(?!identity)/, '#/case/'))
const sorted = (words: Iterable<string>) => [...new Set(words)].sort().join()

t.test('the API and the import have the same verdict on the same values', async t => {
  const service = await startService(t)
  const officer = await service.as('officer', 'turkistan')
  const both = values.filter(({ row }) => row)
  t.ok(both.length >= 200, `${both.length} values`)
  const rows = both.map((value, i) => row({ externalId: `value-${i}`, ...value.row }))
  const { rejected, rejectedRows } = await imported(service, officer, file(rows))
  const refusedAt = Map.groupBy(await allRejected(officer), ({ line }) => line)
  t.equal(refusedAt.size, rejectedRows)
  t.ok(rejected.length)
  const lines = await linesOf(file(rows))
  for (const [i, { what, refused, body, field }] of both.entries()) {
    const imports = sorted((refusedAt.get(lines[i] ?? 0) ?? []).map(({ field }) => field))
    const { errors = [] }: Problem = (await officer.post('/v1/cases', body, idempotencyKey())).json()
    t.same(
      [imports !== '', imports],
      [refused, sorted(errors.map(({ pointer }) => columnOf(pointer)))],
      `${field}: ${what}`,
    )
  }
})

/** The lines at which the rows of a file end: a row may have line breaks. */
async function linesOf(text: string): Promise<number[]> {
  const rows = rowsOf()
  rows.end(text)
  const lines: number[] = []
  for await (const { info } of rows) lines.push(info.lines)
  return lines
}

async function allRejected(officer: Someone) {
  const { id } = (await officer.get('/v1/jobs')).json().items[0]
  const [, ...found] = (await officer.get(`/v1/jobs/${id}/rejected`)).body.trimEnd().split('\n')
  return found.map(fault => ({ line: Number(fault.split(',')[0]), field: String(fault.split(',')[1]) }))
}

t.test('every other value gets its verdict and its notices from the API', async t => {
  const { as, organisation } = await startService(t)
  const [asel, nurlan, kairat] = [
    await as('caseworker', 'sunrise'),
    await as('officer', 'turkistan'),
    await as('supervisor', 'turkistan'),
  ]
  const { id } = (await nurlan.post('/v1/cases', intake(), idempotencyKey())).json()
  const one = following(id)
  for (const action of ['start_assessment', 'take_up']) await one.step(nurlan, { action, occurredOn: '2021-03-08' })
  await one.together(nurlan, kairat, { ...decision, occurredOn: '2021-05-03' })
  await one.step(nurlan, { action: 'open_documentation', occurredOn: '2021-05-03' })
  const basis = { kind: 'consent', method: 'written', language: 'kk', formVersion: '2026-1' }
  const own = (await asel.post('/v1/cases', { ...intake(), basis }, idempotencyKey())).json().id
  const zone = async (name: string, body: object) => {
    const { version } = (await nurlan.get(`/v1/cases/${id}/person/${name}`)).json()
    return nurlan.put(`/v1/cases/${id}/person/${name}`, body, ifMatch(version))
  }
  const send: Record<Value['contract'], (body: object) => ReturnType<Someone['post']>> = {
    Registration: body => nurlan.post('/v1/cases', body, idempotencyKey()),
    Contact: body => zone('contact', body),
    Protection: body => zone('protection', body),
    async NewGrant(body) {
      const given = await asel.post(`/v1/cases/${own}/grants`, { ...body, to: organisation('iom').id })
      if (given.statusCode === 201) await asel.post(`/v1/grants/${given.json().id}/revocation`, {}, ifMatch(1))
      return given
    },
    async NewDocument(body) {
      const proposed = await one.propose(nurlan, body)
      if (proposed.statusCode === 201)
        await nurlan.post(`/v1/proposals/${proposed.json().id}/rejection`, { reason: 'A test' }, ifMatch(1))
      return proposed
    },
  }
  for (const { contract, field, what, refused, notices = [], body } of values.filter(({ row }) => !row)) {
    const response = await send[contract](body)
    const said: Problem = response.json()
    t.same(
      [response.statusCode === 400, sorted(said.notices?.map(({ code }) => code) ?? [])],
      [refused, sorted(notices)],
      `${contract}, ${field}: ${what}`,
    )
    if (refused) t.match(said.errors?.[0]?.pointer, new RegExp(field.split('.').at(-1) ?? ''), 'with its place')
  }
})

const place = 'docs/values.md'
const bulleted = (kinds: readonly Value[]) => [...new Set(kinds.map(({ what }) => what))].join('; ')
const noticed = (kinds: readonly Value[]) =>
  [...new Set(kinds.map(({ what, notices = [] }) => `${what}: \`${notices.join('`, `')}\``))].join('; ')

const tables = [...Map.groupBy(values, ({ contract }) => contract)].map(([contract, ofContract]) =>
  [
    `## ${contract}\n`,
    '| field | refused | accepted | accepted, with a notice |\n|---|---|---|---|',
    ...[...Map.groupBy(ofContract, ({ field }) => field)].map(([field, kinds]) => {
      const [odd, rest] = [kinds.filter(kind => kind.notices?.length), kinds.filter(kind => !kind.notices?.length)]
      const [bad, good] = [rest.filter(({ refused }) => refused), rest.filter(({ refused }) => !refused)]
      return `| \`${field}\` | ${bulleted(bad)} | ${bulleted(good)} | ${noticed(odd)} |`
    }),
    '',
  ].join('\n'),
)
const text = `# What is refused, and what is accepted with a notice

The API and the import judge by the same contracts. What cannot be is refused, with a pointer to the field (API) or with the
line and the column (import). What people and their papers say may contradict itself: it is stored, and \`notices\` in the
reply to the write and on the case have a code of the list \`notice\` and a pointer. A notice never has a value, and is
computed from the zones that are open to the reader. An empty cell of an import counts as missing.

The link between a child and a parent has the notice \`older_than_parent\` if their identities say so and both are open to
the reader; a document that names another birth date or sex has the notices of an IIN.

The tables are made from the values of \`test/exchange/values.ts\`, which a test sends through both doors. To write them
again, delete this file and run the test.

${tables.join('\n')}`

t.test('docs/values.md has these verdicts', async t => {
  if (!existsSync(place)) writeFileSync(place, text)
  t.equal(readFileSync(place, 'utf8'), text)
})
