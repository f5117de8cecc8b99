import type { FastifyReply, FastifyRequest } from 'fastify'
import type { z } from 'zod'
import type { Tx } from '../../platform/db/database.ts'
import { expectedVersion } from '../../platform/http/conditional.ts'
import { IdParams, type Routes } from '../../platform/http/contract.ts'
import { MergePatch, mergePatchType } from '../../platform/http/merge-patch.ts'
import { readOne, sendVersioned } from '../../platform/http/replies.ts'
import { type CurrentZone, Zone, zoneContracts } from './contract.ts'
import * as zones from './queries.ts'

const tags = ['Person']

/** The same operations for each zone, with the contract of its document. */
export const zoneRoutes: Routes = async app => {
  for (const zone of Zone.options) {
    const { title, content, current, versions } = zoneContracts[zone]
    const url = `/v1/cases/:id/person/${zone}`
    const audit = { zones: () => [zone] }
    const writing = {
      permission: 'cases:write',
      audit,
      conditional: true,
      problems: ['action-not-allowed', 'file-erased'],
    } as const
    /** Writes the next version, and sends it with what it changed in the grants of the case. */
    const write = async (
      request: FastifyRequest,
      reply: FastifyReply,
      work: (tx: Tx, of: Omit<zones.NewVersion, 'content'>) => Promise<CurrentZone>,
    ) => {
      const { id: caseId } = request.params as z.output<typeof IdParams>
      const version = expectedVersion(request)
      const { effects, ...written } = await request.transact(async tx => {
        await zones.requireOpen(tx, caseId, zone)
        return work(tx, { caseId, zone, version })
      })
      return { ...sendVersioned(reply, written, current), effects }
    }
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
        config: writing,
        schema: {
          operationId: `put${title}`,
          summary: `Replaces the zone ${zone}. Earlier versions are kept.`,
          tags,
          params: IdParams,
          body: content,
          response: { 200: current },
        },
      },
      (request, reply) => write(request, reply, (tx, of) => zones.replace(tx, { ...of, content: request.body })),
    )
    app.patch(
      url,
      {
        config: writing,
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
      (request, reply) => write(request, reply, (tx, of) => zones.patch(tx, { ...of, patch: request.body })),
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
