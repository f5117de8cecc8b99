import type { Purpose } from '../../casefile/grants/contract.ts'
import type { OrganisationKind } from '../../platform/access/permissions.ts'
import type { CaseAction } from '../../rules/lifecycle/contract.ts'
import { openStates, statesBefore } from '../../rules/lifecycle/policy.ts'
import { Decision, ReferralKind, type ReferralState } from './contract.ts'

type Rule = {
  kind: ReferralKind
  /** What whoever offers it is to the case. */
  relation: 'owner' | 'handler'
  senders: readonly OrganisationKind[]
  recipients: readonly OrganisationKind[]
  /** What the person's grant that comes with it may be for; none: no grant comes with it. */
  purposes: readonly Purpose[]
  /** What its offer and each decision are to the case. */
  actions: Partial<Record<Decision | 'offer' | 'expire', CaseAction>>
}

const nonGovernmental = ['ngo', 'iom'] as const
const authorities = ['division', 'committee'] as const

/** Who may offer which case to whom. */
const rules: readonly Rule[] = [
  {
    kind: 'submission',
    relation: 'owner',
    senders: nonGovernmental,
    recipients: ['division'],
    purposes: ['status_determination'],
    actions: {
      offer: 'submit',
      accept: 'accept',
      decline: 'decline',
      recall: 'recall',
      expire: 'expire',
      return: 'return',
    },
  },
  {
    kind: 'service',
    relation: 'owner',
    senders: [...nonGovernmental, ...authorities],
    recipients: nonGovernmental,
    purposes: ['legal_aid', 'service_referral'],
    actions: {},
  },
  ...[nonGovernmental, authorities].map(
    (kinds): Rule => ({
      kind: 'transfer',
      relation: 'owner',
      senders: kinds,
      recipients: kinds,
      purposes: [],
      actions: { accept: 'transfer' },
    }),
  ),
  {
    kind: 'hand_over',
    relation: 'handler',
    senders: ['division'],
    recipients: ['division'],
    purposes: [],
    actions: { accept: 'hand_over', return: 'return' },
  },
]

/**
 * The same as rows of the database, which holds every referral to them. A case can be offered in the states from which
 * the lifecycle lets its offer, or else its acceptance, move it; an offer that moves no case, in every open state.
 */
export const ruleRows = rules.map(rule => {
  const moves = rule.actions.offer ?? rule.actions.accept
  return { ...rule, states: moves ? statesBefore(moves) : openStates }
})

type DecisionRule = {
  kinds?: readonly ReferralKind[]
  from: ReferralState
  to: ReferralState
  party: 'sender' | 'recipient' | 'clock'
  /** What becomes of the grant that came with it. */
  grants?: 'open' | 'close'
  needsReason?: true
}

/** What may be decided about a referral, by whom, and what it makes of it. */
const decisions: Record<Decision | 'expire', DecisionRule> = {
  accept: { from: 'offered', to: 'accepted', party: 'recipient', grants: 'open' },
  decline: { from: 'offered', to: 'declined', party: 'recipient', grants: 'close', needsReason: true },
  recall: { from: 'offered', to: 'recalled', party: 'sender', grants: 'close' },
  expire: { from: 'offered', to: 'expired', party: 'clock', grants: 'close' },
  return: {
    kinds: ['submission', 'hand_over'],
    from: 'accepted',
    to: 'ended',
    party: 'recipient',
    grants: 'close',
    needsReason: true,
  },
  done: { kinds: ['service'], from: 'accepted', to: 'ended', party: 'recipient', grants: 'close' },
}

/** The same as rows of the database. */
export const decisionRows = [...Decision.options, 'expire' as const].map(decision => {
  const { kinds, from, to, party, grants, needsReason } = decisions[decision]
  return {
    decision,
    kinds: kinds ?? ReferralKind.options,
    from_state: from,
    to_state: to,
    party,
    grants: grants ?? null,
    needs_reason: needsReason ?? false,
  }
})
