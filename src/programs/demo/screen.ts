const width = 40

/** Draws the progress of a job, over the line of the previous call. */
export function progressBar(done: number, total: number) {
  const full = Math.min(width, Math.floor((done / total) * width))
  process.stdout.write(`\r  ${'█'.repeat(full)}${'░'.repeat(width - full)} ${done} of ${total}`)
}

type Figures = { registered: number; documented: number; documentedShare: number | null }
type Report = { asOf: string; totals: Figures; groups: ({ label: { en: string } } & Figures)[] }

const english = new Intl.NumberFormat('en')
const share = ({ documentedShare }: Figures) => `${(documentedShare ?? 0).toFixed(2)} %`

/** Returns the report as a table with a bar for each region, the largest first. */
export function bars({ asOf, totals, groups }: Report): string {
  const largest = Math.max(...groups.map(({ registered }) => registered), 1)
  const rows = [...groups]
    .sort((a, b) => b.registered - a.registered)
    .map(group => {
      const cells = Math.ceil((group.registered / largest) * width)
      const full = Math.round(cells * (group.documented / group.registered))
      const bar = '█'.repeat(full) + '░'.repeat(cells - full)
      return `  ${group.label.en.padEnd(18)} ${english.format(group.registered).padStart(6)} ${english.format(group.documented).padStart(6)} ${share(group).padStart(8)}  ${bar}`
    })
  return [
    `  As of ${asOf}: ${english.format(totals.registered)} registered, ${english.format(totals.documented)} documented, ${share(totals)}`,
    '',
    ...rows,
    '',
  ].join('\n')
}
