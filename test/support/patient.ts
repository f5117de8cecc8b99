import type { Someone } from './service.ts'

/** Somebody who asks again when the service had no connection free in time, as a client would: on a slow machine too. */
export function patient(someone: Someone): Someone {
  const send: Someone['send'] =
    method =>
    async (...request) => {
      for (;;) {
        const response = await someone.send(method)(...request)
        if (response.statusCode !== 503) return response
      }
    }
  const [get, post, put, patch] = [send('GET'), send('POST'), send('PUT'), send('PATCH')]
  return { ...someone, send, get, post, put, patch, delete: send('DELETE') }
}
