import { campaignProgress } from './campaign-progress.ts'
import type { Report } from './report.ts'

/** Every report: a file and a line here make another one, with its routes, its CSV and its line in `GET /v1/reports`. */
export const reports = [campaignProgress] as unknown as readonly Report[]
