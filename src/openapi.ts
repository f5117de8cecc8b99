// Writes openapi.yaml from the routes as they are. Nothing is listened to and no database is asked.
import { writeFileSync } from 'node:fs'
import { stringify } from 'yaml'
import { passingKeys } from './access/keys.ts'
import { buildApp } from './app.ts'
import { Database } from './db/database.ts'
import { Ledger } from './erasures/ledger.ts'

const keys = passingKeys()
const app = await buildApp({
  db: new Database({}, keys),
  ledger: new Ledger('', keys),
  config: { logLevel: 'silent', trustedProxies: [], rateLimit: 1, importLimit: 1 },
})
await app.ready()
writeFileSync(new URL('../openapi.yaml', import.meta.url), stringify(app.openapi(), { aliasDuplicateObjects: false }))
await app.close()
