import type { Someone } from '../../support/service.ts'
import { all, type Org } from './reference-model.ts'

export type Reply = { statusCode: number; body: string; json(): { id: string; grantId: string | null } }
/** A move: the status that the model predicts, the request, and `makes`, its effect on the model. */
export type Move = { what: string; status: number; send: () => Promise<Reply>; makes: (reply: Reply) => void }
/** `who`: a supervisor; `maker`: a colleague who makes the proposals. */
export type Who = { org: Org; who: Someone; maker: Someone }
export type World = { day: number; dateOf: (day: number) => string; people: readonly Who[] }

export const firstOf = (...rules: [when: boolean, status: number][]) => rules.find(([when]) => when)?.[1] ?? 200
export const pick = <T>(list: readonly T[], n: number) => list[n % list.length] as T
/** A choice of zones, at least one. */
export const subset = (n: number) => all.filter((_, i) => ((n % 15) + 1) & (1 << i))
