import type { Someone } from '../../support/service.ts'
import type { Plant } from './plants.ts'

/** Decisions by two accounts of one person, and codes of a supervisor that no second person confirmed. */
export const byOnePerson = (supervisor: Someone, maker: Someone): Plant[] => [
  ...(
    [
      ['proposals', 'proposed_by', '1 hour'],
      ['erasures', 'requested_by', '3 years'],
    ] as const
  ).map(
    ([table, first, before]): Plant => [
      'decided-by-one-person',
      `${table}: one made the code of the other`,
      `insert into account_controls select ${first}, settled_by, 'enrolment', min(settled_at) - interval '${before}'
       from ${table} where ${first} <> settled_by group by 1, 2 having count(*) = 1 limit 1`,
    ],
  ),
  ...[
    ['confirmed by nobody', 'null'],
    ['confirmed by its maker', `'${maker.account}'`],
  ].map(
    ([how = '', confirmer]): Plant => [
      'enrolled-by-one-person',
      how,
      `insert into enrolments (account_id, code_hash, expires_at, used_at, made_by, confirmed_by, needs_second)
       values ('${supervisor.account}', '\\x00', now(), now(), '${maker.account}', ${confirmer}, true)`,
    ],
  ),
]
