/**
 * Programs of Lua as trees, names resolved.
 *
 * Floor 3, room lua.
 */

/** A local variable. */
export interface Local {
  readonly name: string
  readonly slot: number
  /** A function within uses it: it lives in a box of its own. */
  isCaptured: boolean
}

/** Where a function finds a variable of the function around it. */
export interface Upvalue {
  readonly name: string
  /** Local of the function around, or else the number of its own upvalue. */
  readonly from: Local | number
}

export interface FunctionTree {
  readonly name: string
  readonly parameters: readonly Local[]
  readonly isVariadic: boolean
  readonly body: readonly Statement[]
  readonly upvalues: readonly Upvalue[]
  readonly slots: number
  readonly line: number
}

export type Expression =
  | { readonly kind: 'constant'; readonly value: undefined | boolean | number | string }
  | { readonly kind: 'variadic' }
  | { readonly kind: 'local'; readonly local: Local }
  | { readonly kind: 'upvalue'; readonly index: number; readonly name: string }
  | { readonly kind: 'global'; readonly name: string; readonly line: number }
  | { readonly kind: 'index'; readonly object: Expression; readonly key: Expression; readonly line: number }
  | { readonly kind: 'call'; readonly callee: Expression; readonly args: readonly Expression[]; readonly line: number }
  | {
      readonly kind: 'method'
      readonly object: Expression
      readonly name: string
      readonly args: readonly Expression[]
      readonly line: number
    }
  | { readonly kind: 'function'; readonly tree: FunctionTree }
  | {
      readonly kind: 'binary'
      readonly operator: string
      readonly left: Expression
      readonly right: Expression
      readonly line: number
    }
  | { readonly kind: 'unary'; readonly operator: string; readonly operand: Expression; readonly line: number }
  | {
      readonly kind: 'table'
      readonly items: readonly Expression[]
      readonly pairs: readonly (readonly [Expression, Expression])[]
    }
  | { readonly kind: 'single'; readonly inner: Expression }

export type Statement =
  | { readonly kind: 'locals'; readonly locals: readonly Local[]; readonly values: readonly Expression[] }
  | { readonly kind: 'assign'; readonly targets: readonly Expression[]; readonly values: readonly Expression[] }
  | { readonly kind: 'call'; readonly call: Expression }
  | { readonly kind: 'block'; readonly body: readonly Statement[] }
  | { readonly kind: 'while'; readonly condition: Expression; readonly body: readonly Statement[] }
  | { readonly kind: 'repeat'; readonly condition: Expression; readonly body: readonly Statement[] }
  | {
      readonly kind: 'if'
      readonly branches: readonly { readonly condition: Expression; readonly body: readonly Statement[] }[]
      readonly otherwise: readonly Statement[] | undefined
    }
  | {
      readonly kind: 'count'
      readonly local: Local
      readonly from: Expression
      readonly to: Expression
      readonly step: Expression | undefined
      readonly body: readonly Statement[]
      readonly line: number
    }
  | {
      readonly kind: 'each'
      readonly locals: readonly Local[]
      readonly values: readonly Expression[]
      readonly body: readonly Statement[]
      readonly line: number
    }
  | { readonly kind: 'return'; readonly values: readonly Expression[] }
  | { readonly kind: 'break' }
  | { readonly kind: 'localFunction'; readonly local: Local; readonly tree: FunctionTree }
