import type { Someone } from '../../support/service.ts'
import type { Org } from './reference-model.ts'

export type Reply = { statusCode: number; body: string; json(): { id: string; grantId: string | null } }
/** What somebody may try: the status that it has by the model, how it is asked, and what comes of it. */
export type Move = { what: string; status: number; send: () => Promise<Reply>; makes: (reply: Reply) => void }
/** `who`: a supervisor; `maker`: a colleague who proposes things to them. */
export type Who = { org: Org; who: Someone; maker: Someone }
export type World = { day: number; dateOf: (day: number) => string; people: readonly Who[] }

export const firstOf = (...rules: [when: boolean, status: number][]) => rules.find(([when]) => when)?.[1] ?? 200
export const pick = <T>(list: readonly T[], n: number) => list[n % list.length] as T
