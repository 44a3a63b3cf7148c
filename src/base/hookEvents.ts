/** The moments of a run that `on` can name, in Lightning's order and by its names without `on_`. */
export const hookEvents = [
  'setup',
  'load_checkpoint',
  'fit_start',
  'sanity_check_start',
  'sanity_check_end',
  'train_start',
  'train_epoch_start',
  'train_batch_start',
  'after_backward',
  'before_optimizer_step',
  'train_batch_end',
  'validation_start',
  'validation_epoch_start',
  'validation_batch_start',
  'validation_batch_end',
  'validation_epoch_end',
  'validation_end',
  'train_epoch_end',
  'save_checkpoint',
  'train_end',
  'fit_end',
  'test_start',
  'test_epoch_start',
  'test_batch_start',
  'test_batch_end',
  'test_epoch_end',
  'test_end',
  'predict_start',
  'predict_epoch_start',
  'predict_batch_start',
  'predict_batch_end',
  'predict_epoch_end',
  'predict_end',
  'teardown',
  'nonfinite',
  'exception',
] as const

export type HookEvent = (typeof hookEvents)[number]

/** What the run tells in a hook, beside what lies in its batches: texts, and one number. */
export const toldTexts = ['error', 'stage', 'path', 'optimizer'] as const
export type Told = (typeof toldTexts)[number] | 'gradient_norm'

/** What an event hands over, in Lightning's order. */
export function payloadOf(event: string): readonly ('batch' | 'outputs' | Told)[] {
  if (event.endsWith('_batch_start')) return ['batch']
  if (event.endsWith('_batch_end')) return ['outputs', 'batch']
  switch (event) {
    case 'setup':
    case 'teardown':
      return ['stage']
    case 'load_checkpoint':
      return ['path']
    case 'after_backward':
      return ['optimizer']
    case 'before_optimizer_step':
      return ['optimizer', 'gradient_norm']
    case 'exception':
    case 'nonfinite':
      return ['error']
    default:
      return []
  }
}

/** Whether a hook on this event may leave the batch out. */
export function canSkip(event: string): boolean {
  return event.endsWith('_batch_start') || event === 'nonfinite'
}
