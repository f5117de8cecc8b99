import t from 'tap'
import { networkOf } from '../../../src/platform/http/network.ts'

t.test('limits count an IPv4 address, and the first 64 bits of an IPv6 address', async t => {
  for (const [address, network] of Object.entries({
    '192.0.2.7': '192.0.2.7',
    '::ffff:192.0.2.7': '192.0.2.7',
    '2001:db8:1:2:3:4:5:6': '2001:db8:1:2::/64',
    '2001:0db8:0001:0002::1': '2001:db8:1:2::/64',
    '2001:db8::1': '2001:db8:0:0::/64',
    '::1': '0:0:0:0::/64',
    'fe80::1%eth0': 'fe80:0:0:0::/64',
  }))
    t.equal(networkOf(address), network, address)
})
