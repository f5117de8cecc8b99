import { campaignProgress } from './campaign-progress.ts'
import type { Report } from './report.ts'

/**
 * Every report. To add one, add a file and an entry here: routes, CSV and the item in `GET /v1/reports` follow from it.
 */
export const reports = [campaignProgress] as unknown as readonly Report[]
