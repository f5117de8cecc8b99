import { Readable } from 'node:stream'
import { stringify } from 'csv-stringify'
import { columns } from '../../exchange/imports/row.ts'
import { registrations } from './campaign.ts'

/** Returns the campaign as an import file, generated while it is read. */
export const campaignFile = (options: { seed: number; size: number }): Readable =>
  Readable.from(registrations(options)).pipe(stringify({ header: true, columns: [...columns] }))
