"""Fates by construction: constant_folding."""

import tensorflow as tf
from passes_construction import FILTERS, HALVES, IMAGES, X, constant, filled, function

raw = tf.raw_ops


@function(X)
def constants(x):
    """An op of constants becomes a constant under its name.

    two folded by constant_folding 1 into six
    three folded by constant_folding 1 into six
    six folded by constant_folding 1
    six from two, three, six
    Identity removed by model_pruner 1 into sum
    """
    six = raw.Mul(x=constant(2.0, "two"), y=constant(3.0, "three"), name="six")
    return raw.Maximum(x=x, y=six, name="sum")


@function(X)
def folded_then_merged(x):
    """Two sums of constants give two equal constants, which the second iteration merges.

    one folded by constant_folding 1 into five
    four folded by constant_folding 1 into five
    five folded by constant_folding 1
    two folded by constant_folding 1 into five
    three folded by constant_folding 1 into five
    five_again folded by constant_folding 1 into five
    Identity removed by model_pruner 1 into product
    """
    five = raw.AddV2(x=constant(1.0, "one"), y=constant(4.0, "four"), name="five")
    again = raw.AddV2(x=constant(2.0, "two"), y=constant(3.0, "three"), name="five_again")
    left = raw.Maximum(x=x, y=five, name="left")
    return raw.MatMul(a=left, b=raw.Minimum(x=x, y=again, name="right"), name="product")


@function(X)
def neutral(x):
    """constant_folding makes Identity ops of x * 1 and x + 0, which still wait for the constants; those go with them.

    one removed by dependency_optimizer 1 into -
    product removed by constant_folding 1 into x
    zero removed by dependency_optimizer 1 into -
    total removed by constant_folding 1 into x
    Identity removed by model_pruner 1 into exp
    """
    product = raw.Mul(x=x, y=filled(1.0, "one"), name="product")
    return raw.Exp(x=raw.AddV2(x=product, y=filled(0.0, "zero"), name="total"), name="exp")


@function(X)
def same_shape(x):
    """A reshape to the shape that a value has, known while tracing or not, computes nothing.

    shape folded by constant_folding 1 into -
    reshaped removed by constant_folding 1 into exp
    Identity removed by model_pruner 1 into softmax
    """
    exp = raw.Exp(x=x, name="exp")
    reshaped = raw.Reshape(tensor=exp, shape=raw.Shape(input=x, name="shape"), name="reshaped")
    return raw.Softmax(logits=reshaped, name="softmax")


@function(X)
def reciprocal(x):
    """A division by a constant becomes a multiplication by its reciprocal.

    four folded by constant_folding 1 into ConstantFolding/quotient_recip
    quotient changed by constant_folding 1
    ConstantFolding/quotient_recip from four
    Identity removed by model_pruner 1 into softmax
    """
    quotient = raw.RealDiv(x=raw.Exp(x=x, name="exp"), y=constant(4.0, "four"), name="quotient")
    return raw.Softmax(logits=quotient, name="softmax")


@function(X, HALVES)
def shapes(x, y):
    """Known shapes become constants; the shapes of a ShapeN too, one for each output, and what computes with them.

    shape folded by constant_folding 1
    both folded by constant_folding 1 into right
    right folded by constant_folding 1
    Identity removed by model_pruner 1 into left
    Identity_1 removed by model_pruner 1 into right
    """
    shape = raw.Shape(input=y, name="shape")
    left = raw.Reshape(tensor=raw.Softmax(logits=x, name="softmax"), shape=shape, name="left")
    both = raw.ShapeN(input=[x, x], name="both")
    return left, raw.BroadcastArgs(s0=both[0], s1=both[1], name="right")


@function(X)
def pushed_down(x):
    """2 * (x * 3) becomes x * 6: the constant is computed below.

    two folded by constant_folding 1 into inner
    three folded by constant_folding 1 into inner
    inner folded by constant_folding 1
    outer changed by constant_folding 1
    inner from three, inner, two
    Identity removed by model_pruner 1 into softmax
    """
    inner = raw.Mul(x=raw.Softmax(logits=x, name="before"), y=constant(3.0, "three"), name="inner")
    return raw.Softmax(logits=raw.Mul(x=constant(2.0, "two"), y=inner, name="outer"), name="softmax")


@function(X)
def too_large(x):
    """A constant of 4 MB of different numbers is not made.

    Identity removed by model_pruner 1 into sum
    """
    numbers = raw.Range(start=constant(0.0, "start"), limit=constant(1e6, "limit"), delta=constant(1.0, "step"))
    total = raw.Sum(input=numbers, axis=constant([0], "axes"), name="total")
    return raw.AddV2(x=x, y=total, name="sum")


@function(X)
def partly_constant(x):
    """The constants of a sum of several are added up beforehand.

    one folded by constant_folding 1 into ConstantFolding/sum_partial_split_2
    two folded by constant_folding 1 into ConstantFolding/sum_partial_split_2
    sum changed by constant_folding 1
    ConstantFolding/sum_partial_split_2 from one, two
    Identity removed by model_pruner 1 into softmax
    """
    total = raw.AddN(inputs=[filled(1.0, "one"), raw.Exp(x=x, name="exp"), filled(2.0, "two"), x], name="sum")
    return raw.Softmax(logits=total, name="softmax")


@function(IMAGES, FILTERS)
def into_filters(images, filters):
    """A factor behind a convolution of constant filters is multiplied into the filters.

    weights folded by constant_folding 1 into convolution/merged_input
    three folded by constant_folding 1 into convolution/merged_input
    convolution changed by constant_folding 1 into scaled
    scaled changed by constant_folding 1
    scaled from convolution, scaled
    Identity removed by model_pruner 1 into most
    """
    weights = constant([[[[0.5] * 4] * 4] * 3] * 3, "weights")
    product = raw.Conv2D(input=images, filter=weights, strides=[1] * 4, padding="SAME", name="convolution")
    other = raw.Conv2D(input=images, filter=filters, strides=[1] * 4, padding="SAME", name="other")
    scaled = raw.Mul(x=product, y=constant(3.0, "three"), name="scaled")
    return raw.Maximum(x=scaled, y=other, name="most")
