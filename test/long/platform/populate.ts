import { asking, erased } from '../../support/erasing.ts'
import { file, row } from '../../support/imports.ts'
import {
  assessed,
  consent,
  decision,
  document,
  offered,
  register,
  submitted,
  takenUp,
} from '../../support/procedure.ts'
import { idempotencyKey, type Service } from '../../support/service.ts'

type Answer = Promise<{ statusCode: number; body: string; json: () => { id: string } }>
const done = async (answer: Answer) => {
  const { statusCode, body, json } = await answer
  if (statusCode >= 300) throw new Error(`${statusCode} ${body}`)
  return body ? json() : { id: '' }
}

/** Makes cases in several states, with what belongs to them, so that each operation finds something. */
export async function populate({ as }: Service) {
  const [asel, dina, zarina, kamila, marta, jonas] = [
    await as('caseworker', 'sunrise'),
    await as('supervisor', 'sunrise'),
    await as('caseworker', 'common-home'),
    await as('supervisor', 'common-home'),
    await as('caseworker', 'iom'),
    await as('supervisor', 'iom'),
  ]
  const [bolat, nurlan, kairat, gulnara] = [
    await as('officer', 'almaty-city'),
    await as('officer', 'turkistan'),
    await as('supervisor', 'turkistan'),
    await as('supervisor', 'committee'),
  ]
  const people = [asel, dina, zarina, kamila, marta, jonas, bolat, nurlan, kairat, gulnara]
  people.push(
    await as('supervisor', 'sunrise', 1),
    await as('coordinator', 'iom'),
    await as('supervisor', 'almaty-city'),
    await as('officer', 'committee'),
    await as('supervisor', 'committee', 1),
    await as('auditor', 'oversight'),
    await as('administrator', 'operator'),
    await as('administrator', 'operator', 1),
  )
  const campaign = await done(gulnara.post('/v1/campaigns', { name: 'Of all', startsOn: '2020-01-01' }))
  for (const who of [asel, zarina, marta, nurlan, bolat]) {
    const one = await register(who, { campaignId: campaign.id })
    const other = await register(who)
    await assessed(who)
    const at = `/v1/cases/${one.id}`
    await done(who.post(`${at}/notes`, { audience: 'case', text: 'Seen' }))
    await done(who.post(`${at}/tasks`, { title: 'Ask' }))
    await done(who.post(`${at}/flags`, { kind: 'urgent', reason: 'Soon' }))
    await done(who.post(`${at}/relations`, { kind: 'sibling', caseId: other.id }))
    const [to, purpose] = [(who === marta ? asel : marta).organisation.id, 'legal_aid']
    const grant = { to, purpose, zones: ['identity'], validUntil: '2031-11-23', basis: consent }
    if (who !== nurlan && who !== bolat) await done(who.post(`${at}/grants`, grant))
  }
  await submitted(asel, bolat)
  await offered(await assessed(asel), asel, bolat.organisation)
  await offered(await assessed(marta), marta, bolat.organisation)
  const documented = await takenUp(nurlan)
  await done(documented.together(nurlan, kairat, decision))
  await done(documented.step(nurlan, { action: 'open_documentation' }))
  await done(documented.together(nurlan, kairat, document()))
  await done((await takenUp(nurlan)).propose(nurlan, decision))
  for (const [maker, checker] of [
    [asel, dina],
    [zarina, kamila],
    [marta, jonas],
  ] as const)
    for (const isErased of [true, false]) {
      const left = await assessed(maker)
      await done(left.step(maker, { action: 'withdraw' }))
      if (isErased) await erased(maker, checker, left.id)
      else await done(asking(maker, left.id))
    }
  const text = file([row({}), row({ externalId: 'B', regionCode: 'KZ-00' })])
  await done(
    nurlan.post(`/v1/imports?campaignId=${campaign.id}`, text, { 'content-type': 'text/csv', ...idempotencyKey() }),
  )
  return people
}
