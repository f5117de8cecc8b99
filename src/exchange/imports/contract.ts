import { z } from 'zod'
import { Id, TrueOrFalse } from '../../platform/http/contract.ts'
import { columns, required } from './row.ts'

export const ImportQuery = z.strictObject({
  campaignId: Id.optional().describe('The campaign that the registrations belong to.'),
  dryRun: TrueOrFalse.default(false).describe('Checks the file and reports, without storing anything.'),
})
export type ImportQuery = z.output<typeof ImportQuery>

export const ImportFile = z.custom<AsyncIterable<Buffer>>().meta({
  type: 'string',
  description: [
    'A CSV file in UTF-8 with a header row, one row a registration and what is known to have happened since. Columns:',
    `${columns.join(', ')}; those after birthCountry, and division, may be missing. causes: codes, with ";" between them.`,
    'birthDate: YYYY, YYYY-MM or YYYY-MM-DD. division: the short name of one below the importing committee.',
    'A row has at most 64 kB, a file at most what the installation allows (IMPORT_LIMIT).',
  ].join(' '),
  examples: [
    [
      required.join(),
      'A-1,2021-03-04,KZ-61,no_document,cost;distance,Каримова,Зулфия,,female,1958-05,UZB',
      'A-2,2021-03-05,KZ-75,lost_document,,Иванов,Иван,,male,1970,',
      '',
    ].join('\n'),
  ],
})
