import { describe, expect, it } from 'vitest'
import { createMessageRouter, type RunListener } from '../../../src/providers/comfyui/comfyui-messages.ts'
import { createStepProgress } from '../../../src/providers/comfyui/comfyui-watch.ts'
import { toMetadataFrame, toPreviewFrame } from '../../support/wire/comfyui-sockets.ts'

const JPEG = Buffer.from([0xff, 0xd8, 0xff, 0xe0, 1, 2, 3])

function listen() {
  const heard: unknown[] = []
  const listener: RunListener = {
    onSteps: (...steps) => void heard.push(['steps', ...steps]),
    onPreview: (bytes) => void heard.push(['preview', Buffer.from(bytes)]),
    onEnding: (failure) => void heard.push(['ending', failure?.what ?? null]),
  }
  const route = createMessageRouter((promptId) => (promptId === 'ours' ? listener : undefined))
  const tell = (type: string, data: object) => route(Buffer.from(JSON.stringify({ type, data })), false)
  return { heard, tell, route }
}

describe('what a ComfyUI server tells over its socket', () => {
  it('is heard where it names our run', () => {
    const { heard, tell } = listen()
    tell('progress', { prompt_id: 'ours', node: '3', value: 2, max: 8 })
    tell('progress_state', { prompt_id: 'ours', nodes: { 3: { value: 3, max: 8 }, 5: { value: 1, max: 1 } } })
    tell('executing', { prompt_id: 'ours', node: '8' })
    tell('executing', { prompt_id: 'ours', node: null })
    tell('execution_success', { prompt_id: 'ours' })
    tell('execution_error', { prompt_id: 'ours', exception_message: 'no' })
    tell('execution_interrupted', { prompt_id: 'ours' })
    expect(heard).toEqual([
      ['steps', '3', 2, 8],
      ['steps', '3', 3, 8],
      ['steps', '5', 1, 1],
      ['ending', null],
      ['ending', null],
      ['ending', 'FAILED'],
      ['ending', 'INTERRUPTED'],
    ])
  })

  it('is for nobody where it names another run, or none', () => {
    const { heard, tell } = listen()
    tell('progress', { prompt_id: 'theirs', node: '3', value: 2, max: 8 })
    tell('executing', { prompt_id: 'theirs', node: null })
    tell('execution_success', {})
    tell('executing', { node: null })
    expect(heard).toEqual([])
  })

  it('gives a preview to the run that it names, and an older one to the run that was spoken of last', () => {
    const { heard, tell, route } = listen()
    route(toPreviewFrame(JPEG), true)
    tell('execution_start', { prompt_id: 'ours' })
    route(toPreviewFrame(JPEG), true)
    route(toMetadataFrame(JPEG, { prompt_id: 'theirs' }), true)
    tell('executing', { prompt_id: 'theirs', node: '3' })
    route(toPreviewFrame(JPEG), true)
    const last = Buffer.concat([JPEG, Buffer.from([9])])
    route(toMetadataFrame(last, { prompt_id: 'ours' }), true)
    expect(heard).toEqual([
      ['preview', JPEG],
      ['preview', last],
    ])
  })

  it.each([
    ['an empty frame', Buffer.alloc(0)],
    ['a frame that breaks off', Buffer.from([0, 0, 0, 1, 0])],
    ['a length beyond the frame', Buffer.from([0, 0, 0, 4, 0xff, 0xff, 0xff, 0xff, 1])],
    ['another kind of frame', Buffer.from([0, 0, 0, 3, 0, 0, 0, 1, 0x39, 0x39])],
    ['what is no picture', toPreviewFrame(Buffer.from('<svg/>'))],
    ['a picture that is too large', toPreviewFrame(Buffer.concat([JPEG, Buffer.alloc(4 * 1024 * 1024)]))],
  ])('takes no harm from %s', (_, frame) => {
    const { heard, tell, route } = listen()
    tell('execution_start', { prompt_id: 'ours' })
    route(frame, true)
    expect(heard).toEqual([])
  })

  it.each([
    '',
    'nothing',
    'null',
    '[]',
    '{"type":"progress"}',
    '{"type":"progress_state","data":{"prompt_id":"ours","nodes":[1]}}',
  ])('takes no harm from the text %j', (text) => {
    const { heard, route } = listen()
    route(Buffer.from(text), false)
    expect(heard).toEqual([])
  })
})

describe('progress by steps', () => {
  it('is that of whichever node has steps, short of the end', () => {
    const shareOf = createStepProgress(null)
    expect([shareOf('5', 1, 1), shareOf('3', 5, 20), shareOf('3', 20, 20), shareOf('3', 25, 20)]).toEqual([
      null,
      0.25,
      0.99,
      0.99,
    ])
  })

  it('adds up over the nodes that are named', () => {
    const shareOf = createStepProgress(['3', '12'])
    expect([shareOf('3', 20, 20), shareOf('9', 1, 2), shareOf('12', 5, 10)]).toEqual([0.5, null, 0.75])
  })
})
