import { readFileSync } from 'node:fs'
import { parse } from 'csv-parse/sync'
import t from 'tap'
import { columns } from '../../../src/exchange/imports/row.ts'
import { ageOn, dayOf, plusYears } from '../../../src/programs/demo/campaign/calendar.ts'
import { household, type Person } from '../../../src/programs/demo/campaign/households.ts'
import { campaign, type Registration, registrations } from '../../../src/programs/demo/campaign.ts'
import type { Sex } from '../../../src/programs/demo/names/material.ts'
import { cyrillic } from '../../../src/programs/demo/names/uzbek.ts'
import { type People, peoples } from '../../../src/programs/demo/names.ts'
import { Random } from '../../../src/programs/demo/random.ts'

const read = (name: string): Record<string, string>[] =>
  parse(readFileSync(new URL(`../../../src/rules/reference/data/${name}.csv`, import.meta.url)), { columns: true })
const codes = read('code-lists')
const where = (column: string, value: string) => (code: Record<string, string>) => code[column] === value
const lists = Map.groupBy(codes, code => code.list)
const codesOf = (list: string) => new Set(lists.get(list)?.map(({ code }) => code))

const horizon = '2022-02-15'
const rows = [...registrations({ seed: 1, size: 7299 })]
const documented = rows.filter(({ documentType }) => documentType)
const share = (list: Registration[], of: (row: Registration) => boolean) => list.filter(of).length / list.length
const adult = ({ registeredOn, birthDate }: Registration) =>
  birthDate.length < 10 || ageOn(registeredOn, birthDate) >= 18

await t.test('the figures of 15 February 2022 equal the reported ones', async t => {
  t.equal(rows.filter(({ registeredOn }) => registeredOn <= horizon).length, 7299)
  t.equal(documented.filter(({ documentIssuedOn }) => documentIssuedOn <= horizon).length, 6062)
  t.equal(documented.length, 6062, 'no case is documented later')
  const summer = '2021-07-01'
  t.equal(rows.filter(({ registeredOn }) => registeredOn <= summer).length, 3639)
  t.equal(documented.filter(({ documentIssuedOn }) => documentIssuedOn <= summer).length, 2338)
  const citizens = documented.filter(({ outcome }) => outcome === 'kz_citizenship_confirmed').length
  t.ok(Math.abs(citizens - 4800) < 150, `${citizens} citizens confirmed, of 4,800`)
  const women = share(rows, ({ sex }) => sex === 'female')
  t.ok(women > 0.45 && women < 0.55, 'sexes about even')
})

await t.test('every size and seed has its exact share of documented persons', async t => {
  for (const size of [0, 1, 2, 3, 50, 1000]) {
    for (const seed of [0, 1, 2, -7, 2 ** 40 + 1]) {
      const some = [...registrations({ seed, size })]
      t.equal(some.length, size)
      t.equal(some.filter(({ documentType }) => documentType).length, Math.round((size * 6062) / 7299))
    }
  }
})

await t.test('the same seed gives the same people, another seed others', async t => {
  t.strictSame([...registrations({ seed: 1, size: 7299 })], rows)
  t.notSame([...registrations({ seed: 2, size: 50 })], [...registrations({ seed: 3, size: 50 })])
})

await t.test('a row has the columns of the import file, in their order', async t => {
  t.ok(rows.every(row => Object.keys(row).join() === columns.join()))
  t.ok(rows.every(row => Object.values(row).every(value => typeof value === 'string' && value === value.trim())))
  t.strictSame([rows.at(0)?.externalId, rows.at(-1)?.externalId], ['C20-000001', 'C20-007299'])
})

await t.test('registration, decision and issue are in order, and no date is after the horizon', async t => {
  const registered = rows.map(({ registeredOn }) => registeredOn)
  t.strictSame(registered, registered.toSorted(), 'in order')
  t.ok(registered.every(day => day >= campaign.startsOn && day <= '2022-02-11'))
  for (const row of rows) {
    const days = [row.registeredOn, row.decidedOn, row.documentIssuedOn].filter(day => day)
    if (days.join() !== days.toSorted().join() || days.some(day => day > horizon)) t.fail('days out of order', { row })
    if (Boolean(row.outcome) !== Boolean(row.decidedOn)) t.fail('an outcome has its day', { row })
    if (!adult(row) && row.birthDate >= row.registeredOn) t.fail('registered before birth', { row })
  }
  const weekend = registered.filter(day => [0, 6].includes(new Date(day).getUTCDay())).length
  t.ok(weekend > 0 && weekend < 200, 'rather on weekdays')
})

