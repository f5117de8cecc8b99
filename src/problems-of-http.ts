export type Described = {
  status: number
  /** What went wrong, in a few words: the same for every request with this problem. */
  title: string
  /** What it means, and what the caller can do next: the text of `GET /problems/{name}`. */
  meaning: string
  next: string
}

export const from = (status: number, title: string, meaning: string, next: string): Described => ({
  status,
  title,
  meaning,
  next,
})

/** The problems of HTTP itself: malformed, late, too large or too many requests, and faults of the service. */
export const problemsOfHttp = {
  'invalid-request': from(
    400,
    'The request is not valid',
    'A part of the request is missing, malformed or not allowed. Nothing was stored.',
    'Read `errors`: each entry has a JSON pointer to the fault and says what was expected. Correct them and send it again.',
  ),
  'idempotency-key-required': from(
    400,
    'This operation needs an Idempotency-Key',
    'The operation makes something that must not be made twice.',
    'Send an `Idempotency-Key` header with a key of your own, for example a UUID. Use the same key when you try again.',
  ),
  'method-not-allowed': from(
    405,
    'This path does not have this method',
    'The path is one of this service, whether or not there is something with the id in it.',
    'Use one of the methods in `Allow`. `OPTIONS` lists them too.',
  ),
  'request-timeout': from(
    408,
    'The request took too long to arrive',
    'Its headers have 8 seconds to arrive, and its body has 10. An import file may take an hour.',
    'Send it again on another connection, with the same `Idempotency-Key`.',
  ),
  'precondition-failed': from(
    412,
    'It was changed since you read it',
    'The version in `If-Match` is not the current one.',
    'Read the resource again, compare, and send the change with the new `ETag`.',
  ),
  'too-large': from(
    413,
    'The request is too large',
    'A body has at most 256 kB; an import file at most the limit of the installation.',
    'Send less at once, for example several files.',
  ),
  'unsupported-media-type': from(
    415,
    'This content type is not accepted',
    'A body is JSON in UTF-8 (`application/json`), an import `text/csv` in UTF-8. Some operations take no body.',
    'Set the `Content-Type` header, and encode the body in UTF-8.',
  ),
  'idempotency-key-reused': from(
    422,
    'This Idempotency-Key was used with another request',
    'The same key came with another body or another path within 24 hours.',
    'Use a new key for a new request.',
  ),
  'precondition-required': from(
    428,
    'This operation needs If-Match',
    'A change must name the version that it was based on.',
    'Send the `ETag` that you read last as `If-Match`.',
  ),
  'too-many-requests': from(
    429,
    'Too many requests',
    'Your account or your address has sent too many requests, or too many wrong passwords.',
    'Wait as many seconds as `Retry-After` says.',
  ),
  'too-many-cases': from(
    429,
    'Your account has opened too many cases today',
    'An account may open the zones of so many different cases in a day, so that a stolen account cannot read all of them. `GET /v1/thresholds` has the number. Cases that were opened today stay open. The supervisors of your organisation have been told.',
    'Go on tomorrow; `Retry-After` has the seconds. If your work needs more, ask the operator to raise the threshold `cases_opened_a_day`.',
  ),
  'headers-too-large': from(
    431,
    'The URL or the headers are too large',
    'The URL and the headers have at most 16 kB together.',
    'Leave out headers and parameters that this service does not know. Send the cursor of a page as you received it.',
  ),
  internal: from(
    500,
    'Something went wrong in the service',
    'The fault is in the service, not in the request.',
    'Try again later. If it stays, give the operator the `requestId`.',
  ),
  unavailable: from(
    503,
    'The service cannot answer right now',
    'The database is away or too busy, or the service is stopping. The request may or may not have been carried out.',
    'Try again after the seconds in `Retry-After`, with the same `Idempotency-Key`.',
  ),
} as const
