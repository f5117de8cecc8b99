// Values, each with its verdict: the tests send them through the API and the import, and docs/values.md lists them.
import type { Registration } from '../../src/programs/demo/campaign.ts'
import { consent, document } from '../support/procedure.ts'
import { intake } from '../support/service.ts'

/**
 * `what`: the kind of value, in words. `refused`: whether it is refused; otherwise it is accepted, with the notices that
 * are named. `body`: the request of the contract. `row`: the same in an import.
 */
export type Value = {
  contract: 'Registration' | 'Contact' | 'Protection' | 'NewGrant' | 'NewDocument'
  field: string
  what: string
  refused: boolean
  notices?: readonly string[]
  body: object
  row?: Partial<Registration>
}
/** Values of one kind: in words, whether they are refused, and the values. */
type Said = readonly [what: string, refused: boolean, ...values: string[]]

const texts = (longest: number): Said[] => [
  [
    'nothing that can be seen',
    true,
    '\u200b',
    '\u3164\u00ad',
    '\u2800',
    '\u200e\u00a0\u2060',
    '\u180e\ufe0f',
    '\u115f',
  ],
  ['a bidi override or isolate', true, '\u202eнанаД', 'Да\u2066на', 'Дана\u2069', '\u202bДана\u202c'],
  ['a control character', true, 'Иван\u0007ов', 'Иван\u0085ов', 'Ива\u2028нов', 'Ива\u001bнов', 'Ива\u007fнов'],
  ['a line break or tab', true, 'Ива\nнов', 'Ива\tнов', 'Ива\r\nнов'],
  [`more than ${longest} characters`, true, 'Ы'.repeat(longest + 1)],
  ['any script', false, 'Ы'.repeat(longest), "O‘g‘li d'Artagnan", 'کریم\u200cی', '\u200fمحمد', '李🙂', 'क्\u200dष'],
  ['one letter', false, 'Ә', '7'],
  ['spaces around it, which are cut', false, ' Иванов ', '\u00a0Петров', 'Сидоров\n'],
]
const days: Said[] = [
  ['a day that does not exist', true, '2021-02-29', '2021-13-01'],
  ['a day before 1800', true, '1799-12-31'],
  ['another format', true, '04.03.2021', '2021-3-4'],
  ['a day in the future', true, '2999-01-01'],
  ['any other day', false, '2021-03-04', '1999-12-31'],
]
const births: Said[] = [
  ['after the registration', true, '2021-03-05', '2021-04', '2022'],
  ['in the future', true, '2090-01-01', '2058'],
  ['a day that does not exist', true, '1961-02-30', '1961-13'],
  ['a year before 1880, a day before 1800', true, '1879', '1799-12-31'],
  ['the day, month or year of the registration', false, '2021-03-04', '2021-03', '2021'],
  ['any other day, month or year', false, '1960-02-29', '1961-05', '1961'],
]
const countries: Said[] = [
  ['on no list', true, 'QQQ', 'XXX', 'ZZZ'],
  ['another format', true, 'uzb', 'UZ'],
  ['a country', false, 'UZB', 'AFG'],
]
const codes = (good: string): Said[] => [
  ['on no list', true, 'zz', 'qqq'],
  ['another format', true, 'Not a code', good.toUpperCase()],
  ['on the list', false, good],
]

const born = (text: string) =>
  text.length === 4
    ? { precision: 'year', year: Number(text) }
    : text.length === 7
      ? { precision: 'month', month: text }
      : { precision: 'day', date: text }

const identity = {
  names: [{ kind: 'official', family: 'Иванов' }],
  sex: 'unknown',
  birth: { precision: 'unknown' },
}
const representative = { kind: 'none_yet' }
const registered = (more: object, person: object = {}) => ({
  ...intake(),
  basis: { ...intake().basis, representative },
  category: 'no_document',
  causes: [],
  person: { identity: { ...identity, ...person } },
  ...more,
})

type Column = keyof Registration
/** A field of a registration: how the API and the import say it. */
const field = (
  name: string,
  column: Column,
  body: (value: string) => object,
  values: readonly Said[],
  more: Partial<Registration> = {},
): Value[] =>
  values.flatMap(([what, refused, ...values]) =>
    values.map(value => ({
      contract: 'Registration' as const,
      field: name,
      what,
      refused,
      body: body(value),
      row: { ...more, [column]: value },
    })),
  )
const name = (part: string) => (value: string) => registered({}, { names: [{ kind: 'official', [part]: value }] })
const held = (more: object) => registered({}, { documents: [{ type: 'other', ...more }] })

