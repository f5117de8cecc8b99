export type Weaker = { without: string; text: string }

const token = /'(?:[^']|'')*'|"[^"]*"|[()]|\bAND\b|\bWHERE\b/g

/**
 * Returns a condition, as the catalogue writes it, once for each of its conjuncts at any depth, with `true` in its
 * place. The only condition of a subquery counts as a conjunct.
 */
export function weaker(text: string): Weaker[] {
  const groups: { from: number; cuts: { from: number; to: number }[]; alone: boolean }[] = []
  const conjuncts: [number, number][] = []
  let before = ''
  for (const { 0: found, index } of text.matchAll(token)) {
    const group = groups.at(-1)
    if (found === '(') groups.push({ from: index + 1, cuts: [], alone: before === 'WHERE' })
    else if (found === 'AND') group?.cuts.push({ from: index, to: index + found.length })
    else if (found === ')' && group) {
      groups.pop()
      if (group.cuts.length || group.alone) {
        const starts = [group.from, ...group.cuts.map(({ to }) => to)]
        const ends = [...group.cuts.map(({ from }) => from), index]
        for (const [i, start] of starts.entries()) conjuncts.push([start, ends[i] as number])
      }
    }
    before = found
  }
  return conjuncts.map(([from, to]) => ({
    without: text.slice(from, to).replaceAll(/\s+/g, ' ').trim(),
    text: `${text.slice(0, from)} true ${text.slice(to)}`,
  }))
}
