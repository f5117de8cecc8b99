import t from 'tap'
import { readConfig } from '../src/config.ts'

t.test('without an environment everything has its default', async t => {
  t.match(readConfig({}), {
    host: '127.0.0.1',
    port: 3000,
    country: 'KZ',
    timeZone: 'Asia/Almaty',
    databaseUrl: undefined,
    trustedProxies: [],
  })
  t.match(readConfig({ TRUSTED_PROXIES: '10.0.0.1, 10.1.0.0/16' }).trustedProxies, ['10.0.0.1', '10.1.0.0/16'])
})

t.test('a wrong value is told in one line: the variable, what is wrong, an example', async t => {
  const wrong = {
    PORT: '70000',
    METRICS_PORT: 'x',
    DATABASE_URL: 'mysql://x',
    LOG_LEVEL: 'loud',
    TRUSTED_PROXIES: 'everybody',
    COUNTRY: 'Kazakhstan',
    TIME_ZONE: 'Almaty',
    POOL_SIZE: '0',
    REQUEST_DEADLINE: '-1',
    RATE_LIMIT: '0',
  }
  for (const [name, value] of Object.entries(wrong)) {
    const read = () => readConfig({ [name]: value })
    t.throws(read, { name: 'StartError' }, name)
    t.throws(read, { message: new RegExp(`^${name} is not .+, for example ${name}=.+$`) })
  }
})
