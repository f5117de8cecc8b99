import { isIPv6 } from 'node:net'

/**
 * Returns the network that limits count by: an IPv4 address itself, and the first 64 bits of an IPv6 address, because each
 * customer gets so many addresses.
 */
export function networkOf(address: string): string {
  const [plain = ''] = address.split('%') // without the zone of a link-local address
  const [, mapped] = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(plain) ?? []
  if (mapped) return mapped
  if (!isIPv6(plain)) return address
  const [left = '', right = ''] = plain.split('::')
  const groups = [left, right].map(part => (part ? part.split(':') : []))
  const zeros = plain.includes('::') ? 8 - groups.flat().length : 0
  const all = [...(groups[0] ?? []), ...Array(zeros).fill('0'), ...(groups[1] ?? [])]
  return `${all
    .slice(0, 4)
    .map(group => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`
}
