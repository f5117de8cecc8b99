import reference from '@scalar/fastify-api-reference'
import type { FastifyInstance } from 'fastify'
import { stringify } from 'yaml'
import { notFound } from '../../problem.ts'
import { isProblemName, problems } from '../../problems.ts'

/** Scripts and styles of these pages come from the package itself: no CDN, no fonts of others, no telemetry. */
const policy = [
  `default-src 'self'`,
  `script-src 'self' 'unsafe-inline'`,
  `style-src 'self' 'unsafe-inline'`,
  `img-src 'self' data:`,
  `font-src 'self' data:`,
  `connect-src 'self'`,
].join('; ')

const prefix = '/docs'

/** The API document as pages to read and to try. To be called before anything looks at the routes. */
export function docs(app: FastifyInstance) {
  app.addHook('onRoute', route => {
    if (route.url.startsWith(prefix)) route.config = { ...route.config, permission: 'public', hidden: true }
  })
  app.register(async pages => {
    pages.addHook('onSend', async (_request, reply) => {
      reply.header('content-security-policy', policy).header('cache-control', 'no-cache')
    })
    await pages.register(reference, {
      routePrefix: prefix,
      configuration: {
        url: '/openapi.json',
        title: 'Qujat API',
        pageTitle: 'Qujat API',
        withDefaultFonts: false,
        telemetry: false,
        hideClientButton: true,
        showDeveloperTools: 'never',
        agent: { disabled: true },
        mcp: { disabled: true },
      },
      logLevel: 'silent',
    })
  })
}

/** The API document, and the pages that explain its problems. */
export async function apiDocumentRoutes(app: FastifyInstance) {
  const hidden = { config: { permission: 'public', hidden: true } } as const
  app.get('/openapi.json', hidden, async () => app.openapi())
  app.get('/openapi.yaml', hidden, async (_request, reply) =>
    reply.type('application/yaml').send(stringify(app.openapi(), { aliasDuplicateObjects: false })),
  )
  app.get<{ Params: { name: string } }>('/problems/:name', hidden, async ({ params: { name } }) => {
    if (!isProblemName(name)) throw notFound()
    return { type: `/problems/${name}`, ...problems[name] }
  })
}