await t.test('every code is on its list, no cause is sensitive, every region was valid on the day', async t => {
  const causes = new Set(codes.filter(where('sensitive', 'no')).map(({ code }) => code))
  const opened = new Map(read('regions').map(region => [region.code, region.valid_from ?? '']))
  const valid = (row: Registration) =>
    codesOf('category').has(row.category) &&
    row.causes.split(';').every((cause, n, all) => causes.has(cause) && all.indexOf(cause) === n) &&
    /^\w+(;\w+){0,2}$/.test(row.causes) &&
    (!row.outcome || codesOf('outcome').has(row.outcome)) &&
    (!row.documentType || codesOf('document_type').has(row.documentType)) &&
    ['male', 'female'].includes(row.sex) &&
    /^([A-Z]{3})?$/.test(row.birthCountry) &&
    /^(\d{4}(-\d\d(-\d\d)?)?)?$/.test(row.birthDate) &&
    (opened.get(row.regionCode) ?? '9999') <= row.registeredOn
  t.ok(rows.every(valid))
  t.same(new Set(rows.map(({ category }) => category)), codesOf('category'), 'every category occurs')
  const divisions: Record<string, string> = { 'KZ-75': 'almaty-city', 'KZ-61': 'turkistan', 'KZ-63': 'east-kazakhstan' }
  t.ok(rows.every(({ regionCode, division }) => division === (divisions[regionCode] ?? '')))
})

await t.test('a document has its own number and follows from the outcome and the age', async t => {
  const numbers = documented.map(({ documentNumber }) => documentNumber)
  t.equal(new Set(numbers).size, numbers.length)
  t.ok(numbers.every(number => /^\d{9}$/.test(number)))
  for (const row of documented) {
    const { outcome, documentType, documentIssuedOn: issued } = row
    const age = row.birthDate.length < 10 ? 18 : ageOn(issued, row.birthDate)
    const expected = {
      kz_citizenship_confirmed: age < 16 ? ['birth_certificate'] : ['citizen_identity_card', 'citizen_passport'],
      birth_registered: age < 18 ? ['birth_certificate'] : [],
      stateless_recognised: age < 16 ? [] : ['stateless_certificate'],
      residence_permit: age < 16 ? [] : ['residence_permit'],
    }[outcome]
    if (!expected?.includes(documentType)) t.fail('a document that does not fit', { row })
    if (documentType === 'stateless_certificate') t.equal(row.documentExpiresOn, plusYears(issued, 5))
  }
  const needless = new Set(codes.filter(where('needs_document', 'no')).map(({ code }) => code))
  const others = rows.filter(({ documentType }) => !documentType)
  t.ok(others.every(({ outcome }) => !outcome || needless.has(outcome)))
  t.ok(others.every(row => !row.documentNumber && !row.documentIssuedOn && !row.documentExpiresOn))
  t.ok(share(others, ({ outcome }) => !outcome) > 0.6, 'most of the others have no outcome yet')
})

await t.test('former documents fit the category', async t => {
  t.ok(rows.every(row => row.formerDocumentType || !row.formerDocumentNumber))
  const known = ['', 'birth_certificate', 'cis_passport', 'foreign_passport', 'kz_identity_card', 'ussr_passport']
  t.same([...new Set(rows.map(({ formerDocumentType }) => formerDocumentType))].toSorted(), known)
  const soviet = rows.filter(where('category', 'ussr_passport_1974'))
  t.ok(soviet.every(row => row.formerDocumentType === 'ussr_passport' && row.birthDate < '1976'))
})

await t.test('birth dates of adults are often placeholders, those of children never', async t => {
  const adults = rows.filter(adult)
  const january = share(adults, ({ birthDate }) => birthDate.endsWith('-01-01'))
  t.ok(january > 0.07 && january < 0.13, `${january} on 1 January`)
  for (const length of [0, 4, 7]) t.ok(adults.some(({ birthDate }) => birthDate.length === length))
})

