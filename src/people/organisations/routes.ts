import { IdParams, type Routes } from '../../platform/http/contract.ts'
import { makeOnce } from '../../platform/http/idempotency.ts'
import { changeOne, readOne, readPage, sendVersioned } from '../../platform/http/replies.ts'
import { newSecret } from '../sessions/queries.ts'
import {
  FoundedOrganisation,
  NewOrganisation,
  Organisation,
  OrganisationChange,
  OrganisationPage,
  OrganisationQuery,
} from './contract.ts'
import * as organisations from './queries.ts'

const tags = ['Organisations']

export const organisationRoutes: Routes = async app => {
  app.get(
    '/v1/organisations',
    {
      config: { permission: 'organisations:read', audit: 'nothing' },
      schema: {
        operationId: 'listOrganisations',
        summary: 'Lists the organisations.',
        tags,
        querystring: OrganisationQuery,
        response: { 200: OrganisationPage },
      },
    },
    (request, reply) => readPage(request, reply, tx => organisations.list(tx, request.query)),
  )
  app.get(
    '/v1/organisations/:id',
    {
      config: { permission: 'organisations:read', audit: 'nothing' },
      schema: {
        operationId: 'getOrganisation',
        summary: 'Returns one organisation.',
        tags,
        params: IdParams,
        response: { 200: Organisation },
      },
    },
    (request, reply) => readOne(request, reply, tx => organisations.find(tx, request.params.id)),
  )
  app.post(
    '/v1/organisations',
    {
      config: {
        permission: 'organisations:write',
        audit: {},
        idempotency: 'accepted',
        problems: ['already-exists', 'no-second-person'],
      },
      schema: {
        operationId: 'foundOrganisation',
        summary: 'Creates an organisation and its first account.',
        tags,
        body: NewOrganisation,
        response: { 201: FoundedOrganisation },
      },
    },
    async (request, reply) => {
      const { secret, hash } = newSecret(12)
      let enrolmentCode: string | null = null
      const founded = await makeOnce(request, reply, {
        make: tx => {
          enrolmentCode = secret
          return organisations.found(tx, request.body, hash)
        },
        location: id => `/v1/organisations/${id}`,
        read: organisations.find,
      })
      return { ...sendVersioned(reply, founded, Organisation), enrolmentCode }
    },
  )
  app.patch(
    '/v1/organisations/:id',
    {
      config: {
        permission: 'organisations:write',
        audit: {},
        conditional: true,
        problems: ['organisation-in-use'],
      },
      schema: {
        operationId: 'changeOrganisation',
        summary: 'Changes an organisation.',
        tags,
        params: IdParams,
        body: OrganisationChange,
        response: { 200: Organisation },
      },
    },
    (request, reply) =>
      changeOne(request, reply, (tx, version) => organisations.change(tx, request.params.id, version, request.body)),
  )
}
