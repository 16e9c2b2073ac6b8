"""Op -> its category, a key of `paint.CATEGORY_PAINTS`."""

from __future__ import annotations

import functools
import re

from tfgraphdbg.graph_model import OpNode

_GRADIENT_NAMES = re.compile(r"(?:^|/)(?:gradient_tape|gradients)(?:/|$)")

# The first pattern that fits the whole op type decides.
_PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (name, re.compile(pattern, re.VERBOSE))
    for name, pattern in (
        ("constant", r"(Host|Immutable)?Const"),
        (
            "communication",
            r"""_?(Host)?(Send|Recv) | Xla(Send|Recv)\w* | .*(Collective|Nccl|AllReduce|AllToAll|CrossReplica).*""",
        ),
        ("input", r"Placeholder\w* | _(Device)?(Arg|Retval) | .*(Iterator|Dataset).* | (Eager)?PyFunc\w*"),
        ("call", r"(Stateful)?PartitionedCall | SymbolicGradient | RemoteCall | XlaLaunch\w* | _XlaRun"),
        (
            "control",
            r"""(Stateless)?(If|While|Case) | _?(Ref)?(SwitchN?|Merge|Enter|Exit|NextIteration) | LoopCond | NoOp
            | Abort | Assert | ControlTrigger | TensorList\w* | TensorArray\w* | Stack(V2|Push\w*|Pop\w*)
            | .*Accumulator.*""",
        ),
        (
            "variable",
            r"""VarHandleOp | VarIsInit.* | .*Variable.* | (Resource|Sparse)?Apply[A-Z]\w* | Assign\w* | Resource\w+""",
        ),
        (
            "shape",
            r"""Reshape | Transpose | ConjugateTranspose | ShapeN? | Size | Rank | ExpandDims | Squeeze | Concat\w*
            | SplitV? | Slice | StridedSlice | Pack | Unpack | Gather\w* | Tile | (Mirror)?Pad(V2)?
            | Broadcast(To|Args|GradientArgs) | Cast | Bitcast | IdentityN? | Snapshot | Fill | (Zeros|Ones)Like | Range
            | (Stop|Prevent)Gradient | Reverse\w* | Roll | Where | EnsureShape | ScatterNd | Empty | InvertPermutation
            | OneHot | DynamicStitch""",
        ),
        ("gradient", r".*(Grad|Backprop).*"),
        (
            "compute",
            r""".*(MatMul|Conv[23]D|Depthwise|Attention|FusedBatchNorm|RNN|LSTM|GRU|FFT|Cholesky).*
            | \w*(Avg|Max)Pool\w* | Einsum | Svd | Qr | LU | Xla(Dot|Conv)\w* | _Fused\w+ | _Mkl\w+""",
        ),
        (
            "math",
            r"""Sum | All | Any | Imag
            | _?(Add|Sub(?!str)|Mul|Div|Pow|Sqrt|Square|Rsqrt|Exp|Log|Sin|Cos|Tan|Sinh|Cosh|Tanh|A(sin|cos|tan)h?|Atan2
            |Erf|Abs|Neg|Sign|Floor|Ceil|Round|Rint|Mod|Reciprocal|Inv|Relu|Elu|Selu|Gelu|Sigmoid|Soft|LeakyRelu|Real
            |Complex|Conj|Angle|Max(?!Intra)|Min|Mean|Prod|Bias|Cum|Clip|Select|Equal|NotEqual|Greater|Less|Logical
            |Bitwise|Arg(Max|Min)|TopK|InTopK|Unique|Segment|Unsorted|Norm|L2Loss|LRN|IsNan|IsInf|IsFinite|Trunc
            |Xlog|Xdiv|Lgamma|Digamma|Betainc|Igamma|Polygamma|Zeta|Ndtri|Cross|Matrix|Bincount|Histogram|Approximate
            |Sparse(Soft|Segment)|Invert|Left|Right|LinSpace|Euclidean)\w*""",
        ),
    )
)


def category_of(op: OpNode) -> str:
    """What kind of op it is: a captured variable is a variable, and arithmetic in a gradient scope is gradient."""
    name = _category_of_type(op.op_type)
    if name == "input" and op.outputs and op.outputs[0].dtype == "resource":
        name = "variable"
    return "gradient" if name in ("compute", "math") and is_in_gradient_scope(op) else name


def is_in_gradient_scope(op: OpNode) -> bool:
    """TensorFlow names what a gradient tape adds `gradient_tape/...`; TensorFlow 1 said `gradients/...`."""
    return _GRADIENT_NAMES.search(op.name) is not None


@functools.cache
def _category_of_type(op_type: str) -> str:
    return next((name for name, pattern in _PATTERNS if pattern.fullmatch(op_type)), "other")
