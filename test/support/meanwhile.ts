import type { Service, Someone } from './service.ts'

/**
 * Runs a statement as role app in the name of an account and keeps its transaction open until `request` waits for a lock;
 * then commits it, and returns the reply.
 */
export const meanwhile = async <T>(
  { superuser }: Service,
  who: Someone,
  statement: string,
  request: () => PromiseLike<T>,
) => {
  let reply: Promise<T> | undefined
  await superuser.begin(async sql => {
    const { account, organisation, role } = who
    const actor = { account, organisation: organisation.id, kind: organisation.kind, roles: [role] }
    await sql`select app.act_as(${JSON.stringify(actor)}::text::jsonb), set_config('app.entry', uuidv7()::text, true)`
    await sql.unsafe('set local role app')
    await sql.unsafe(statement)
    await sql`select app.write_entry('test', '{"cases": []}')`
    await sql.unsafe('reset role')
    reply = Promise.resolve(request())
    for (;;) {
      const waiting =
        await sql`select from pg_locks where not granted and pg_backend_pid() = any (pg_blocking_pids(pid))`
      if (waiting.length) break
      const over = await Promise.race([reply.then(() => true), new Promise(resolve => setTimeout(resolve, 5, false))])
      if (over) break
    }
  })
  return reply as Promise<T>
}
