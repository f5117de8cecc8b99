import { IdParams, type Routes } from '../../platform/http/contract.ts'
import { changeOne, makeOne, readOne, readPage } from '../../platform/http/replies.ts'
import { Campaign, CampaignChange, CampaignPage, CampaignQuery, NewCampaign } from './contract.ts'
import * as campaigns from './queries.ts'

const tags = ['Campaigns']

export const campaignRoutes: Routes = async app => {
  app.get(
    '/v1/campaigns',
    {
      config: { permission: 'campaigns:read', audit: 'nothing' },
      schema: {
        operationId: 'listCampaigns',
        summary: 'Lists the identification campaigns, newest first.',
        tags,
        querystring: CampaignQuery,
        response: { 200: CampaignPage },
      },
    },
    (request, reply) => readPage(request, reply, tx => campaigns.list(tx, request.query)),
  )
  app.get(
    '/v1/campaigns/:id',
    {
      config: { permission: 'campaigns:read', audit: 'nothing' },
      schema: {
        operationId: 'getCampaign',
        summary: 'Returns one campaign.',
        tags,
        params: IdParams,
        response: { 200: Campaign },
      },
    },
    (request, reply) => readOne(request, reply, tx => campaigns.find(tx, request.params.id)),
  )
  app.post(
    '/v1/campaigns',
    {
      config: { permission: 'campaigns:write', audit: {}, idempotency: 'accepted' },
      schema: {
        operationId: 'createCampaign',
        summary: 'Creates a campaign.',
        tags,
        body: NewCampaign,
        response: { 201: Campaign },
      },
    },
    (request, reply) =>
      makeOne(request, reply, {
        make: tx => campaigns.create(tx, request.body),
        location: id => `/v1/campaigns/${id}`,
        read: campaigns.find,
      }),
  )
  app.patch(
    '/v1/campaigns/:id',
    {
      config: { permission: 'campaigns:write', audit: {}, conditional: true },
      schema: {
        operationId: 'changeCampaign',
        summary: 'Changes a campaign of your organisation.',
        tags,
        params: IdParams,
        body: CampaignChange,
        response: { 200: Campaign },
      },
    },
    (request, reply) =>
      changeOne(request, reply, (tx, version) => campaigns.change(tx, request.params.id, version, request.body)),
  )
}
