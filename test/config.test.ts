import t from 'tap'
import { readConfig } from '../src/config.ts'

t.test('without an environment every setting has its default', async t => {
  t.match(readConfig({}), {
    host: '127.0.0.1',
    port: 3000,
    metricsHost: '127.0.0.1',
    country: 'KZ',
    timeZone: 'Asia/Almaty',
    databaseUrl: undefined,
    trustedProxies: [],
  })
  t.match(readConfig({ TRUSTED_PROXIES: '10.0.0.1, 10.1.0.0/16' }).trustedProxies, ['10.0.0.1', '10.1.0.0/16'])
  t.equal(readConfig({ TIME_ZONE: 'UTC' }).timeZone, 'UTC')
  t.match(readConfig({ POOL_SIZE: '200', REQUEST_DEADLINE: '0.5' }), { poolSize: 200, requestDeadline: 500 })
})

t.test('a wrong value gives an error of one line: the variable, what is wrong, an example', async t => {
  const wrong = {
    PORT: ['70000', ' ', '0x10', '1.5', '-1'],
    METRICS_PORT: ['x', '3000'],
    DATABASE_URL: ['mysql://x', 'postgres://app:50%@db/qujat'],
    LOG_LEVEL: ['loud'],
    TRUSTED_PROXIES: ['everybody', '1.2.3', '10.0.0.0/99', '::/0', '10.0.0.1/8/8'],
    COUNTRY: ['Kazakhstan'],
    TIME_ZONE: ['Almaty', '+05:00'],
    POOL_SIZE: ['0', '201'],
    REQUEST_DEADLINE: ['-1'],
    RATE_LIMIT: ['0'],
  }
  for (const [name, values] of Object.entries(wrong))
    for (const value of values) {
      const read = () => readConfig({ [name]: value })
      t.throws(read, { name: 'StartError' }, `${name}=${value}`)
      t.throws(read, { message: new RegExp(`^${name} is .+, for example ${name}=.+$`) })
    }
})
