import { readdirSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import Fastify, { type FastifyInstance, type FastifyReply } from 'fastify'
import { notFound } from '../../problem.ts'
import { isProblemName, problems } from '../../problems.ts'

/** Scripts and styles of these pages come from the service itself: no CDN, no external fonts, no telemetry. */
const policy = [
  `default-src 'self'`,
  `script-src 'self' 'unsafe-inline'`,
  `style-src 'self' 'unsafe-inline'`,
  `img-src 'self' data:`,
  `font-src 'self' data:`,
  `connect-src 'self'`,
].join('; ')

const hidden = { config: { permission: 'public', hidden: true } } as const
const reference = '/docs/api'

/**
 * Serves the documents of the project and the API reference as HTML, the API document, and an explanation of each problem.
 * Everything is loaded and built at the first request, so that it does not slow down the start.
 */
export async function docs(app: FastifyInstance) {
  const yaml = once(async () => (await import('yaml')).stringify(app.openapi(), { aliasDuplicateObjects: false }))
  const pages = once(referencePages)
  const texts = once(documents)
  const page = (reply: FastifyReply, body: unknown, type = 'text/html; charset=utf-8') =>
    reply.type(type).header('content-security-policy', policy).header('cache-control', 'no-cache').send(body)

  app.get('/openapi.json', hidden, async () => app.openapi())
  app.get('/openapi.yaml', hidden, async (_request, reply) => reply.type('application/yaml').send(await yaml()))
  app.get<{ Params: { name: string } }>('/problems/:name', hidden, async ({ params: { name } }) => {
    if (!isProblemName(name)) throw notFound()
    return { type: `/problems/${name}`, ...problems[name] }
  })
  app.get('/docs/', hidden, async (_request, reply) => reply.redirect('/docs'))
  app.get('/docs', hidden, async (_request, reply) => page(reply, (await texts()).get('README')))
  app.get<{ Params: { name: string } }>('/docs/:name', hidden, async ({ params: { name } }, reply) => {
    if (name === 'api') return reply.redirect(`${reference}/`)
    const text = (await texts()).get(name)
    if (!text) throw notFound()
    return page(reply, text)
  })
  app.get(`${reference}/*`, hidden, async (request, reply) => {
    const { statusCode, headers, rawPayload } = await (await pages()).inject(request.url)
    if (statusCode >= 400) throw notFound()
    return page(reply.code(statusCode), rawPayload, String(headers['content-type']))
  })
}

/** Calls `make` at the first call, and returns the same promise from then on. */
const once = <T>(make: () => Promise<T>) => {
  let made: Promise<T> | undefined
  return () => {
    made ??= make()
    return made
  }
}

/** Builds the API reference in a separate Fastify that does not listen: the main one accepts no plugin once it serves. */
async function referencePages(): Promise<FastifyInstance> {
  const pages = Fastify()
  await pages.register((await import('@scalar/fastify-api-reference')).default, {
    routePrefix: reference,
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
  return pages
}

const root = new URL('../../../', import.meta.url)

/** Returns README and the documents of `docs/` as HTML, by name. */
async function documents(): Promise<Map<string, string>> {
  const { Marked } = await import('marked')
  const names = readdirSync(new URL('docs/', root)).filter(name => name.endsWith('.md'))
  const titles = new Map<string, string>()
  const texts = ['README.md', ...names.map(name => `docs/${name}`)].map(path => {
    const text = readFileSync(new URL(path, root), 'utf8')
    const name = basename(path, '.md')
    titles.set(name, /^# (.+)$/m.exec(text)?.[1] ?? name)
    return [name, text] as const
  })
  const link = (name: string) => `<a href="${name === 'README' ? '/docs' : `/docs/${name}`}">${titles.get(name)}</a>`
  const menu = [...[...titles.keys()].map(link), `<a href="${reference}/">API reference</a>`].join(' · ')
  const marked = new Marked({
    walkTokens(token) {
      if (token.type !== 'link') return
      const [, name, heading = ''] = /^(?:\.\.\/|docs\/)*([\w-]+)\.md(#.*)?$/.exec(token.href) ?? []
      if (name) token.href = (name === 'README' ? '/docs' : `/docs/${name}`) + heading
    },
    renderer: {
      heading({ tokens, depth, text }) {
        const id = text
          .toLowerCase()
          .replaceAll(/[^\w\s-]/g, '')
          .trim()
          .replaceAll(/\s/g, '-') // as GitHub does
        return `<h${depth} id="${id}">${this.parser.parseInline(tokens)}</h${depth}>\n`
      },
    },
  })
  return new Map(
    texts.map(([name, text]) => [name, layout(titles.get(name) ?? name, menu, marked.parse(text, { async: false }))]),
  )
}

const layout = (title: string, menu: string, body: string) => `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title}</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 52rem; margin: 0 auto; padding: 1rem }
pre { overflow-x: auto; background: #f4f4f4; padding: .75rem } code { font-size: .9em }
table { border-collapse: collapse } td, th { border: 1px solid #ccc; padding: .25rem .5rem; text-align: left }
</style>
<nav>${menu}</nav>
${body}</html>
`
