import { readFileSync } from 'node:fs'
import t from 'tap'
import { parse } from 'yaml'
import { idempotencyKey, startService } from './support/service.ts'

t.test('openapi.yaml describes the service as it is (npm run openapi rewrites it)', async t => {
  const { app } = await startService(t)
  await app.ready()
  t.same(parse(readFileSync('openapi.yaml', 'utf8')), JSON.parse(JSON.stringify(app.openapi())))
})

type Operation = {
  operationId: string
  summary: string
  tags: string[]
  parameters: { name: string; in: string; required: boolean }[]
  requestBody?: { content: Record<string, { schema: { $ref?: string } }> }
  responses: Record<string, unknown>
}
type Document = {
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, { examples?: object[] }> }
}

t.test('every example is accepted, and every answer is one that the document names', async t => {
  const { app, as, organisation, owner } = await startService(t)
  await app.ready()
  const { paths, components } = app.openapi() as Document
  const [administrator, supervisor, officer, caseworker, head] = await Promise.all([
    as('administrator', 'operator'),
    as('supervisor', 'sunrise'),
    as('officer', 'committee'),
    as('caseworker', 'sunrise'),
    as('supervisor', 'committee'),
  ])
  const example = (name: string) => components.schemas[name]?.examples?.[0] as object
  const campaign = (await head.post('/v1/campaigns', example('NewCampaign'))).json()
  const registered = (await caseworker.post('/v1/cases', example('NewCase'), idempotencyKey())).json()
  const { account } = await as('caseworker', 'sunrise', 1)
  const job = (
    await officer.post(`/v1/imports?campaignId=${campaign.id}`, 'externalId\n', { 'content-type': 'text/csv' })
  ).json()
  await owner`update organisations set version = 1`
  const ids: Record<string, string> = {
    organisations: organisation('common-home').id,
    accounts: account,
    campaigns: campaign.id,
    cases: registered.id,
    jobs: job.id,
  }
  const whoMay: Record<string, typeof officer> = {
    foundOrganisation: administrator,
    changeOrganisation: administrator,
    createCampaign: head,
    changeCampaign: head,
    importRegistrations: officer,
    getJob: officer,
    registerCase: await as('caseworker', 'common-home'),
    listCases: caseworker,
    getCase: caseworker,
    listCaseEvents: caseworker,
    signOut: await as('caseworker', 'iom'),
    signOutEverywhere: await as('supervisor', 'iom'),
  }
  /** What the example cannot know: a code, a token or a password of somebody's own. */
  const refused: Record<string, number> = { refreshSession: 401, enrol: 401, changePassword: 401 }
  const seen: string[] = []
  for (const [path, methods] of Object.entries(paths))
    for (const [method, operation] of Object.entries(methods)) {
      const { operationId, requestBody, responses, summary, tags } = operation
      t.ok(summary && tags.length, `${operationId} has a summary and a tag`)
      seen.push(operationId)
      const url = path.replace('{id}', ids[path.split('/')[2] ?? ''] ?? '').replace('{list}', 'outcome')
      const [type, content] = Object.entries(requestBody?.content ?? {})[0] ?? []
      const payload =
        type === 'text/csv' ? 'externalId\n' : type && example(content?.schema.$ref?.split('/').at(-1) ?? '')
      if (type) t.ok(payload, `${operationId} has an example`)
      const query = operation.parameters.some(({ name }) => name === 'campaignId') ? `?campaignId=${campaign.id}` : ''
      const response = await (whoMay[operationId] ?? supervisor).send(method.toUpperCase() as 'GET')(
        `${url}${query}`,
        payload,
        {
          'if-match': '"1"',
          ...(method === 'post' && idempotencyKey()),
          ...(type && { 'content-type': type }),
        },
      )
      const status = response.statusCode
      t.ok(String(status) in responses, `${operationId} answers ${status}, which the document names`)
      t.ok(
        refused[operationId] ? status === refused[operationId] : status < 300,
        `${operationId} takes its example: ${status} ${response.body.slice(0, 200)}`,
      )
    }
  t.equal(new Set(seen).size, seen.length, 'each operation has a name of its own')
})
