import { unavailable } from '../../problem.ts'
import { Connection, type Endpoint } from './connection.ts'

type Waiting = { resolve: (connection: Connection) => void; reject: (error: Error) => void; timer: NodeJS.Timeout }

/** A bounded set of connections. A caller that waits longer than `wait` ms for one gets the problem `unavailable`. */
export class Pool {
  readonly #endpoint: Endpoint
  readonly #size: number
  readonly #wait: number
  readonly #idle: Connection[] = []
  readonly #held = new Set<Connection>()
  readonly #queue: Waiting[] = []
  /** The first connection, whose types the later ones take over. */
  #first: Connection | undefined
  #opening = 0
  #closed = false

  constructor(endpoint: Endpoint, { size, wait }: { size: number; wait: number }) {
    this.#endpoint = endpoint
    this.#size = size
    this.#wait = wait
  }

  /** How many connections are idle and held, and how many callers wait for one. */
  get counts() {
    return { idle: this.#idle.length, held: this.#held.size, waiting: this.#queue.length }
  }

  acquire(): Promise<Connection> {
    const idle = this.#takeIdle()
    if (idle) return Promise.resolve(idle)
    return new Promise((resolve, reject) => {
      const waiting = { resolve, reject, timer: setTimeout(() => this.#giveUp(waiting), this.#wait) }
      this.#queue.push(waiting)
      this.#open()
    })
  }

  release(connection: Connection) {
    this.#held.delete(connection)
    if (connection.dead) return this.#open()
    if (this.#closed) return void connection.close()
    this.#hand(connection)
  }

  /** Closes the idle connections at once and the others when they are released. */
  async close() {
    this.#closed = true
    for (const waiting of [...this.#queue]) this.#giveUp(waiting)
    await Promise.all(this.#idle.splice(0).map(connection => connection.close()))
  }

  #takeIdle() {
    for (let connection = this.#idle.pop(); connection; connection = this.#idle.pop())
      if (!connection.dead) return this.#hold(connection)
    return undefined
  }

  #hold(connection: Connection) {
    this.#held.add(connection)
    return connection
  }

  #hand(connection: Connection) {
    const waiting = this.#queue.shift()
    if (!waiting) return void this.#idle.push(connection)
    clearTimeout(waiting.timer)
    waiting.resolve(this.#hold(connection))
  }

  #giveUp(waiting: Waiting, cause?: unknown) {
    const place = this.#queue.indexOf(waiting)
    if (place < 0) return
    this.#queue.splice(place, 1)
    clearTimeout(waiting.timer)
    waiting.reject(unavailable(cause))
  }

  /** Opens one connection if a caller waits and the pool is not full. */
  #open() {
    if (this.#closed || !this.#queue.length || this.#held.size + this.#idle.length + this.#opening >= this.#size) return
    this.#opening++
    Connection.open(this.#endpoint, this.#first)
      .then(
        connection => {
          this.#first ??= connection
          this.#hand(connection)
        },
        cause => this.#queue[0] && this.#giveUp(this.#queue[0], cause),
      )
      .finally(() => {
        this.#opening--
        if (this.#queue.length > this.#opening) this.#open()
      })
  }
}
