import { join, relative } from 'node:path'
import type { Config } from '../config.ts'
import type { Demonstration } from './demonstration-accounts.ts'

/** Says how to sign in to the account that has a second factor. */
function factorOf(demonstration: Demonstration): string {
  const found = demonstration.find(({ otpSecret }) => otpSecret)
  if (!found) return ''
  return `    ${found.email} needs a code as well ("otp"): add this key to an authenticator app, ${found.otpSecret}
`
}

const end = 'Ctrl-C stops the service.'

/** Returns the text printed at start: the addresses, the demonstration accounts, and a first request to try. */
export function firstScreen(
  address: string,
  { dataDir }: Pick<Config, 'dataDir'>,
  demonstration: Demonstration | undefined,
): string {
  const file = relative(process.cwd(), join(dataDir, 'demonstration.json'))
  if (!demonstration)
    return `Qujat is ready at ${address}, without demonstration accounts: ${file} is missing. ${end}\n`
  const [someone] = demonstration.filter(({ role }) => role === 'caseworker')
  const { email = '', password = '' } = someone ?? demonstration[0] ?? {}
  const width = Math.max(...demonstration.map(account => account.email.length))
  const rows = demonstration.map(
    ({ email, role, organisation, otpSecret }) =>
      `    ${email.padEnd(width)}  ${role.padEnd(13)}  ${organisation.name}${otpSecret ? ' (with a second factor)' : ''}`,
  )
  const body = JSON.stringify({ email, password })
  return `
  Qujat is ready.

    Service         ${address}
    Documentation   ${address}/docs
    API document    ${address}/openapi.yaml

  Demonstration accounts (invented people), all with the password ${password}

${rows.join('\n')}

    The accounts are also listed in ${file}.
${factorOf(demonstration)}
  Try this, then send the accessToken as "authorization: Bearer …":

    curl -s ${address}/v1/sessions -H 'content-type: application/json' -d '${body}'

  Next: npm run demo runs a campaign of 7,299 registrations. ${end}

`
}
