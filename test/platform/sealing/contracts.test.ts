// Each string that somebody may send is a code, a day, an id, about nobody on file, a keyed hash, or sealed: every one of
// them stands here, and a new one that does not makes this red.
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

/** Where they are kept: the sealed column or the keyed hash; null: in clear, about nobody on file, or not at all. */
const kept: [said: RegExp, where: string | null][] = [
  [
    /^(signIn|refreshSession|enrol|changePassword|foundOrganisation|changeOrganisation|inviteAccount|changeAccount) /,
    null,
  ],
  [/^(createCampaign|changeCampaign) \/name$/, null],
  [/^searchCases /, null], // looked for, and in the audit log as a keyed hash
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

/** What lies in bytes and is not typed about a case, or is sealed otherwise: hashes, keys, entries, waiting files. */
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
  'refresh_tokens.hash',
]
/** Columns that texts move to from a proposal. */
const moved = ['decisions.content', 'documents.content']

/** Formats and patterns that leave no room for a word of one's own. */
const formats = ['date', 'date-time', 'uuid']
const codes = ['^[a-z0-9_]{1,60}$', '^[A-Z]{3}$', '^[a-z]{2}$', '^(1[89]|20)\\d{2}-(0[1-9]|1[0-2])$']

t.test('every string of a request has its place', async t => {
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
  const said = Object.values(paths)
    .flatMap(methods => Object.values(methods))
    .flatMap(({ operationId, requestBody }) =>
      Object.values(requestBody?.content ?? {}).flatMap(({ schema }) =>
        [...stringsOf(schema, '')].map(at => `${operationId} ${at}`),
      ),
    )
  t.ok(said.length > 100)
  t.same(
    [...new Set(said)].filter(one => !kept.some(([place]) => place.test(one))),
    [],
    'each is told where it is kept',
  )
  t.same(
    kept.filter(([place]) => !said.some(one => place.test(one))),
    [],
    'nothing is told of what nobody can say',
  )
  const sealed: string[] = Object.values(sealedColumns).map(({ column }) => column)
  const places = new Set(kept.flatMap(([, where]) => where ?? []))
  t.same(
    [...places].filter(where => !sealed.includes(where) && !otherBytes.includes(where)),
    [],
    'each is a sealed column, or a keyed hash',
  )
  t.same(
    sealed.filter(column => !places.has(column) && !moved.includes(column)),
    [],
    'every sealed column is in use',
  )
  const bytes = await superuser`select attrelid::regclass || '.' || attname as name from pg_attribute
    where atttypid = 'bytea'::regtype and attnum > 0 and attrelid in (select oid from pg_class
      where relkind = 'r' and relnamespace in ('public'::regnamespace, 'app'::regnamespace))`
  t.same(
    bytes.map(({ name }) => name as string).sort(),
    [...new Set([...sealed, ...otherBytes])].sort(),
    'all bytes of the database are sealed, hashes or keys',
  )
})
