// Each string in a request is a code, a day, an id, a text about nobody on file, or is stored as a keyed hash or sealed. All
// of them are listed here; the test fails for a new one that is not.
import t from 'tap'
import { sealedColumns } from '../../../src/casefile/sealed-columns.ts'
import { startService } from '../../support/service.ts'

type Schema = {
  $ref?: string
  type?: string
  enum?: unknown[]
  const?: unknown
  format?: string
  pattern?: string
  properties?: Record<string, Schema>
  items?: Schema
  additionalProperties?: Schema | boolean
  anyOf?: Schema[]
  oneOf?: Schema[]
  allOf?: Schema[]
}
type Document = {
  paths: Record<
    string,
    Record<string, { operationId: string; requestBody?: { content: Record<string, { schema: Schema }> } }>
  >
  components: { schemas: Record<string, Schema> }
}

/** Where strings are stored: the sealed column or the keyed hash; null: in clear (about nobody on file), or nowhere. */
const stored: [field: RegExp, where: string | null][] = [
  [
    /^(signIn|refreshSession|enrol|changePassword|foundOrganisation|changeOrganisation|inviteAccount|changeAccount) /,
    null,
  ],
  [/^(offerSecondFactor|confirmSecondFactor|renewRecoveryCodes|removeSecondFactor) /, null], // only compared
  [/^(createCampaign|changeCampaign) \/name$/, null],
  [/^searchCases /, null], // only searched for; the audit log has a keyed hash
  [/^importRegistrations $/, 'import_chunks.content'],
  [/\/(regionCode|language|formVersion)$/, null], // codes of the reference data
  [/^registerCase \/externalId$/, 'cases.external_hmac'],
  [/^registerCase \/person\//, 'zone_versions.content'],
  [/^put(Identity|Contact|Whereabouts|Protection) /, 'zone_versions.content'],
  [/^(registerCase|takeStep) \/basis\//, 'event_texts.content'],
  [/^registerCase \/grants\//, 'grant_texts.content'],
  [/^(giveGrant|revokeGrant) /, 'grant_texts.content'],
  [/^offerReferral \/grant\//, 'grant_texts.content'],
  [/^(offerReferral|decideReferral) /, 'referral_texts.content'],
  [/^takeStep /, 'event_texts.content'],
  [/^proposeStep /, 'proposals.content'],
  [/^rejectProposal /, 'proposals.rejection'],
  [/^(writeNote|rewriteNote|strikeNote) /, 'note_versions.content'],
  [/^(setTask|changeTask) /, 'tasks.content'],
  [/^raiseFlag /, 'flags.content'],
  [/^clearFlag /, 'flags.clearance'],
  [/^requestErasure /, 'erasures.content'],
]

/** Columns of bytes that hold no text about a case, or are sealed in another way: hashes, keys, entries, waiting files. */
const otherBytes = [
  'cases.external_hmac',
  'data_keys.wrapped',
  'documents.iin_hmac',
  'documents.number_hmac',
  'enrolments.code_hash',
  'entries.content',
  'guesses.key',
  'idempotency.fingerprint',
  'identifiers.hmac',
  'import_chunks.content',
  'imports.sha256',
  'recovery_codes.hash',
  'refresh_tokens.hash',
  'refresh_tokens.used_from',
  'second_factors.offered',
  'second_factors.secret',
]
/** Columns into which texts of a proposal are moved. */
const moved = ['decisions.content', 'documents.content']

/** Formats and patterns that exclude free text. */
const formats = ['date', 'date-time', 'uuid']
const codes = ['^[a-z0-9_]{1,60}$', '^[A-Z]{3}$', '^[a-z]{2}$', '^(1[89]|20)\\d{2}-(0[1-9]|1[0-2])$']

t.test('every string of a request is listed with its place', async t => {
  const { app, superuser } = await startService(t)
  const { paths, components } = app.openapi() as Document
  function* stringsOf(schema: Schema, at: string): Generator<string> {
    const { $ref, type, format = '', pattern = '', properties, items, additionalProperties } = schema
    if ($ref) return yield* stringsOf(components.schemas[$ref.split('/').at(-1) ?? ''] ?? {}, at)
    for (const one of [...(schema.anyOf ?? []), ...(schema.oneOf ?? []), ...(schema.allOf ?? [])])
      yield* stringsOf(one, at)
    const free = !schema.enum && schema.const === undefined && !formats.includes(format) && !codes.includes(pattern)
    if (type === 'string' && free) yield at
    for (const [name, inner] of Object.entries(properties ?? {})) yield* stringsOf(inner, `${at}/${name}`)
    if (items) yield* stringsOf(items, `${at}/*`)
    if (typeof additionalProperties === 'object') yield* stringsOf(additionalProperties, `${at}/*`)
  }
  const fields = Object.values(paths)
    .flatMap(methods => Object.values(methods))
    .flatMap(({ operationId, requestBody }) =>
      Object.values(requestBody?.content ?? {}).flatMap(({ schema }) =>
        [...stringsOf(schema, '')].map(at => `${operationId} ${at}`),
      ),
    )
  t.ok(fields.length > 100)
  t.same(
    [...new Set(fields)].filter(one => !stored.some(([field]) => field.test(one))),
    [],
    'each field is listed',
  )
  t.same(
    stored.filter(([field]) => !fields.some(one => field.test(one))),
    [],
    'each listed field exists',
  )
  const sealed: string[] = Object.values(sealedColumns).map(({ column }) => column)
  const places = new Set(stored.flatMap(([, where]) => where ?? []))
  t.same(
    [...places].filter(where => !sealed.includes(where) && !otherBytes.includes(where)),
    [],
    'each place is a sealed column or a keyed hash',
  )
  t.same(
    sealed.filter(column => !places.has(column) && !moved.includes(column)),
    [],
    'each sealed column is listed',
  )
  const bytes = await superuser`select attrelid::regclass || '.' || attname as name from pg_attribute
    where atttypid = 'bytea'::regtype and attnum > 0 and attrelid in (select oid from pg_class
      where relkind = 'r' and relnamespace in ('public'::regnamespace, 'app'::regnamespace))`
  t.same(
    bytes.map(({ name }) => name as string).sort(),
    [...new Set([...sealed, ...otherBytes])].sort(),
    'each column of bytes is sealed, a hash or a key',
  )
})
