import { IdParams, Nothing, type Routes } from '../../platform/http/contract.ts'
import { makeOnce } from '../../platform/http/idempotency.ts'
import { NewRelation, Relation, RelationParams, Relations } from './contract.ts'
import * as relations from './queries.ts'

const tags = ['Person']
const ofRelation = { cases: ({ case: { id } }: Relation) => [id] }

export const relationRoutes: Routes = async app => {
  app.get(
    '/v1/cases/:id/relations',
    {
      config: {
        permission: 'cases:read',
        audit: { cases: (items: readonly Relation[]) => items.map(({ case: { id } }) => id) },
      },
      schema: {
        operationId: 'listRelations',
        summary: 'Lists the links to cases of the family that are open to you.',
        tags,
        params: IdParams,
        response: { 200: Relations },
      },
    },
    async request => ({ items: await request.transact(tx => relations.list(tx, request.params.id)) }),
  )
  app.post(
    '/v1/cases/:id/relations',
    {
      config: {
        permission: 'cases:write',
        audit: ofRelation,
        idempotency: 'accepted',
        problems: ['already-exists', 'file-erased'],
      },
      schema: {
        operationId: 'relateCases',
        summary: 'Links the case to that of a parent, child, spouse, sibling, guardian or ward.',
        tags,
        params: IdParams,
        body: NewRelation,
        response: { 201: Relation },
      },
    },
    (request, reply) => {
      const { id } = request.params
      return makeOnce(request, reply, {
        make: tx => relations.relate(tx, id, request.body),
        location: relation => `/v1/cases/${id}/relations/${relation}`,
        read: (tx, relation) => relations.find(tx, id, relation),
      })
    },
  )
  app.get(
    '/v1/cases/:id/relations/:relationId',
    {
      config: { permission: 'cases:read', audit: ofRelation },
      schema: {
        operationId: 'getRelation',
        summary: 'Returns one link to a case of the family that is open to you.',
        tags,
        params: RelationParams,
        response: { 200: Relation },
      },
    },
    request => request.transact(tx => relations.find(tx, request.params.id, request.params.relationId)),
  )
  app.delete(
    '/v1/cases/:id/relations/:relationId',
    {
      config: { permission: 'cases:write', audit: {} },
      schema: {
        operationId: 'endRelation',
        summary: 'Ends a link. It stays on record.',
        tags,
        params: RelationParams,
        response: { 204: Nothing },
      },
    },
    async (request, reply) => {
      const { id, relationId } = request.params
      return reply.code(204).send(await request.transact(tx => relations.end(tx, id, relationId)))
    },
  )
}
