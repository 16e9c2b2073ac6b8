"""Fates by construction: remapper."""

import tensorflow as tf
from passes_construction import FILTERS, IMAGES, VECTOR, X, function

raw = tf.raw_ops


@function(X, X, VECTOR)
def dense(x, weights, bias):
    """A matmul, its bias and its activation become one op, under the name of the last.

    product fused by remapper 1 into relu
    biased fused by remapper 1 into relu
    relu fused by remapper 1
    relu from product, biased, relu
    Identity removed by model_pruner 1 into softmax
    """
    product = raw.MatMul(a=x, b=weights, name="product")
    biased = raw.BiasAdd(value=product, bias=bias, name="biased")
    return raw.Softmax(logits=raw.Relu(features=biased, name="relu"), name="softmax")


@function(X, X, VECTOR)
def read_twice(x, weights, bias):
    """The sum before the activation is read by another op too, so that only the bias is fused.

    product fused by remapper 1 into biased
    biased fused by remapper 1
    biased from product, biased
    Identity removed by model_pruner 1 into softmax
    """
    product = raw.MatMul(a=x, b=weights, name="product")
    biased = raw.BiasAdd(value=product, bias=bias, name="biased")
    relu = raw.Relu(features=biased, name="relu")
    return raw.Softmax(logits=raw.Sub(x=relu, y=biased, name="difference"), name="softmax")


@function(IMAGES, FILTERS, VECTOR)
def convolution(images, filters, bias):
    """A convolution, its bias and its activation become one op.

    product fused by remapper 1 into relu
    biased fused by remapper 1 into relu
    relu fused by remapper 1
    relu from product, biased, relu
    Identity removed by model_pruner 1 into softmax
    """
    product = raw.Conv2D(input=images, filter=filters, strides=[1] * 4, padding="SAME", name="product")
    biased = raw.BiasAdd(value=product, bias=bias, name="biased")
    return raw.Softmax(logits=raw.Relu(features=biased, name="relu"), name="softmax")


@function(IMAGES, FILTERS, VECTOR, VECTOR)
def normalized_convolution(images, filters, scale, offset):
    """A batch norm that is not in training is fused into the convolution before it, the activation too.

    product fused by remapper 1 into relu
    norm fused by remapper 1 into relu
    relu fused by remapper 1
    relu from product, norm, relu
    Identity removed by model_pruner 1 into softmax
    """
    product = raw.Conv2D(input=images, filter=filters, strides=[1] * 4, padding="SAME", name="product")
    norm = raw.FusedBatchNormV3(
        x=product, scale=scale, offset=offset, mean=offset, variance=scale, is_training=False, name="norm"
    )
    return raw.Softmax(logits=raw.Relu(features=norm.y, name="relu"), name="softmax")


@function(X, X, VECTOR)
def merged_then_fused(x, weights, bias):
    """The twin is merged, and what it was merged into is fused later: both end in the fused op.

    twin merged by common_subgraph_elimination 1 into relu
    biased_twin merged by common_subgraph_elimination 1 into relu
    relu_twin merged by common_subgraph_elimination 1 into relu
    product fused by remapper 1 into relu
    biased fused by remapper 1 into relu
    relu fused by remapper 1
    Identity removed by model_pruner 1 into result
    """
    product, twin = raw.MatMul(a=x, b=weights, name="product"), raw.MatMul(a=x, b=weights, name="twin")
    biased = raw.BiasAdd(value=product, bias=bias, name="biased")
    biased_twin = raw.BiasAdd(value=twin, bias=bias, name="biased_twin")
    relu, relu_twin = raw.Relu(features=biased, name="relu"), raw.Relu(features=biased_twin, name="relu_twin")
    left = raw.Softmax(logits=relu, name="left")
    return raw.MatMul(a=left, b=raw.Cumsum(x=relu_twin, axis=0, name="right"), name="result")
