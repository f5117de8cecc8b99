import type { Service, Someone } from './service.ts'

/**
 * Returns a function that runs a statement as role app in the name of an account, without the service, and returns the number
 * of rows or the refusal. It rolls back unless `keep`. `before`: a statement that the superuser runs first.
 */
export const inSql =
  ({ superuser }: Pick<Service, 'superuser'>, before = '') =>
  (who: Someone, text: string, keep = false): Promise<string> =>
    superuser
      .begin(async sql => {
        await sql.unsafe(before)
        const { account, organisation, role } = who
        const actor = { account, organisation: organisation.id, kind: organisation.kind, roles: [role] }
        const entry = crypto.randomUUID()
        await sql`select app.act_as(${JSON.stringify(actor)}::text::jsonb), set_config('app.entry', ${entry}, true)`
        await sql.unsafe('set local role app')
        const { count } = await sql.unsafe(text)
        if (!keep) throw { code: 'kept', message: `changed ${count}` }
        await sql`select app.write_entry('test', '{"cases": []}')`
        return `changed ${count}`
      })
      .catch(({ code, message }: { code: string; message: string }) =>
        code === 'kept' ? message : `${code} ${code === 'QJ001' ? message : ''}`.trim(),
      )
