import { z } from 'zod'

/** Returns the contract of a page of these items. */
export const pageContract = <T extends z.ZodType>(id: string, item: T) =>
  z.object({ items: z.array(item), nextCursor: z.string().nullable() }).meta({ id })
