import { z } from 'zod'
import { PageQuery } from '../../platform/db/page.ts'
import { Day, Id, line, Version } from '../../platform/http/contract.ts'
import { pageContract } from '../../platform/http/page.ts'

const Name = line(200)

export const Campaign = z
  .object({
    id: Id,
    name: Name,
    organisation: z.object({ id: Id, name: z.string() }).describe('The organisation that organises it.'),
    startsOn: Day,
    endsOn: Day.nullable(),
    version: Version,
  })
  .meta({ id: 'Campaign' })
export type Campaign = z.infer<typeof Campaign>

export const NewCampaign = z
  .strictObject({ name: Name, startsOn: Day, endsOn: Day.nullable().default(null) })
  .meta({ id: 'NewCampaign', examples: [{ name: 'Identification of undocumented persons', startsOn: '2020-10-01' }] })
export type NewCampaign = z.output<typeof NewCampaign>

export const CampaignChange = z
  .strictObject({ name: Name.optional(), startsOn: Day.optional(), endsOn: Day.optional() })
  .meta({ id: 'CampaignChange', examples: [{ endsOn: '2022-12-31' }] })
export type CampaignChange = z.output<typeof CampaignChange>

export const CampaignQuery = PageQuery
export const CampaignPage = pageContract('CampaignPage', Campaign)
