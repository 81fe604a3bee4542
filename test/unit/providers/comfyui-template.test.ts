import { describe, expect, it } from 'vitest'
import { findComfyuiFault } from '../../../src/providers/comfyui/comfyui-template.ts'
import { EDITING, GRAPH, ONE_RUN, RUN_AN_IMAGE } from '../../contract/providers/comfyui-workflow.ts'

const inputs = { prompt: ['6.inputs.text'] }

describe('the catalogue entry of a ComfyUI model', () => {
  it.each([
    ['one run for all images', ONE_RUN],
    ['one run for each image', RUN_AN_IMAGE],
    ['a start from pictures', EDITING],
    ['the least there can be', { graph: GRAPH, inputs }],
    ['outputs and progress', { graph: GRAPH, inputs, outputs: ['9'], progress: ['3'] }],
    [
      'names of inputs with dots',
      { graph: { 1: { class_type: 'New', inputs: { 'size.width': 1 } } }, inputs: { prompt: ['1.inputs.size.width'] } },
    ],
  ])('is right with %s', (_, wire) => {
    expect(findComfyuiFault(wire)).toBeNull()
  })

  it.each([
    ['no graph', { inputs }, 'wire.graph should be an object'],
    ['an empty graph', { graph: {}, inputs }, 'wire.graph has no node'],
    ["the editor's own form", { graph: { nodes: [], links: [] }, inputs }, 'Export (API)'],
    ['a node that is none', { graph: { ...GRAPH, 9: {} }, inputs }, 'wire.graph.9 should have "class_type"'],
    ['no inputs', { graph: GRAPH }, 'wire.inputs should be an object'],
    ['no place for the prompt', { graph: GRAPH, inputs: {} }, 'wire.inputs.prompt is missing'],
    ['an unknown name', { graph: GRAPH, inputs: { ...inputs, promt: [] } }, 'wire.inputs.promt is not known'],
    ['an unknown key', { graph: GRAPH, inputs, output: ['9'] }, 'wire.output is not known'],
    ['a place that is none', { graph: GRAPH, inputs: { prompt: ['6.text'] } }, '"6.text" is no place'],
    ['a node that is not there', { graph: GRAPH, inputs: { prompt: ['66.inputs.text'] } }, 'names node 66'],
    ['an input that is not there', { graph: GRAPH, inputs: { prompt: ['6.inputs.txt'] } }, 'It has text, clip.'],
    ['a property of every object', { graph: GRAPH, inputs: { prompt: ['6.inputs.toString'] } }, 'does not have'],
    ['no list', { graph: GRAPH, inputs: { prompt: '6.inputs.text' } }, 'wire.inputs.prompt should be a list of texts'],
    ['an empty list', { graph: GRAPH, inputs: { prompt: [] } }, 'wire.inputs.prompt names no place'],
    ['an option', { graph: GRAPH, inputs: { ...inputs, options: { a: ['9.inputs.a'] } } }, 'wire.inputs.options.a'],
    ['a reference', { graph: GRAPH, inputs: { ...inputs, referenceImages: ['1.inputs.a'] } }, 'referenceImages[0]'],
    ['an output', { graph: GRAPH, inputs, outputs: ['99'] }, 'wire.outputs names node 99'],
    ['two savers and no outputs', { graph: { ...GRAPH, 19: GRAPH[9] }, inputs }, 'wire.outputs is missing'],
  ])('is refused with a fault in %s', (_, wire, fault) => {
    expect(findComfyuiFault(wire)).toContain(fault)
  })
})
