import { z } from 'zod'
import { Party } from '../../people/organisations/contract.ts'
import { PageQuery } from '../../platform/db/page.ts'
import { Id, Instant, text, Version } from '../../platform/http/contract.ts'
import { pageContract } from '../../platform/http/page.ts'

const Audience = z.enum(['organisation', 'case']).describe('Your organisation alone, or whoever reaches the case.')

export const Note = z
  .object({
    id: Id,
    caseId: Id,
    organisation: Party.describe('Whose note it is.'),
    audience: Audience,
    text: z.string().nullable().describe('What it says now; nothing once it was struck.'),
    struck: z.boolean(),
    reason: z.string().nullable().describe('Why it was struck: for the organisation whose note it is.'),
    createdBy: Id.nullable().describe('For the organisation whose note it is.'),
    createdAt: Instant,
    writtenAt: Instant.nullable().describe(
      'When it was written as it stands; of a struck one, for the organisation whose note it is.',
    ),
    version: Version,
    allowedActions: z.array(z.enum(['edit', 'strike'])),
  })
  .meta({ id: 'Note' })
export type Note = z.infer<typeof Note>

export const NoteQuery = PageQuery
export const NotePage = pageContract('NotePage', Note)

export const NewNote = z
  .strictObject({ audience: Audience.default('organisation'), text: text(4000) })
  .meta({ id: 'NewNote', examples: [{ audience: 'case', text: 'He comes back with his sister on Monday.' }] })
export type NewNote = z.output<typeof NewNote>

export const NoteText = z
  .strictObject({ text: text(4000) })
  .meta({ id: 'NoteText', examples: [{ text: 'He comes back with his sister on Tuesday.' }] })

export const Strike = z
  .strictObject({ reason: text(2000) })
  .meta({ id: 'Strike', examples: [{ reason: 'It is about another person.' }] })

const NoteVersion = z.object({
  version: Version,
  text: z.string().nullable(),
  reason: z.string().nullable().describe('Of the version that struck it.'),
  writtenBy: Id.nullable().describe('For the organisation whose note it is.'),
  writtenAt: Instant,
})
export const NoteVersions = z.object({ items: z.array(NoteVersion) }).meta({ id: 'NoteVersions' })
export type NoteVersions = z.infer<typeof NoteVersions>
