import { z } from 'zod'
import type { Tx } from '../../platform/db/database.ts'
import { sql } from '../../platform/db/drizzle.ts'
import { FormLanguage, type Grant, type Receipt } from './contract.ts'
import { find } from './queries.ts'

const Words = z.record(z.string(), z.string())
const FormRow = z.object({
  version: z.string(),
  parts: Words,
  labels: Words,
  number: z.string().nullable(),
  timeZone: z.string(),
})

/** Returns the receipt of a grant, with the texts of the form version by which it was given. */
export async function receipt(tx: Tx, id: string, asked: FormLanguage | undefined): Promise<Receipt> {
  const grant = await find(tx, id)
  const language = asked ?? FormLanguage.safeParse(grant.language).data ?? 'en'
  const [read] = await tx.rows(
    FormRow,
    sql`
      select f.version, jsonb_object_agg(f.part, f.text) as parts, (select number from cases where id = ${grant.caseId}) as number,
        (select time_zone from installation) as "timeZone", (select jsonb_object_agg(c.list || ':' || c.code, to_jsonb(c) ->> ${`label_${language}`})
          from codes c where c.list in ('zone', 'purpose', 'consent_method', 'representative', 'legal_basis', 'country')) as labels
      from consent_forms f where f.language = ${language}
        and f.version = coalesce(${grant.formVersion}, (select max(version) from consent_forms)) group by f.version`,
  )
  if (!read) throw new Error(`consent_forms returned no row of version ${grant.formVersion} in ${language}`)
  return written(grant, read, language)
}

function written(
  grant: Grant,
  { version, parts, labels, number, timeZone }: z.output<typeof FormRow>,
  language: FormLanguage,
): Receipt {
  const day = (instant: string | null) =>
    instant && new Intl.DateTimeFormat(language, { dateStyle: 'long', timeZone }).format(new Date(instant))
  const label = (list: string, code: string | null) => code && (labels[`${list}:${code}`] ?? code)
  const lastDay = grant.validUntil && new Date(Date.parse(grant.validUntil) - 1).toISOString()
  const byPerson = grant.basis !== 'statute'
  const facts: Record<string, string | null | undefined> = {
    case: number,
    from: grant.from.name,
    to: grant.to.name,
    zones: grant.zones.map(zone => label('zone', zone)).join(', '),
    purpose: label('purpose', grant.purpose),
    method: label('consent_method', grant.method),
    legal_reference: label('legal_basis', grant.legalReference),
    representative: label('representative', grant.representative),
    given: day(grant.openedAt ?? grant.givenAt),
    until: lastDay ? day(lastDay) : parts.no_end,
    closed: day(grant.closedAt),
    states: grant.states.map(state => label('country', state)).join(', ') || null,
    reference: grant.id,
  }
  const statements = [
    `by_${grant.basis}`,
    grant.onward ? 'onward' : 'not_onward',
    ...(grant.states.length ? [] : ['no_states']),
    grant.publication ? 'publication' : 'no_publication',
    byPerson ? 'withdraw' : 'not_withdraw',
    'stays',
  ]
  return {
    id: grant.id,
    caseId: grant.caseId,
    language,
    formVersion: version,
    title: parts.title ?? '',
    statements: statements.map(part => parts[part] ?? ''),
    facts: Object.entries(facts).flatMap(([part, value]) =>
      value ? [{ part, label: parts[part] ?? part, value }] : [],
    ),
  }
}

const escapes: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
const escaped = (text: string) => text.replaceAll(/[&<>"']/g, character => escapes[character] ?? character)

/** Returns the receipt as HTML to print, without styles or scripts. */
export const asHtml = ({ language, title, statements, facts }: Receipt): string => `<!doctype html>
<html lang="${language}">
<head><meta charset="utf-8"><title>${escaped(title)}</title></head>
<body>
<h1>${escaped(title)}</h1>
<table>
${facts.map(({ label, value }) => `<tr><th scope="row" align="left">${escaped(label)}</th><td>${escaped(value)}</td></tr>`).join('\n')}
</table>
${statements.map(text => `<p>${escaped(text)}</p>`).join('\n')}
</body>
</html>
`
