import t from 'tap'
import { hashPassword, requireStrong } from '../../src/people/sessions/password.ts'
import { password } from '../support/service.ts'
import { another } from './signing-in.ts'

t.test('passwords that are easy to guess are refused', async t => {
  for (const easy of [
    'Password1234567',
    'passwordpassword1',
    'qwertyuiopasdfghjkl',
    'administrator123',
    '1q2w3e4r5t6y7u8i9o',
    'letmeinletmeinletmein',
    '123456789012345',
    'welcome123456789',
    'monkeymonkeymonkey',
    'Almaty2026Almaty2026',
  ])
    await t.rejects(requireStrong(easy, '#/password'), { message: 'invalid-request' }, easy)
  for (const good of [another, password, 'төрт сөз менің өзімдікі']) await t.resolves(requireStrong(good, '#/password'))
})

t.test('a queue of password hashes has an end, and the work of clients that are gone is dropped', async t => {
  const results = await Promise.allSettled(Array.from({ length: 30 }, () => hashPassword(password)))
  const refused = results.filter(({ status }) => status === 'rejected')
  t.equal(refused.length, 8, 'two run, and twenty wait')
  t.match(refused[0], { reason: { message: 'unavailable', retryAfter: 5 } })
  await t.rejects(
    hashPassword(password, () => true),
    { message: 'unavailable' },
  )
})
