// The documents, the API reference and the pages of problems, as a browser receives them.
import t from 'tap'
import { startService } from '../../support/service.ts'

t.test('the documentation pages load nothing from other servers', async t => {
  const { app } = await startService(t)
  for (const url of ['/docs', '/docs/access', '/docs/tour', '/docs/operating', '/docs/api/']) {
    const page = await app.inject({ url })
    t.equal(page.statusCode, 200, url)
    t.match(page.headers['content-type'], /^text\/html/, url)
    t.notMatch(page.body.replaceAll(/<script[^>]*>[^<]*<\/script>/g, ''), /(src|href)="https?:/, url)
    t.match(page.headers['content-security-policy'], /default-src 'self'/, url)
    for (const [, path = '', heading] of page.body.matchAll(/(?:src|href)="(\/[^"#]*)(?:#([^"]+))?"/g)) {
      const target = await app.inject({ url: path })
      t.ok(target.statusCode < 400, `${url} leads to ${path}`)
      if (heading) t.match(target.body, `id="${heading}"`, `${url} leads to ${path}#${heading}`)
    }
  }
  t.equal((await app.inject({ url: '/docs/none' })).statusCode, 404)
  t.equal((await app.inject({ url: '/docs/api/none' })).statusCode, 404)
  t.equal((await app.inject({ url: '/openapi.yaml' })).statusCode, 200)
  t.equal((await app.inject({ url: '/openapi.json' })).json().openapi, '3.1.0')
  t.match((await app.inject({ url: '/problems/last-supervisor' })).json(), { status: 409 })
})
