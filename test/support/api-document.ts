// The types of the API document, as far as tests read it.
import type { Permission } from '../../src/platform/access/permissions.ts'

export type Operation = {
  operationId: string
  summary: string
  description: string
  'x-permission'?: Permission
  security?: object[]
  tags: string[]
  parameters: ({ name: string } | { $ref: string })[]
  requestBody?: { content: Record<string, { schema: { $ref?: string; examples?: string[] } }> }
  responses: Record<string, { $ref?: string; headers?: object }>
}
export type Document = {
  tags: { name: string; description: string }[]
  paths: Record<string, Record<string, Operation>>
  components: {
    schemas: Record<string, { examples?: object[] }>
    parameters: Record<string, { name: string }>
    responses: Record<string, { description: string }>
  }
}
