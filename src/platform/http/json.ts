import { type Fault, invalid, pointer } from '../../problem.ts'

const strict = new TextDecoder('utf-8', { fatal: true })
const lenient = new TextDecoder('utf-8')
/** What a lenient decoder puts in the place of bytes that are not UTF-8. */
const replacement = '\ufffd'

/** Decodes the bytes of a JSON text. Throws a problem that points to the texts that are not UTF-8. */
export function decodeJson(bytes: Uint8Array): string {
  try {
    return strict.decode(bytes)
  } catch {
    const detail = 'Expected text in UTF-8'
    const places = [...replaced(parsed(lenient.decode(bytes)), [])]
    throw invalid((places.length ? places : ['#']).map(pointer => ({ pointer, detail })))
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function* replaced(value: unknown, path: readonly string[]): Generator<string> {
  if (typeof value === 'string' && value.includes(replacement)) yield pointer(path)
  else if (typeof value === 'object' && value !== null)
    for (const [name, inner] of Object.entries(value)) yield* replaced(inner, [...path, name])
}

/** The tokens that matter for the names of objects: texts and punctuation. */
const tokens = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],]/g

/** Refuses a name that an object has twice: `JSON.parse` keeps the last value and drops the others. `text` is valid JSON. */
export function refuseRepeatedNames(text: string): void {
  const faults: Fault[] = []
  const levels: { names?: Set<string>; at: string | number; nameNext: boolean }[] = []
  for (const [token] of text.matchAll(tokens)) {
    const level = levels.at(-1)
    if (token === '{') levels.push({ names: new Set(), at: '', nameNext: true })
    else if (token === '[') levels.push({ at: 0, nameNext: false })
    else if (token === '}' || token === ']') levels.pop()
    else if (!level)
      continue // a text or number alone
    else if (token === ',') {
      level.nameNext = level.names !== undefined
      if (typeof level.at === 'number') level.at++
    } else if (level.nameNext && level.names) {
      level.at = JSON.parse(token) as string
      level.nameNext = false
      if (level.names.has(level.at))
        faults.push({ pointer: pointer(levels.map(({ at }) => at)), detail: 'Expected each name once in an object' })
      level.names.add(level.at)
    }
  }
  if (faults.length) throw invalid(faults)
}
