import { Readable } from 'node:stream'
import { stringify } from 'csv-stringify'
import { columns } from '../../exchange/imports/row.ts'
import { registrations } from './campaign.ts'

/** The campaign as an import file, made while it is sent. */
export const campaignFile = (options: { seed: number; size: number }): Readable =>
  Readable.from(registrations(options)).pipe(stringify({ header: true, columns: [...columns] }))
