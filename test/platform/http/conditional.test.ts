import t from 'tap'
import { idempotencyKey, registration, startService } from '../../support/service.ts'

t.test('an If-Match that cannot be a tag of this service is a fault of the request', async t => {
  const { as } = await startService(t)
  const asel = await as('caseworker', 'sunrise')
  const { location = '' } = (await asel.post('/v1/cases', registration(), idempotencyKey())).headers
  const note = await asel.post(`${location}/notes`, { text: 'Called.' }, idempotencyKey())
  const changes = [
    (tag: string) => asel.put(String(note.headers.location), { text: 'Called twice.' }, { 'if-match': tag }),
    (tag: string) =>
      asel.post(`${location}/transitions`, { action: 'start_assessment' }, { ...idempotencyKey(), 'if-match': tag }),
  ]
  for (const change of changes) {
    for (const tag of ['', '1', 'W/"1"', '"a"', '*', '"1', '"1", "2"', '"-1"', '"1.0"', '"1234567890"'])
      t.match((await change(tag)).json(), {
        type: '/problems/invalid-request',
        errors: [{ pointer: '#/headers/if-match', detail: /^Expected the ETag/ }],
      })
    t.match((await change('"7"')).json(), { type: '/problems/precondition-failed' })
    t.equal((await change('"1"')).statusCode, 200)
  }
})
