import { connect } from 'node:net'
import type { Reply } from './checker.ts'
import type { Draw } from './draw.ts'
import { canary } from './hostile.ts'
import type { Sent } from './requests.ts'

/** Lines that no HTTP library sends. */
const oddLines = [
  'x-bad header: 1',
  `x-latin: \xe9\xff`,
  'x-nul: \0',
  `x-long: ${canary.repeat(3_000)}`,
  ' folded: 1',
  'transfer-encoding: gzip',
  'host: other',
  'expect: 100-continue',
  'expect: tea',
  'upgrade: websocket',
  'upgrade: h2c',
  'te: trailers',
  ': empty',
  'content-length: -1',
  'connection: keep-alive, close',
  'if-match: "2"',
  'idempotency-key: another',
]
/** Lines that contradict the length of the body; without a body the service would wait for one. */
const oddLengths = ['content-length: 5', 'transfer-encoding: chunked']
const oddStarts = [
  (url: string) => `BREW ${url} HTTP/1.1`,
  (url: string) => `get ${url} HTTP/1.1`,
  (url: string) => `GET http://x${url} HTTP/1.1`,
  (url: string) => `GET ${url} HTTP/1.0`,
  (url: string) => `GET ${url} HTTP/2.0`,
  (url: string) => `GET  ${url}`,
  () => 'OPTIONS * HTTP/1.1',
  (url: string) => `GET ${url}\u00e9${canary} HTTP/1.1`,
  () => `GET /${'x'.repeat(17_000)} HTTP/1.1`,
  () => canary,
]

/**
 * The bytes of a request as a good client sends it; `odd`: with one line that no client sends. `known`: the line leaves the
 * request what it was.
 */
export function bytesOf(draw: Draw, { method, url, headers, body }: Sent, odd: boolean) {
  const content = Buffer.from(body ?? '')
  const usual = `${method} ${url} HTTP/1.1`
  const start = odd && draw.chance(0.4) ? draw.pick(oddStarts)(url) : usual
  const given = Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
  const chunked = content.length > 0 && draw.chance(0.2)
  if (content.length) given.push(chunked ? 'transfer-encoding: chunked' : `content-length: ${content.length}`)
  const line = odd && draw.chance(0.7) ? draw.pick(content.length ? [...oddLines, ...oddLengths] : oddLines) : undefined
  if (line) given.push(line)
  const head = Buffer.from([start, 'host: x', 'connection: close', ...given, '', ''].join('\r\n'), 'latin1')
  const [before, after] = chunked ? [`${content.length.toString(16)}\r\n`, '\r\n0\r\n\r\n'] : ['', '']
  const bytes = Buffer.concat([head, Buffer.from(before), content, Buffer.from(after)])
  return { bytes, known: start === usual && line === undefined }
}

/** Sends bytes, and returns the reply; undefined if the connection was closed without one. */
export async function exchanged(port: number, bytes: Buffer): Promise<Reply | undefined> {
  const received = await new Promise<string>((resolve, reject) => {
    let text = ''
    const client = connect(port, '127.0.0.1', () => client.write(bytes))
      .setEncoding('latin1')
      .on('data', data => (text += data))
      .on('error', reject)
      .on('close', () => resolve(text))
  })
  const last = received.replace(/^(HTTP\/1\.1 1\d\d [^\r]*\r\n(?:[^\r]+\r\n)*\r\n)+/, '')
  if (!last) return undefined
  const end = last.indexOf('\r\n\r\n')
  const [start = '', ...lines] = last.slice(0, end).split('\r\n')
  const pairs = lines.map(line => [
    line.slice(0, line.indexOf(':')).toLowerCase(),
    line.slice(line.indexOf(':') + 1).trim(),
  ])
  const headers: Record<string, string> = Object.fromEntries(pairs)
  const rest = last.slice(end + 4)
  const plain = headers['transfer-encoding'] === 'chunked' ? joined(rest) : rest
  return { status: Number(start.split(' ')[1]), headers, body: Buffer.from(plain, 'latin1').toString() }
}

function joined(chunks: string): string {
  const [, size = '0', rest = ''] = /^([\da-f]+)[^\n]*\n(.*)$/is.exec(chunks) ?? []
  const length = Number.parseInt(size, 16)
  return length ? rest.slice(0, length) + joined(rest.slice(length + 2)) : ''
}
