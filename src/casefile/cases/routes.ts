import { PageQuery } from '../../platform/db/page.ts'
import { ofPage, ofPerson } from '../../platform/http/audit.ts'
import { IdParams, type Routes } from '../../platform/http/contract.ts'
import { changeOne, makeOne, readPage, sendPage, sendVersioned } from '../../platform/http/replies.ts'
import {
  Assignment,
  Assignments,
  Case,
  CaseList,
  CasePage,
  CaseQuery,
  CaseSearch,
  NewCase,
  RegisteredCase,
} from './contract.ts'
import * as cases from './queries.ts'
import { findRegistered, register } from './register.ts'
import { search } from './search.ts'

const tags = ['Cases']
const ofRegistered = {
  ...ofPerson,
  cases: ({ id, possibleDuplicates }: RegisteredCase) => [id, ...possibleDuplicates.map(found => found.id)],
}

export const caseRoutes: Routes = async app => {
  app.post(
    '/v1/cases',
    {
      config: {
        permission: 'cases:register',
        audit: ofRegistered,
        idempotency: 'required',
        problems: ['already-exists', 'grant-exists', 'organisation-closing'],
      },
      schema: {
        operationId: 'registerCase',
        summary: 'Registers a person: makes the case with its legal basis and zones.',
        tags,
        body: NewCase,
        response: { 201: RegisteredCase },
      },
    },
    (request, reply) =>
      makeOne(request, reply, {
        make: tx => register(tx, request.body),
        location: id => `/v1/cases/${id}`,
        of: Case,
        read: findRegistered,
      }),
  )
  app.get(
    '/v1/cases',
    {
      config: { permission: 'cases:read', audit: ofPage },
      schema: {
        operationId: 'listCases',
        summary: 'Lists the cases that are open to you, newest first, or what changed since an instant.',
        tags,
        querystring: CaseQuery,
        response: { 200: CaseList },
      },
    },
    async (request, reply) => {
      const { query } = request
      const { updatedSince } = query
      const page =
        updatedSince === undefined
          ? cases.list(request, query)
          : request.transact(tx => cases.changes(tx, query, updatedSince))
      return sendPage(request, reply, await page)
    },
  )
  app.post(
    '/v1/cases/search',
    {
      config: { permission: 'cases:read', audit: { ...ofPage, criteria: true } },
      schema: {
        operationId: 'searchCases',
        summary: 'Finds cases that are open to you by number, IIN, document or name.',
        tags,
        querystring: PageQuery,
        body: CaseSearch,
        response: { 200: CasePage },
      },
    },
    (request, reply) => readPage(request, reply, tx => search(tx, request.body, request.query)),
  )
  app.get(
    '/v1/cases/:id',
    {
      config: { permission: 'cases:read', audit: ofPerson },
      schema: {
        operationId: 'getCase',
        summary: 'Returns one case with the zones that are open to you.',
        tags,
        params: IdParams,
        response: { 200: Case },
      },
    },
    async (request, reply) => sendVersioned(reply, await cases.read(request, request.params.id)),
  )
  app.patch(
    '/v1/cases/:id',
    {
      config: { permission: 'cases:assign', audit: ofPerson, conditional: true, problems: ['file-erased'] },
      schema: {
        operationId: 'assignCase',
        summary: 'Assigns the case to another account of your organisation.',
        tags,
        params: IdParams,
        body: Assignment,
        response: { 200: Case },
      },
    },
    (request, reply) =>
      changeOne(request, reply, (tx, version) => cases.assign(tx, request.params.id, version, request.body.assigneeId)),
  )
  app.get(
    '/v1/cases/:id/assignments',
    {
      config: { permission: 'cases:read', audit: {} },
      schema: {
        operationId: 'listAssignments',
        summary: 'Lists the accounts that the case was assigned to while your organisation owned it, newest first.',
        tags,
        params: IdParams,
        response: { 200: Assignments },
      },
    },
    request => request.transact(tx => cases.assignments(tx, request.params.id)),
  )
}
