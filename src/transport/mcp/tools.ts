import type { Tool } from './tool.ts'
import { cancelGeneration } from './tools/cancel-generation.ts'
import { estimateCost } from './tools/estimate-cost.ts'
import { generateImage } from './tools/generate-image.ts'
import { getGeneration } from './tools/get-generation.ts'
import { listHistory } from './tools/list-history.ts'
import { listModels } from './tools/list-models.ts'
import { waitForGeneration } from './tools/wait-for-generation.ts'

/** Nothing that deletes is among them: an assistant may be led to call what it can. */
export const TOOLS: readonly Tool[] = [
  listModels,
  estimateCost,
  generateImage,
  waitForGeneration,
  getGeneration,
  listHistory,
  cancelGeneration,
]
