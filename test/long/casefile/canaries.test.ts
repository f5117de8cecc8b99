// A canary in every personal field: a unique number, which survives folding, upper case and transliteration.
import t from 'tap'
import { type Audience, type Planted, plant, plantWork } from '../../casefile/planting.ts'
import { document, following } from '../../support/procedure.ts'
import { idempotencyKey, ifMatch, type Service, type Someone, startService } from '../../support/service.ts'
import { readByThief } from '../../support/stolen.ts'

/** Adds a second organisation of the kinds of which the demonstration has only one. */
async function found({ owner, demonstration }: Service) {
  for (const [kind, role] of [
    ['iom', 'caseworker'],
    ['committee', 'officer'],
  ] as const) {
    const [organisation] =
      await owner`insert into organisations (kind, name, short_name) values (${kind}, ${`Second ${kind}`}, ${`${kind}-2`}) returning id`
    const email = `second@${kind}-2.example`
    const [account] =
      await owner`insert into accounts (organisation_id, organisation_kind, email, name, roles, status, password_hash)
      values (${organisation?.id}, ${kind}, ${email}, 'Second', ${[role]}, 'active', '') returning id`
    demonstration.push({
      id: account?.id,
      email,
      password: '',
      role,
      organisation: { id: organisation?.id, name: `Second ${kind}`, kind },
    })
  }
}

type Operation = {
  operationId: string
  parameters: { name: string }[]
  requestBody?: { content: Record<string, { schema: { $ref?: string } }> }
}
type Document = {
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, { examples?: object[] }> }
}

t.setTimeout(0)

