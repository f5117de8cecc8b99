// The only import of drizzle. As an ES module it makes each start .6 s slower than as CommonJS: for each of its 400 files
// Node parses its package.json (179 kB) to determine the module format, which the extension .cjs makes unnecessary.
import { createRequire } from 'node:module'
import type * as core from 'drizzle-orm'
import type * as pg from 'drizzle-orm/pg-core'
import type * as driver from 'drizzle-orm/postgres-js'

const require = createRequire(import.meta.url)

export const { and, eq, sql }: typeof core = require('drizzle-orm/sql')
// A table next to its query declares the columns that its statements use. An insert names all of them, so `app` must have the
// right to insert each; drizzle silently ignores other columns in `set`.
export const {
  customType,
  date,
  getTableConfig,
  integer,
  pgTable,
  text,
  timestamp,
  uuid,
}: typeof pg = require('drizzle-orm/pg-core')
export const { drizzle }: typeof driver = require('drizzle-orm/postgres-js')
export type { SQL } from 'drizzle-orm'
export type { PostgresJsDatabase } from 'drizzle-orm/postgres-js'
