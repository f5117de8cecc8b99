import t from 'tap'
import type { Document } from '../../support/api-document.ts'
import { register } from '../../support/procedure.ts'
import { idempotencyKey, ifMatch, startService } from '../../support/service.ts'

t.test('an operation that takes no body accepts any content type without content, and refuses content', async t => {
  const { app, as } = await startService(t)
  await app.ready()
  const { paths, components } = app.openapi() as Document
  const seen: string[] = []
  for (const [path, methods] of Object.entries(paths))
    for (const [method, { operationId, requestBody, responses }] of Object.entries(methods)) {
      if (method === 'get') continue
      const [, name = ''] = /(\w+)$/.exec((responses[415] ?? responses.default)?.$ref ?? '') ?? []
      t.match(components.responses[name]?.description, /\b415 /, `the document lists the status 415 of ${operationId}`)
      if (requestBody) continue
      seen.push(operationId)
      const asel = await as('caseworker', 'sunrise')
      const send = async (type: string | undefined, payload: string | undefined) =>
        asel.send(method.toUpperCase() as 'POST')(path.replaceAll(/\{\w+\}/g, crypto.randomUUID()), payload, {
          ...(type !== undefined && { 'content-type': type }),
          ...idempotencyKey(),
          ...ifMatch(1),
        })
      for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/json', 'multipart/form-data'])
        for (const payload of ['', undefined])
          t.not((await send(type, payload)).statusCode, 415, `${operationId} with ${type}`)
      t.not((await send('application/json', '{}')).statusCode, 415, operationId)
      for (const [type, payload] of [
        ['text/plain', 'x'],
        [undefined, 'x'],
        ['application/x-www-form-urlencoded', 'a=b'],
        ['application/json', '{"reason":"x"}'],
        ['application/json', '[]'],
        ['application/json', 'null'],
      ] as const) {
        const refused = await (await send(type, payload)).json()
        // A session that was ended by an earlier try is refused first.
        if (refused.status !== 401)
          t.match(refused, { type: '/problems/unsupported-media-type' }, `${operationId} ${payload}`)
      }
    }
  t.ok(seen.length > 10, seen.join(', '))
})

t.test('what such an operation does is done with any content type', async t => {
  const { as } = await startService(t)
  const asel = await as('caseworker', 'sunrise')
  const one = await register(asel)
  const task = await asel.post(`/v1/cases/${one.id}/tasks`, { title: 'Call' }, idempotencyKey())
  const complete = (type: string, payload: string) =>
    asel.post(`${task.headers.location}/completion`, payload, { ...ifMatch(1), 'content-type': type })
  t.match((await complete('application/json', '{"note":"x"}')).json(), { detail: 'This operation takes no body' })
  t.equal((await complete('application/octet-stream', '')).statusCode, 200)
  t.equal((await asel.delete('/v1/sessions/current', '', { 'content-type': 'text/plain' })).statusCode, 204)
})
