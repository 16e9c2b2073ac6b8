"""Fates by construction: arithmetic_optimizer."""

import tensorflow as tf
from passes_construction import SCALAR, X, constant, filled, function

raw = tf.raw_ops


@function(X)
def square(x):
    """x * x becomes a Square of its own.

    product changed by arithmetic_optimizer 1 into ArithmeticOptimizer/ReplaceMulWithSquare_product
    ArithmeticOptimizer/ReplaceMulWithSquare_product from product
    Identity removed by model_pruner 1 into softmax
    """
    running = raw.Cumsum(x=x, axis=0, name="running")
    return raw.Softmax(logits=raw.Mul(x=running, y=running, name="product"), name="softmax")


@function(X, X)
def squared_difference(x, y):
    """The square of a difference is computed by the op that computed the difference.

    difference changed by arithmetic_optimizer 1
    square changed by arithmetic_optimizer 1 into difference
    difference from difference, square
    Identity removed by model_pruner 1 into softmax
    """
    square = raw.Square(x=raw.Sub(x=x, y=y, name="difference"), name="square")
    return raw.Softmax(logits=square, name="softmax")


@function(X, X, X, X)
def sums(x, y, z, v):
    """A tree of additions becomes one AddN.

    xy changed by arithmetic_optimizer 1 into ArithmeticOptimizer/AddOpsRewrite_total
    xyz changed by arithmetic_optimizer 1 into ArithmeticOptimizer/AddOpsRewrite_total
    total changed by arithmetic_optimizer 1 into ArithmeticOptimizer/AddOpsRewrite_total
    ArithmeticOptimizer/AddOpsRewrite_total from xy, xyz, total
    Identity removed by model_pruner 1 into softmax
    """
    xyz = raw.AddV2(x=raw.AddV2(x=x, y=y, name="xy"), y=z, name="xyz")
    return raw.Softmax(logits=raw.AddV2(x=xyz, y=v, name="total"), name="softmax")


@function(X, SCALAR, SCALAR)
def sums_of_two_shapes(x, y, z):
    """Of additions of several shapes those of one shape are done together: (x + y) + (v + z) = (x + v) + (y + z).

    xy changed by arithmetic_optimizer 1 into ArithmeticOptimizer/AddOpsRewrite_total
    vz changed by arithmetic_optimizer 1 into ArithmeticOptimizer/AddOpsRewrite_total
    total changed by arithmetic_optimizer 1 into ArithmeticOptimizer/AddOpsRewrite_total
    ArithmeticOptimizer/AddOpsRewrite_total from xy, vz, total
    ArithmeticOptimizer/AddOpsRewrite_Leaf_0_total from xy, vz, total
    ArithmeticOptimizer/AddOpsRewrite_Leaf_1_total from xy, vz, total
    Identity removed by model_pruner 1 into softmax
    """
    xy = raw.AddV2(x=x, y=y, name="xy")
    vz = raw.AddV2(x=raw.Softmax(logits=x, name="v"), y=z, name="vz")
    return raw.Softmax(logits=raw.AddV2(x=xy, y=vz, name="total"), name="softmax")


@function(X)
def aggregation(x):
    """x + x + x becomes 3 * x.

    total changed by arithmetic_optimizer 1 into ArithmeticOptimizer/SimplifyAggregation_Mul_total
    ArithmeticOptimizer/SimplifyAggregation_Const_total new by arithmetic_optimizer 1
    Identity removed by model_pruner 1 into softmax
    """
    exp = raw.Exp(x=x, name="exp")
    return raw.Softmax(logits=raw.AddN(inputs=[exp, exp, exp], name="total"), name="softmax")


@function(X)
def reshapes(x):
    """Of two reshapes in a row the first is not needed.

    first/shape removed by arithmetic_optimizer 1 into -
    first removed by arithmetic_optimizer 1 into exp
    Identity removed by model_pruner 1 into softmax
    """
    first = tf.reshape(raw.Exp(x=x, name="exp"), [2, 8], name="first")
    return raw.Softmax(logits=tf.reshape(first, [16, 1], name="second"), name="softmax")


@function(X)
def casts(x):
    """A cast to the type that a value has does nothing.

    cast removed by arithmetic_optimizer 1 into exp
    Identity removed by model_pruner 1 into softmax
    """
    cast = raw.Cast(x=raw.Exp(x=x, name="exp"), DstT=tf.float32, name="cast")
    return raw.Softmax(logits=cast, name="softmax")


@function(X)
def transposes(x):
    """Two transposes that undo each other are gone, and so is their permutation.

    there/perm removed by arithmetic_optimizer 1 into -
    back/perm merged by common_subgraph_elimination 1 into -
    there removed by arithmetic_optimizer 1 into exp
    back removed by arithmetic_optimizer 1 into exp
    Identity removed by model_pruner 1 into softmax
    """
    there = tf.transpose(raw.Exp(x=x, name="exp"), [1, 0], name="there")
    return raw.Softmax(logits=tf.transpose(there, [1, 0], name="back"), name="softmax")


@function(X)
def involution(x):
    """A negation of a negation is the value itself.

    negative removed by arithmetic_optimizer 1 into exp
    positive removed by arithmetic_optimizer 1 into exp
    Identity removed by model_pruner 1 into softmax
    """
    negative = raw.Neg(x=raw.Exp(x=x, name="exp"), name="negative")
    return raw.Softmax(logits=raw.Neg(x=negative, name="positive"), name="softmax")


