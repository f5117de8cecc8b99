import type { Routes } from '../../platform/http/contract.ts'
import {
  CodeList,
  CodeListParams,
  CodeLists,
  ConsentForms,
  Purposes,
  RegionQuery,
  Regions,
  RetentionRules,
  Terms,
  Thresholds,
} from './contract.ts'
import * as reference from './queries.ts'

const tags = ['Reference data']
const config = { permission: 'reference:read', audit: 'nothing' } as const

export const referenceRoutes: Routes = async app => {
  app.get(
    '/v1/regions',
    {
      config,
      schema: {
        operationId: 'listRegions',
        summary: 'Lists the regions as of a day.',
        tags,
        querystring: RegionQuery,
        response: { 200: Regions },
      },
    },
    request => request.transact(tx => reference.regions(tx, request.query.asOf)),
  )
  app.get(
    '/v1/code-lists',
    {
      config,
      schema: { operationId: 'listCodeLists', summary: 'Lists the code lists.', tags, response: { 200: CodeLists } },
    },
    request => request.transact(reference.codeLists),
  )
  app.get(
    '/v1/code-lists/:list',
    {
      config,
      schema: {
        operationId: 'getCodeList',
        summary: 'Returns the codes of a list, with labels in three languages.',
        tags,
        params: CodeListParams,
        response: { 200: CodeList },
      },
    },
    request => request.transact(tx => reference.codeList(tx, request.params.list)),
  )
  app.get(
    '/v1/terms',
    {
      config,
      schema: {
        operationId: 'listTerms',
        summary: 'Lists terms and deadlines with their sources.',
        tags,
        response: { 200: Terms },
      },
    },
    request => request.transact(reference.terms),
  )
  app.get(
    '/v1/thresholds',
    {
      config,
      schema: {
        operationId: 'listThresholds',
        summary: 'Lists the thresholds of this installation with their sources.',
        tags,
        response: { 200: Thresholds },
      },
    },
    request => request.transact(reference.thresholds),
  )
  app.get(
    '/v1/purposes',
    {
      config,
      schema: {
        operationId: 'listPurposes',
        summary: 'Lists the purposes of grants: who can receive them, and which zones a law opens.',
        tags,
        response: { 200: Purposes },
      },
    },
    request => request.transact(reference.purposes),
  )
  app.get(
    '/v1/retention-rules',
    {
      config,
      schema: {
        operationId: 'listRetentionRules',
        summary:
          'Lists the retention rules: how long each kind of organisation keeps data for a purpose, and by which law.',
        tags,
        response: { 200: RetentionRules },
      },
    },
    request => request.transact(reference.retentionRules),
  )
  app.get(
    '/v1/consent-forms',
    {
      config,
      schema: {
        operationId: 'listConsentForms',
        summary: 'Lists the consent forms, by version and language.',
        tags,
        response: { 200: ConsentForms },
      },
    },
    request => request.transact(reference.consentForms),
  )
}