await t.test('a quarter of the people come in families of two to six', async t => {
  const random = new Random(1)
  const day = dayOf('2021-06-01')
  const households = (Object.keys(peoples) as People[]).flatMap(people =>
    Array.from({ length: 2000 }, () => household(random, { people, day })),
  )
  const families = households.filter(({ length }) => length > 1)
  const inFamilies = families.flat().length / households.flat().length
  t.ok(inFamilies > 0.2 && inFamilies < 0.3, `${inFamilies}`)
  t.same(new Set(families.map(({ length }) => length)), new Set([2, 3, 4, 5, 6]))
  const possible = families.every(family => {
    const [children, parents] = [true, false].map(young =>
      family.filter(({ bornOn }) => ageOn('2021-06-01', bornOn) < 18 === young),
    ) as [Person[], Person[]]
    const grown = parents.map(({ bornOn }) => plusYears(bornOn, 18))
    const names = new Set(children.map(({ givenName }) => givenName))
    return (
      grown.length && names.size === children.length && children.every(({ bornOn }) => grown.every(on => bornOn >= on))
    )
  })
  t.ok(possible, 'children have different names, and were born after both parents were 18')
})

await t.test('children have the names of the father who registered with them', async t => {
  const bears = (child: Registration, man: Registration) =>
    man.registeredOn === child.registeredOn &&
    man.regionCode === child.regionCode &&
    Object.values(peoples).some(({ families, patronymic }) => {
      const sex = child.sex as Sex
      const names = Object.values(patronymic).map(of => of(man.givenName, sex))
      const family = families.find(({ male }) => male === man.familyName)
      return names.includes(child.patronymic) && family?.[sex] === child.familyName
    })
  const named = rows.filter(
    (child, n) => !adult(child) && rows.slice(Math.max(0, n - 5), n).some(man => bears(child, man)),
  )
  t.ok(named.length > 300, `${named.length} children`)
})

await t.test('names are in the scripts that people use', async t => {
  const names = rows.flatMap(({ familyName, givenName, patronymic }) => [familyName, givenName, patronymic])
  const all = names.join(' ').toLowerCase()
  for (const letter of 'әғқңөұүһіўҳё') t.ok(all.includes(letter), letter)
  for (const part of ['oʻ', 'gʻ', 'ʼ', 'ұлы', 'қызы', 'oʻgʻli', 'qizi', 'ўғли', 'вич', 'вна', 'ovich'])
    t.ok(all.includes(part), part)
  t.notMatch(all, /[a-z][а-яёәғқңөұүһіўҳ]|[а-яёәғқңөұүһіўҳ][a-z]/u, 'no word mixes two scripts')
  for (const { given, families } of Object.values(peoples)) {
    for (const list of [given.male, given.female, families.map(({ male }) => male)]) {
      t.ok(list.length >= 40 && new Set(list).size === list.length)
    }
  }
})

await t.test('patronymics follow the rules of their language', async t => {
  const both = (people: People, style: 'today' | 'soviet', father: string) =>
    (['male', 'female'] as const).map(sex => peoples[people].patronymic[style](father, sex)).join(' ')
  const russian = `Иван Иванович Ивановна,Николай Николаевич Николаевна,Сергей Сергеевич Сергеевна,
    Игорь Игоревич Игоревна,Юрий Юрьевич Юрьевна,Василий Васильевич Васильевна,Дмитрий Дмитриевич Дмитриевна,
    Георгий Георгиевич Георгиевна,Терентий Терентьевич Терентьевна,Илья Ильич Ильинична,Никита Никитич Никитична,
    Лев Львович Львовна,Павел Павлович Павловна,Пётр Петрович Петровна,Яков Яковлевич Яковлевна,
    Михаил Михайлович Михайловна,Фома Фомич Фоминична,Фёдор Фёдорович Фёдоровна,Данило Данилович Даниловна`
  for (const [father = '', ...expected] of russian.split(/,\s*/).map(line => line.split(' '))) {
    t.equal(both('russian', 'today', father), expected.join(' '))
  }
  t.equal(both('kazakh', 'today', 'Серік'), 'Серікұлы Серікқызы')
  t.equal(both('kazakh', 'soviet', 'Серік'), 'Серікович Серіковна')
  t.equal(both('kazakh', 'soviet', 'Абай'), 'Абаевич Абаевна')
  t.equal(both('kazakh', 'soviet', 'Мұса'), 'Мұсаевич Мұсаевна')
  t.equal(both('uzbek', 'today', 'Toʻlqin'), 'Toʻlqin oʻgʻli Toʻlqin qizi')
  t.equal(both('uzbek', 'soviet', 'Ali'), 'Aliyevich Aliyevna')
  t.equal(both('uzbekCyrillic', 'soviet', 'Али'), 'Алиевич Алиевна')
  t.equal(cyrillic('Yoʻldosh Gʻulom Shuhrat Elyor Maʼmura'), 'Йўлдош Ғулом Шуҳрат Элёр Маъмура')
})
