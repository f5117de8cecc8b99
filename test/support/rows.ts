import { z } from 'zod'
import type { Watcher } from '../../src/platform/db/database.ts'

/** The JavaScript type of a column, by the OID of its type (`pg_type.oid`): a type of JSON Schema, bytes, or any. */
const types: Record<number, string> = {
  16: 'boolean', // bool
  17: 'bytes', // bytea
  20: 'string', // int8
  21: 'integer', // int2
  23: 'integer', // int4
  25: 'string', // text
  114: 'any', // json
  700: 'number', // float4
  701: 'number', // float8
  1000: 'array', // bool[]
  1005: 'array', // int2[]
  1007: 'array', // int4[]
  1009: 'array', // text[]
  1015: 'array', // varchar[]
  1016: 'array', // int8[]
  1043: 'string', // varchar
  1082: 'string', // date
  1184: 'string', // timestamptz
  1700: 'string', // numeric
  2950: 'string', // uuid
  2951: 'array', // uuid[]
  3802: 'any', // jsonb
}

type JsonSchema = { $ref?: string; anyOf?: JsonSchema[]; oneOf?: JsonSchema[]; type?: string | string[] }

/** What a declared column may be: types of JSON Schema, and bytes for what JSON cannot represent. */
function declaredAs(column: z.ZodType): string[] {
  const { $defs = {}, ...schema } = z.toJSONSchema(column, { unrepresentable: 'any', io: 'output' })
  const of = ({ $ref, anyOf, oneOf, type = 'bytes' }: JsonSchema): string[] =>
    $ref ? of($defs[$ref.replace('#/$defs/', '')] as JsonSchema) : ((anyOf ?? oneOf)?.flatMap(of) ?? [type].flat())
  return of(schema as JsonSchema)
}

/** Compares the names, and the types with a known OID; the OID of an enum is not known, so its values are checked instead. */
function compareColumns({ shape }: z.ZodObject, columns: Parameters<Watcher>[1]['columns']): void {
  const declared = Object.keys(shape).sort().join()
  const returned = columns.map(({ name }) => name).sort()
  if (declared !== returned.join())
    throw new Error(`The row type declares ${declared}, and the statement returns ${returned}`)
  for (const { name, type } of columns) {
    const [given, described = 'any'] = [declaredAs(shape[name] as z.ZodType), types[type]]
    const fits = given.includes(described) || (described === 'integer' && given.includes('number'))
    if (described !== 'any' && !fits)
      throw new Error(`The row type declares ${name} as ${given}, and PostgreSQL describes ${described}`)
  }
}

/** The columns with which each row type was last compared. */
const compared = new WeakMap<z.ZodObject, string>()

/** Compares the declared type of rows with the columns that PostgreSQL describes, and checks each row against the type. */
export const checkRows: Watcher = (row, rows) => {
  const columns = rows.columns.map(({ name, type }) => `${name} ${type}`).join()
  if (compared.get(row) !== columns) compareColumns(row, rows.columns)
  compared.set(row, columns)
  for (const one of rows) {
    const { error } = row.safeParse(one)
    if (error)
      throw new Error(
        `A row is not of its declared type: ${error.issues.map(i => `${i.path.join('.')}: ${i.message}`)}`,
      )
  }
}
