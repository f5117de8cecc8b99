import fc from 'fast-check'
import t from 'tap'
import { columns, readRow } from '../../src/exchange/imports/row.ts'

const good = {
  externalId: 'A',
  registeredOn: '2021-03-04',
  regionCode: 'KZ-75',
  category: 'no_document',
  causes: '',
  familyName: 'Ә',
  givenName: '',
  patronymic: '',
  sex: '',
  birthDate: '',
}

/** Random text, and as often days and codes, so that some rows are almost valid. */
const cell = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc
    .date({ min: new Date('1900-01-01'), max: new Date('2100-01-01'), noInvalidDate: true })
    .map(date => date.toISOString().slice(0, 10)),
  fc.constantFrom('', 'male', 'refused', '1961', '1961-02', '1961-02-30', 'KZ-75'),
)

t.test('any row is read, or refused with the names of fields and without values', async t => {
  const cells = fc.dictionary(fc.constantFrom(...columns), cell)
  fc.assert(
    fc.property(cells, fc.integer({ min: 2 }), (given, line) => {
      const result = readRow(line, { ...good, ...given })
      if ('read' in result) return result.read.identity.names === 'unknown' || result.read.identity.names.length === 1
      return result.faults.every(
        fault =>
          fault.line === line &&
          columns.some(column => column === fault.field) &&
          !(
            String(given[fault.field as (typeof columns)[number]] ?? '').length > 12 &&
            fault.reason.includes(given[fault.field as (typeof columns)[number]] ?? '')
          ),
      )
    }),
    { numRuns: 2_000 },
  )
  t.pass('2,000 rows')
})

t.test('a birth date is read with the precision of the text', async t => {
  const birth = (birthDate: string) => {
    const result = readRow(2, { ...good, birthDate })
    return 'read' in result ? result.read.identity.birth : result.faults
  }
  t.same(birth(''), { precision: 'unknown' })
  t.same(birth('1961'), { precision: 'year', year: 1961 })
  t.same(birth('1961-02'), { precision: 'month', month: '1961-02' })
  t.same(birth('1961-02-03'), { precision: 'day', date: '1961-02-03' })
  t.match(birth('1961-02-30'), [{ field: 'birthDate', line: 2 }])
})
