import closeWithGrace from 'close-with-grace'
import { readConfig, StartError } from './config.ts'
import { firstScreen } from './first-screen.ts'
import { startService } from './start.ts'

try {
  const config = readConfig()
  const service = await startService(config)
  closeWithGrace({ delay: 20_000 }, async ({ err }) => {
    if (err) process.stderr.write(`Stopped by an error: ${err.name}\n`)
    await service.stop()
  })
  if (service.demonstration) process.stdout.write(firstScreen(service.address, config, service.demonstration))
} catch (error) {
  if (!(error instanceof StartError)) throw error
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 1
}
