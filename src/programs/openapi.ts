// Writes openapi.yaml from the registered routes, without listening and without a database.
import { writeFileSync } from 'node:fs'
import { stringify } from 'yaml'
import { buildApp } from '../app.ts'
import { Ledger } from '../oversight/erasures/ledger.ts'
import { passingKeys } from '../platform/access/keys.ts'
import { Database } from '../platform/db/database.ts'

const keys = passingKeys()
const app = await buildApp({
  db: new Database({}, keys),
  ledger: new Ledger('', keys),
  config: { logLevel: 'silent', trustedProxies: [], rateLimit: 1, importLimit: 1 },
})
await app.ready()
writeFileSync(
  new URL('../../openapi.yaml', import.meta.url),
  stringify(app.openapi(), { aliasDuplicateObjects: false, indentSeq: false, lineWidth: 160 }),
)
await app.close()
