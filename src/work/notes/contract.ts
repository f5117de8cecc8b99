import { z } from 'zod'
import { Party } from '../../people/organisations/contract.ts'
import { PageQuery } from '../../platform/db/page.ts'
import { Id, Instant, text, Version } from '../../platform/http/contract.ts'
import { pageContract } from '../../platform/http/page.ts'

const Audience = z
  .enum(['organisation', 'case'])
  .describe('`organisation`: only yours. `case`: every organisation to which the case is open.')

export const Note = z
  .object({
    id: Id,
    caseId: Id,
    organisation: Party.describe('The organisation that wrote the note.'),
    audience: Audience,
    text: z.string().nullable().describe('The current text; null if the note was struck.'),
    struck: z.boolean(),
    reason: z.string().nullable().describe('Why it was struck; null for other organisations.'),
    createdBy: Id.nullable().describe('Null for other organisations.'),
    createdAt: Instant,
    writtenAt: Instant.nullable().describe(
      'When the current version was written; for a struck note null for other organisations.',
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
  reason: z.string().nullable().describe('The reason, in the version that struck the note.'),
  writtenBy: Id.nullable().describe('Null for other organisations.'),
  writtenAt: Instant,
})
export const NoteVersions = z.object({ items: z.array(NoteVersion) }).meta({ id: 'NoteVersions' })
export type NoteVersions = z.infer<typeof NoteVersions>
