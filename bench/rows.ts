import { randomUUIDv7 } from 'node:crypto'
import { columnOf, sealedColumns } from '../src/casefile/sealed-columns.ts'
import { birthYear } from '../src/casefile/zones/birth.ts'
import type { Content } from '../src/casefile/zones/contract.ts'
import { Zone } from '../src/casefile/zones/contract.ts'
import { identifiersOf, identify } from '../src/casefile/zones/identifiers.ts'
import type { Keys } from '../src/platform/access/keys.ts'
import { asText, Sealer } from '../src/platform/db/sealed.ts'
import type { Story } from './story.ts'

type Facts = Record<string, unknown>
/** The effects of an event besides the new state: app.effects(). */
export type Effects = (event: Story['events'][number]) => Facts

/** Returns the rows that the triggers would have written for a case, by table. */
export function rowsOf(story: Story, keys: Keys, effects: Effects, entry: string): Record<string, object[]> {
  const { id, line, owner, by, job, handler, row, document, identity } = story
  const recorder = { organisation_id: job?.organisation ?? owner.id, account_id: job?.account ?? owner.account }
  const referral = handler && randomUUIDv7()
  const events = story.events.map(event => ({
    id: event.id,
    case_id: id,
    action: event.action,
    from_state: event.from,
    to_state: event.to,
    occurred_on: event.day,
    recorded_at: `${event.day}T12:00:00Z`,
    ...recorder,
    ...(event.action === 'accept' && handler && { organisation_id: handler.id, account_id: handler.account }),
    facts: { ...event.facts, ...effects(event), ...(event.handler && { handler: event.handler.id }) } as Facts,
    referral_id: ['submit', 'accept'].includes(event.action) ? referral : undefined,
    ...(job && { job_id: job.id, line }),
    entry_id: entry,
  }))
  const facts: Facts = Object.assign({}, ...events.map(event => event.facts))
  const [first, decided, documented] = events
  const last = events.at(-1)
  const state = last?.to_state
  const hmac = (hex: unknown) => `\\x${hex}`
  const index = {
    id,
    number: numberOf(row.registeredOn.slice(0, 4), line),
    category: facts.category,
    causes: facts.causes,
    region_code: facts.region,
    owner_id: owner.id,
    handler_id: facts.handler,
    assignee_id: job ? null : owner.account,
    state,
    outcome: facts.outcome,
    final_on: facts.finalOn,
    waiting_for: facts.waitingFor === 'nobody' ? null : facts.waitingFor,
    waiting_since: facts.waitingSince,
    due_on: facts.dueOn,
    registered_on: row.registeredOn,
    version: events.length,
    external_hmac: hmac(facts.externalHmac),
    updated_at: last?.recorded_at,
  }
  const { kind: basis, ...details } = facts.basis as Record<string, string>
  const shared = randomUUIDv7()
  const opened = {
    case_id: id,
    owner_id: owner.id,
    giver_id: owner.id,
    onward: false,
    states: [],
    publication: false,
    version: 1,
    given_at: first?.recorded_at,
    basis,
    opened_at: first?.recorded_at,
    valid_until: 'infinity',
    given_by: recorder.account_id,
  }
  const reasons = {
    legal_reference: details.legalReference,
    method: details.method,
    language: details.language,
    form_version: details.formVersion,
  }
  const byStatute = { basis: 'statute', legal_reference: 'order_607', method: null, language: null, form_version: null }
  const determined = (recipient: string | null, zones: readonly Zone[], more: object) =>
    recipient ? [{ recipient, purpose: 'status_determination', zones, ...more }] : []
  const open = [
    { recipient: owner.id, purpose: 'case_management', zones: Zone.options as readonly Zone[], ...reasons },
    ...determined(owner.parent, ['identity'], reasons),
    ...(handler
      ? [
          ...determined(handler.id, ['identity', 'contact'], {
            id: shared,
            ...reasons,
            valid_until: '2031-11-24T00:00:00+05',
          }),
          ...determined(handler.id, ['identity'], byStatute),
          ...determined(handler.parent, ['identity'], byStatute),
        ]
      : []),
  ]
  const until = (recipient: string, zone?: Zone) =>
    open
      .filter(grant => grant.recipient === recipient && (!zone || grant.zones.includes(zone)))
      .map(grant => ('valid_until' in grant ? String(grant.valid_until) : 'infinity'))
      .sort()
      .at(-1) ?? '-infinity' // -infinity sorts before any year, infinity after
  const known = { case_id: id, version: 1, written_at: first?.recorded_at, written_by: recorder.account_id }
  const { dataKey, epoch, wrapped } = keys.newDataKey()
  const sealer = new Sealer(dataKey)
  const sealZone = (zone: Zone, content: Content) => asText(columnOf(zone).seal(sealer, [id, zone, 1], content))
  const textId = randomUUIDv7()
  const contact = { phones: [`+7701${String(line).padStart(7, '0')}`], languages: ['ru'] }
  return {
    cases: [index],
    data_keys: [{ id: dataKey.id, case_id: id, organisation_id: null, epoch, wrapped: asText(wrapped) }],
    case_events: events,
    grants: open.map(({ recipient, ...grant }) => ({
      id: randomUUIDv7(),
      ...opened,
      recipient_id: recipient,
      ...grant,
    })),
    case_access: [...new Set(open.map(({ recipient }) => recipient))].map(recipient => ({
      organisation_id: recipient,
      case_id: id,
      state,
      until: until(recipient),
      updated_at: last?.recorded_at,
      ...Object.fromEntries(Zone.options.map(zone => [`${zone}_until`, until(recipient, zone)])),
    })),
    referrals: handler
      ? [
          {
            ...{
              id: referral,
              kind: 'submission',
              case_id: id,
              owner_id: owner.id,
              from_id: owner.id,
              to_id: handler.id,
            },
            ...{ grant_id: shared, region_code: facts.region, category: facts.category, child: false },
            ...{ zones: ['identity', 'contact'], purpose: 'status_determination', state: 'accepted' },
            ...{ offered_at: last?.recorded_at, offered_by: owner.account, expires_on: last?.occurred_on },
            ...{
              expires_at: last?.recorded_at,
              settled_at: last?.recorded_at,
              settled_by: handler.account,
              version: 2,
            },
          },
        ]
      : [],
    zone_versions: [
      {
        ...known,
        zone: 'identity',
        content: sealZone('identity', identity),
        sex: identity.sex,
        birth_year: birthYear(identity.birth),
      },
      ...(by === 'consent' ? [{ ...known, zone: 'contact', content: sealZone('contact', contact) }] : []),
    ],
    identifiers: identifiersOf(keys, identity).map(({ kind, hmac: hex }) => ({
      case_id: id,
      zone: 'identity',
      version: 1,
      kind,
      hmac: hmac(hex),
    })),
    decisions:
      job && decided
        ? [
            {
              event_id: decided.id,
              case_id: id,
              outcome: facts.outcome,
              final_on: facts.finalOn,
              annulled: false,
            },
          ]
        : [],
    documents:
      job && documented && document
        ? [
            {
              event_id: documented.id,
              case_id: id,
              committee_id: job.organisation,
              type: document.documentType,
              number_hmac: hmac(identify.document(keys, document.number)),
              text_id: textId,
              content: asText(sealedColumns.document.seal(sealer, [textId], { number: document.number })),
              issued_on: document.issuedOn,
              expires_on: document.expiresOn,
              annulled: false,
            },
          ]
        : [],
  }
}

/** Returns a case number: seven digits in no visible order and without repeats, and a check digit, as app.case_number(). */
function numberOf(year: string, line: number): string {
  const digits = String((line * 7_654_321) % 10_000_000).padStart(7, '0')
  let rest = 10
  for (const digit of year + digits) rest = (((rest + Number(digit)) % 10 || 10) * 2) % 11
  return `KZ-${year}-${digits}-${(11 - rest) % 10}`
}
