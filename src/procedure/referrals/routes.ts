import { PageQuery } from '../../platform/db/page.ts'
import { ofCase, ofCases } from '../../platform/http/audit.ts'
import { expectedVersion } from '../../platform/http/conditional.ts'
import { IdParams, type Routes } from '../../platform/http/contract.ts'
import { makeOne, readOne, readPage } from '../../platform/http/replies.ts'
import {
  DecidedReferral,
  NewDecision,
  NewReferral,
  Referral,
  ReferralBox,
  ReferralPage,
  ReferralQuery,
} from './contract.ts'
import * as referrals from './queries.ts'

const tags = ['Referrals']

export const referralRoutes: Routes = async app => {
  app.post(
    '/v1/cases/:id/referrals',
    {
      config: {
        permission: 'referrals:offer',
        audit: {},
        idempotency: 'required',
        conditional: true,
        problems: ['action-not-allowed', 'referral-pending', 'file-erased'],
      },
      schema: {
        operationId: 'offerReferral',
        summary: 'Offers the case to another organisation, which sees only a preview until it accepts.',
        tags,
        params: IdParams,
        body: NewReferral,
        response: { 201: Referral },
      },
    },
    (request, reply) =>
      makeOne(request, reply, {
        make: tx => referrals.offer(tx, request.params.id, expectedVersion(request), request.body),
        location: id => `/v1/referrals/${id}`,
        read: referrals.find,
      }),
  )
  app.get(
    '/v1/cases/:id/referrals',
    {
      config: { permission: 'cases:read', audit: {} },
      schema: {
        operationId: 'listCaseReferrals',
        summary: 'Lists the referrals of a case and what was decided.',
        tags,
        params: IdParams,
        querystring: PageQuery,
        response: { 200: ReferralPage },
      },
    },
    (request, reply) => readPage(request, reply, tx => referrals.ofCase(tx, request.params.id, request.query)),
  )
  app.get(
    '/v1/referrals',
    {
      config: { permission: 'cases:read', audit: ofCases },
      schema: {
        operationId: 'listReferrals',
        summary: 'Lists the referrals to or from your organisation, newest first, with counts by state.',
        tags,
        querystring: ReferralQuery,
        response: { 200: ReferralBox },
      },
    },
    (request, reply) => readPage(request, reply, tx => referrals.box(tx, request.query)),
  )
  app.get(
    '/v1/referrals/:id',
    {
      config: { permission: 'cases:read', audit: ofCase },
      schema: {
        operationId: 'getReferral',
        summary: 'Returns one referral. Before acceptance the recipient sees only the preview.',
        tags,
        params: IdParams,
        response: { 200: Referral },
      },
    },
    (request, reply) => readOne(request, reply, tx => referrals.find(tx, request.params.id)),
  )
  app.post(
    '/v1/referrals/:id/decision',
    {
      config: {
        permission: 'referrals:decide',
        audit: { ...ofCase, zones: ({ case: of }: DecidedReferral) => Object.keys(of?.person ?? {}) },
        idempotency: 'accepted',
        conditional: true,
        problems: ['action-not-allowed', 'referral-over'],
      },
      schema: {
        operationId: 'decideReferral',
        summary: 'Accepts, declines or recalls an offer; returns or ends an accepted referral.',
        tags,
        params: IdParams,
        body: NewDecision,
        response: { 200: DecidedReferral },
      },
    },
    (request, reply) => {
      const { id } = request.params
      return makeOne(request, reply, {
        status: 200,
        make: tx => referrals.decide(tx, id, expectedVersion(request), request.body),
        location: () => `/v1/referrals/${id}`,
        of: Referral,
        read: referrals.decided,
      })
    },
  )
}
