import { z } from 'zod'
import { SealedColumn } from '../platform/db/sealed.ts'
import { Particulars } from './grants/contract.ts'
import { type Content, documents, type Zone } from './zones/contract.ts'

/** The texts of an event, by field. */
const Texts = z
  .record(z.string(), z.union([z.string(), z.array(z.string())]).optional())
  .transform(texts => texts as Record<string, string | string[]>) // JSON drops undefined
export type Texts = z.input<typeof Texts>
const Reason = z.object({ reason: z.string() })

const zone = <T extends z.ZodType>(contract: T, name: Zone) =>
  new SealedColumn(
    'zone_versions.content',
    ['case_id', 'zone', 'version'],
    contract,
    `organisations to which the zone ${name} is open`,
  )

/**
 * Texts that move from a proposal or referral to an event, a decision or a document keep the id they were sealed under.
 */
const sealedAs = 'event_texts.content'

/** Every column of typed texts about a case: its row key, its contract, and who may read it. */
export const sealedColumns = {
  identity: zone(documents.identity, 'identity'),
  contact: zone(documents.contact, 'contact'),
  whereabouts: zone(documents.whereabouts, 'whereabouts'),
  protection: zone(documents.protection, 'protection'),
  event: new SealedColumn(sealedAs, ['id'], Texts, 'the organisation that recorded the event, and its committee'),
  proposal: new SealedColumn(
    'proposals.content',
    ['id'],
    Texts,
    'the organisation that made the proposal, and its committee',
    {
      sealedAs,
    },
  ),
  rejection: new SealedColumn('proposals.rejection', ['id'], Reason, 'readers of the proposal'),
  decision: new SealedColumn(
    'decisions.content',
    ['text_id'],
    z.object({ reasons: z.string(), evidence: z.array(z.string()) }).partial(),
    'organisations to which the identity is open',
    { sealedAs },
  ),
  document: new SealedColumn(
    'documents.content',
    ['text_id'],
    z.object({ number: z.string(), issuer: z.string().optional(), iin: z.string().optional() }),
    'organisations to which the identity is open',
    { sealedAs },
  ),
  grant: new SealedColumn(
    'grant_texts.content',
    ['grant_id', 'occasion'],
    Particulars,
    'the organisation that gave or closed the grant',
  ),
  referral: new SealedColumn(
    'referral_texts.content',
    ['referral_id', 'decision'],
    z.object({ message: z.string(), note: z.string() }).partial(),
    'the sender and the recipient of the referral',
  ),
  note: new SealedColumn(
    'note_versions.content',
    ['note_id', 'version'],
    z.object({ text: z.string(), reason: z.string() }).partial(),
    'the organisation that wrote the note; with the audience `case` all that reach the case',
  ),
  task: new SealedColumn('tasks.content', ['id'], z.object({ title: z.string() }), 'the organisation of the task'),
  flag: new SealedColumn('flags.content', ['id'], Reason, 'the organisation of the flag'),
  clearance: new SealedColumn('flags.clearance', ['id'], Reason, 'the organisation of the flag'),
  erasure: new SealedColumn('erasures.content', ['id'], Reason, 'the organisation whose part is erased'),
} as const satisfies Record<string, SealedColumn<z.ZodType, readonly string[]>>

/** Returns the column of a zone, for a document that its contract has accepted. */
export const columnOf = (zone: Zone) =>
  sealedColumns[zone] as SealedColumn<z.ZodType<Content, Content>, readonly ['case_id', 'zone', 'version']>
