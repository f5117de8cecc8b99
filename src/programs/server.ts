import { readConfig } from '../config.ts'
import { firstScreen } from './first-screen.ts'
import { untilStopped } from './stop.ts'

await untilStopped(async start => {
  const config = readConfig()
  const { address, demonstration } = await start(config)
  if (!config.databaseUrl) process.stdout.write(firstScreen(address, config, demonstration))
})