@function(X, X)
def plus_negative(x, y):
    """x + (-y) becomes x - y in place: the subtraction does the work of both.

    negative changed by arithmetic_optimizer 1 into sum
    sum from negative, sum
    sum changed by arithmetic_optimizer 1
    Identity removed by model_pruner 1 into softmax
    """
    negative = raw.Neg(x=y, name="negative")
    return raw.Softmax(logits=raw.AddV2(x=x, y=negative, name="sum"), name="softmax")


@function(X)
def composed(x):
    """Three unary ops in a row become one.

    exp fused by arithmetic_optimizer 1 into sqrt/unary_ops_composition
    tanh fused by arithmetic_optimizer 1 into sqrt/unary_ops_composition
    sqrt fused by arithmetic_optimizer 1 into sqrt/unary_ops_composition
    sqrt/unary_ops_composition from exp, tanh, sqrt
    Identity removed by model_pruner 1 into softmax
    """
    tanh = raw.Tanh(x=raw.Exp(x=raw.Softmax(logits=x, name="first"), name="exp"), name="tanh")
    return raw.Softmax(logits=raw.Sqrt(x=tanh, name="sqrt"), name="softmax")


@function(X)
def composed_pair(x):
    """Two do as well.

    exp fused by arithmetic_optimizer 1 into tanh/unary_ops_composition
    tanh fused by arithmetic_optimizer 1 into tanh/unary_ops_composition
    Identity removed by model_pruner 1 into softmax
    """
    exp = raw.Exp(x=raw.Cumsum(x=x, axis=0, name="running"), name="exp")
    return raw.Softmax(logits=raw.Tanh(x=exp, name="tanh"), name="softmax")


@function(X)
def powers(x):
    """x ** 2 becomes a Square in place, which waits for the exponent until dependency_optimizer sees that it need not.

    two removed by dependency_optimizer 1 into -
    power changed by arithmetic_optimizer 1
    Identity removed by model_pruner 1 into softmax
    """
    power = raw.Pow(x=raw.Cumsum(x=x, axis=0, name="running"), y=filled(2.0, "two"), name="power")
    return raw.Softmax(logits=power, name="softmax")


@function(X)
def log_plus_one(x):
    """log(x + 1) becomes one Log1p in place, which does the work of both.

    one removed by arithmetic_optimizer 1 into -
    plus_one changed by arithmetic_optimizer 1 into log
    log from plus_one, log
    log changed by arithmetic_optimizer 1
    Identity removed by model_pruner 1 into sum
    """
    plus_one = raw.AddV2(x=raw.Softmax(logits=x, name="softmax"), y=filled(1.0, "one"), name="plus_one")
    return raw.Cumsum(x=raw.Log(x=plus_one, name="log"), axis=0, name="sum")


@function(X, X)
def not_equal(x, y):
    """not (x == y) is x != y: the comparison is changed in place and does the work of both.

    equal changed by arithmetic_optimizer 1
    equal from equal, not
    not changed by arithmetic_optimizer 1 into equal
    Identity removed by model_pruner 1 into result
    """
    opposite = raw.LogicalNot(x=raw.Equal(x=x, y=y, name="equal"), name="not")
    return raw.Select(condition=opposite, x=x, y=y, name="result")


@function(X)
def merged_then_squared(x):
    """A cascade: the twin is merged, the product of the twins is a Square.

    twin merged by common_subgraph_elimination 1 into first
    product changed by arithmetic_optimizer 1 into ArithmeticOptimizer/ReplaceMulWithSquare_product
    Identity removed by model_pruner 1 into softmax
    """
    first, twin = raw.Softmax(logits=x, name="first"), raw.Softmax(logits=x, name="twin")
    return raw.Softmax(logits=raw.Mul(x=first, y=twin, name="product"), name="softmax")


@function(X, X)
def folded_transpose(x, y):
    """A transpose before a matrix product is done by the product.

    perm removed by arithmetic_optimizer 1 into -
    turned changed by arithmetic_optimizer 1 into ArithmeticOptimizer/FoldTransposeIntoMatMul_product
    product changed by arithmetic_optimizer 1 into ArithmeticOptimizer/FoldTransposeIntoMatMul_product
    ArithmeticOptimizer/FoldTransposeIntoMatMul_product from turned, product
    Identity removed by model_pruner 1 into softmax
    """
    turned = raw.Transpose(x=raw.Softmax(logits=x, name="before"), perm=constant([1, 0], "perm"), name="turned")
    return raw.Softmax(logits=raw.MatMul(a=turned, b=y, name="product"), name="softmax")


@function(X)
def slice_of_stack(x):
    """To stack values and take one of them again is to take that one.

    both removed by arithmetic_optimizer 1 into -
    begin removed by arithmetic_optimizer 1 into -
    end removed by arithmetic_optimizer 1 into -
    strides merged by common_subgraph_elimination 1 into -
    slice removed by arithmetic_optimizer 1 into before
    Identity removed by model_pruner 1 into softmax
    """
    both = raw.Pack(values=[raw.Softmax(logits=x, name="before"), x], axis=0, name="both")
    begin, end = constant([0], "begin"), constant([1], "end")
    taken = raw.StridedSlice(
        input=both, begin=begin, end=end, strides=constant([1], "strides"), shrink_axis_mask=1, name="slice"
    )
    return raw.Softmax(logits=taken, name="softmax")
