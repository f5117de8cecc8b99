// Reads from the documents: shell blocks, their statements, and the names of files and operations.
import { spawnSync } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'

export const documents = ['README.md', ...globSync('docs/*.md').sort()]
export const textOf = (document: string): string => readFileSync(document, 'utf8')

/** `info`: what follows the fence, such as `sh` or `sh not-run`. `line`: of its first line of text, from 1. */
export type Block = { document: string; line: number; info: string; text: string }

export function blocksOf(document: string): Block[] {
  const text = textOf(document)
  return [...text.matchAll(/^```(.*)\n([\s\S]*?)^```$/gm)].map(({ index, 1: info = '', 2: block = '' }) => ({
    document,
    line: text.slice(0, index).split('\n').length + 1,
    info,
    text: block,
  }))
}

/** A whole command of a block. `announced`: the status that a comment at its end announces. */
export type Statement = { at: string; text: string; announced: number | undefined }

/**
 * Divides a block into complete commands, as bash parses them. Throws if the end of a block is not a complete command.
 */
export function statementsOf({ document, line, text }: Block): Statement[] {
  const statements: Statement[] = []
  let begun: string[] = []
  for (const [i, next] of text.trimEnd().split('\n').entries()) {
    begun.push(next)
    if (!isWhole(begun.join('\n'))) continue
    const whole = begun.join('\n')
    const [, announced] = /\s# (\d{3})\b.*$/.exec(next) ?? []
    if (whole.replaceAll(/^#.*$/gm, '').trim())
      statements.push({
        at: `${document}:${line + i + 1 - begun.length}`,
        text: whole,
        announced: announced === undefined ? undefined : Number(announced),
      })
    begun = []
  }
  if (begun.length) throw new Error(`${document}:${line}: not a complete command: ${begun[0]}`)
  return statements
}

/** A here-document without its end is only a warning to bash. */
function isWhole(command: string): boolean {
  if (/(^|[^\\])\\$/.test(command)) return false
  const { status, stderr } = spawnSync('bash', ['-n'], { input: `${command}\n`, encoding: 'utf8' })
  return status === 0 && stderr === ''
}

/** Returns the paths of the checkout that a text names. */
export const pathsIn = (text: string): string[] => [
  ...new Set(
    [...text.matchAll(/(?<![\w/.:-])(?:src|test|migrations|docs|bench|\.ci)\/[\w./-]*/g)].map(([path]) =>
      path.replace(/[./]+$/, ''),
    ),
  ),
]

/** Returns the operations that a text names: a path below /v1, and its method if it is written before the path. */
export const operationsIn = (text: string) =>
  [...text.matchAll(/(?:\b(GET|POST|PUT|PATCH|DELETE) (?:\S+ )?)?"?(\/v1\/[\w/{}$-]*)/g)].map(
    ({ 1: method, 2: path = '' }) => ({ method: method?.toLowerCase(), path: generic(path.replace(/\/$/, '')) }),
  )

/** Returns a path with `{}` in place of each parameter, which may be written as {id} or as $CASE. */
export const generic = (path: string): string => path.replaceAll(/\{\w+\}|\$\w+/g, '{}')

/** Returns the links of a document to other files, with the heading that each names. */
export const linksOf = (document: string) =>
  [...textOf(document).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = '']) => target)
    .filter(target => !/^[a-z]+:/.test(target))
    .map(target => {
      const [file = '', heading] = target.split('#')
      return { target, file, heading }
    })

/** Returns the headings of a document in the form that links use. */
export const anchorsOf = (document: string): string[] =>
  [...textOf(document).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
