import t from 'tap'
import { required } from '../src/exchange/imports/row.ts'
import type { Document } from './support/api-document.ts'
import { asking } from './support/erasing.ts'
import { assessed, consent, decision, offered, register, submittedWith, takenUp } from './support/procedure.ts'
import { idempotencyKey, ifMatch, type Someone, startService } from './support/service.ts'

/** What an example cannot contain: the caller, the id in the path, the version. */
type Given = { who: Someone; id?: string; relation?: string; version?: number; payload?: object }

t.test('every example is accepted, and every reply is in the API document', async t => {
  const { app, as, organisation, owner } = await startService(t)
  await app.ready()
  const { paths, components } = app.openapi() as Document
  const [administrator, supervisor, officer, caseworker, head, nurlan, kairat] = await Promise.all([
    as('administrator', 'operator'),
    as('supervisor', 'sunrise'),
    as('officer', 'committee'),
    as('caseworker', 'sunrise'),
    as('supervisor', 'committee'),
    as('officer', 'turkistan'),
    as('supervisor', 'turkistan'),
  ])
  const example = (name: string) => components.schemas[name]?.examples?.[0] as object
  const campaign = (await head.post('/v1/campaigns', example('NewCampaign'))).json()
  const [one, other] = [await register(caseworker), await register(caseworker)]
  const { account } = await as('caseworker', 'sunrise', 1)
  const { id: job } = (
    await officer.post(`/v1/imports?campaignId=${campaign.id}`, `${required.join()}\n`, { 'content-type': 'text/csv' })
  ).json()
  await owner`update organisations set version = 1`
  const related = async () =>
    (await caseworker.post(`/v1/cases/${one.id}/relations`, { kind: 'child', caseId: other.id })).json().id
  const proposed = async (who: Someone): Promise<Given> => ({
    who,
    id: (await (await takenUp(nurlan)).propose(nurlan, decision)).json().id,
  })
  const made = async (path: string, schema: string): Promise<Given> => ({
    who: caseworker,
    id: (await caseworker.post(`/v1/cases/${one.id}/${path}`, example(schema))).json().id,
  })
  const iom = await as('caseworker', 'iom')
  let day = 10
  const shared = async (id: string, who = caseworker): Promise<Given> => {
    const to = iom.organisation.id
    const zones = ['identity']
    const grant = { to, purpose: 'legal_aid', zones, validUntil: `2031-11-${day++}`, basis: consent }
    return { who, id: (await who.post(`/v1/cases/${id}/grants`, grant)).json().id }
  }
  const revoked = async (): Promise<Given> => {
    const { who, id } = await shared(one.id)
    await who.post(`/v1/grants/${id}/revocation`, {}, ifMatch(1))
    return { who: iom, id: id as string, version: 2 }
  }
  const vital = async (): Promise<Given> => {
    const { id = '' } = await shared(one.id, supervisor)
    await owner`update grants set basis = 'vital_interest', confirmed_until = valid_until where id = ${id}`
    return { who: caseworker, id, version: 1 }
  }
  const left = async () => {
    const { id, step } = await assessed(caseworker)
    await step(caseworker, { action: 'withdraw' })
    return id
  }
  const toErase = async () => (await asking(caseworker, await left())).json().id
  const run = async () => (await administrator.post('/v1/retention-runs')).json().id
  const almaty = organisation('almaty-city')
  const given: Record<string, () => Given | Promise<Given>> = {
    getOrganisation: () => ({ who: caseworker, id: organisation('common-home').id }),
    foundOrganisation: () => ({ who: administrator }),
    getRemainder: () => ({ who: administrator, id: organisation('common-home').id }),
    changeOrganisation: () => ({ who: administrator, id: organisation('common-home').id, version: 1 }),
    createCampaign: () => ({ who: head }),
    getCampaign: () => ({ who: head, id: campaign.id }),
    changeCampaign: () => ({ who: head, id: campaign.id, version: 1 }),
    importRegistrations: () => ({ who: officer }),
    listJobs: () => ({ who: officer }),
    listAuditEntries: async () => ({ who: await as('auditor', 'oversight') }),
    getJob: () => ({ who: officer, id: job }),
    downloadRejected: () => ({ who: officer, id: job }),
    cancelJob: async () => ({ who: officer, id: (await owner`update jobs set state = 'queued' returning id`)[0]?.id }),
    getSecondFactorRule: () => ({ who: supervisor, id: supervisor.organisation.id }),
    putSecondFactorRule: () => ({ who: supervisor, id: supervisor.organisation.id, payload: { required: [] } }),
    getAccount: () => ({ who: supervisor, id: account }),
    changeAccount: () => ({ who: supervisor, id: account, version: 1 }),
    reenrolAccount: () => ({ who: supervisor, id: account }),
    confirmAccount: async () => {
      const asked = { email: 'second@sunrise.example', name: 'Second', roles: ['supervisor'] }
      const { id } = (await supervisor.post('/v1/accounts', asked)).json()
      return { who: await as('supervisor', 'sunrise', 1), id, version: 1 }
    },
    listConfirmations: () => ({ who: head }),
    confirmForAnother: async () => {
      await owner`update accounts set status = 'disabled' where email = 'igor@common-home.example'`
      const kamila = await as('supervisor', 'common-home')
      const proposal = await (await assessed(kamila)).propose(kamila, { action: 'close', reason: 'lost_contact' })
      return { who: await as('supervisor', 'iom'), id: proposal.json().id, version: 1 }
    },
    inviteAccount: () => ({ who: supervisor }),
    listAccounts: () => ({ who: supervisor }),
    assignCase: () => ({ who: supervisor, id: one.id, version: 1, payload: { assigneeId: caseworker.account } }),
    takeStep: async () => ({ who: caseworker, id: (await register(caseworker)).id, version: 1 }),
    proposeStep: async () => ({ who: nurlan, id: (await takenUp(nurlan)).id, version: 3 }),
    getProposal: () => proposed(nurlan),
    confirmProposal: async () => ({ ...(await proposed(kairat)), version: 1 }),
    rejectProposal: async () => ({ ...(await proposed(kairat)), version: 1 }),
    relateCases: () => ({ who: caseworker, id: one.id, payload: { kind: 'child', caseId: other.id } }),
    getRelation: async () => ({
      who: caseworker,
      id: one.id,
      relation: (await owner`select id from relations`)[0]?.id,
    }),
    endRelation: async () => ({
      who: caseworker,
      id: one.id,
      relation: await owner`update relations set ended_at = now(), ended_by = made_by`.then(related),
    }),
    giveGrant: () => {
      const payload = { ...example('NewGrant'), to: iom.organisation.id }
      return { who: caseworker, id: one.id, payload }
    },
    getGrant: () => shared(one.id),
    getReceipt: () => shared(one.id),
    revokeGrant: async () => ({ ...(await shared(one.id)), version: 1 }),
    acknowledgeRevocation: revoked,
    confirmVitalInterest: vital,
    offerReferral: async () => {
      const payload = { ...example('NewReferral'), to: almaty.id, grant: submittedWith }
      return { who: caseworker, id: (await assessed(caseworker)).id, version: 2, payload }
    },
    getReferral: async () => ({
      who: caseworker,
      id: (await offered(await assessed(caseworker), caseworker, almaty)).id,
    }),
    decideReferral: async () => ({
      who: await as('officer', 'almaty-city'),
      id: (await offered(await assessed(caseworker), caseworker, almaty)).id,
      version: 1,
    }),
    putIdentity: () => ({ who: caseworker, id: one.id, version: 1 }),
    putContact: () => ({ who: caseworker, id: one.id, version: 0 }),
    putWhereabouts: () => ({ who: caseworker, id: one.id, version: 0 }),
    putProtection: () => ({ who: caseworker, id: one.id, version: 0 }),
    patchIdentity: () => ({ who: caseworker, id: other.id, version: 1, payload: { sex: 'female' } }),
    patchContact: () => ({ who: caseworker, id: other.id, version: 0 }),
    patchWhereabouts: () => ({ who: caseworker, id: other.id, version: 0, payload: { addresses: [] } }),
    patchProtection: () => ({ who: caseworker, id: other.id, version: 0, payload: { health: 'Asthma' } }),
    getNote: () => made('notes', 'NewNote'),
    rewriteNote: async () => ({ ...(await made('notes', 'NewNote')), version: 1 }),
    listNoteVersions: () => made('notes', 'NewNote'),
    strikeNote: async () => ({ ...(await made('notes', 'NewNote')), version: 1 }),
    getTask: () => made('tasks', 'NewTask'),
    changeTask: async () => ({ ...(await made('tasks', 'NewTask')), version: 1 }),
    completeTask: async () => ({ ...(await made('tasks', 'NewTask')), version: 1 }),
    getFlag: () => made('flags', 'NewFlag'),
    clearFlag: async () => ({ ...(await made('flags', 'NewFlag')), version: 1 }),
    planErasure: () => ({ who: caseworker, id: one.id }),
    requestErasure: async () => ({ who: caseworker, id: await left() }),
    getErasure: async () => ({ who: caseworker, id: await toErase() }),
    approveErasure: async () => ({ who: supervisor, id: await toErase(), version: 1 }),
    rejectErasure: async () => ({ who: supervisor, id: await toErase(), version: 1 }),
    startRetention: () => ({ who: administrator }),
    listRetentionRuns: () => ({ who: administrator }),
    getRetentionRun: async () => ({ who: administrator, id: await run() }),
    approveRetention: async () => ({ who: await as('administrator', 'operator', 1), id: await run(), version: 1 }),
    rejectRetention: async () => ({ who: administrator, id: await run(), version: 1 }),
    signOut: async () => ({ who: await as('caseworker', 'iom') }),
    signOutEverywhere: async () => ({ who: await as('supervisor', 'iom') }),
  }
  /** Examples that are refused, because they would need a valid code, token or password. */
  const refused: Record<string, number> = Object.fromEntries(
    `refreshSession enrol changePassword offerSecondFactor confirmSecondFactor renewRecoveryCodes removeSecondFactor`
      .split(' ')
      .map(operation => [operation, 401]),
  )
  const seen: string[] = []
  for (const [path, methods] of Object.entries(paths))
    for (const [method, operation] of Object.entries(methods)) {
      const { operationId, requestBody, responses, summary, tags } = operation
      const parameters = operation.parameters.map(one =>
        'name' in one ? one.name : components.parameters[one.$ref.split('/').at(-1) ?? '']?.name,
      )
      t.ok(summary && tags.length, `${operationId} has a summary and a tag`)
      seen.push(operationId)
      const {
        who,
        id = one.id,
        relation = '',
        version,
        payload,
      } = (await given[operationId]?.()) ?? { who: caseworker }
      t.equal(
        parameters.includes('If-Match'),
        version !== undefined,
        `${operationId} requires If-Match exactly if it has a version`,
      )
      const url = path.replace('{id}', id).replace('{relationId}', relation).replace('{list}', 'outcome')
      const [type, content] = Object.entries(requestBody?.content ?? {})[0] ?? []
      const shown =
        type === 'text/csv'
          ? content?.schema.examples?.[0]
          : type && example(content?.schema.$ref?.split('/').at(-1) ?? '')
      if (type) t.ok(shown, `${operationId} has an example`)
      const query = parameters.includes('campaignId') ? `?campaignId=${campaign.id}` : ''
      const response = await who.send(method.toUpperCase() as 'GET')(`${url}${query}`, payload ?? shown, {
        ...(version !== undefined && ifMatch(version)),
        ...(method === 'post' && idempotencyKey()),
        ...(type && { 'content-type': type }),
      })
      const status = response.statusCode
      t.ok(status >= 400 || String(status) in responses, `the document lists the status ${status} of ${operationId}`)
      const documented = Object.keys(responses[status]?.headers ?? {}).map(name => name.toLowerCase())
      t.same(
        ['etag', 'link', 'location'].filter(name => name in response.headers && !documented.includes(name)),
        [],
        `the document lists all headers of ${operationId}`,
      )
      t.ok(
        refused[operationId] ? status === refused[operationId] : status < 300,
        `${operationId} accepts its example: ${status} ${response.body.slice(0, 200)}`,
      )
      const { etag, location } = response.headers as Record<string, string>
      if (status < 300)
        t.equal(etag !== undefined, documented.includes('etag'), `the document lists the ETag of ${operationId}`)
      const read = location ?? (method === 'post' ? url.replace(/\/\w+$/, '') : url)
      if (location) t.equal((await who.get(location)).statusCode, 200, `the Location of ${operationId} can be read`)
      if (etag && operationId !== 'approveErasure') {
        // An approved erasure is carried out at once, and then it is another one.
        const again = await who.get(read, undefined, { 'if-none-match': etag })
        t.same(
          [again.statusCode, again.headers.etag, again.body],
          [304, etag, ''],
          `the ETag of ${operationId} is that of ${read}`,
        )
      }
    }
  t.equal(new Set(seen).size, seen.length, 'operation ids are unique')
})
