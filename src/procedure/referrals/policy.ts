import type { Purpose } from '../../casefile/grants/contract.ts'
import type { OrganisationKind } from '../../platform/access/permissions.ts'
import type { CaseAction } from '../../rules/lifecycle/contract.ts'
import { openStates, statesBefore } from '../../rules/lifecycle/policy.ts'
import { Decision, ReferralKind, type ReferralState } from './contract.ts'

type Rule = {
  kind: ReferralKind
  /** The relation of the sender to the case. */
  relation: 'owner' | 'handler'
  senders: readonly OrganisationKind[]
  recipients: readonly OrganisationKind[]
  /** The allowed purposes of the grant of the referral; empty: the referral has no grant. */
  purposes: readonly Purpose[]
  /** The action on the case by the offer and by each decision. */
  actions: Partial<Record<Decision | 'offer' | 'expire', CaseAction>>
}

const nonGovernmental = ['ngo', 'iom'] as const
const authorities = ['division', 'committee'] as const

/** Who may offer which cases to whom. */
const rules: readonly Rule[] = [
  {
    kind: 'submission',
    relation: 'owner',
    senders: nonGovernmental,
    recipients: ['division'],
    purposes: ['status_determination', 'birth_registration'],
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
 * The same as rows of the database, which checks every referral against them. A case can be offered in the states from
 * which its offer, or else its acceptance, is a step of the lifecycle. If neither is one, it can be offered in every
 * open state.
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
  /** What the decision does to the grant of the referral. */
  grants?: 'open' | 'close'
  needsReason?: true
}

/** The decisions about a referral: by whom, and from which state to which. */
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
