import type { Someone } from '../../support/service.ts'
import { byOnePerson } from './plants-by-one-person.ts'
import type { story } from './story.ts'

export type Plant = [finding: string, how: string, ...statements: string[]]

/** Faults that a superuser plants: name of the finding, description and statements. `quietly`: no trigger runs. */
export const plants = ({
  asel,
  marta,
  bolat,
  nurlan,
  zarina,
  shared,
  decided,
  own,
  proposed,
  waiting,
  withdrawn,
}: Awaited<ReturnType<typeof story>>) => {
  const quietly = 'set local session_replication_role = replica'
  const loudly = 'set local session_replication_role = origin'
  const of = (one: { id: string }) => `case_id = '${one.id}'`
  const to = (who: Someone) => `recipient_id = '${who.organisation.id}'`
  /** Inserts a copy of a row with other values for these columns. */
  const copy = (table: string, where: string, columns: Record<string, string>) =>
    `insert into ${table} select (jsonb_populate_record(r, jsonb_build_object(${Object.entries(columns).map(([column, value]) => `'${column}', ${value}`)}))).*
     from ${table} r where ${where}`
  const aid = `${of(shared)} and purpose = 'legal_aid' and ${to(marta)} and opened_at is not null`
  const start = `${of(waiting)} and action = 'start_assessment'`
  const offer = `(select r from referrals r where ${of(waiting)})`
  const again = { id: 'uuidv7()', parent_id: 'null', onward: 'false' }
  const alone = `'${crypto.randomUUID()}'`
  const list: Plant[] = [
    [
      'access-without-grant',
      'a row',
      copy('case_access', `${of(decided)} and organisation_id = '${asel.organisation.id}'`, {
        organisation_id: `'${zarina.organisation.id}'`,
      }),
    ],
    [
      'grant-without-access',
      'no row',
      `delete from case_access where ${of(shared)} and organisation_id = '${marta.organisation.id}'`,
    ],
    [
      'access-differs-from-grants',
      'a zone more',
      `update case_access set protection_until = 'infinity' where ${of(shared)} and organisation_id = '${marta.organisation.id}'`,
    ],
    [
      'access-in-another-state',
      'an old state',
      `update case_access set state = 'closed' where ${of(decided)} and organisation_id = '${asel.organisation.id}'`,
    ],
    [
      'basis-without-event',
      'a second owner',
      copy('grants', `${of(waiting)} and purpose = 'case_management'`, {
        id: 'uuidv7()',
        recipient_id: `'${zarina.organisation.id}'`,
      }),
    ],
    [
      'basis-without-grant',
      'an owner without a grant',
      quietly,
      `delete from grants where ${of(waiting)} and purpose = 'case_management'`,
      `delete from case_access where ${of(waiting)}`,
    ],
    [
      'statute-without-procedure',
      'another division',
      copy('grants', `${of(decided)} and basis = 'statute' and ${to(bolat)}`, {
        id: 'uuidv7()',
        recipient_id: `'${nurlan.organisation.id}'`,
      }),
    ],
    [
      'statute-without-procedure',
      'more zones than the law opens',
      `update grants set zones = enum_range(null::zone) where ${of(decided)} and basis = 'statute' and ${to(bolat)}`,
    ],
    ['consent-without-form', 'no method', `update grants set method = null where ${aid}`],
    ['consent-without-form', 'no such form', `update grants set form_version = '1999' where ${aid}`],
    [
      'purpose-not-for-recipient',
      'legal aid by a division',
      copy('grants', aid, { ...again, recipient_id: `'${bolat.organisation.id}'` }),
    ],
    [
      'grant-not-by-its-giver',
      'onward from nothing',
      copy('grants', aid, {
        ...again,
        recipient_id: `'${zarina.organisation.id}'`,
        giver_id: `'${marta.organisation.id}'`,
        given_by: `'${marta.account}'`,
      }),
    ],
    [
      'grant-outlives-its-parent',
      'its parent is closed',
      `update grants set closed_at = now(), closed_reason = 'revoked' where ${aid}`,
    ],
    [
      'grant-outlives-its-parent',
      'its parent ends before it',
      `update grants set valid_until = now() + interval '1 day' where ${aid}`,
    ],
    [
      'grant-under-a-suspended-one',
      'its parent is suspended',
      `update grants set suspended_for = '{representative_missing}' where ${aid}`,
    ],
    [
      'grant-without-entry',
      'no entry',
      copy('grants', aid, { ...again, id: 'gen_random_uuid()', recipient_id: `'${zarina.organisation.id}'` }),
    ],
    [
      'grant-without-entry',
      'no entry at that time',
      copy('grants', aid, { ...again, id: `uuidv7(interval '-1 hour')` }),
    ],
    [
      'vital-interest-by-one-person',
      'not confirmed',
      `update grants set confirmed_at = null, confirmed_by = null where ${of(shared)} and basis = 'vital_interest'`,
    ],
    ...byOnePerson(bolat, nurlan),
    [
      'open-without-acceptance',
      'a grant of an offer',
      `update grants set opened_at = now() where id = (${offer}).grant_id`,
    ],
    [
      'event-outside-lifecycle',
      'a step from nowhere',
      quietly,
      copy('case_events', start, {
        id: 'uuidv7()',
        from_state: `'closed'`,
        to_state: `'closed'`,
        facts: `'{}'::jsonb`,
      }),
    ],
    [
      'one-person-instead-of-two',
      'a decision without a proposal',
      quietly,
      copy('case_events', `${of(own)} and action = 'decide'`, {
        id: alone,
        case_id: `'${proposed.id}'`,
        proposal_id: 'null',
        account_id: `'${nurlan.account}'`,
        entry_id: `(select entry_id from case_events where ${of(proposed)} order by id desc limit 1)`,
      }),
      copy('decisions', of(own), { event_id: alone, case_id: `'${proposed.id}'` }),
      loudly,
      `select app.fold(array['${proposed.id}'::uuid])`,
    ],
    [
      'one-person-instead-of-two',
      'a proposal confirmed by its proposer',
      'alter table proposals drop constraint proposals_two_persons',
      `update proposals set proposed_by = settled_by where ${of(own)}`,
    ],
    [
      'one-person-instead-of-two',
      'not what was proposed',
      `update proposals set facts = facts || '{"outcome": "refused"}' where ${of(own)}`,
    ],
    [
      'proposal-without-event',
      'confirmed, and nothing happened',
      `update proposals set state = 'confirmed', settled_by = '${marta.account}' where ${of(proposed)}`,
    ],
    ['decision-without-event', 'another outcome', `update decisions set outcome = 'refused' where ${of(own)}`],
    [
      'document-without-event',
      'another document',
      `update documents set type = 'residence_permit' where ${of(decided)}`,
    ],
    [
      'event-without-entry',
      'the entry of another time',
      quietly,
      `update case_events set entry_id = gen_random_uuid() where ${start}`,
    ],
    [
      'event-without-entry',
      'the entry is missing',
      quietly,
      `delete from entries where id = (select entry_id from case_events where ${start})`,
    ],
    ['case-differs-from-events', 'another outcome', `update cases set outcome = 'refused' where id = '${own.id}'`],
    ['case-differs-from-events', 'another state', `update cases set state = 'closed' where id = '${waiting.id}'`],
    [
      'case-differs-from-events',
      'another owner',
      `update cases set owner_id = '${zarina.organisation.id}', assignee_id = null where id = '${shared.id}'`,
    ],
    [
      'erased-but-kept',
      'an identifier that finds it',
      copy('identifiers', of(waiting), { case_id: `'${withdrawn.id}'` }),
    ],
    [
      'erased-but-kept',
      'a key put back',
      copy('data_keys', `${of(waiting)} and organisation_id is null`, {
        id: 'gen_random_uuid()',
        case_id: `'${withdrawn.id}'`,
      }),
    ],
    ['erased-but-kept', 'not marked as erased', `update cases set erased_at = null where id = '${withdrawn.id}'`],
    [
      'erased-but-kept',
      'a sex that is counted',
      quietly,
      `update zone_versions set sex = 'male' where ${of(withdrawn)} and zone = 'identity'`,
    ],
    [
      'erased-but-kept',
      'a link',
      `insert into relations (case_id, kind, other_id, organisation_id, made_by)
      values ('${withdrawn.id}', 'sibling', '${waiting.id}', '${asel.organisation.id}', '${asel.account}')`,
    ],
    ['erased-by-others', 'another organisation', `update erasures set settled_by = '${nurlan.account}'`],
    ['erased-without-request', 'no request', `update cases set erased_at = now() where id = '${shared.id}'`],
    [
      'referral-between-states',
      'accepted, without an event of its case',
      `update referrals set state = 'accepted' where id = (${offer}).id`,
      `update grants set opened_at = now() where id = (${offer}).grant_id`,
    ],
    [
      'referral-between-states',
      'recalled, but the event of its case is another',
      `update referrals set state = 'recalled' where state = 'declined'`,
    ],
  ]
  return list
}
