// What the documents hold: shell blocks, statements in them, and names of files and operations.
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

/** Divides a block where bash takes what came before as whole. Throws for a block that never becomes whole. */
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
  if (begun.length) throw new Error(`${document}:${line}: not a whole command: ${begun[0]}`)
  return statements
}

/** A here-document without its end is only a warning to bash. */
function isWhole(command: string): boolean {
  if (/(^|[^\\])\\$/.test(command)) return false
  const { status, stderr } = spawnSync('bash', ['-n'], { input: `${command}\n`, encoding: 'utf8' })
  return status === 0 && stderr === ''
}

/** The paths of the checkout that a text names. */
export const pathsIn = (text: string): string[] => [
  ...new Set(
    [...text.matchAll(/(?<![\w/.:-])(?:src|test|migrations|docs|bench|\.ci)\/[\w./-]*/g)].map(([path]) =>
      path.replace(/[./]+$/, ''),
    ),
  ),
]

/** The operations that a text names: a path below /v1, and its method where that is written before it. */
export const operationsIn = (text: string) =>
  [...text.matchAll(/(?:\b(GET|POST|PUT|PATCH|DELETE) (?:\S+ )?)?"?(\/v1\/[\w/{}$-]*)/g)].map(
    ({ 1: method, 2: path = '' }) => ({ method: method?.toLowerCase(), path: generic(path.replace(/\/$/, '')) }),
  )

/** A path with `{}` in place of each parameter, whether it is written as {id} or as $CASE. */
export const generic = (path: string): string => path.replaceAll(/\{\w+\}|\$\w+/g, '{}')

/** The links of a document to other files, and where in them. */
export const linksOf = (document: string) =>
  [...textOf(document).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = '']) => target)
    .filter(target => !/^[a-z]+:/.test(target))
    .map(target => {
      const [file = '', heading] = target.split('#')
      return { target, file, heading }
    })

/** The headings of a document as a link names them. */
export const anchorsOf = (document: string): string[] =>
  [...textOf(document).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
