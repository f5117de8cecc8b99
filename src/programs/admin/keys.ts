import { createInterface } from 'node:readline/promises'
import { type Config, StartError } from '../../config.ts'
import { addEpoch, epochsIn, type Keys, readKeys, removeEpoch } from '../../platform/access/keys.ts'
import { kmsOf } from '../../platform/access/kms.ts'
import { Connection, type Send } from '../../platform/db/connection.ts'
import { asText } from '../../platform/db/sealed.ts'
import { asOwner } from './owner.ts'

/** How many data keys one transaction rewraps. */
const batch = 500

const wrappedBy = async (send: Send): Promise<Map<number, number>> => {
  const rows = await send('select epoch, count(*)::int as keys from data_keys group by 1')
  return new Map(rows.map(({ epoch, keys }) => [epoch, keys]))
}

/**
 * Returns the number of erasures whose data key is still in older backups and can be opened with this epoch: the erasures
 * done at this epoch or a later one.
 */
const erasuresOpenedBy = async (send: Send, epoch: number): Promise<number> => {
  const [row] = await send('select count(*)::int as erasures from erasures where epoch >= $1', [epoch])
  return row?.erasures
}

/** Lists the epochs of the key file and how many data keys each wraps, the oldest first. */
export const listEpochs = (config: Config): Promise<string> =>
  asOwner(config, owner =>
    Connection.with(owner, async ({ send }) => {
      readKeys(config.keyFile, kmsOf(config))
      const [epochs, wrapped] = [epochsIn(config.keyFile), await wrappedBy(send)]
      const lines = []
      for (const epoch of [...new Set([...epochs, ...wrapped.keys()])].sort((a, b) => a - b)) {
        const note = !epochs.includes(epoch)
          ? '  not in the key file'
          : epoch === epochs.at(-1)
            ? '  wraps new keys'
            : ''
        const erasures = epochs.includes(epoch) && (await erasuresOpenedBy(send, epoch))
        const inBackups = erasures ? `  opens the keys of ${erasures} erasures in older backups` : ''
        lines.push(`epoch ${epoch}: ${wrapped.get(epoch) ?? 0} data keys${note}${inBackups}`)
      }
      return lines.join('\n')
    }),
  )

/** Starts a new epoch, or resumes an interrupted rotation, and rewraps every data key; the service may be running. */
export const rotateEpoch = (config: Config): Promise<string> =>
  asOwner(config, owner =>
    Connection.with(owner, async connection => {
      const newest = epochsIn(config.keyFile).at(-1) ?? 0
      const older = [...(await wrappedBy(connection.send)).keys()].some(epoch => epoch < newest)
      const epoch = older ? newest : addEpoch(config.keyFile, kmsOf(config))
      const keys = readKeys(config.keyFile, kmsOf(config))
      let [done, more] = [0, 0]
      do {
        more = await connection.atOnce(() => rewrap(connection.send, keys, epoch))
        done += more
      } while (more)
      await connection.send(`select app.write_own_entry('admin.rotateKeys', $1)`, [{ epoch, rewrapped: done }])
      return `Epoch ${epoch} now wraps every data key (${done} rewrapped). Destroy the epochs that no backup needs any more: npm run admin -- keys destroy <epoch>`
    }),
  )

async function rewrap(send: Send, keys: Keys, epoch: number): Promise<number> {
  const rows = await send(
    'select id, epoch, wrapped from data_keys where epoch < $1 order by id limit $2 for no key update',
    [epoch, batch],
  )
  const rewrapped = rows.map(({ id, epoch, wrapped }) => {
    const by = keys.rewrap({ id, epoch, wrapped })
    return { id, epoch: by.epoch, wrapped: asText(by.wrapped) }
  })
  await send(
    `update data_keys k set epoch = r.epoch, wrapped = r.wrapped
     from jsonb_to_recordset($1::text::jsonb) as r(id uuid, epoch int, wrapped bytea) where k.id = r.id`,
    [JSON.stringify(rewrapped)],
  )
  return rows.length
}

/** Removes an epoch that wraps nothing from the key file for good, after the operator has confirmed twice. */
export const destroyEpoch = (config: Config, asked: string | undefined): Promise<string> =>
  asOwner(config, owner =>
    Connection.with(owner, async ({ send }) => {
      readKeys(config.keyFile, kmsOf(config))
      const epochs = epochsIn(config.keyFile)
      const epoch = Number(asked)
      if (!epochs.includes(epoch))
        throw new StartError(`keys destroy ${asked ?? '…'}: KEY_FILE holds the epochs ${epochs.join(', ')}`)
      const wraps = (await wrappedBy(send)).get(epoch) ?? 0
      if (epoch === epochs.at(-1))
        throw new StartError(`Epoch ${epoch} is the newest and wraps new keys: run keys rotate first`)
      if (wraps) throw new StartError(`Epoch ${epoch} wraps ${wraps} data keys: run keys rotate first`)
      if (!(await confirmedTwice(epoch))) throw new StartError('Nothing was destroyed')
      await send(`select app.write_own_entry('admin.destroyEpoch', $1)`, [{ epoch }])
      removeEpoch(config.keyFile, epoch)
      return `Removed epoch ${epoch} from ${config.keyFile}. Remove it from every copy of that file too`
    }),
  )

async function confirmedTwice(epoch: number): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  const answers = terminal[Symbol.asyncIterator]()
  const ask = async (question: string) => {
    process.stderr.write(question)
    return String((await answers.next()).value ?? '').trim()
  }
  try {
    return (
      (await ask(
        `Backups from before the last rotation can never be opened again. Number of the epoch to destroy: `,
      )) === String(epoch) && (await ask(`This cannot be undone. Type destroy to confirm: `)) === 'destroy'
    )
  } finally {
    terminal.close()
  }
}
