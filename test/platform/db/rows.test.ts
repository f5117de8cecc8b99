// The check of rows in tests (support/rows.ts) refuses rows that are not of their declared type.
import t from 'tap'
import { z } from 'zod'
import { enterNobody } from '../../../src/platform/db/admission.ts'
import { type SQL, sql } from '../../../src/platform/db/drizzle.ts'
import { startDatabase } from '../../support/service.ts'

const Row = z.object({
  id: z.uuid(),
  kind: z.enum(['ngo', 'iom']),
  day: z.iso.date().nullable(),
  note: z.string().nullable(),
  count: z.int(),
  share: z.number(),
  label: z.object({ en: z.string() }),
  names: z.array(z.string()),
  kinds: z.array(z.string()),
  content: z.instanceof(Buffer),
})

/** Returns a statement that selects a correct row, with some columns replaced. */
const select = (more: Record<string, SQL> = {}, rest = sql``) => {
  const columns = {
    id: sql`uuidv7()`,
    kind: sql`'ngo'::organisation_kind`,
    day: sql`date '2026-12-01'`,
    note: sql`null::text`,
    count: sql`1`,
    share: sql`0.5::float`,
    label: sql`'{"en": "yes"}'::jsonb`,
    names: sql`array['Ann']`,
    kinds: sql`'{ngo}'::organisation_kind[]`,
    content: sql`'\\x00'::bytea`,
    ...more,
  }
  const each = Object.entries(columns).map(([name, value]) => sql`${value} as ${sql.identifier(name)}`)
  return sql`select ${sql.join(each, sql`, `)} ${rest}`
}

t.test('rows of the declared type pass', async t => {
  const { db } = await startDatabase(t)
  for (const statement of [select(), select({ day: sql`null::date` }), select({}, sql`where false`)]) {
    await t.resolves(db.ask(Row, statement))
    await t.resolves(db.transact(enterNobody, tx => tx.rows(Row, statement)))
  }
})

t.test('other rows are refused', async t => {
  const { db } = await startDatabase(t)
  const refused = async (why: RegExp, statement: SQL, row: z.ZodObject = Row) => {
    await t.rejects(db.ask(row, statement), { message: why })
    await t.rejects(
      db.transact(enterNobody, tx => tx.rows(row, statement)),
      { message: why },
    )
  }
  await refused(/declares .* returns .*,more,/, select({ more: sql`1` }))
  await refused(/declares .*,missing,.* returns/, select(), Row.extend({ missing: z.int() }))
  await refused(/declares .* returns/, select({ more: sql`1` }, sql`where false`))
  const wrong: [RegExp, SQL, z.ZodType][] = [
    [/column as string, .* integer/, sql`1`, z.string()],
    [/column as string,null, .* integer/, sql`1`, z.string().nullable()],
    [/column as integer, .* string/, sql`1::bigint`, z.int()],
    [/column as integer, .* number/, sql`1::float`, z.int()],
    [/column as string, .* boolean/, sql`true`, z.string()],
    [/column as string, .* array/, sql`array['a']`, z.string()],
    [/column as string, .* array/, sql`array[uuidv7()]`, z.string()],
    [/column as integer, .* array/, sql`array[1]`, z.int()],
    [/column as array, .* string/, sql`'a'::text`, z.array(z.string())],
    [/column as object, .* string/, sql`'a'::text`, z.object({})],
    [/column as object,null, .* string/, sql`'a'::text`, z.object({}).meta({ id: 'Named' }).nullable()],
    [/column as string, .* bytes/, sql`'a'::bytea`, z.string()],
    [/column as bytes, .* string/, sql`'a'::text`, z.instanceof(Buffer)],
  ]
  for (const [why, value, column] of wrong) {
    await refused(why, sql`select ${value} as column`, z.object({ column }))
    await refused(why, sql`select ${value} as column where false`, z.object({ column }))
  }
  await refused(/kind: /, select({ kind: sql`'division'::organisation_kind` }))
  await refused(/kind: /, select({ kind: sql`'police'::text` }))
  await refused(/id: /, select({ id: sql`null::uuid` }))
  await refused(/label\.en: /, select({ label: sql`'{"en": null}'::jsonb` }))
  await refused(/names: /, select({ names: sql`null::text[]` }))
  await refused(/id: /, sql`${select()} union all ${select({ id: sql`null::uuid` })}`)
})
