// Rules for the layout of SQL files. Rules that the database itself enforces are tested in platform/db/migrate.test.ts.
import { globSync, readdirSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import t from 'tap'

const linesOf = (file: string) => readFileSync(file, 'utf8').split('\n')
const code = globSync('migrations/code/*.sql')

t.test('no line is longer than 120 columns', async t => {
  for (const file of globSync('migrations/**/*.sql'))
    t.same(
      linesOf(file).filter(line => line.length > 120),
      [],
      file,
    )
})

t.test('code is created, never replaced or altered', async t => {
  for (const file of code)
    t.same(
      linesOf(file).filter(line => /^(create or replace|alter|drop|do) /.test(line)),
      [],
      file,
    )
})

t.test('each function, view and type of code has a comment above it', async t => {
  for (const file of code) {
    const lines = linesOf(file)
    const bare = lines.filter(
      (line, i) => /^create (function|view|type|aggregate|procedure) /.test(line) && !lines[i - 1]?.startsWith('--'),
    )
    t.same(bare, [], file)
  }
})

t.test('the name of each file of code has a place and the group of src that it belongs to', async t => {
  const groups = readdirSync('src', { withFileTypes: true }).filter(entry => entry.isDirectory())
  for (const file of code) {
    const [, group] = /^\d\d_([a-z]+)_[a-z]+\.sql$/.exec(basename(file)) ?? []
    t.ok(
      groups.some(({ name }) => name === group),
      file,
    )
  }
})
