import type { Code } from '../base/code.ts'
import type { Attr, Attrs } from '../ir/ir.ts'
import type { Dim } from '../types/dim.ts'
import type { TensorType } from '../types/tensor.ts'
import type { Make } from './builder.ts'
import type { OnnxContext, OnnxValue } from './onnx.ts'

/** A tensor value inside a function that is being built: its name in the IR and its type. */
export interface Operand {
  readonly name: string
  readonly type: TensorType
}

/** Why an operator can't take its arguments; a sentence in the user's words without the operator's name. */
export interface Clash {
  readonly clash: string
  /** Which input is at fault, where one is. */
  readonly input?: number
  readonly expected?: string
  readonly got?: string
}

/** What an attribute may be; `default` makes it optional at a call. `axis` counts from the end when negative. */
export interface AttrSpec {
  readonly kind: 'int' | 'ints' | 'float' | 'bool' | 'axis' | 'axes' | 'dims' | 'dtype' | 'place'
  readonly default?: Attr
}

export interface GradientContext<A extends Attrs> {
  readonly inputs: readonly Operand[]
  readonly outputs: readonly Operand[]
  readonly attrs: A
}

/** What a lowering to tfjs may look at besides its inputs' text. */
export interface TfjsContext {
  readonly inputs: readonly TensorType[]
  readonly outputs: readonly TensorType[]
  /** The text of a size: `64`, or `batch` as the function binds it. */
  dim(size: Dim): Code
}

/** Arguments that exercise an operator: shapes of the inputs, how to fill them, and attributes. */
export interface Sample<A extends Attrs = Attrs> {
  readonly shapes: readonly (readonly number[])[]
  readonly attrs: A
  /** The interval that each input is drawn from, [-2, 2] where it isn't said; or its very values. */
  readonly inputs?: readonly (
    | { readonly low: number; readonly high: number }
    | { readonly values: readonly number[] }
  )[]
  /** The inputs' dtypes where the signature leaves a choice that isn't f32. */
  readonly dtypes?: readonly TensorType['dtype'][]
  /** Why finite differences do not judge it here (a kink, a tie): the expected gradient is then given by input. */
  readonly gradient?: readonly (readonly number[])[]
}

/**
 * One primitive operator: everything that anyone needs to know of it.
 *
 * Entries are annotated constants (`export const exp: Op = …`), since inferring their types through a helper would be circular.
 */
export interface Op<A extends Attrs = Attrs> {
  /** One sentence for the reference. */
  readonly doc: string
  /**
   * In ltm's own type syntax. Dtype classes: `F` float, `N` number, `I` integer, `B` bool, `T` any; equal letters agree.
   * `...b` stands for any number of dimensions. `~s` in all inputs broadcasts by ltm's rule: absent leading dimensions
   * are added, a literal 1 is stretched.
   */
  readonly signature: string
  /** The attributes, in the order in which a call may give them after the tensors. */
  readonly attrs?: { readonly [K in keyof A]-?: AttrSpec }
  /** The name it is called by in ltm where that isn't its key; several operators may share one (`max`), told apart by their arguments; false hides it. */
  readonly call?: string | false
  /** The result's type where the signature can't say it (reshape, concat, slice, convolution). Called after the signature's inputs have matched. */
  readonly infer?: (inputs: readonly TensorType[], attrs: A) => TensorType | Clash
  readonly tfjs: (inputs: readonly Code[], attrs: A, context: TfjsContext) => Code
  /**
   * The nodes of an ONNX graph that compute it, where all sizes are numbers; `'drawn'`: the host draws it with its key, and the graph is
   * given the value. The choice of nodes may depend on the provider.
   */
  readonly onnx: 'drawn' | ((inputs: readonly OnnxValue[], attrs: A, context: OnnxContext) => OnnxValue)
  /** The inputs' gradients from the output's; undefined where none flows. `'none'`: not differentiable, no gradient flows. */
  readonly grad:
    | 'none'
    | ((dy: Operand, context: GradientContext<A>, make: Make) => readonly (Operand | undefined)[])
  /** The products that it adds up; absent where it makes one pass over its elements. */
  readonly multiplyAdds?: (inputs: readonly TensorType[], output: TensorType, attrs: A) => Dim
  /**
   * How to lift it over a leading axis of examples: `elementwise` operators broadcast; a function rewrites the attributes
   * (all inputs batched); absent where it can't be lifted.
   */
  readonly lift?: 'elementwise' | ((attrs: A, inputs: readonly TensorType[], size: Dim) => A)
  readonly samples: readonly Sample<A>[]
}
