import { z } from 'zod'

export const Remainder = z
  .object({
    items: z.array(
      z.object({
        what: z.enum(['cases_owned', 'cases_handled', 'grants_given', 'referrals', 'proposals', 'jobs', 'erasures']),
        count: z.int().min(1),
      }),
    ),
  })
  .meta({ id: 'Remainder' })
export type Remainder = z.infer<typeof Remainder>
