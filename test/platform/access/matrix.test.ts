import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import t from 'tap'
import {
  allows,
  kindsOf,
  offices,
  type Permission,
  permissions,
  type Role,
} from '../../../src/platform/access/permissions.ts'
import type { Document, Operation } from '../../support/api-document.ts'
import { type Headers, startService } from '../../support/service.ts'

const golden = new URL('./matrix.txt', import.meta.url)

t.test('every office has exactly the permissions in matrix.txt (delete the file to rewrite it)', async t => {
  const row = (...[first = '', ...cells]: string[]) =>
    [first.padEnd(20), ...cells.map(cell => cell.padEnd(24))].join('').trimEnd()
  const rows = (Object.keys(permissions) as Permission[]).map(permission =>
    row(permission, ...offices.map(office => (allows(office, permission) ? 'yes' : '-'))),
  )
  const matrix = [row('', ...offices), ...rows, ''].join('\n')
  if (!existsSync(golden)) writeFileSync(golden, matrix)
  t.equal(matrix, readFileSync(golden, 'utf8'))
})

t.test('every operation refuses callers without a token and every office without its permission', async t => {
  const { app, as } = await startService(t)
  await app.ready()
  const { paths, components } = app.openapi() as Document
  const bodyOf = ({ requestBody }: Operation): [string, object | string] | undefined => {
    const [type, content] = Object.entries(requestBody?.content ?? {})[0] ?? []
    if (!type) return undefined
    const name = content?.schema.$ref?.split('/').at(-1) ?? ''
    return [type, components.schemas[name]?.examples?.[0] ?? 'externalId\n']
  }
  const people = Object.fromEntries(
    await Promise.all(
      offices.map(async office => {
        const [role, kind] = office.split('@') as [Role, string]
        t.ok(kindsOf[role].includes(kind as never))
        const name = { ngo: 'sunrise', division: 'turkistan' }[kind] ?? kind
        return [office, await as(role, name)] as const
      }),
    ),
  )
  const headers = (type: string | undefined): Headers => ({
    'if-match': '"1"',
    'idempotency-key': 'k',
    ...(type && { 'content-type': type }),
  })
  for (const [path, methods] of Object.entries(paths))
    for (const [method, operation] of Object.entries(methods)) {
      const permission = operation['x-permission']
      if (!permission) continue
      const id = crypto.randomUUID()
      const url = path.replaceAll(/\{\w+\}/g, id) + (path.startsWith('/v1/reports/') ? `?campaignId=${id}` : '')
      const [type, payload] = bodyOf(operation) ?? []
      const verb = method.toUpperCase() as 'GET'
      const anonymous = await app.inject({ method: verb, url, headers: headers(type), ...(payload && { payload }) })
      t.equal(anonymous.statusCode, 401, `${method} ${path} without a token`)
      for (const office of offices.filter(office => !allows(office, permission))) {
        const response = await people[office]?.send(verb)(url, payload, headers(type))
        t.equal(response?.statusCode, 403, `${method} ${path} as ${office}`)
      }
    }
})