const registrations: Value[] = [
  ...field('externalId', 'externalId', externalId => registered({ externalId }), texts(100)),
  ...field('names.family', 'familyName', name('family'), texts(120)),
  ...field('names.given', 'givenName', name('given'), texts(120), { familyName: '' }),
  ...field('names.patronymic', 'patronymic', name('patronymic'), texts(120), { familyName: '' }),
  ...field('documents.number', 'formerDocumentNumber', number => held({ number }), texts(60), {
    formerDocumentType: 'other',
  }),
  ...field('documents.type', 'formerDocumentType', type => held({ type }), codes('ussr_passport')),
  ...field('registeredOn', 'registeredOn', registeredOn => registered({ registeredOn }), days),
  ...field('birth', 'birthDate', birth => registered({}, { birth: born(birth) }), births),
  ...field('birthPlace.country', 'birthCountry', country => registered({}, { birthPlace: { country } }), [
    ...countries,
    ['a country of the past', false, 'SUN', 'YUG'],
  ]),
  ...field('category', 'category', category => registered({ category }), codes('lost_document')),
  ...field('causes', 'causes', cause => registered({ causes: [cause] }), [
    ...codes('cost'),
    ['sensitive: it belongs in the zone protection', true, 'trafficking_or_exploitation'],
  ]),
  ...field('regionCode', 'regionCode', regionCode => registered({ regionCode }), [
    ['not a region on that day', true, 'KZ-10', 'KZ-99', 'a region of Kazakhstan'],
    ['a region on that day', false, 'KZ-75', 'KZ-61'],
  ]),
  ...field('sex', 'sex', sex => registered({}, { sex }), [
    ['another word', true, 'F', 'Male'],
    ['male, female, other or unknown', false, 'male', 'female', 'other', 'unknown'],
  ]),
]

const iin = (what: string, number: string, refused: boolean, notices: string[] = [], more: object = {}): Value => ({
  contract: 'Registration',
  field: 'iin',
  what,
  refused,
  notices,
  body: registered({}, { iin: number, ...more }),
})
const odd = (field: string, what: string, notice: string, more: object): Value => ({
  contract: 'Registration',
  field,
  what,
  refused: false,
  notices: [notice],
  body: registered({}, { birth: born('1990-01-02'), ...more }),
})
const woman = '850715400004'
const persons: Value[] = [
  iin('a date that does not exist', '921329300003', true),
  iin('a date that does not exist', '920132300006', true),
  iin('a date that does not exist', '000229300005', true),
  iin('a seventh digit above 6', '920101900009', true),
  iin('the number of a company (BIN)', '120440100004', true),
  iin('a wrong check digit', '900101300018', true),
  iin('not twelve digits: a zero at the beginning is lost', '61211600012', true),
  iin('an IIN', woman, false),
  iin('a seventh digit of 0', '920229000008', false),
  iin('of another birth date', woman, false, ['iin_of_other_birth'], { birth: born('1961') }),
  iin('of the other sex', woman, false, ['iin_of_other_sex'], { sex: 'male' }),
  odd('documents.expiresOn', 'before its issue', 'expires_before_issue', {
    documents: [{ type: 'other', issuedOn: '2010-01-01', expiresOn: '2009-01-01' }],
  }),
  odd('documents.issuedOn', 'before the birth', 'issued_before_birth', {
    documents: [{ type: 'other', issuedOn: '1989-01-01' }],
  }),
  odd('parents.birth', 'after the birth of the child', 'older_than_parent', {
    parents: [{ relation: 'mother', given: 'Айгүл', birth: born('1990-02') }],
  }),
  {
    contract: 'Registration',
    field: 'parents.birth',
    what: 'after the registration',
    refused: true,
    body: registered({}, { parents: [{ relation: 'mother', given: 'Айгүл', birth: born('2050') }] }),
  },
]

const only = (contract: Value['contract'], field: string, body: (value: string) => object, values: readonly Said[]) =>
  values.flatMap(([what, refused, ...values]) =>
    values.map((value): Value => ({ contract, field, what, refused, body: body(value) })),
  )
const languages: Said[] = [
  ['on no list', true, 'zz', 'qqq'],
  ['another format', true, 'KK'],
  ['a language of ISO 639', false, 'kk', 'kaa', 'prs'],
]
const grant = { purpose: 'legal_aid', zones: ['identity'], validUntil: '2031-01-01' }
const card = { ...document('V 1', '2021-05-03'), iin: undefined, expiresOn: undefined }
const others: Value[] = [
  ...only('Contact', 'languages', language => ({ languages: [language] }), languages),
  ...only('Protection', 'mustNotBeKnownTo', state => ({ mustNotBeKnownTo: [state] }), [
    ...countries,
    ['a country of the past', true, 'SUN'],
  ]),
  ...only('NewGrant', 'basis.language', language => ({ ...grant, basis: { ...consent, language } }), languages),
  ...only('NewDocument', 'issuedOn', issuedOn => ({ ...card, issuedOn }), [
    ['before the decision', true, '2021-05-02'],
    ['before the birth', true, '1900-01-01'],
    ['after the day on which it is recorded', true, '2999-01-01'],
    ['from the decision on', false, '2021-05-03'],
  ]),
  ...only('NewDocument', 'expiresOn', expiresOn => ({ ...card, expiresOn }), [
    ['before its issue', true, '2021-05-02'],
    ['from its issue on', false, '2021-05-03'],
  ]),
  ...only('NewDocument', 'number', number => ({ ...card, number }), [
    ['digits, fewer than such a number has', true, '45123987'],
    ['digits, as many as such a number has', false, '045123987'],
    ['other characters too', false, 'N 1'],
  ]),
]

export const values: readonly Value[] = [...registrations, ...persons, ...others]
