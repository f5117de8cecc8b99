import type { Draw } from './draw.ts'

/** A word that is in every hostile text: no problem, log line or audit entry may contain it. */
export const canary = 'kuzgyn4711'

/** Texts that break what is careless: with SQL, HTML, templates, paths, controls, and odd Unicode. */
export const texts: readonly string[] = [
  `'; drop table cases; -- ${canary}`,
  `${canary}' or '1'='1`,
  `<script>alert('${canary}')</script>`,
  `{{${canary}}} \${${canary}} %s %n %x`,
  `../../../etc/${canary}`,
  `\u202e${canary}\u202c`,
  `\u2066${canary}\u2069`,
  `${canary}\0`,
  `${canary}\ud800`,
  `\udc00${canary}`,
  `\u0438\u0306 e\u0301 ${canary}`, // NFD
  `👩\u200d👩\u200d👧 ${canary}`,
  `\u200b\u3164\u2800`,
  `${canary}\r\nSet-Cookie: ${canary}=1`,
  `\ufeff${canary}\ufffe\uffff`,
  `${'z\u0300'.repeat(300)}${canary}`,
  `${canary}${'x'.repeat(10_000)}`,
  ` \t${canary}\n `,
  `"${canary}\\`,
  'ŐİıſßŒ',
  '__proto__',
  'constructor',
  'null',
  'NaN',
  '-0',
  '',
  ' ',
]

/** Days and instants at the edges: some are valid, some are none. */
export const times: readonly string[] = [
  '0000-01-01',
  '0001-01-01',
  '1799-12-31',
  '9999-12-31',
  '2021-02-29',
  '2020-02-29',
  '20210304',
  '+012021-03-04',
  '-000001-01-01',
  '2021-W10-4',
  '2021-03-04T24:00:00Z',
  '2016-12-31T23:59:60Z',
  '0000-01-01T00:00:00Z',
  '0000-12-31T23:59:59+23:59',
  '9999-12-31T23:59:59.999999999Z',
  '9999-12-31T23:59:59-18:00',
  '2021-03-04T05:06:07+05:00',
  '2021-03-04T05:06:07.123456+06:30',
  '2021-03-04T05:06:07-00:00',
  '2021-03-04T05:06:07+24:00',
  '2021-03-04t05:06:07z',
  '2021-03-04 05:06:07Z',
  '2021-03-04T05:06Z',
  'infinity',
  '-infinity',
  'now',
  'epoch',
]

const others: readonly unknown[] = [
  ...[null, true, false, 0, -1, 1.5, -0, 1e308, 2 ** 31, 2 ** 53, -(2 ** 63), Number.MIN_VALUE],
  ...['', '0', '1', [], {}, [[]], [null], { a: 1 }, { constructor: 1 }],
  Array.from({ length: 300 }, (_, index) => index),
  { [canary]: canary },
  { toString: 1, valueOf: 1, length: 1, hasOwnProperty: 1 },
]

/** Returns a value that the document most likely forbids in a place. */
export const hostileValue = (draw: Draw): unknown =>
  draw.chance(0.45) ? draw.pick(texts) : draw.chance(0.3) ? draw.pick(times) : draw.pick(others)

/** The same as text, for a path or a query. */
export const hostileText = (draw: Draw): string => {
  const value = hostileValue(draw)
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '')
}

type Holder = Record<string, unknown>

/** Returns a copy of a value with one fault: a field is wrong, missing or surplus. */
export function spoilt(draw: Draw, value: unknown): unknown {
  const root = { value: structuredClone(value) } as Holder
  const places = [...placesIn(root)].slice(1)
  const [holder, key] = draw.pick(places.length ? places : [...placesIn(root)])
  const how = draw.below(10)
  if (how === 0 && holder !== root) delete holder[key]
  else if (how === 1 && !Array.isArray(holder) && holder !== root)
    holder[draw.pick(['extra', canary, 'id', 'version', 'ownerId', 'constructor', ''])] = hostileValue(draw)
  else if (how === 2 && Array.isArray(holder)) holder.push(...Array.from({ length: 60 }, () => holder[0]))
  else if (how === 3 && typeof holder[key] === 'string') holder[key] = `${holder[key]}${draw.pick(texts)}`
  else if (how === 4) holder[key] = draw.chance(0.5) ? [holder[key]] : { value: holder[key] }
  else holder[key] = hostileValue(draw)
  return root.value
}

function* placesIn(holder: Holder): Generator<[Holder, string]> {
  for (const [key, value] of Object.entries(holder)) {
    yield [holder, key]
    if (typeof value === 'object' && value !== null) yield* placesIn(value as Holder)
  }
}

/** Returns the JSON text of a value, in one of the ways in which no JSON library writes it; some are no JSON at all. */
export function oddText(draw: Draw, text: string): string | Buffer {
  const inner = text.slice(1)
  const nested = (open: string, close: string) => `${open.repeat(500)}1${close.repeat(500)}`
  return draw.pick<() => string | Buffer>([
    () => `${text},`,
    () => text.slice(0, -2),
    () => text.replace(/\}$/, ',}'),
    () => `\ufeff${text}`,
    () => Buffer.from(text, 'utf16le'),
    () => Buffer.concat([Buffer.from(text.slice(0, -2)), Buffer.from([0xff, 0xc0, 0x80]), Buffer.from('"}')]),
    () => `{"__proto__":{"admin":true},${inner}`,
    () => `{"constructor":{"prototype":{"a":1}},${inner}`,
    () => text.replace(/"(\w+)":/, '"$1":1,"$1":'),
    () =>
      text.replace(
        /"(\w+)":/,
        (_, name) => `"\\u${name.charCodeAt(0).toString(16).padStart(4, '0')}${name.slice(1)}":`,
      ),
    () => nested('[', ']'),
    () => nested('{"a":', '}'),
    () => text.replaceAll('"', `'`),
    () => `/* ${canary} */ ${text}`,
    () => text.replace(/:("[^"]*"|\d+)/, ':NaN'),
    () => text.replace(/:("[^"]*"|\d+)/, `:1${'0'.repeat(400)}`),
    () => `\n\t ${text} \r\n`,
    () => `${text}${text}`,
    () => canary,
    () => 'null',
    () => '[]',
    () => `"${canary}"`,
    () => '',
    () => `{"a":"${canary}${'x'.repeat(270_000)}"}`,
  ])()
}
