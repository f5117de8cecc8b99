import { type Described, from, problemsOfHttp } from './problems-of-http.ts'

/** Every problem that the service replies with. Its type is `/problems/{name}`. To add one, add an entry here and name it in the routes that can reply with it. */
export const problems = {
  ...problemsOfHttp,
  unauthorized: from(
    401,
    'Sign in first',
    'The access token is missing, expired or not valid, or its session has ended.',
    'Refresh the session with `POST /v1/sessions/refresh`, or sign in again with `POST /v1/sessions`.',
  ),
  'wrong-credentials': from(
    401,
    'E-mail or password is wrong',
    'No active account has this e-mail and this password.',
    'Check both. If the password is lost, ask a supervisor of your organisation for an enrolment code.',
  ),
  'second-factor-required': from(
    401,
    'A code is needed too',
    'The password is right, and the account has a second factor.',
    'Send the code of your authenticator app, or a recovery code, as `otp`.',
  ),
  'wrong-second-factor': from(
    401,
    'This code is wrong or was used',
    'The password is right, but the code is wrong, too old, or was used: each code counts once.',
    'Wait for the next code, and check the clock of its device. Without the device, send a recovery code; without one, ask a supervisor for an enrolment code.',
  ),
  'code-not-valid': from(
    401,
    'This enrolment code is not valid',
    'The code is unknown, was used, has expired, or was replaced by a newer one.',
    'Ask a supervisor of your organisation for another code.',
  ),
  forbidden: from(
    403,
    'Your role does not allow this',
    'Your role, or what your organisation is to this case, does not allow the operation.',
    'Read `detail`. `GET /v1/me` lists your permissions. Ask somebody who has the role.',
  ),
  'second-factor-missing': from(
    403,
    'Set up a second factor first',
    'Your organisation requires a second factor for your role, and your account has none.',
    'Start with `POST /v1/me/second-factor`, then confirm it with a code.',
  ),
  'no-second-factor': from(
    409,
    'There is no such second factor',
    'No second factor waits for its first code, or none is in use.',
    'Read `secondFactor` in `GET /v1/me`.',
  ),
  'same-person': from(
    403,
    'Another person has to confirm this',
    'Two persons are needed. Neither the one who proposed or asked can confirm, nor somebody who made their enrolment code or gave them roles.',
    'Ask a supervisor of your organisation to confirm; for a step of the lifecycle also one of the committee above it.',
  ),
  'no-second-person': from(
    409,
    'Nobody in this organisation can confirm this',
    'Two persons are needed, and the organisation has no second one: an account made the code or gave the roles of the other.',
    'Read `detail`: it has the organisations that can confirm it.',
  ),
  'nothing-to-confirm': from(
    409,
    'Nothing waits for a second person',
    'It was confirmed or withdrawn already, or it has expired.',
    'Read the account: `waiting` has what waits.',
  ),
  'not-found': from(
    404,
    'Not found',
    'It does not exist, or it is not open to you. Both get the same reply.',
    'Check the id. If you expected to see it, ask its owner whether the grant is open.',
  ),
  'already-exists': from(
    409,
    'This exists already',
    'Something with this number, e-mail, short name or link is stored already.',
    'Look for the existing one, or send another value.',
  ),
  'last-supervisor': from(
    409,
    'An organisation keeps at least one supervisor',
    'This account is the last active supervisor of its organisation.',
    'Make somebody else a supervisor first.',
  ),
  'already-enrolled': from(
    409,
    'This account has set its password already',
    'An enrolment code is for accounts that have no password yet.',
    'Sign in. If the password is lost, ask a supervisor for another code.',
  ),
  'organisation-closing': from(
    409,
    'This organisation is closing',
    'It registers no one any more.',
    'Another organisation has to register the person.',
  ),
  'organisation-in-use': from(
    409,
    'This organisation cannot be closed yet',
    'It is not closing, or cases, grants, offers or other things of it are left.',
    'Read `detail` and `GET /v1/organisations/{id}/remainder`. Its people hand over, revoke or answer what is left.',
  ),
  'action-not-allowed': from(
    409,
    'The state of the case does not allow this',
    'The lifecycle has no such step from the state of the case, or not for you.',
    'Read `state` and `allowedActions` in this reply: they name the steps that you can take now.',
  ),
  'two-persons-required': from(
    409,
    'This step needs two persons',
    'One person proposes the step, and a supervisor confirms it.',
    'Propose it with `POST /v1/cases/{id}/proposals`.',
  ),
  'proposal-pending': from(
    409,
    'Your organisation has an open proposal for this case',
    'An organisation has at most one open proposal for a case.',
    'Have the open one confirmed or rejected first: `GET /v1/proposals?case={id}`.',
  ),
  'proposal-settled': from(
    409,
    'This proposal is not open any more',
    'The proposal was confirmed or rejected, or it has expired.',
    'Read it with `GET /v1/proposals/{id}`. Propose the step again if it is still needed.',
  ),
  'grant-exists': from(
    409,
    'An equal grant is open already',
    'Your organisation has given this recipient the same zones for the same purpose, until this day or longer. The fault names the grant.',
    'Use that grant, or give a later `validUntil`: the new grant renews the first one, which closes.',
  ),
  'grant-not-revocable': from(
    409,
    'This grant does not rest on consent',
    'Only a grant that the person gave to another organisation, or that was given in danger to life, can be revoked. This one rests on a law, or is the legal basis of the owner itself.',
    'To end the procedure, record the wish of the person with the action `withdraw`.',
  ),
  'grant-over': from(
    409,
    'This grant is not open any more',
    'The grant was closed, has expired, or was confirmed or acknowledged already.',
    'Read it with `GET /v1/grants/{id}`.',
  ),
  'referral-pending': from(
    409,
    'The case is offered already',
    'An offer of this kind waits for an answer.',
    'Wait for the answer, or recall the offer first.',
  ),
  'referral-over': from(
    409,
    'This offer is not open any more',
    'The referral was decided, or its offer has expired.',
    'Read it with `GET /v1/referrals/{id}`: `allowedDecisions` lists what you can decide now.',
  ),
  'note-struck': from(409, 'This note was struck', 'A struck note cannot be changed.', 'Write another note.'),
  'task-done': from(409, 'This task is done', 'A task that is done cannot be changed.', 'Set another task.'),
  'task-of-the-system': from(
    409,
    'The system set this task and completes it',
    'Such a task is completed by what it asks for. Only its assignee can be changed.',
    'Do what the task asks for: its kind and its links say what.',
  ),
  'flag-cleared': from(409, 'This flag was cleared', 'A flag is cleared once.', 'Raise another flag.'),
  'file-must-stay': from(
    409,
    'This cannot be erased yet',
    'The case is in use, a flag keeps it, or a law requires it to be kept.',
    'Read `detail` for the reason, the date and the law.',
  ),
  'file-erased': from(
    409,
    'This file was erased',
    'Nothing can be added to a case whose file was erased.',
    'Register the person again if they come back.',
  ),
  'nothing-held': from(
    409,
    'Your organisation holds nothing of this case',
    'There is nothing of this case that your organisation could erase.',
    'Nothing has to be done.',
  ),
  'erasure-pending': from(
    409,
    'Your organisation has asked for this already',
    'An erasure of what your organisation holds of this case waits for its approval, or is under way.',
    'Find it with `GET /v1/erasures`.',
  ),
  'erasure-settled': from(
    409,
    'This erasure was decided already',
    'It was approved or rejected.',
    'Read it with `GET /v1/erasures/{id}`.',
  ),
  'job-over': from(
    409,
    'This job cannot be cancelled',
    'The job has ended, or its file is still being received.',
    'Read it with `GET /v1/jobs/{id}`.',
  ),
  'not-settled-yet': from(
    409,
    'The record is still being written',
    'A transaction that began before `knownAt` has not ended, so the figures could still change.',
    'Leave `knownAt` out, or send an earlier instant.',
  ),
  unreadable: from(
    500,
    'Stored data cannot be opened',
    'A sealed text does not open with the keys of this installation. The log names its place.',
    'Give the operator the `requestId`.',
  ),
} as const satisfies Record<string, Described>

export type ProblemName = keyof typeof problems

export const isProblemName = (name: string): name is ProblemName => Object.hasOwn(problems, name)
