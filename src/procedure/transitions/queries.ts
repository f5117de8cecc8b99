import { randomUUIDv7 } from 'node:crypto'
import type { Case } from '../../casefile/cases/contract.ts'
import * as cases from '../../casefile/cases/queries.ts'
import { append, lastEvent } from '../../casefile/events/append.ts'
import * as events from '../../casefile/events/queries.ts'
import { keepText } from '../../casefile/events/text.ts'
import { faultsOfBasis } from '../../casefile/grants/basis.ts'
import { sealedColumns } from '../../casefile/sealed-columns.ts'
import { documentRefusals, faultsBy } from '../../casefile/zones/rules.ts'
import { refusalOf, type Tx } from '../../platform/db/database.ts'
import { invalid, notFound, Problem, stale } from '../../problem.ts'
import type { CaseAction } from '../../rules/lifecycle/contract.ts'
import { allowedActions, type Position, stepFor } from '../../rules/lifecycle/position.ts'
import { faultsOfCodes } from '../../rules/reference/queries.ts'
import type { Outcome, ProposedStep, Transition } from './contract.ts'
import { type Statement, statementOf } from './statement.ts'

/** Takes a step that needs one person. Returns the id of its event. */
export async function take(tx: Tx, caseId: string, version: number, step: Transition): Promise<string> {
  const { facts, text, found } = await prepare(tx, caseId, version, step, false)
  const textId = randomUUIDv7()
  const typed = await sealedColumns.event.sealFor(tx, { caseId }, [textId], text)
  const writing = Promise.all([
    append(tx, [{ case_id: caseId, action: step.action, occurred_on: step.occurredOn, facts, on_version: version }]),
    keepText(tx, caseId, textId, typed),
    lastEvent(tx, caseId),
  ])
  const [, , event] = await refusedWith(found, writing)
  return event
}

/** Checks a step as far as possible without writing it, and returns its statement. The database checks the rest. */
export async function prepare(
  tx: Tx,
  caseId: string,
  version: number,
  step: Transition | ProposedStep,
  twoPersons: boolean,
): Promise<Statement & { found: Case }> {
  const { case: found, position } = await cases.look(tx, caseId)
  if (found.version !== version) throw stale()
  admit(position, step.action, twoPersons)
  const statement = statementOf(step, tx.keys)
  const faults = await faultsOfCodes(tx, statement.uses)
  if ('basis' in step && found.person.identity) {
    const day = step.action === 'reopen' ? found.registeredOn : undefined
    faults.push(...(await faultsOfBasis(tx, step.basis, found.person.identity, day)))
  }
  if (step.action === 'record_document' && found.person.identity)
    faults.push(...faultsBy(documentRefusals, { document: step, identity: found.person.identity }))
  if (faults.length) throw invalid(faults)
  return { ...statement, found }
}

function admit(position: Position, action: CaseAction, twoPersons: boolean) {
  const step = stepFor(action, position)
  const conflict = { state: position.state, allowedActions: allowedActions(position) }
  if (!step) throw new Problem('action-not-allowed', conflict)
  if (twoPersons && !step.twoPersons)
    throw new Problem('action-not-allowed', {
      ...conflict,
      detail: 'One person takes this step: POST /v1/cases/{id}/transitions',
    })
  if (!twoPersons && step.twoPersons) throw new Problem('two-persons-required', conflict)
}

/** Returns an event with its case; the case is null if it is not open to the caller. */
export async function outcome(tx: Tx, caseId: string, eventId: string): Promise<Outcome> {
  const [event, found] = await Promise.all([
    events.find(tx, eventId),
    cases.find(tx, caseId).catch(error => {
      if (error instanceof Problem) return null
      throw error
    }),
  ])
  if (!event) throw notFound()
  return { event, case: found }
}

/**
 * Awaits `work`. If the database refuses the action, adds the state and the allowed actions of the case to the problem.
 */
export async function refusedWith<T>({ state, allowedActions }: Case, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    const refusal = refusalOf(error)
    if (!(refusal instanceof Problem) || refusal.details.type !== '/problems/action-not-allowed') throw error
    const { detail } = refusal.details
    throw new Problem('action-not-allowed', { state, allowedActions, ...(detail && { detail }) })
  }
}
