import type { Someone } from './service.ts'

/** A client that repeats a request after 503, as real clients do: on a slow machine a connection may not be free in time. */
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