t.test('no path shows a canary to a caller who may not read it', { timeout: 0 }, async t => {
  const service = await startService(t)
  const { app, as, lines, superuser } = service
  await found(service)
  const officers = await Promise.all(
    ['turkistan', 'almaty-city', 'committee', 'committee-2'].map(name => as('officer', name)),
  )
  const caseworkers = await Promise.all(['sunrise', 'common-home', 'iom', 'iom-2'].map(name => as('caseworker', name)))
  const supervisor = await as('supervisor', 'turkistan')
  const bystanders = [
    supervisor,
    await as('supervisor', 'sunrise'),
    await as('caseworker', 'sunrise', 1),
    await as('coordinator', 'iom'),
    await as('auditor', 'oversight'),
    await as('administrator', 'operator'),
  ]
  const everybody = [...officers, ...caseworkers, ...bystanders]

  const planted: Planted[] = []
  for (const who of [...officers, ...caseworkers]) {
    const { canaries, word, person } = plant()
    const consent = who.role === 'caseworker'
    const representative = { kind: 'guardian', name: word(consent ? 'owner' : 'authority') }
    const basis = consent
      ? { kind: 'consent', method: 'written', language: 'kk', formVersion: '2026-1', representative }
      : { kind: 'statute', legalReference: 'order_607', representative }
    const body = {
      regionCode: 'KZ-75',
      registeredOn: '2021-03-04',
      category: 'no_document',
      externalId: word('owner'),
      basis,
      person,
    }
    const made = await who.post('/v1/cases', body, idempotencyKey())
    t.equal(made.statusCode, 201, made.body.slice(0, 200))
    const one = following(made.json().id)
    const amended = await one.step(who, {
      action: 'amend',
      category: 'lost_document',
      reason: word(consent ? 'owner' : 'authority'),
    })
    t.equal(amended.statusCode, 200)
    planted.push({ owner: who, id: one.id, canaries, work: await plantWork(who, one.id, word) })
  }
  // One case goes through the whole procedure: decisions and documents can be read with the identity.
  const [first] = planted
  if (!first) throw new Error('nothing was planted')
  const { owner: nurlan, id, canaries } = first
  const further = plant()
  const one = following(id)
  for (const action of ['start_assessment', 'take_up']) await one.step(nurlan, { action })
  const decide = {
    action: 'decide',
    outcome: 'kz_citizenship_confirmed',
    legalReference: 'order_607',
    reasons: further.word('authority'),
    evidence: [further.word('authority')],
  }
  t.equal((await one.together(nurlan, supervisor, decide)).statusCode, 200)
  await one.step(nurlan, { action: 'open_documentation' })
  const card = { ...document(further.word('authority')), issuer: further.word('authority'), iin: further.iin() }
  t.equal((await one.together(nurlan, supervisor, card)).statusCode, 200)
  const { items } = (await nurlan.get(`/v1/cases/${id}/documents`)).json()
  t.equal(
    (
      await one.step(nurlan, {
        action: 'hand_over_document',
        documentId: items[0].id,
        to: 'representative',
        name: further.word('authority'),
      })
    ).statusCode,
    200,
  )
  const closing = await one.propose(nurlan, {
    action: 'annul',
    eventId: items[0].id,
    reason: further.word('authority'),
  })
  canaries.push(
    ...further.canaries.filter(
      ({ number }) => !Object.values(further.person).some(zone => JSON.stringify(zone).includes(number)),
    ),
  )

  const above = (who: Someone, owner: Someone) =>
    who.organisation.kind === 'committee' &&
    who.organisation.name === 'Migration Service Committee' &&
    owner.organisation.kind === 'division'
  const mayRead = (who: Someone, { owner }: Planted, audience: Audience) => {
    const own =
      who.organisation.id === owner.organisation.id && ['caseworker', 'officer', 'supervisor'].includes(who.role)
    if (audience === 'needToKnow') return own && (who.account === owner.account || who.role === 'supervisor')
    return own || (audience === 'authority' && above(who, owner))
  }

  const { paths, components } = app.openapi() as Document
  const proposal = closing.json().id
  let [replies, shown] = [0, 0]
  const check = (who: Someone, body: string) => {
    replies++
    for (const one of planted)
      for (const { number, audience } of one.canaries)
        if (body.includes(number)) {
          shown++
          if (!mayRead(who, one, audience))
            t.fail(`${who.email} is shown ${number} (${audience}) of ${one.owner.email} in ${body.slice(0, 200)}`)
        }
  }
  const plain = ({ instance: _, requestId: __, ...rest }: Record<string, unknown>) => rest
  const contentOf = (reply: Awaited<ReturnType<Someone['get']>>) => [reply.statusCode, plain(reply.json())]
  for (const [i, who] of everybody.entries()) {
    const never: Record<string, unknown> = {}
    for (const list of ['cases?limit=200', 'proposals', 'notes?limit=200', 'tasks?limit=200'])
      check(who, (await who.get(`/v1/${list}`)).body)
    for (const [j, one] of planted.entries()) {
      if (one.owner.organisation.id !== who.organisation.id && (i + j) % 2) continue // every second case of others
      const sees = mayRead(who, one, 'authority')
      for (const { number } of one.canaries.slice(0, 3))
        check(who, (await who.post('/v1/cases/search', { names: [`Құлқан${number}`] })).body)
      const targets: Record<string, string[]> = { cases: [one.id], proposals: [proposal], ...one.work }
      for (const [path, methods] of Object.entries(paths))
        for (const [method, { operationId, requestBody }] of Object.entries(methods)) {
          if (sees && method !== 'get') continue // would change the case
          const example =
            components.schemas[
              Object.values(requestBody?.content ?? {})[0]
                ?.schema.$ref?.split('/')
                .at(-1) ?? ''
            ]?.examples?.[0]
          const ask = (of: string) =>
            who.send(method.toUpperCase() as 'GET')(
              path.replace('{id}', of).replace('{relationId}', crypto.randomUUID()),
              example,
              { ...ifMatch(1), ...(method === 'post' && idempotencyKey()) },
            )
          for (const target of targets[/^\/v1\/(\w+)\/\{id\}/.exec(path)?.[1] ?? ''] ?? []) {
            const reply = await ask(target)
            check(who, reply.body)
            if (target === proposal || sees) continue
            never[operationId] ??= contentOf(await ask(crypto.randomUUID()))
            t.same(
              contentOf(reply),
              never[operationId],
              `${operationId} by ${who.email}: as for a case that does not exist`,
            )
          }
        }
    }
  }
  const all = planted.flatMap(({ canaries }) => canaries)
  t.comment(`${all.length} canaries, ${replies} replies, shown ${shown} times to callers who may read them`)
  t.ok(shown > all.length, 'callers who may read the canaries are shown them')
  const faulty = await nurlan.post(
    '/v1/cases',
    { [`Құлқан${all[0]?.number}`]: all[1]?.number, person: { identity: { names: `Құлқан${all[2]?.number}` } } },
    idempotencyKey(),
  )
  t.equal(faulty.statusCode, 400)
  t.notMatch(
    faulty.body,
    new RegExp(`${all[1]?.number}|${all[2]?.number}`),
    'an error names the place of a fault, not the value',
  )
  const entries = await superuser`select convert_from(content, 'UTF8') as content from entries`
  const log = [...lines, ...entries.map(({ content }) => content)].join('')
  t.same(
    all.filter(({ number }) => log.includes(number)),
    [],
    'neither the log nor the audit log contains one',
  )
  t.same(
    await readByThief(
      superuser,
      all.map(({ number }) => number),
    ),
    [],
    'the whole database without the keys shows none',
  )
})
