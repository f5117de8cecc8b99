// Makes cases in which grants, referrals and procedures go through all their states.
import { expireReferrals } from '../../../src/procedure/referrals/expire.ts'
import { erased } from '../../support/erasing.ts'
import {
  assessed,
  consent,
  decision,
  document,
  offered,
  register,
  submitted,
  submittedWith,
  takenUp,
} from '../../support/procedure.ts'
import { idempotencyKey, ifMatch, type Service, type Someone } from '../../support/service.ts'

const legalAid = (to: Someone, more: object = {}) => ({
  ...{ to: to.organisation.id, purpose: 'legal_aid', zones: ['identity'], validUntil: '2031-11-23', basis: consent },
  ...more,
})

export async function story(service: Service) {
  const { as, db } = service
  const [asel, dina, marta] = [
    await as('caseworker', 'sunrise'),
    await as('supervisor', 'sunrise'),
    await as('caseworker', 'iom'),
  ]
  const [bolat, marat] = [await as('officer', 'almaty-city'), await as('supervisor', 'almaty-city')]
  const [nurlan, zarina] = [await as('officer', 'turkistan'), await as('caseworker', 'common-home')]
  const give = (who: Someone, id: string, body: object) =>
    who.post(`/v1/cases/${id}/grants`, body, idempotencyKey()).then(reply => {
      if (reply.statusCode !== 201) throw new Error(reply.body)
      return reply.json()
    })
  const shared = await register(asel, { grants: [legalAid(marta, { onward: true })] })
  await give(marta, shared.id, legalAid(zarina, { basis: undefined }))
  const vital = { basis: { kind: 'vital_interest', reason: 'In hospital.' } }
  const { id: urgent } = await give(dina, shared.id, legalAid(zarina, vital))
  await (await as('supervisor', 'sunrise', 1)).post(`/v1/grants/${urgent}/confirmation`, undefined, ifMatch(1))
  const { id: revoked } = await give(asel, shared.id, legalAid(zarina))
  await asel.post(`/v1/grants/${revoked}/revocation`, undefined, ifMatch(1))
  await offered(shared, asel, marta.organisation, {
    kind: 'service',
    grant: { ...submittedWith, purpose: 'legal_aid' },
  })

  const { one: decided } = await submitted(asel, bolat)
  await decided.together(bolat, marat, decision)
  await decided.step(bolat, { action: 'open_documentation' })
  await decided.together(bolat, marat, document())
  const { one: moved } = await submitted(asel, bolat)
  const transfer = await offered(moved, asel, marta.organisation, {
    kind: 'transfer',
    grant: undefined,
    basis: consent,
  })
  await transfer.decide(marta, 'accept')
  const handOver = await offered(moved, bolat, nurlan.organisation, { kind: 'hand_over', grant: undefined })
  await handOver.decide(nurlan, 'accept')
  await handOver.decide(nurlan, 'return', { reason: 'incomplete' })
  for (const [decided, who] of [['decline', bolat] as const, ['recall', asel] as const]) {
    const back = await assessed(asel)
    const referral = await offered(back, asel, bolat.organisation)
    await referral.decide(who, decided, decided === 'decline' ? { reason: 'wrong_region' } : {})
    await (await offered(back, asel, bolat.organisation)).read(asel)
  }
  const own = await takenUp(nurlan)
  await own.together(nurlan, await as('supervisor', 'turkistan'), decision)
  const proposed = await takenUp(nurlan)
  await proposed.propose(nurlan, decision)
  const withdrawn = await assessed(asel)
  await offered(withdrawn, asel, bolat.organisation)
  await withdrawn.step(asel, { action: 'withdraw' })
  await erased(asel, dina, withdrawn.id)
  await service.travel(30)
  await expireReferrals(db)
  const waiting = await assessed(asel)
  await offered(waiting, asel, bolat.organisation)
  return { asel, marta, bolat, nurlan, zarina, shared, decided, own, proposed, waiting, withdrawn }
}
