// Runs the shell blocks of a document in one bash, and records the status of each request that they make.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type Block, type Statement, statementsOf } from './documents.ts'

/** Where the blocks run: the service, its data, the folder that stands for /mnt, and one for files of the run. */
export type Place = { api: string; metrics: string; dataDir: string; mnt: string; scratch: string }

/** What a reader types when a command asks: `npm run admin -- keys destroy 1` asks twice. */
const typed = '1\ndestroy\n'

/** Runs the statements one after the other until one fails. Returns the differences from the document. */
export async function run(blocks: readonly Block[], { api, metrics, dataDir, mnt, scratch }: Place): Promise<string[]> {
  const statements = blocks.flatMap(statementsOf)
  const script = join(scratch, 'script.sh')
  const lines = statements.map(({ at, text }) => `echo '@statement ${at}' >&2\n${text}\n`).join('')
  const placed = lines.replaceAll(/(?<![\w/.])data\//g, `${dataDir}/`).replaceAll(/(?<![\w/.])\/mnt\//g, `${mnt}/`)
  writeFileSync(script, `set -eo pipefail\n${placed}`)
  writeFileSync(join(scratch, '.curlrc'), String.raw`write-out = "%{stderr}@status %{http_code}\n"`)
  const { PATH = '', HOME = '' } = process.env
  const env = {
    PATH: `${dirname(process.execPath)}:${PATH}`,
    HOME,
    CURL_HOME: scratch,
    API: api,
    METRICS: metrics,
    DATA_DIR: dataDir,
  }
  const shell = spawn('bash', [script], { env, stdio: ['pipe', 'ignore', 'pipe'] })
  shell.stdin.on('error', () => {}).end(typed)
  let err = ''
  shell.stderr.on('data', chunk => (err += chunk))
  const [code] = await once(shell, 'close')
  const faults = faultsOf(statements, requestsOf(err))
  return code === 0 ? faults : [...faults, `ended with ${code}:\n${err.split('\n').slice(-12).join('\n')}`]
}

type Requests = Map<string, number[]>

/** Returns the statuses of the replies to each statement, by its place. */
function requestsOf(err: string): Requests {
  const requests: Requests = new Map()
  let at = ''
  for (const [, what, value = ''] of err.matchAll(/^@(statement|status) (.+)$/gm)) {
    if (what === 'statement') at = value
    const statuses = requests.get(at) ?? []
    requests.set(at, what === 'status' ? [...statuses, Number(value)] : statuses)
  }
  return requests
}

/**
 * Returns the faults: the last request of a statement must have the announced status, every other one a status below
 * 400.
 */
export function faultsOf(statements: readonly Statement[], requests: Requests): string[] {
  return statements.flatMap(({ at, text, announced }) => {
    const statuses = requests.get(at) ?? []
    const what = `${at} ${text.split('\n')[0]}`
    const rest = announced === undefined ? statuses : statuses.slice(0, -1)
    return [
      ...(announced !== undefined && statuses.at(-1) !== announced
        ? [`${what} is answered ${statuses.at(-1) ?? 'by nothing'}, not ${announced}`]
        : []),
      ...rest.filter(status => status >= 400).map(status => `${what} is answered ${status}`),
    ]
  })
}
