import { readFileSync } from 'node:fs'
import t from 'tap'
import { faultOfIin } from '../../src/casefile/zones/iin.ts'
import { CaseAction, CaseState } from '../../src/rules/lifecycle/contract.ts'
import { diagram } from '../../src/rules/lifecycle/diagram.ts'
import { allowedActions, type Position } from '../../src/rules/lifecycle/position.ts'
import { steps } from '../../src/rules/lifecycle/steps.ts'
import { startService } from '../support/service.ts'

t.test('the diagram in docs/lifecycle.md equals the lifecycle', async t => {
  const [, drawn] = /```mermaid\n([\s\S]*?)\n```/.exec(readFileSync('docs/lifecycle.md', 'utf8')) ?? []
  t.equal(drawn, diagram())
})

t.test('the service returns the lifecycle, with a label for each state and action', async t => {
  const { as } = await startService(t)
  const asel = await as('caseworker', 'sunrise')
  const { states, steps: returned } = (await asel.get('/v1/lifecycle')).json()
  t.equal(returned.length, steps.length)
  t.match(
    returned.find(({ action }: { action: string }) => action === 'decide'),
    { from: 'verification', to: 'decided', by: ['handler', 'committee'], twoPersons: true },
  )
  t.match(
    states.filter(({ final }: { final: boolean }) => final),
    [{ state: 'withdrawn' }, { state: 'merged' }, { state: 'closed' }],
  )
  const codes = async (list: string) =>
    new Map((await asel.get(`/v1/code-lists/${list}`)).json().items.map((item: { code: string }) => [item.code, item]))
  for (const [list, words] of [
    ['case_state', CaseState.options],
    ['action', CaseAction.options],
  ] as const) {
    const known = await codes(list)
    for (const word of words) t.match(known.get(word), { label: { en: /\S/, ru: /\S/, kk: /\S/ } }, `${list} ${word}`)
  }
  const { items } = (await asel.get('/v1/terms')).json()
  const terms = new Set(items.map(({ term }: { term: string }) => term))
  for (const { term } of steps) if (term) t.ok(terms.has(term), `${term} is a term`)
})

t.test('a final state allows only to reopen a closed case', async t => {
  const position: Position = {
    state: 'closed',
    relations: ['owner', 'authority', 'handler', 'committee', 'recorder'],
    needsDocument: true,
    final: true,
    toHandOver: true,
  }
  t.same(allowedActions(position), ['reopen'])
  for (const state of ['withdrawn', 'merged'] as const) t.same(allowedActions({ ...position, state }), [])
  for (const state of CaseState.options)
    t.same(allowedActions({ ...position, state, relations: [] }), [], `a stranger in ${state}`)
})

t.test('an IIN has its check digit, a date that exists and a century', async t => {
  const goods = ['900101300007', '900101300017', '900101300811', '061211600012', '920229000008', '000229500008']
  for (const good of goods) t.equal(faultOfIin(good), undefined, good)
  const none = Array.from({ length: 10 }, (_, digit) => `90010130080${digit}`) // no check digit fits these
  for (const bad of ['900101300018', '000000000000', '90010130000', '9001013000070', '90010130000x', ...none])
    t.ok(faultOfIin(bad), bad)
})
