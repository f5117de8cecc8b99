import { firstOf, type Move, pick, type Who, type World } from '../../long/wall/move.ts'
import { type Case, counts, erase, holds, isKept, reaches } from '../../long/wall/reference-model.ts'
import { approving, asking, untilDone } from '../../support/erasing.ts'
import { idempotencyKey } from '../../support/service.ts'

/** The text of every note. */
export const noteText = 'Called twice.'
export function noting(c: Case, { org, who }: Who, n: number, { day }: World): Move {
  const audience = pick(['organisation', 'case'] as const, n >> 4)
  return {
    what: `note for ${audience} by ${org}`,
    status: firstOf([!reaches(c, org, day), 404], [c.erased && !c.typed.has(org), 409], [true, 201]),
    send: () => who.post(`/v1/cases/${c.id}/notes`, { audience, text: noteText }, idempotencyKey()),
    makes: reply => {
      c.notes.push({ id: reply.json().id, of: org, audience })
      c.typed.add(org)
    },
  }
}

export function erasing(c: Case, { org, who, maker }: Who, { day }: World): Move {
  return {
    what: `erasure by ${org}`,
    status: firstOf(
      [c.inCustody && org === c.owner && !counts(c, org, day), 404], // a caseworker asks, and does not see custody
      [!reaches(c, org, day) && !holds(c, org), 404],
      [!holds(c, org) || isKept(c, org, day), 409],
      [true, 201],
    ),
    send: async () => {
      const asked = await asking(maker, c.id)
      if (asked.statusCode !== 201) return asked
      const approved = await approving(who, asked.json().id)
      if (approved.statusCode !== 200) return approved
      await untilDone(who, asked.json().id)
      return asked
    },
    makes: () => erase(c, org),
  }
}
