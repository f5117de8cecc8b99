import { expectedVersion } from '../../platform/http/conditional.ts'
import { IdParams, type Routes } from '../../platform/http/contract.ts'
import { MergePatch, mergePatchType } from '../../platform/http/merge-patch.ts'
import { readOne, sendVersioned } from '../../platform/http/replies.ts'
import { Zone, zoneContracts } from './contract.ts'
import * as zones from './queries.ts'

const tags = ['Person']

/** The same operations for each zone, with the contract of its document. */
export const zoneRoutes: Routes = async app => {
  for (const zone of Zone.options) {
    const { title, content, current, versions } = zoneContracts[zone]
    const url = `/v1/cases/:id/person/${zone}`
    const audit = { zones: () => [zone] }
    app.get(
      url,
      {
        config: { permission: 'cases:read', audit },
        schema: {
          operationId: `get${title}`,
          summary: `Returns the current version of the zone ${zone}.`,
          tags,
          params: IdParams,
          response: { 200: current },
        },
      },
      (request, reply) =>
        readOne(request, reply, async tx => {
          await zones.requireOpen(tx, request.params.id, zone)
          return zones.current(tx, request.params.id, zone)
        }),
    )
    app.put(
      url,
      {
        config: {
          permission: 'cases:write',
          audit,
          conditional: true,
          problems: ['action-not-allowed', 'file-erased'],
        },
        schema: {
          operationId: `put${title}`,
          summary: `Replaces the zone ${zone}. Earlier versions are kept.`,
          tags,
          params: IdParams,
          body: content,
          response: { 200: current },
        },
      },
      async (request, reply) => {
        const { id: caseId } = request.params
        const version = expectedVersion(request)
        const { effects, ...written } = await request.transact(async tx => {
          await zones.requireOpen(tx, caseId, zone)
          return zones.replace(tx, { caseId, zone, version, content: request.body })
        })
        return { ...sendVersioned(reply, written, current), effects }
      },
    )
    app.patch(
      url,
      {
        config: {
          permission: 'cases:write',
          audit,
          conditional: true,
          problems: ['action-not-allowed', 'file-erased'],
        },
        schema: {
          operationId: `patch${title}`,
          summary: `Changes fields of the zone ${zone}, and leaves the others. Earlier versions are kept.`,
          tags,
          params: IdParams,
          consumes: mergePatchType,
          body: MergePatch,
          response: { 200: current },
        },
      },
      async (request, reply) => {
        const { id: caseId } = request.params
        const version = expectedVersion(request)
        const { effects, ...written } = await request.transact(async tx => {
          await zones.requireOpen(tx, caseId, zone)
          return zones.patch(tx, { caseId, zone, version, patch: request.body })
        })
        return { ...sendVersioned(reply, written, current), effects }
      },
    )
    app.get(
      `${url}/versions`,
      {
        config: { permission: 'cases:read', audit },
        schema: {
          operationId: `list${title}Versions`,
          summary: `Lists all versions of the zone ${zone}, newest first.`,
          tags,
          params: IdParams,
          response: { 200: versions },
        },
      },
      request =>
        request.transact(async tx => {
          await zones.requireOpen(tx, request.params.id, zone)
          return { items: await zones.versions(tx, request.params.id, zone) }
        }),
    )
  }
}
