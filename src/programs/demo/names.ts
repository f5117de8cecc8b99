import { kazakh } from './names/kazakh.ts'
import type { Names } from './names/material.ts'
import { russian } from './names/russian.ts'
import { uzbek, uzbekCyrillic } from './names/uzbek.ts'

export type People = 'kazakh' | 'russian' | 'uzbek' | 'uzbekCyrillic'

/** Common names, freely combined: any likeness to a real person is a coincidence. */
export const peoples: Record<People, Names> = { kazakh, russian, uzbek, uzbekCyrillic }
